//! `open-redirect`: the client chooses where a redirect leads.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, Wants},
    origin::Origins,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "open-redirect",
    class: Class::OpenRedirect,
    control: Control::Validation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-601"],
    asvs: &["v5.0.0-3.7.2"],
    owasp: &["A01:2021"],
    summary: "the client chooses where a redirect leads",
    page: include_str!("open_redirect.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::OpenRedirect,
    sources: Origins::CHOSEN,
    signs: ".:/\\@",
    wants: Wants::Host,
    message: "the client chooses where a redirect leads",
    does: "sends the browser to the address that it names",
    fix: "redirect to a path of the application only (a slash, and no slash or backslash after it), or to an address from a list",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
