//! `insecure-deserialization`: what the client sends is read in a format that can hold code.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "insecure-deserialization",
    class: Class::InsecureDeserialization,
    control: Control::Validation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-502"],
    asvs: &["v5.0.0-1.5.2"],
    owasp: &["A08:2021"],
    summary: "what the client sends is read in a format that can hold code",
    page: include_str!("insecure_deserialization.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::InsecureDeserialization,
    sources: SENT,
    signs: "{}()[]:!",
    wants: Wants::Text,
    message: "what the client sends is read in a format that can hold code",
    does: "makes objects of it, and runs functions that are in it",
    fix: "read JSON, and apply a schema to it",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
