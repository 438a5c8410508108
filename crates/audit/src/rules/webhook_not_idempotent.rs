//! `webhook-not-idempotent`: an event that is delivered twice has its effect twice.

use portcullis_code::{
    body::{BinaryOp, Const},
    machine::EventKind,
    value::{CallId, Entry, Fact, FactsId, Value, ValueId, Values},
};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::{
    delivery::numbers_are_kept,
    judge::{Effect, JudgedQuery},
    library::{DbOp, EffectKind, Meaning},
    origin::Origins,
    parts::members_under,
    passes::Proof,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "webhook-not-idempotent",
    class: Class::WebhookNotIdempotent,
    control: Control::Signature,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-837"],
    asvs: &["v5.0.0-2.3.3"],
    owasp: &["API6:2023"],
    summary: "an event of another service that is delivered twice has its effect twice",
    page: include_str!("webhook_not_idempotent.md"),
    check: Check::Route(check),
};

/// Servers that send what they are posted to a person.
const MAIL_HOSTS: [&str; 8] = [
    "https://api.resend.com/",
    "https://api.sendgrid.com/",
    "https://api.postmarkapp.com/",
    "https://api.mailgun.net/",
    "https://api.brevo.com/",
    "https://api.twilio.com/",
    "https://api.loops.so/",
    "https://hooks.slack.com/",
];
const IS_MAIL: &str = "a message is sent to a person each time";

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let judgement = context.judgement;
    let signed = judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Signature);
    if !signed || context.route.mega.is_some() || !judgement.consumes_body || is_own_job(context) {
        return Vec::new();
    }
    let acts = acts(context);
    if acts.is_empty() || numbers_are_kept(context) {
        return Vec::new();
    }
    let mut hit = Hit::at(
        context.route.site,
        "a delivery that is repeated does everything once more: the number of the event is neither kept nor looked up",
    )
    .because(
        None,
        "services deliver an event again when the answer was late or lost, and some now and then for no reason",
    )
    .fixed_by(
        "write the event's id into a table where it is unique, in the same transaction as its effect, and answer 200 \
         without doing anything when it is there already",
    );
    for (site, what) in acts.into_iter().take(3) {
        hit = hit.because(Some(site), what);
    }
    vec![hit]
}

/// Whether the message comes from the application's own queue: a job, whose sender knows how often it may run.
fn is_own_job(context: &RouteContext<'_>) -> bool {
    let values = &context.machine.values;
    context.judgement.events.iter().any(|event| {
        let EventKind::Call(call) = event.kind else {
            return false;
        };
        let knowledge = context.bench.knowledge;
        let mut rows = knowledge.of_call(values, call);
        rows.extend(knowledge.of_maker(values, values.call(call).callee));
        rows.iter()
            .any(|known| matches!(&known.row.meaning, Meaning::Guard(guard) if guard.own_queue))
    })
}

