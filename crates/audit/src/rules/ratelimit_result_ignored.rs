//! `ratelimit-result-ignored`: requests are counted, and nothing is ever refused.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Value},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::{GuardKind, Meaning, Pass, Usage},
    parts::any_depends,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "ratelimit-result-ignored",
    class: Class::RatelimitMissing,
    control: Control::RateLimit,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-770", "CWE-252"],
    asvs: &["v5.0.0-2.4.1"],
    owasp: &["API4:2023"],
    summary: "a rate limiter is asked, and its answer is never looked at",
    page: include_str!("ratelimit_result_ignored.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = Vec::new();
    for (number, event) in context.judgement.events.iter().enumerate() {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        if !tells(context, call) || used(context, call, number) {
            continue;
        }
        let name = context
            .bench
            .knowledge
            .reach(values, values.call(call).callee)
            .map_or_else(
                || "the limiter".to_owned(),
                |reach| format!("`{}`", reach.text()),
            );
        let site = Site {
            module: event.module,
            span: event.span,
        };
        hits.push(
            Hit::at(site, "the limiter's answer is never looked at")
                .because(
                    Some(site),
                    format!("{name} only tells whether the request is over the limit"),
                )
                .because(None, "nothing that follows depends on what it tells")
                .fixed_by("test the result, and answer 429 when the limit is reached"),
        );
    }
    hits
}

/// Whether a call counts a request and leaves the refusal to whoever called it.
fn tells(context: &RouteContext<'_>, call: CallId) -> bool {
    context
        .bench
        .knowledge
        .of_call(&context.machine.values, call)
        .iter()
        .any(|known| match &known.row.meaning {
            Meaning::Guard(guard) => {
                guard.guard == GuardKind::RateLimit
                    && known.row.usage == Usage::Plain
                    && !matches!(guard.passing.pass, Some(Pass::Returns | Pass::Deferred))
            }
            _ => false,
        })
}

/// Whether anything later is decided by the result, or it is handed to something that may decide.
fn used(context: &RouteContext<'_>, call: CallId, number: usize) -> bool {
    let values = &context.machine.values;
    let judgement = context.judgement;
    let later = judgement.events.iter().skip(number + 1);
    let points = later
        .clone()
        .map(|event| event.facts)
        .chain(judgement.responses.iter().map(|response| response.facts));
    let handed = later
        .filter_map(|event| match event.kind {
            EventKind::Call(other) => Some(other),
            _ => None,
        })
        .filter(|other| {
            context.bench.knowledge.of_call(values, *other).is_empty()
                && !is_of_the_language(context, *other)
        })
        .flat_map(|other| values.call(other).args.iter().map(|arg| arg.0));
    any_depends(values, points, handed, call) || looks(context, call)
}

/// Whether what is left under the same key is asked and tested in another call, and this one only counts a failure.
fn looks(context: &RouteContext<'_>, call: CallId) -> bool {
    let values = &context.machine.values;
    let knowledge = context.bench.knowledge;
    let package = |call: CallId| {
        knowledge
            .reach(values, values.call(call).callee)
            .map(|reach| reach.package)
    };
    let events = &context.judgement.events;
    events.iter().any(|event| {
        let EventKind::Call(other) = event.kind else {
            return false;
        };
        let data = values.call(other);
        let shares_key = data.args.iter().any(|arg| {
            !matches!(values.value(arg.0), Value::Const(_)) && values.call(call).args.contains(arg)
        });
        other != call
            && shares_key
            && package(other) == package(call)
            && any_depends(
                values,
                events.iter().map(|event| event.facts),
                std::iter::empty(),
                other,
            )
    })
}

/// Whether a call is one of the language's own: `console.log`, `Math.max`, `Response.json`, a method of a header list.
fn is_of_the_language(context: &RouteContext<'_>, call: CallId) -> bool {
    let values = &context.machine.values;
    let callee = values.call(call).callee;
    let global = context
        .bench
        .knowledge
        .reach(values, callee)
        .is_some_and(|reach| reach.package == "globalThis");
    let data_method = matches!(values.value(callee), Value::Member(_, name) if matches!(name.as_str(), "set" | "append" | "setHeader" | "header" | "json" | "send" | "toString"));
    global || data_method
}
