//! Whether a webhook keeps the number of what was delivered, or looks it up.

use portcullis_code::{
    machine::EventKind,
    value::{CallId, Entry, Value, ValueId, Values},
};
use rustc_hash::FxHashSet;

use crate::{
    library::{EffectKind, GuardKind, Meaning},
    origin::Origins,
    parts::{each_part, headers_of, members_under},
    rule::RouteContext,
};

/// Headers in which services number what they deliver.
const DELIVERY_HEADERS: [&str; 9] = [
    "svix-id",
    "webhook-id",
    "x-github-delivery",
    "x-shopify-webhook-id",
    "x-shopify-event-id",
    "x-event-id",
    "x-webhook-id",
    "idempotency-key",
    "x-idempotency-key",
];
/// What the member that numbers an event is called.
const EVENT_IDS: [&str; 8] = [
    "id",
    "eventId",
    "event_id",
    "messageId",
    "message_id",
    "webhookId",
    "webhook_id",
    "deliveryId",
];
/// Words in the names of methods that keep something or look it up, where nothing else is known of a call.
const KEEPING: [&str; 16] = [
    "set", "get", "has", "add", "exist", "insert", "create", "find", "lock", "seen", "once",
    "mark", "save", "put", "incr", "claim",
];
/// Most values that one question looks at.
const PARTS_MAX: usize = 300;

/// Whether the number of the event goes into a query, a cache, or a call of something that nothing is known of.
pub(crate) fn numbers_are_kept(context: &RouteContext<'_>) -> bool {
    let values = &context.machine.values;
    let queried = context.judgement.queries.iter().any(|judged| {
        let query = &judged.query;
        let filters = query.filters.iter().map(|filter| filter.value);
        filters
            .chain(query.data.iter().copied())
            .any(|value| holds_number(context, value))
    });
    queried
        || context.judgement.events.iter().any(|event| {
            let EventKind::Call(call) = event.kind else {
                return false;
            };
            takes_turn(values, call)
                || may_keep(context, call)
                    && values
                        .call(call)
                        .args
                        .iter()
                        .any(|arg| holds_number(context, arg.0))
        })
}

/// Whether a call writes only what is not there yet, and tells whether it did: whoever comes second knows.
fn takes_turn(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    let Value::Member(_, method) = values.value(data.callee) else {
        return false;
    };
    matches!(method.as_str(), "setnx" | "setNX" | "SETNX")
        || *method == "set"
            && data.args.iter().any(|(arg, _)| match values.value(*arg) {
                Value::Object(object) => values
                    .object(*object)
                    .entries
                    .iter()
                    .any(|entry| matches!(entry, Entry::Named(name, _) if matches!(name.as_str(), "nx" | "NX"))),
                _ => values.as_text(*arg).is_some_and(|text| text == "NX"),
            })
}

/// Whether a call may keep what it is given, or look it up.
fn may_keep(context: &RouteContext<'_>, call: CallId) -> bool {
    let values = &context.machine.values;
    let rows = context.bench.knowledge.of_call(values, call);
    if rows.is_empty() {
        let callee = values.call(call).callee;
        let Value::Member(_, method) = values.value(callee) else {
            return false;
        };
        let method = method.to_lowercase();
        let reach = context.bench.knowledge.reach(values, callee);
        return reach.is_some_and(|reach| reach.package != "globalThis")
            && KEEPING.iter().any(|word| method.contains(word));
    }
    rows.iter().any(|known| {
        matches!(&known.row.meaning, Meaning::Effect(effect)
            if matches!(effect.kind, EffectKind::Cache | EffectKind::Queue))
    })
}

/// Whether the number of the event is part of a value.
fn holds_number(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    let sent = Origins::SIGNED.and(Origins::BODY).and(Origins::PARSED);
    any_part(values, value, |part| {
        let (root, path) = members_under(values, part);
        let of_event = path.len() <= 2
            && path
                .last()
                .is_some_and(|name| EVENT_IDS.contains(&name.as_str()))
            && path
                .first()
                .is_some_and(|name| path.len() == 1 || *name == "event")
            && is_message(context, root)
            && context.bench.origins.of(values, root).any(sent);
        of_event
            || matches!(values.value(part), Value::Member(..) | Value::Call(_))
                && is_delivery(values, part)
                && !is_of_signed(context, part)
    })
}

/// Whether a value is the message itself: what a signature vouched for, or a body that was read; nothing that was fetched.
fn is_message(context: &RouteContext<'_>, root: ValueId) -> bool {
    let values = &context.machine.values;
    match values.value(root) {
        Value::Call(call) => {
            let rows = context.bench.knowledge.of_call(values, *call);
            rows.iter().all(|known| match &known.row.meaning {
                Meaning::Effect(_) | Meaning::Db(_) => false,
                // A schema for a part of the message: the number in it is that part's.
                Meaning::Guard(guard) if guard.guard == GuardKind::Validation => {
                    let place = guard.subject.as_ref();
                    let subject =
                        place.and_then(|place| context.bench.knowledge.place(values, known, place));
                    subject.is_none_or(|subject| {
                        let (inner, path) = members_under(values, subject);
                        path.is_empty() && inner != root && is_message(context, inner)
                    })
                }
                _ => true,
            })
        }
        Value::Choice(alternatives) => alternatives.iter().all(|each| {
            !matches!(values.value(each.value), Value::Choice(_)) && is_message(context, each.value)
        }),
        Value::Input(_) => true,
        _ => false,
    }
}

/// Whether a value is taken from the message that a signature vouched for: the check was told the number, and what it gave
/// back is not that number.
fn is_of_signed(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    let (root, _) = members_under(values, value);
    let Value::Call(call) = *values.value(root) else {
        return false;
    };
    let rows = context.bench.knowledge.of_call(values, call);
    rows.iter().any(|known| {
        matches!(&known.row.meaning, Meaning::Guard(guard) if guard.guard == GuardKind::Signature)
    })
}

fn is_delivery(values: &Values, value: ValueId) -> bool {
    headers_of(values, value)
        .iter()
        .any(|name| DELIVERY_HEADERS.contains(&name.to_lowercase().as_str()))
}

/// Whether something holds of a value or of what it is put together from; the arguments of calls are left out.
fn any_part(values: &Values, value: ValueId, holds: impl Fn(ValueId) -> bool) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        if seen.len() >= PARTS_MAX || !seen.insert(at) {
            continue;
        }
        if holds(at) {
            return true;
        }
        if !matches!(
            values.value(at),
            Value::Call(_) | Value::Handed(..) | Value::Member(..)
        ) {
            each_part(values, at, |part| open.push(part));
        }
    }
    false
}
