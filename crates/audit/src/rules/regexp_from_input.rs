//! `regexp-from-input`: a regular expression is made from what the client sends.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "regexp-from-input",
    class: Class::Redos,
    control: Control::Validation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-1333", "CWE-730"],
    asvs: &["v5.0.0-1.2.9", "v5.0.0-1.3.12"],
    owasp: &["API4:2023"],
    summary: "a regular expression is made from what the client sends",
    page: include_str!("regexp_from_input.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Redos,
    sources: SENT,
    signs: "*+?{}()[]|\\",
    wants: Wants::Text,
    message: "a regular expression is made from what the client sends",
    does: "compiles it",
    fix: "escape its signs (`escapeStringRegexp`), or search with `includes`",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits_at(context, &DANGER, |sink| sink.name == "RegExp")
}
