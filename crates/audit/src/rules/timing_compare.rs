//! `timing-compare`: a secret or a signature is compared in a time that tells how much of it was right.

use portcullis_code::{machine::EventKind, value::ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    origin::Origins,
    parts::names_of,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{Named, decides, last_name, named},
};

pub(super) static RULE: Rule = Rule {
    id: "timing-compare",
    class: Class::TimingCompare,
    control: Control::Authentication,
    severity: Severity::Low,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-208"],
    asvs: &["v5.0.0-11.2.4"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a secret or a signature is compared with `===`",
    page: include_str!("timing_compare.md"),
    check: Check::Route(check),
};

/// What the client sends.
const SENT: Origins = Origins::CHOSEN
    .and(Origins::HEADER)
    .and(Origins::COOKIE)
    .and(Origins::UNVERIFIED);

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for event in &context.judgement.events {
        let EventKind::Equal(a, b) = event.kind else {
            continue;
        };
        let Some(what) = compared(context, a, b).or_else(|| compared(context, b, a)) else {
            continue;
        };
        if !decides(context, a, b) {
            continue;
        }
        let site = Site {
            module: event.module,
            span: event.span,
        };
        if hits.iter().any(|hit| hit.site == site) {
            continue;
        }
        hits.push(
            Hit::at(site, format!("{what} is compared with what was sent by `===`"))
                .because(
                    None,
                    "the comparison ends at the first character that differs, so its time tells how many were right",
                )
                .fixed_by("hash both sides and compare the digests with `crypto.timingSafeEqual`"),
        );
    }
    hits
}

/// What is compared, where one side is secret and the client sent the other.
fn compared(context: &RouteContext<'_>, secret: ValueId, sent: ValueId) -> Option<String> {
    let values = &context.machine.values;
    let (known, shown) = (
        context.bench.origins.of(values, secret),
        context.bench.origins.of(values, sent),
    );
    let digested = Origins::HMAC.and(Origins::DIGEST);
    if !shown.any(SENT) || shown.any(digested) || shown.any(Origins::ENVIRONMENT) {
        return None;
    }
    // Both lengths, or a part that says nothing of the whole.
    if [secret, sent].iter().any(|side| {
        last_name(values, *side)
            .is_some_and(|name| matches!(name.as_str(), "length" | "byteLength"))
    }) {
        return None;
    }
    if known.any(Origins::HMAC) {
        return Some("a signature".to_owned());
    }
    // What is made with settings, a row or a cached value, is no setting.
    let made = SENT.and(Origins::ROW).and(Origins::CALL);
    if known.any(Origins::ENVIRONMENT) && !known.any(made) && !known.any(digested) {
        let names = names_of(values, secret);
        return names
            .into_iter()
            .find(|name| matches!(named(name), Some(Named::Secret | Named::Password)))
            .map(|name| format!("`{name}`"));
    }
    None
}
