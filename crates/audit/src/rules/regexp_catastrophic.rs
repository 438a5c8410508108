//! `regexp-catastrophic`: a regular expression that takes exponential time meets a text of the client.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "regexp-catastrophic",
    class: Class::Redos,
    control: Control::Validation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-1333"],
    asvs: &["v5.0.0-1.3.12"],
    owasp: &["API4:2023"],
    summary: "a regular expression that takes exponential time meets a text of the client",
    page: include_str!("regexp_catastrophic.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Redos,
    sources: SENT,
    signs: "abcdefghijklmnopqrstuvwxyz0123456789",
    wants: Wants::Text,
    message: "a text of the client meets a regular expression that takes exponential time on some",
    does: "tries every way to split it between two repeats of the same signs",
    fix: "repeat once: `[0-9]+` in place of `([0-9]+)+`; or bound the length of the text before",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits_at(context, &DANGER, |sink| sink.name != "RegExp")
}
