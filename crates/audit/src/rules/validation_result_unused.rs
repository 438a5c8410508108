//! `validation-result-unused`: a schema is applied to the input, and nothing depends on what it says.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Fact, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::{Guard, GuardKind, Meaning, Pass, Usage},
    origin::Origins,
    parts::{calls_under, wholes_of},
    passes::Proof,
    raw_input::uses,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "validation-result-unused",
    class: Class::ValidationMissing,
    control: Control::Validation,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-20", "CWE-252"],
    asvs: &["v5.0.0-2.2.1"],
    owasp: &["A03:2021", "API8:2023"],
    summary: "input is checked, and used whatever the check says",
    page: include_str!("validation_result_unused.md"),
    check: Check::Route(check),
};

/// What the rule says of a route; another rule asks as well, so as not to say the same twice.
pub(super) fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let raw = uses(context);
    if raw.is_empty() {
        return Vec::new();
    }
    let values = &context.machine.values;
    let mut hits: Vec<Hit> = Vec::new();
    let mut deferred = None;
    let mut judged = false;
    for event in &context.judgement.events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let site = Site {
            module: event.module,
            span: event.span,
        };
        for known in context.bench.knowledge.of_call(values, call) {
            let Meaning::Guard(guard) = &known.row.meaning else {
                continue;
            };
            if guard.guard != GuardKind::Validation {
                continue;
            }
            if known.row.usage == Usage::Plain
                && guard.passing.pass != Some(Pass::Deferred)
                && guard.reads.is_some()
            {
                judged = true;
            }
            if known.row.usage != Usage::Plain {
                continue;
            }
            let subject = guard
                .subject
                .as_ref()
                .and_then(|place| context.bench.knowledge.place(values, &known, place));
            let Some(subject) = subject else { continue };
            if !context.bench.origins.of(values, subject).any(Origins::RAW) {
                continue;
            }
            let Some(used) = raw
                .iter()
                .find(|used| comes_from(values, used.value, subject))
            else {
                continue;
            };
            if let Some(message) = forgotten(context, guard, call, used.facts) {
                let hit = Hit::at(site, message)
                    .because(
                        Some(used.site),
                        "what is used here is the input as it was sent",
                    )
                    .fixed_by("leave when the check fails, and use what the schema returned");
                if !hits.iter().any(|known| known.site == hit.site) {
                    hits.push(hit);
                }
            }
        }
        for known in context
            .bench
            .knowledge
            .of_maker(values, values.call(call).callee)
        {
            if matches!(&known.row.meaning, Meaning::Guard(guard) if guard.guard == GuardKind::Validation && guard.passing.pass == Some(Pass::Deferred))
            {
                deferred = deferred.or(known.calls.first().copied());
            }
        }
    }
    if let Some(made) = deferred
        && !judged
        && !context
            .judgement
            .guards
            .iter()
            .any(|guard| guard.kind == Proof::Validation)
    {
        let data = values.call(made);
        let site = Site {
            module: data.module,
            span: data.span,
        };
        hits.push(
            Hit::at(
                context.route.site,
                "validators run before the handler, but nothing asks what they found",
            )
            .because(Some(site), "this only notes what is wrong")
            .fixed_by(
                "ask for the result (`validationResult`) before the handler, and answer 400 when it is not empty",
            ),
        );
    }
    hits
}

/// How the result of a check is forgotten, if it is.
fn forgotten(
    context: &RouteContext<'_>,
    guard: &Guard,
    call: CallId,
    at: portcullis_code::value::FactsId,
) -> Option<&'static str> {
    let values = &context.machine.values;
    if guard.passing.pass == Some(Pass::Returns) {
        // It throws when the input is wrong; what is wrong with the raw input is what it would have dropped or changed.
        let passed = values.facts(at).any(|fact| fact == Fact::Returned(call));
        return (!passed)
            .then_some("the schema throws after the input was used, or where nobody notices");
    }
    if !matches!(guard.passing.pass, None | Some(Pass::Truthy | Pass::Falsy)) {
        return None;
    }
    let tested = values.facts(at).any(|fact| match fact {
        Fact::Test(value, _) => calls_under(values, value)
            .iter()
            .any(|(under, _)| *under == call),
        _ => false,
    });
    (!tested).then_some("the result of the check is not looked at before the input is used")
}

/// Whether a value is, or is a part of, what another one is, or the other way round.
fn comes_from(values: &Values, value: ValueId, whole: ValueId) -> bool {
    let below = |start: ValueId, wanted| wholes_of(values, start).take(9).any(|at| at == wanted);
    below(value, whole) || below(whole, value)
}
