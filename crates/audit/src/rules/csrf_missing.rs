//! `csrf-missing`: nothing tells a request of the application's own pages from one that another site made.

use portcullis_policy::{Control, Need, RouteType, need};
use portcullis_report::{Answer, Auth, Basis, Class, Confidence, Severity};

use crate::{
    rule::{Check, Hit, Rule},
    summary::{Credentials, Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "csrf-missing",
    class: Class::CsrfMissing,
    control: Control::Csrf,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Matrix,
    cwe: &["CWE-352"],
    asvs: &["v5.0.0-3.5.1"],
    owasp: &["A01:2021"],
    summary: "state-changing routes accept requests that another site made in the user's browser",
    page: include_str!("csrf_missing.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    inventory
        .routes
        .iter()
        .filter_map(|route| judge(inventory, route))
        .collect()
}

fn judge(inventory: &Inventory, route: &Summary) -> Option<Hit> {
    // A library's router has its own protection, or its own place to be told of it.
    if need(route.route_type, Control::Csrf) == Need::NotNeeded
        || route.csrf != Answer::No
        || route.bearer_only
        || route.mega
    {
        return None;
    }
    let credentials = inventory.credentials(&route.application);
    // Nobody has to be known, so what a foreign page can do with the visitor's cookies it can do without them; where
    // the application has sessions, the answer may still depend on one (signing a visitor in as the attacker).
    let needs_nobody = matches!(route.route_type, RouteType::PublicForm | RouteType::AuthOp)
        && route.auth != Auth::Required;
    let (message, severity, confidence) = match (credentials, needs_nobody) {
        (Credentials::Headers, true) => return None,
        (Credentials::None, _) if route.route_type == RouteType::AuthOp => return None,
        (Credentials::None, _) => (
            "anybody's browser can be made to send these forms: no token and no check of the origin",
            Severity::Low,
            Confidence::Medium,
        ),
        (Credentials::Cookies | Credentials::Headers, _) => (
            "these routes change something for whoever the cookie names, and check neither a token nor the origin",
            Severity::Medium,
            if route.has_code("U1") {
                Confidence::Low
            } else {
                Confidence::High
            },
        ),
    };
    let mut hit = Hit::at(route.site, inventory.within(route, message))
        .of(&route.name)
        .because(
            Some(route.site),
            "a browser sends the cookie along whichever site made it send the request",
        )
        .fixed_by(
            "check a token that is bound to the session, or compare `Origin` (or `Sec-Fetch-Site`) with the \
             application's own, in one place before every handler that changes something",
        );
    hit.severity = Some(severity);
    hit.confidence = Some(confidence);
    Some(hit)
}
