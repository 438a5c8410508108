//! `command-injection`: what the client sends becomes part of a command.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "command-injection",
    class: Class::CommandInjection,
    control: Control::Validation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-78"],
    asvs: &["v5.0.0-1.2.5"],
    owasp: &["A03:2021"],
    summary: "a command is put together from what the client sends",
    page: include_str!("command_injection.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::CommandInjection,
    sources: SENT,
    signs: ";&|`$()<>\n'\"\\",
    wants: Wants::Text,
    message: "what the client sends becomes part of a command",
    does: "starts it as a command",
    fix: "run the program without a shell, with a fixed name and a list of arguments (`execFile`), and let each argument fit a narrow pattern",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
