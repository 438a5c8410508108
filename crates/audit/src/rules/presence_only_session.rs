//! `presence-only-session`: whoever sends something under the name of a session counts as signed in.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Fact, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;

use crate::{
    origin::Origins,
    parts::{calls_under, made_of, names_of, sent_name},
    response::{Response, ResponseKind},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "presence-only-session",
    class: Class::AuthzWeak,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-287", "CWE-345"],
    asvs: &["v5.0.0-7.2.1"],
    owasp: &["A07:2021", "API2:2023"],
    summary: "it is only looked whether a session or token is there, not whether it is one",
    page: include_str!("presence_only_session.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let judgement = context.judgement;
    let is_covered = context.cover.is_some_and(|cover| cover.auth != Auth::None);
    if judgement.auth != Auth::None || is_covered || judgement.points.is_empty() {
        return Vec::new();
    }
    let values = &context.machine.values;
    for response in judgement.responses.iter().filter(|it| turns_away(it)) {
        let missing = values.facts(response.facts).find_map(|fact| match fact {
            Fact::Test(value, false) => sent_session(context, value).map(|call| (value, call)),
            Fact::Test(_, true) | Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => None,
        });
        let Some((value, call)) = missing else {
            continue;
        };
        let everywhere = judgement
            .points
            .iter()
            .all(|point| values.tested(*point, value) == Some(true));
        if everywhere && !is_used(context, call) {
            return vec![hit(context, value, call, response.site)];
        }
    }
    Vec::new()
}

/// Whether an answer sends away who has no session.
fn turns_away(response: &Response) -> bool {
    matches!(response.status, Some(401 | 403))
        || matches!(response.kind, ResponseKind::Redirect | ResponseKind::Thrown)
}

/// The call that reads a session or token that the client sent, if a value is one.
fn sent_session(context: &RouteContext<'_>, value: ValueId) -> Option<CallId> {
    let values = &context.machine.values;
    let origins = context.bench.origins.of(values, value);
    let sent = Origins::COOKIE.and(Origins::HEADER);
    if !origins.any(sent) || origins.without(sent) != Origins::NONE {
        return None;
    }
    let is_session = |name: &str| {
        let lower = name.to_lowercase();
        ["session", "token", "sid", "jwt", "auth"]
            .iter()
            .any(|word| lower.contains(word))
            && !lower.contains("csrf")
            && !lower.contains("xsrf")
    };
    let named = sent_name(values, value).into_iter();
    let is_named = named
        .chain(names_of(values, value))
        .any(|name| is_session(name.as_str()));
    let (call, _) = calls_under(values, value).into_iter().next()?;
    is_named.then_some(call)
}

/// Whether the session is used for anything: somebody may look at it there.
fn is_used(context: &RouteContext<'_>, session: CallId) -> bool {
    let values = &context.machine.values;
    let none = FxHashSet::default();
    let part_of = |value: ValueId| made_of(values, value, &[session], &none);
    context
        .judgement
        .events
        .iter()
        .any(|event| match event.kind {
            EventKind::Call(call) if call != session => {
                let data = values.call(call);
                // Its own reading: `cookies().get("session")?.value`.
                let reads =
                    matches!(values.value(data.callee), Value::Member(base, _) if part_of(*base));
                reads || data.args.iter().any(|arg| part_of(arg.0))
            }
            EventKind::Store(_, _, value) => part_of(value),
            _ => false,
        })
        || context
            .judgement
            .responses
            .iter()
            .any(|response| response.body.is_some_and(part_of))
}

fn hit(context: &RouteContext<'_>, value: ValueId, call: CallId, refusal: Site) -> Hit {
    let values = &context.machine.values;
    let data = values.call(call);
    let site = Site {
        module: data.module,
        span: data.span,
    };
    let named = sent_name(values, value)
        .map_or_else(|| "the session".to_owned(), |name| format!("`{name}`"));
    Hit::at(
        site,
        format!("it is only looked whether {named} is there: whoever sends anything under that name gets in"),
    )
    .because(Some(site), "what the client sent is read here")
    .because(Some(refusal), "who sent nothing is turned away, and that is all")
    .fixed_by(
        "verify the session where it is used: look it up, or check the token's signature, issuer, audience and end",
    )
}
