//! `auth-result-unused`: the caller is asked for, and nothing depends on the answer.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Fact, FactsId, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;

use super::bola::is_open_to_all;
use crate::{
    asked::Asked,
    library::EffectKind,
    opening::implied,
    parts::made_of,
    passes::Proof,
    response::{ResponseKind, of_web},
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "auth-result-unused",
    class: Class::AuthUnused,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-252", "CWE-306"],
    asvs: &["v5.0.0-8.3.1"],
    owasp: &["API2:2023", "A07:2021"],
    summary: "who calls is asked, and nobody is refused for being nobody",
    page: include_str!("auth_result_unused.md"),
    check: Check::Route(check),
};

/// Something done that ought to have waited for the caller.
struct Deed {
    facts: FactsId,
    event: usize,
    site: Site,
    /// What goes into it.
    inputs: Vec<ValueId>,
}

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    // The middleware refuses already.
    if context
        .cover
        .is_some_and(|cover| cover.auth != portcullis_report::Auth::None)
    {
        return Vec::new();
    }
    let deeds: Vec<Deed> = deeds(context)
        .into_iter()
        .filter(|deed| {
            !context
                .bench
                .passes
                .identified(&context.machine.values, deed.facts)
        })
        .collect();
    let mut hits: Vec<Hit> = Vec::new();
    for asked in Asked::all(context) {
        let found = stored(context, &asked, &deeds)
            .or_else(|| not_awaited(context, &asked, &deeds))
            .or_else(|| forgotten(context, &asked, &deeds));
        if let Some(hit) = found
            && !hits.iter().any(|other| other.site == hit.site)
        {
            hits.push(hit);
        }
    }
    hits
}

/// The caller's id goes into what is written, whoever it is.
fn stored(context: &RouteContext<'_>, asked: &Asked, deeds: &[Deed]) -> Option<Hit> {
    let deed = deeds.iter().find(|deed| {
        deed.event > asked.event
            && deed
                .inputs
                .iter()
                .filter_map(|input| held_plainly(context, *input, asked.call, 0))
                .any(|held| !is_tested(context, held))
    })?;
    Some(
        Hit::at(
            asked.site,
            "who calls is written down and never tested: for a caller without a session it is nothing",
        )
        .because(Some(asked.site), "the caller is asked for here")
        .because(Some(deed.site), "and goes into what is done, with or without one")
        .fixed_by("answer 401 where there is no caller, before anything is done"),
    )
}

/// The caller is tested, but what is done does not wait for it: the refusal does not leave, or nobody waits for it.
fn not_awaited(context: &RouteContext<'_>, asked: &Asked, deeds: &[Deed]) -> Option<Hit> {
    let late = too_late(context, asked, deeds, |deed, _| deed.event > asked.event)?;
    Some(
        Hit::at(
            late.place,
            "who calls is tested, but what is done does not wait for the answer",
        )
        .because(Some(asked.site), "the caller is asked for here")
        .because(Some(late.refusal), "here a caller without a session is refused")
        .because(Some(late.deed), "and this is done all the same")
        .fixed_by("wait for the check (`await`), and leave (`return`, `throw`) where there is no caller, before anything is done"),
    )
}

/// What is done before anybody asks who calls, although whoever is nobody is refused afterwards: where it is done, where
/// the caller is asked for, and where the refusal stands.
pub(super) fn done_before(context: &RouteContext<'_>) -> Vec<(Site, Site, Site)> {
    let is_transaction = context
        .route
        .operation
        .is_some_and(|operation| operation.is_transaction);
    let deeds: Vec<Deed> = deeds(context)
        .into_iter()
        .filter(|deed| {
            let passes = context.bench.passes;
            !passes.identified(&context.machine.values, deed.facts)
        })
        .collect();
    Asked::all(context)
        .iter()
        .filter_map(|asked| {
            let late = too_late(context, asked, &deeds, |deed, throws| {
                // What is thrown undoes all that was done in the same transaction.
                deed.event < asked.event && !(is_transaction && throws)
            })?;
            Some((late.deed, asked.site, late.refusal))
        })
        .collect()
}

/// Something done without waiting for the caller.
struct Late {
    /// Where the check is written.
    place: Site,
    refusal: Site,
    deed: Site,
}

