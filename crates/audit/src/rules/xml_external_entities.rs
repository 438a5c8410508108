//! `xml-external-entities`: XML of the client is read with external entities.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "xml-external-entities",
    class: Class::Xxe,
    control: Control::Validation,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-611"],
    asvs: &["v5.0.0-1.5.1"],
    owasp: &["A05:2021"],
    summary: "external entities in XML of the client are followed",
    page: include_str!("xml_external_entities.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Xxe,
    sources: SENT,
    signs: "<>&",
    wants: Wants::Text,
    message: "XML of the client is read with external entities",
    does: "puts files and answers of other servers in the place of entities",
    fix: "leave entities alone: no `noent`, no `replaceEntities`",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
