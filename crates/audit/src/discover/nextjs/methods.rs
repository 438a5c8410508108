//! Which methods a page route answers: its handler is run once for each, and what it then does is compared.
//!
//! A handler that answers a method nobody ever heard of answers every one. Otherwise it answers those for which it does
//! something that it does not do for that one: refusals, and checks that stand before the tests, are the same for both.

use portcullis_code::{
    body::{Const, ModuleId, Span},
    machine::{Event, EventKind, Machine},
    value::{Fact, FactsId, Value, ValueId},
};
use portcullis_policy::Method;
use rustc_hash::FxHashSet;
use ustr::ustr;

use crate::{input::Input, route::Convention};

/// A method that no handler names.
const UNHEARD_OF: &str = "BREW";
/// The members of a response that end it.
const ENDS: [&str; 6] = ["json", "send", "end", "sendStatus", "sendFile", "write"];
/// The members of a response that set its status.
const SETS_STATUS: [&str; 2] = ["status", "writeHead"];
/// Deepest nesting of wrappers of packages around a handler.
const WRAPPERS_MAX: usize = 8;
/// From this status on an answer is a refusal.
const REFUSED: f64 = 400.0;

/// What a handler does for one method.
struct Run {
    places: FxHashSet<(ModuleId, Span)>,
    succeeds: bool,
}

/// The methods that a handler of a page route answers; `ANY` alone when it does not look.
pub(super) fn answered(machine: &mut Machine<'_>, handler: ValueId) -> Vec<Method> {
    let Some(function) = unwrapped(machine, handler) else {
        return vec![Method::Any];
    };
    let other = run(machine, function, UNHEARD_OF);
    if other.succeeds {
        return vec![Method::Any];
    }
    let answered: Vec<Method> = Method::ALL
        .iter()
        .copied()
        .filter(|method| *method != Method::Any)
        .filter(|method| {
            let run = run(machine, function, method.as_str());
            !run.places.is_subset(&other.places)
        })
        .collect();
    if answered.is_empty() {
        return vec![Method::Any];
    }
    answered
}

/// The project function behind wrappers of packages.
fn unwrapped(machine: &Machine<'_>, handler: ValueId) -> Option<ValueId> {
    let mut left = vec![handler];
    for _ in 0..WRAPPERS_MAX {
        let at = left.pop()?;
        match *machine.values.value(at) {
            Value::Function { .. } | Value::Choice(_) => return Some(at),
            Value::Call(call) => {
                let data = machine.values.call(call);
                left.extend(data.args.iter().rev().map(|(arg, _)| *arg));
            }
            _ => {}
        }
    }
    None
}

fn run(machine: &mut Machine<'_>, function: ValueId, method: &str) -> Run {
    let mark = machine.begin();
    let inputs: Vec<ValueId> = Convention::Pages
        .inputs()
        .into_iter()
        .map(|input| input.value(&mut machine.values))
        .collect();
    let name = machine.values.text(method);
    if let Some(&request) = inputs.first() {
        machine.put(request, ustr("method"), name);
    }
    machine.run(function, &inputs);
    let events = std::mem::take(&mut machine.events);
    let places = events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Call(_)))
        .map(|event| (event.module, event.span))
        .collect();
    let succeeds = succeeds(machine, &events);
    machine.end(&mark);
    Run { places, succeeds }
}

