//! `order-limit-before-csrf`: a token is checked before the request is counted.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    passes::Proof,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "order-limit-before-csrf",
    class: Class::RatelimitMissing,
    control: Control::RateLimit,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    basis: Basis::Matrix,
    cwe: &["CWE-770"],
    asvs: &["v5.0.0-2.4.1"],
    owasp: &["API4:2023"],
    summary: "requests are counted only after the token against forged requests was checked",
    page: include_str!("order_limit_before_csrf.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    // They stand in the order in which they are passed.
    let guards = &context.judgement.guards;
    let first = |kind: Proof| {
        guards
            .iter()
            .position(|guard| guard.kind == kind && guard.established)
    };
    let csrf = first(Proof::Csrf).or_else(|| first(Proof::CsrfCompare));
    let (Some(csrf), Some(limit)) = (csrf, first(Proof::RateLimit)) else {
        return Vec::new();
    };
    if limit < csrf {
        return Vec::new();
    }
    let mut hit = Hit::at(
        context.route.site,
        "requests are counted after the token was checked: those that fail the check are never counted",
    )
    .fixed_by("put the limiter outside: `withRateLimit(withCsrf(handler))`, or the limiter's middleware first");
    for (number, what) in [(csrf, "this is checked first"), (limit, "then this counts")] {
        if let Some(guard) = guards.get(number) {
            hit = hit.because(Some(guard.site), format!("{what}: `{}`", guard.source));
        }
    }
    vec![hit]
}
