//! `ratelimit-in-memory-on-serverless`: requests are counted in the memory of one of many short-lived instances.

use portcullis_code::value::{Value, Values};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    knowledge::Known,
    library::{GuardKind, LimitStore, Meaning},
    parts::any_depends,
    route::Site,
    rule::{CallContext, Check, Hit, Rule},
    setting::Setting,
    summary::name_of,
    whole::Question,
};

pub(super) static RULE: Rule = Rule {
    id: "ratelimit-in-memory-on-serverless",
    class: Class::RatelimitMissing,
    control: Control::RateLimit,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-770", "CWE-799"],
    asvs: &["v5.0.0-2.4.1"],
    owasp: &["API4:2023"],
    summary: "a rate limit counts in memory that other instances do not share",
    page: include_str!("ratelimit_in_memory_on_serverless.md"),
    check: Check::Call(check),
};

fn check(context: &CallContext<'_>) -> Vec<Hit> {
    let Some((route, _)) = context.route.filter(|(route, _)| {
        // A function of a platform; what runs in a container of its own keeps its memory.
        route.framework.starts_with("nextjs") || route.framework.starts_with("convex")
    }) else {
        return Vec::new();
    };
    let Some(site) = by_library(context).or_else(|| by_hand(context)) else {
        return Vec::new();
    };
    if context.bench.knowledge.ask(Question::RunsAsOne).is_yes() {
        return Vec::new();
    }
    vec![
        Hit::at(
            site,
            "requests are counted in the memory of one instance: each other one, and each new one, begins from nothing",
        )
        .of(name_of(route))
        .because(
            None,
            "where functions are started by need, a client meets several of them, and none lives long",
        )
        .fixed_by(
            "count in a store that all instances share (Redis, Upstash, the database), or at the platform's own edge",
        ),
    ]
}

/// A limiter whose row says that it counts in memory, where it was made.
fn by_library(context: &CallContext<'_>) -> Option<Site> {
    let values = &context.machine.values;
    context.rows.iter().find_map(|known| {
        let Meaning::Guard(guard) = &known.row.meaning else {
            return None;
        };
        let elsewhere = guard
            .store_option
            .as_ref()
            .is_some_and(|place| Setting::at(values, known, place) != Setting::Absent);
        let in_memory = guard.guard == GuardKind::RateLimit
            && guard.store == Some(LimitStore::Memory)
            && !elsewhere;
        in_memory.then(|| made_at(values, known).unwrap_or_else(|| context.site()))
    })
}

fn made_at(values: &Values, known: &Known<'_>) -> Option<Site> {
    let data = values.call(*known.calls.last()?);
    Some(Site {
        module: data.module,
        span: data.span,
    })
}

/// A map of the module itself, on whose entry it depends whether 429 is answered.
fn by_hand(context: &CallContext<'_>) -> Option<Site> {
    let values = &context.machine.values;
    let Value::Member(map, name) = values.value(values.call(context.call).callee) else {
        return None;
    };
    let Value::Call(made) = values.value(*map) else {
        return None;
    };
    let made = values.call(*made);
    let is_map = matches!(values.value(made.callee), Value::Global(global) if *global == "Map");
    if !is_map || *name != "get" {
        return None;
    }
    let (_, judgement) = context.route?;
    let refusals = judgement
        .responses
        .iter()
        .filter(|response| response.status == Some(429));
    any_depends(
        values,
        refusals.map(|response| response.facts),
        std::iter::empty(),
        context.call,
    )
    .then_some(Site {
        module: made.module,
        span: made.span,
    })
}
