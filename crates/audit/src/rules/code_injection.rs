//! `code-injection`: what the client sends is run as code.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "code-injection",
    class: Class::CodeInjection,
    control: Control::Validation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-94", "CWE-95"],
    asvs: &["v5.0.0-1.3.2"],
    owasp: &["A03:2021"],
    summary: "what the client sends is run as code",
    page: include_str!("code_injection.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::CodeInjection,
    sources: SENT,
    signs: "()`.=;[]{}\"'",
    wants: Wants::Text,
    message: "what the client sends is run as code",
    does: "runs it as code",
    fix: "parse what is expected (a number, a date, JSON) and look operations up in a table of functions",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