/// Whether some answer is not a refusal.
fn succeeds(machine: &mut Machine<'_>, events: &[Event]) -> bool {
    // Statuses that were set and belong to the next answer: by call, or stored under facts.
    let mut stored: Vec<(FactsId, ValueId)> = Vec::new();
    let mut spent: FxHashSet<ValueId> = FxHashSet::default();
    for event in events {
        match event.kind {
            EventKind::Store(base, name, value)
                if name == "statusCode" && is_response(machine, base) =>
            {
                stored.push((event.facts, value));
            }
            EventKind::Return(true, value)
                if web_answer(machine, value).is_some_and(is_success) =>
            {
                return true;
            }
            EventKind::Call(call) => {
                let data = machine.values.call(call);
                let Value::Member(base, name) = *machine.values.value(data.callee) else {
                    continue;
                };
                if !ENDS.contains(&name.as_str()) || !is_response(machine, base) {
                    continue;
                }
                let own = (name == "sendStatus")
                    .then(|| data.args.first().map(|arg| arg.0))
                    .flatten();
                let status = own
                    .or_else(|| chained(machine, base, &mut spent))
                    .or_else(|| pending(machine, event.facts, &mut spent))
                    .or_else(|| {
                        let mut stored = stored.iter().rev();
                        stored
                            .find(|(facts, _)| implies(machine, event.facts, *facts))
                            .map(|(_, value)| *value)
                    });
                let number = status.map(|status| machine.values.as_const(status));
                if is_success(number) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether an answer with this status, if it has one, is none of a refusal. A status that is computed is that of an
/// error which was caught.
fn is_success(status: Option<Option<Const>>) -> bool {
    match status {
        None => true,
        Some(Some(Const::Num(bits))) => f64::from_bits(bits) < REFUSED,
        Some(_) => false,
    }
}

/// Whether a value is the response, or what one of its members gave back: they chain.
fn is_response(machine: &Machine<'_>, value: ValueId) -> bool {
    let response = Input::Response.tag();
    let mut at = value;
    loop {
        match *machine.values.value(at) {
            Value::Input(tag) => return tag == response,
            Value::Call(call) => match *machine.values.value(machine.values.call(call).callee) {
                Value::Member(base, _) => at = base,
                _ => return false,
            },
            _ => return false,
        }
    }
}

/// The status set earlier in the same chain.
fn chained(
    machine: &Machine<'_>,
    base: ValueId,
    spent: &mut FxHashSet<ValueId>,
) -> Option<ValueId> {
    let mut at = base;
    let mut found = None;
    while let Value::Call(call) = *machine.values.value(at) {
        let data = machine.values.call(call);
        let Value::Member(base, name) = *machine.values.value(data.callee) else {
            break;
        };
        if SETS_STATUS.contains(&name.as_str()) {
            spent.insert(at);
            found = found.or(data.args.first().map(|arg| arg.0));
        }
        at = base;
    }
    found
}

/// The status set by an earlier statement, unless it was answered with already.
fn pending(
    machine: &mut Machine<'_>,
    facts: FactsId,
    spent: &mut FxHashSet<ValueId>,
) -> Option<ValueId> {
    let returned: Vec<_> = machine
        .values
        .facts(facts)
        .filter_map(|fact| match fact {
            Fact::Returned(call) => Some(call),
            _ => None,
        })
        .collect();
    returned.into_iter().find_map(|call| {
        let value = machine.values.make(Value::Call(call));
        let data = machine.values.call(call);
        let Value::Member(base, name) = *machine.values.value(data.callee) else {
            return None;
        };
        let sets = SETS_STATUS.contains(&name.as_str()) && is_response(machine, base);
        if !sets || !spent.insert(value) {
            return None;
        }
        machine.values.call(call).args.first().map(|arg| arg.0)
    })
}

/// Whether all that holds under one set of facts holds under another.
fn implies(machine: &Machine<'_>, facts: FactsId, other: FactsId) -> bool {
    machine
        .values
        .facts(other)
        .all(|fact| machine.values.holds(facts, fact))
}

/// The status of a web response that an edge handler returns, none in it where it says nothing.
fn web_answer(machine: &mut Machine<'_>, value: ValueId) -> Option<Option<Option<Const>>> {
    let Value::Call(call) = *machine.values.value(value) else {
        return None;
    };
    let data = machine.values.call(call).clone();
    let class = match *machine.values.value(data.callee) {
        Value::Member(base, name) if name == "json" => base,
        _ if data.new => data.callee,
        _ => return None,
    };
    let is_class = match machine.values.value(class) {
        Value::Global(name) => name == "Response",
        Value::External(package, name) => package == "next/server" && name == "NextResponse",
        _ => false,
    };
    if !is_class {
        return None;
    }
    let Some(&(options, _)) = data.args.get(1) else {
        return Some(None);
    };
    let status = machine.member(options, ustr("status"));
    Some(match machine.values.as_const(status) {
        Some(Const::Undefined) => None,
        status => Some(status),
    })
}