/// What the route does that is not the same done twice, each with its place.
fn acts(context: &RouteContext<'_>) -> Vec<(Site, &'static str)> {
    let judgement = context.judgement;
    let mut found: Vec<(Site, &'static str)> = Vec::new();
    for effect in &judgement.effects {
        if let Some(what) = of_effect(context, effect)
            && !once(context, effect.facts)
        {
            found.push((effect.site, what));
        }
    }
    for event in &judgement.events {
        if let EventKind::Call(call) = event.kind
            && is_mail_by_http(context, call)
            && !once(context, event.facts)
        {
            let site = Site {
                module: event.module,
                span: event.span,
            };
            found.push((site, IS_MAIL));
        }
    }
    for judged in &judgement.queries {
        if let Some(what) = of_query(context, judged)
            && !once(context, judged.query.facts)
        {
            found.push((judged.query.site, what));
        }
    }
    let mut seen = FxHashSet::default();
    found.retain(|(site, _)| seen.insert(*site));
    found
}

fn of_effect(context: &RouteContext<'_>, effect: &Effect) -> Option<&'static str> {
    let values = &context.machine.values;
    let data = values.call(effect.call);
    let numbered = data
        .args
        .iter()
        .any(|arg| has_entry(values, arg.0, "idempotencyKey"));
    match effect.kind {
        _ if numbered => None,
        EffectKind::Mail => Some(IS_MAIL),
        EffectKind::Payment => {
            let Value::Member(_, method) = values.value(data.callee) else {
                return None;
            };
            let moves = ["create", "capture", "confirm", "charge", "refund", "send"];
            moves
                .contains(&method.as_str())
                .then_some("money is moved each time")
        }
        _ => None,
    }
}

/// `fetch("https://api.resend.com/emails", ..)`, or the same by another client.
fn is_mail_by_http(context: &RouteContext<'_>, call: CallId) -> bool {
    let values = &context.machine.values;
    let data = values.call(call);
    let asks = matches!(values.value(data.callee), Value::Global(name) if *name == "fetch")
        || context.bench.knowledge.of_call(values, call).iter().any(|known| {
            matches!(&known.row.meaning, Meaning::Effect(effect) if effect.kind == EffectKind::Http)
        });
    let target = data.args.first().filter(|_| asks);
    target
        .and_then(|arg| beginning(values, arg.0))
        .is_some_and(|target| MAIL_HOSTS.iter().any(|host| target.starts_with(host)))
}

/// The constant text that a text begins with.
fn beginning(values: &Values, value: ValueId) -> Option<Ustr> {
    match values.value(value) {
        Value::Template(parts) => parts.first().and_then(|first| values.as_text(*first)),
        _ => values.as_text(value),
    }
}

fn has_entry(values: &Values, value: ValueId, name: &str) -> bool {
    match values.value(value) {
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .any(|entry| match entry {
                Entry::Named(key, _) => *key == name,
                Entry::Spread(inner) => has_entry(values, *inner, name),
                _ => false,
            }),
        Value::Choice(alternatives) => alternatives.iter().any(|each| {
            !matches!(values.value(each.value), Value::Choice(_))
                && has_entry(values, each.value, name)
        }),
        _ => false,
    }
}

fn of_query(context: &RouteContext<'_>, judged: &JudgedQuery) -> Option<&'static str> {
    let values = &context.machine.values;
    match judged.query.op {
        // What is filed under a number of the sender is refused the second time, or is found.
        DbOp::Create => {
            let numbered = judged
                .query
                .data
                .iter()
                .any(|data| is_filed_under_sent(context, *data));
            (!numbered && !judged.query.data.is_empty()).then_some("a row is added each time")
        }
        DbOp::Update => judged
            .query
            .data
            .iter()
            .any(|data| counts_up(context, values, *data))
            .then_some("a sum is raised each time"),
        _ => None,
    }
}

/// Whether a column that holds a number is given one that was sent: `stripeId: event.data.object.id`.
fn is_filed_under_sent(context: &RouteContext<'_>, data: ValueId) -> bool {
    let values = &context.machine.values;
    let sent = Origins::SIGNED
        .and(Origins::BODY)
        .and(Origins::PARSED)
        .and(Origins::HEADER);
    let (Value::Object(object) | Value::Array(object)) = values.value(data) else {
        // What cannot be read may hold it.
        return !matches!(values.value(data), Value::Const(_));
    };
    values
        .object(*object)
        .entries
        .iter()
        .any(|entry| match entry {
            Entry::Named(_, value) => {
                let (_, path) = members_under(values, *value);
                let is_number = path.last().is_some_and(|name| {
                    let name = name.to_lowercase();
                    name == "id" || name.ends_with("_id") || name.ends_with("id")
                });
                is_number && context.bench.origins.of(values, *value).any(sent)
            }
            Entry::Item(inner) | Entry::Each(inner) | Entry::Spread(inner) => {
                is_filed_under_sent(context, *inner)
            }
            Entry::Computed(..) => false,
        })
}

/// Whether what is written is a sum with what was there: `{ increment: 1 }`, `row.credits + 10`.
fn counts_up(context: &RouteContext<'_>, values: &Values, data: ValueId) -> bool {
    let Value::Object(object) = values.value(data) else {
        return false;
    };
    values.object(*object).entries.iter().any(|entry| {
        let Entry::Named(name, value) = entry else {
            return false;
        };
        if matches!(name.as_str(), "increment" | "decrement" | "$inc") {
            return true;
        }
        match values.value(*value) {
            Value::Object(_) => counts_up(context, values, *value),
            Value::Binary(BinaryOp::Add | BinaryOp::Arithmetic, left, right) => [left, right]
                .into_iter()
                .any(|side| context.bench.origins.of(values, *side).any(Origins::ROW)),
            _ => false,
        }
    })
}

/// Whether it happens only where something says that it did not happen yet: a row that is not there, or the state of
/// one that this route changes.
fn once(context: &RouteContext<'_>, facts: FactsId) -> bool {
    let values = &context.machine.values;
    let written = written_columns(context);
    values.facts(facts).any(|fact| match fact {
        Fact::Test(value, truth) => {
            is_absent_row(context, value, truth) || is_unset(context, value, truth, &written)
        }
        _ => false,
    })
}

fn is_absent_row(context: &RouteContext<'_>, value: ValueId, truth: bool) -> bool {
    let values = &context.machine.values;
    match values.value(value) {
        Value::Not(inner) => is_absent_row(context, *inner, !truth),
        Value::Promise(inner) => is_absent_row(context, *inner, truth),
        Value::Call(call) => !truth && is_query(context, *call),
        Value::Binary(BinaryOp::Equal, left, right) => {
            let none = |side: &ValueId| {
                matches!(values.as_const(*side), Some(Const::Null | Const::Undefined))
            };
            let row = |side: &ValueId| matches!(values.value(*side), Value::Call(call) if is_query(context, *call));
            truth && (none(left) && row(right) || none(right) && row(left))
        }
        _ => false,
    }
}

fn is_query(context: &RouteContext<'_>, call: CallId) -> bool {
    context
        .judgement
        .queries
        .iter()
        .any(|judged| judged.query.calls.contains(&call))
}

/// The columns that the route writes.
fn written_columns(context: &RouteContext<'_>) -> FxHashSet<Ustr> {
    let values = &context.machine.values;
    context
        .judgement
        .queries
        .iter()
        .filter(|judged| judged.query.op.writes())
        .flat_map(|judged| &judged.query.data)
        .filter_map(|data| match values.value(*data) {
            Value::Object(object) => Some(&values.object(*object).entries),
            _ => None,
        })
        .flatten()
        .filter_map(|entry| match entry {
            Entry::Named(name, _) => Some(*name),
            _ => None,
        })
        .collect()
}

/// Whether a test says that a column which the route writes is not set yet, or has a certain value.
fn is_unset(
    context: &RouteContext<'_>,
    value: ValueId,
    truth: bool,
    written: &FxHashSet<Ustr>,
) -> bool {
    let values = &context.machine.values;
    let is_written = |value: ValueId| {
        let (root, path) = members_under(values, value);
        matches!(values.value(root), Value::Call(call) if is_query(context, *call))
            && path.last().is_some_and(|name| written.contains(name))
    };
    match values.value(value) {
        Value::Not(inner) => is_unset(context, *inner, !truth, written),
        Value::Binary(BinaryOp::Equal, left, right) => {
            let none = |side: ValueId| {
                matches!(values.as_const(side), Some(Const::Null | Const::Undefined))
            };
            [(*left, *right), (*right, *left)]
                .into_iter()
                .any(|(side, other)| is_written(side) && (truth || !none(other)))
        }
        Value::Member(..) => !truth && is_written(value),
        _ => false,
    }
}