/// The first deed of a sort that a refusal of the call's answer has no part in. The sort is told whether the refusal throws.
fn too_late(
    context: &RouteContext<'_>,
    asked: &Asked,
    deeds: &[Deed],
    is_meant: impl Fn(&Deed, bool) -> bool,
) -> Option<Late> {
    let values = &context.machine.values;
    let judgement = context.judgement;
    // What is thrown into a handler refuses nobody; that is another rule's.
    let caught = |at: usize| {
        judgement.events.iter().any(|event| {
            matches!(event.kind, EventKind::Handled { first, end, goes_on: true, .. }
                if (first..end).contains(&at))
        })
    };
    // A helper that gives back a refusal refuses nobody unless it is answered.
    let refuses = |kind: EventKind| match kind {
        EventKind::Throw(_) => true,
        EventKind::Return(false, value) => of_web(values, context.bench.knowledge, value)
            .is_some_and(|(status, ..)| matches!(status, Some(401 | 403))),
        _ => false,
    };
    let refusals = judgement
        .events
        .iter()
        .enumerate()
        .filter(|(at, event)| refuses(event.kind) && !caught(*at))
        .map(|(_, event)| {
            let site = Site {
                module: event.module,
                span: event.span,
            };
            let throws = matches!(event.kind, EventKind::Throw(_));
            (event.facts, site, event.frame, throws)
        })
        .chain(
            judgement
                .responses
                .iter()
                .filter(|response| response.refuses() && !response.after_error(values))
                .map(|response| {
                    let throws = response.kind == ResponseKind::Thrown;
                    (response.facts, response.site, None, throws)
                }),
        );
    for (facts, site, frame, throws) in refusals {
        let tests: Vec<(ValueId, bool)> = values
            .facts(facts)
            .filter_map(|fact| match fact {
                Fact::Test(value, truth) => Some((value, truth)),
                _ => None,
            })
            .collect();
        let of_call = |value: ValueId, truth: bool| {
            implied(values, context.bench.passes, value, !truth, 0)
                .iter()
                .any(|passed| {
                    passed.kind == Proof::Authentication && passed.call == Some(asked.call)
                })
        };
        if !tests.iter().any(|(value, truth)| of_call(*value, *truth)) {
            continue;
        }
        // A refusal on some other condition besides is one of a branch, and says nothing of the rest.
        let others: Vec<&(ValueId, bool)> = tests
            .iter()
            .filter(|(value, _)| !made_of(values, *value, &[asked.call], &FxHashSet::default()))
            .collect();
        let deed = deeds.iter().find(|deed| {
            is_meant(deed, throws)
                && others
                    .iter()
                    .all(|(value, truth)| values.holds(deed.facts, Fact::Test(*value, *truth)))
        });
        let Some(deed) = deed else { continue };
        let place = match (frame, asked.frame) {
            // A helper refuses: the fault is where it is called.
            (Some(frame), Some(_)) => context.machine.frame(frame).map(|frame| Site {
                module: frame.call_module,
                span: frame.call_span,
            }),
            _ => None,
        }
        .unwrap_or(asked.site);
        return Some(Late {
            place,
            refusal: site,
            deed: deed.site,
        });
    }
    None
}

/// Nobody looks at the answer.
fn forgotten(context: &RouteContext<'_>, asked: &Asked, deeds: &[Deed]) -> Option<Hit> {
    let deed = deeds.iter().find(|deed| deed.event > asked.event);
    let site = deed
        .map(|deed| deed.site)
        .or_else(|| shown(context, asked))?;
    if !asked.is_forgotten(context) {
        return None;
    }
    Some(
        Hit::at(
            asked.site,
            "who calls is asked, and nobody looks at the answer",
        )
        .because(Some(asked.site), "this call refuses nobody by itself")
        .because(Some(site), "and this is done for everybody")
        .fixed_by(
            "test the result and answer 401 where there is no caller, before anything is done",
        ),
    )
}

/// Where a row that belongs to somebody is read by an id of the client's. What is anybody's may well be read by everybody.
fn shown(context: &RouteContext<'_>, asked: &Asked) -> Option<Site> {
    context
        .judgement
        .queries
        .iter()
        .find(|judged| judged.query.event > asked.event && is_open_to_all(context, judged))
        .map(|judged| judged.query.site)
}

/// Whether the code asks anywhere whether a value is there: then it knows that it may be missing.
fn is_tested(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    context
        .judgement
        .events
        .iter()
        .any(|event| values.tested(event.facts, value).is_some())
}

/// The member of a call's result that a value holds as it is. `userId ?? null` is meant to be missing sometimes.
fn held_plainly(
    context: &RouteContext<'_>,
    value: ValueId,
    call: CallId,
    depth: u32,
) -> Option<ValueId> {
    let values = &context.machine.values;
    if depth > 5 {
        return None;
    }
    match values.value(value) {
        Value::Member(base, _) => match values.value(*base) {
            Value::Call(found) => (*found == call).then_some(value),
            _ => held_plainly(context, *base, call, depth + 1).map(|_base| value),
        },
        Value::Promise(inner) => held_plainly(context, *inner, call, depth + 1),
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .flat_map(crate::parts::entry_values)
            .find_map(|inner| held_plainly(context, inner, call, depth + 1)),
        _ => None,
    }
}

/// The writes and the effects.
fn deeds(context: &RouteContext<'_>) -> Vec<Deed> {
    let judgement = context.judgement;
    let mut found: Vec<Deed> = Vec::new();
    for judged in &judgement.queries {
        if judged.query.op.writes() {
            let filters = judged.query.filters.iter().map(|filter| filter.value);
            found.push(Deed {
                facts: judged.query.facts,
                event: judged.query.event,
                site: judged.query.site,
                inputs: judged.query.data.iter().copied().chain(filters).collect(),
            });
        }
    }
    for effect in &judgement.effects {
        if matches!(
            effect.kind,
            EffectKind::Cache | EffectKind::Http | EffectKind::FsRead
        ) {
            continue;
        }
        let event = judgement
            .events
            .iter()
            .position(|event| matches!(event.kind, EventKind::Call(call) if call == effect.call));
        found.push(Deed {
            facts: effect.facts,
            event: event.unwrap_or_default(),
            site: effect.site,
            inputs: effect.inputs.clone(),
        });
    }
    found
}
