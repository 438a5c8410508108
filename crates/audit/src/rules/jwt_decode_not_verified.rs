//! `jwt-decode-not-verified`: the claims of a token decide, and nobody looked at its signature.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Fact, FactsId, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    decoded::{Decided, Decisions},
    input::Input,
    library::{EffectKind, GuardKind, Meaning},
    parts::{depends, whole_of},
    passes::Proof,
    response::ResponseKind,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "jwt-decode-not-verified",
    class: Class::JwtNoVerify,
    control: Control::Token,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-347"],
    asvs: &["v5.0.0-9.1.1"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "the claims of a token are believed although its signature was never checked",
    page: include_str!("jwt_decode_not_verified.md"),
    check: Check::Route(check),
};

/// Values nested deeper than this are not looked into.
const DEPTH_MAX: u32 = 24;

/// A call that decodes.
struct Decoding {
    call: CallId,
    token: ValueId,
    site: Site,
}

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for decoding in decodings(context) {
        if let Some((site, what)) = believed(context, &decoding) {
            hits.push(
                Hit::at(
                    decoding.site,
                    "the claims of a token are believed that nobody verified",
                )
                .because(Some(decoding.site), "this only decodes: anybody can write the claims")
                .because(site, what)
                .fixed_by("verify the token, with its algorithm, issuer and audience, and use the claims that the verification gives"),
            );
        }
    }
    hits
}

fn decodings(context: &RouteContext<'_>) -> Vec<Decoding> {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    let mut found = Vec::new();
    for event in &context.judgement.events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        for known in knowledge.of_call(values, call) {
            let Meaning::DecodeToken(decode) = &known.row.meaning else {
                continue;
            };
            let token = decode
                .token
                .as_ref()
                .and_then(|place| knowledge.place(values, &known, place));
            if let Some(token) = token.filter(|token| was_sent(context, *token, 0)) {
                let site = Site {
                    module: event.module,
                    span: event.span,
                };
                found.push(Decoding { call, token, site });
            }
        }
    }
    found
}

/// Where the claims decide something without a verification on the way.
fn believed(context: &RouteContext<'_>, decoding: &Decoding) -> Option<(Option<Site>, String)> {
    let values = &context.machine.values;
    let unproved = |facts: FactsId| !verified(context, facts, decoding);
    let mut decisions = Decisions::of(values, decoding.call);
    for judged in &context.judgement.queries {
        let query = &judged.query;
        let named = query
            .filters
            .iter()
            .any(|filter| depends(values, filter.value, decoding.call))
            || query
                .data
                .iter()
                .any(|data| depends(values, *data, decoding.call));
        if named && unproved(query.facts) {
            return Some((
                Some(query.site),
                "a query is made with these claims".to_owned(),
            ));
        }
        let tested = decisions.decided(query.facts);
        if (tested == Decided::Claim || tested == Decided::Presence) && unproved(query.facts) {
            return Some((
                Some(query.site),
                "the database is asked only because these claims are there".to_owned(),
            ));
        }
    }
    for effect in &context.judgement.effects {
        let quiet = matches!(
            effect.kind,
            EffectKind::Http | EffectKind::Cache | EffectKind::FsRead
        );
        if !quiet && decisions.decided(effect.facts) == Decided::Claim && unproved(effect.facts) {
            return Some((
                Some(effect.site),
                "something is done only because of these claims".to_owned(),
            ));
        }
    }
    if passed_on(context, decoding.token) {
        return None;
    }
    context
        .judgement
        .responses
        .iter()
        .find(|response| {
            response.kind == ResponseKind::Data
                && !response.refuses()
                && decisions.decided(response.facts) == Decided::Claim
                && unproved(response.facts)
        })
        .map(|response| {
            (
                Some(response.site),
                "something is shown only because of these claims".to_owned(),
            )
        })
}

/// Whether the same token, or who calls in another way, was verified on every way to a point.
fn verified(context: &RouteContext<'_>, facts: FactsId, decoding: &Decoding) -> bool {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    let passed = context.bench.passes.at(values, facts);
    passed
        .iter()
        .any(|passed| passed.kind.identifies() && passed.call != Some(decoding.call))
        || passed.iter().any(|passed| passed.kind == Proof::Credential)
        || values.facts(facts).any(|fact| {
            let Fact::Returned(call) = fact else {
                return false;
            };
            knowledge.of_call(values, call).iter().any(|known| {
                let Meaning::Guard(guard) = &known.row.meaning else {
                    return false;
                };
                matches!(
                    guard.guard,
                    GuardKind::Authentication | GuardKind::Signature
                ) && guard.subject.as_ref().is_some_and(|place| {
                    knowledge.place(values, known, place) == Some(decoding.token)
                })
            })
        })
}

/// Whether the token goes on to another server, which may verify it.
fn passed_on(context: &RouteContext<'_>, token: ValueId) -> bool {
    let values = &context.machine.values;
    let Value::Call(made) = values.value(token) else {
        return context.judgement.effects.iter().any(|effect| {
            effect.kind == EffectKind::Http
                && values
                    .call(effect.call)
                    .args
                    .iter()
                    .any(|arg| arg.0 == token)
        });
    };
    context.judgement.effects.iter().any(|effect| {
        effect.kind == EffectKind::Http
            && values
                .call(effect.call)
                .args
                .iter()
                .any(|arg| depends(values, arg.0, *made))
    })
}

/// Whether a token is what the client sent, and not what another server answered.
fn was_sent(context: &RouteContext<'_>, token: ValueId, depth: u32) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    let values = &context.machine.values;
    let deeper = |value: ValueId| was_sent(context, value, depth + 1);
    match values.value(token) {
        Value::Input(tag) => Input::of(*tag) != Input::Other,
        Value::Template(parts) | Value::Derived(parts) => parts.iter().any(|part| deeper(*part)),
        Value::Choice(alternatives) => alternatives.iter().any(|each| deeper(each.value)),
        Value::Call(call) => {
            for known in context.bench.knowledge.of_call(values, *call) {
                match &known.row.meaning {
                    Meaning::Input(_) => return true,
                    Meaning::Guard(guard) if guard.guard == GuardKind::Validation => {
                        return guard
                            .subject
                            .as_ref()
                            .and_then(|place| context.bench.knowledge.place(values, &known, place))
                            .is_some_and(deeper);
                    }
                    _ => {}
                }
            }
            match values.value(values.call(*call).callee) {
                Value::Member(base, _) => deeper(*base),
                _ => false,
            }
        }
        _ => whole_of(values, token).is_some_and(deeper),
    }
}
