//! `cross-site-scripting`: what the client sends becomes part of a page.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, Wants},
    origin::Origins,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "cross-site-scripting",
    class: Class::Xss,
    control: Control::Validation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-79"],
    asvs: &["v5.0.0-1.2.1"],
    owasp: &["A03:2021"],
    summary: "what the client sends becomes part of a page",
    page: include_str!("cross_site_scripting.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Xss,
    sources: Origins::CHOSEN,
    signs: "<>\"'",
    wants: Wants::Text,
    message: "what the client sends becomes part of a page as it is",
    does: "sends it as a page",
    fix: "let a template or React write it, which escapes; escape what is pasted by hand; answer data as JSON or `text/plain`",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
