//! `ssrf`: the client chooses which server the application asks.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, Wants},
    origin::Origins,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "ssrf",
    class: Class::Ssrf,
    control: Control::Validation,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-918"],
    asvs: &["v5.0.0-1.3.6"],
    owasp: &["A10:2021", "API7:2023"],
    summary: "the client chooses which server the application asks",
    page: include_str!("ssrf.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Ssrf,
    sources: Origins::CHOSEN,
    signs: ".:/\\@",
    wants: Wants::Host,
    message: "the client chooses which server the application asks",
    does: "asks the server that it names",
    fix: "compare the host of the parsed address with a list in the code, or let the client choose a key of a table of addresses; refuse redirects to others",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
