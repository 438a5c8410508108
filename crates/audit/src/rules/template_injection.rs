//! `template-injection`: what the client sends is read as a template.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "template-injection",
    class: Class::Ssti,
    control: Control::Validation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-1336", "CWE-94"],
    asvs: &["v5.0.0-1.3.7"],
    owasp: &["A03:2021"],
    summary: "what the client sends is read as a template",
    page: include_str!("template_injection.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Ssti,
    sources: SENT,
    signs: "{}<>#$%=@()",
    wants: Wants::Text,
    message: "what the client sends is read as a template",
    does: "compiles it as a template",
    fix: "write the template in the code and hand what the client sends over as its data",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
