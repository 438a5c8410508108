//! `ratelimit-missing`: a route that the matrix wants counted is not.

use portcullis_policy::{Control, Method, Need, RouteType, need};
use portcullis_report::{Answer, Basis, Class, Confidence, Severity};

use crate::{
    passes::Proof,
    rule::{Check, Hit, Rule},
    summary::{Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "ratelimit-missing",
    class: Class::RatelimitMissing,
    control: Control::RateLimit,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Matrix,
    cwe: &["CWE-770", "CWE-307"],
    asvs: &["v5.0.0-2.4.1", "v5.0.0-6.3.1"],
    owasp: &["API4:2023", "API2:2023"],
    summary: "nothing counts how often a client may call these routes",
    page: include_str!("ratelimit_missing.md"),
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
    if need(route.route_type, Control::RateLimit) != Need::Required
        || route.rate_limit != Answer::No
    {
        return None;
    }
    let safe = matches!(route.method, Method::Get | Method::Head | Method::Options);
    let guessable = route.route_type == RouteType::AuthOp && !ends_session(route);
    // A page that shows a form, or starts a sign-in elsewhere, takes no guess.
    if safe && !(guessable && takes_secret_links(route)) {
        return None;
    }
    let (message, severity, mut confidence) = if route.mega {
        (
            "a library's router stands here, and nothing in front of it counts requests",
            Severity::Low,
            Confidence::Low,
        )
    } else if guessable && safe {
        (
            "secret links can be tried without end: no limit on these operations",
            Severity::Medium,
            Confidence::Medium,
        )
    } else if guessable {
        (
            "passwords, codes and accounts can be tried without end: no limit on these operations",
            Severity::High,
            Confidence::High,
        )
    } else if route.route_type == RouteType::Webhook {
        (
            "anybody can keep these webhooks busy: no limit on messages",
            Severity::Low,
            Confidence::High,
        )
    } else {
        (
            "a client may call these routes as often as it likes: no limit on requests",
            Severity::Medium,
            Confidence::High,
        )
    };
    // What wraps the handler may count; a finding of its own, so that the sure ones stay sure.
    let message = if route.has_code("U1") {
        confidence = Confidence::Low;
        format!("{message}, unless what wraps the handler counts")
    } else {
        message.to_owned()
    };
    let mut hit = Hit::at(route.site, inventory.within(route, &message))
        .of(&route.name)
        .because(
            Some(route.site),
            "nothing on the way to the handler counts requests or answers 429",
        )
        .fixed_by(
            "count requests by a key that the client does not choose (its address as the trusted proxy gives it, the \
             account) and answer 429 before anything else is done",
        );
    hit.severity = Some(severity);
    hit.confidence = Some(confidence);
    Some(hit)
}

fn ends_session(route: &Summary) -> bool {
    let last = route.path.rsplit('/').next().unwrap_or_default();
    matches!(
        last.to_lowercase().as_str(),
        "logout" | "signout" | "sign-out" | "log-out"
    )
}

fn takes_secret_links(route: &Summary) -> bool {
    route
        .proofs
        .iter()
        .any(|(proof, _)| *proof == Proof::Capability)
}
