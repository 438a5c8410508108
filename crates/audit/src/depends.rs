//! Whether a value is made from the result of a call.

use portcullis_code::value::{CallId, Fact, FactsId, Value, ValueId, Values};
use rustc_hash::FxHashSet;

use crate::origin::entry_values;

/// Most values that one question looks at.
const VALUES_MAX: usize = 400;
/// Most values and points that the question over a whole run looks at.
const REACH_MAX: usize = 50_000;

/// Whether any of some points, or what is known there, or any of some values, depends on the result of a call.
///
/// Every point and value is looked at once, however many lead to it.
#[must_use]
pub fn any_depends(
    values: &Values,
    points: impl Iterator<Item = FactsId>,
    roots: impl Iterator<Item = ValueId>,
    call: CallId,
) -> bool {
    let mut seen_points: FxHashSet<FactsId> = FxHashSet::default();
    let mut seen: FxHashSet<ValueId> = FxHashSet::default();
    let mut open: Vec<ValueId> = roots.collect();
    let mut open_points: Vec<FactsId> = points.collect();
    loop {
        while let Some(mut at) = open_points.pop() {
            while seen_points.insert(at) && seen_points.len() < REACH_MAX {
                let Some((before, fact)) = values.newest(at) else {
                    break;
                };
                match fact {
                    Fact::Test(value, _) => open.push(value),
                    Fact::OneOf(number) => open_points.extend(values.joined(number)),
                    Fact::Returned(_) | Fact::Caught(_) => {}
                }
                at = before;
            }
        }
        let Some(at) = open.pop() else {
            return false;
        };
        if seen.len() >= REACH_MAX || !seen.insert(at) {
            continue;
        }
        match values.value(at) {
            Value::Call(found) | Value::Handed(found, ..) if *found == call => return true,
            Value::Choice(alternatives) => {
                open.extend(alternatives.iter().map(|each| each.value));
                open_points.extend(alternatives.iter().map(|each| each.facts));
            }
            _ => open.extend(parts_of(values, at)),
        }
    }
}

/// The values that a value is made from, the tests that chose it aside.
fn parts_of(values: &Values, value: ValueId) -> Vec<ValueId> {
    match values.value(value) {
        Value::Call(call) | Value::Handed(call, ..) => {
            let data = values.call(*call);
            std::iter::once(data.callee)
                .chain(data.args.iter().map(|arg| arg.0))
                .collect()
        }
        Value::Member(base, _)
        | Value::Element(base)
        | Value::Rest(base, _)
        | Value::Promise(base)
        | Value::Not(base)
        | Value::TypeOf(base) => vec![*base],
        Value::Index(a, b) | Value::Binary(_, a, b) => vec![*a, *b],
        Value::Template(parts) | Value::Derived(parts) => parts.to_vec(),
        Value::Object(object) | Value::Array(object) | Value::Instance(object) => values
            .object(*object)
            .entries
            .iter()
            .flat_map(entry_values)
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is made from the result of a call, or was chosen by a test of it.
#[must_use]
pub fn depends(values: &Values, value: ValueId, call: CallId) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        if seen.len() >= VALUES_MAX {
            return false;
        }
        if !seen.insert(at) {
            continue;
        }
        match values.value(at) {
            Value::Call(found) | Value::Handed(found, ..) if *found == call => return true,
            Value::Choice(alternatives) => {
                for each in alternatives.iter() {
                    open.push(each.value);
                    open.extend(tests(values, each.facts));
                }
            }
            _ => open.extend(parts_of(values, at)),
        }
    }
    false
}

/// The values whose tests the facts hold, on every way there or on one of several.
#[must_use]
pub fn tests(values: &Values, facts: FactsId) -> Vec<ValueId> {
    all_tests(values, std::iter::once(facts))
}

/// The values that are tested on the ways to any of some points, each once.
#[must_use]
pub fn all_tests(values: &Values, points: impl Iterator<Item = FactsId>) -> Vec<ValueId> {
    let mut found = Vec::new();
    let mut known: FxHashSet<ValueId> = FxHashSet::default();
    let mut seen: FxHashSet<FactsId> = FxHashSet::default();
    let mut open: Vec<FactsId> = points.collect();
    while let Some(mut at) = open.pop() {
        while seen.insert(at) && seen.len() < REACH_MAX {
            let Some((before, fact)) = values.newest(at) else {
                break;
            };
            match fact {
                Fact::Test(value, _) if known.insert(value) => found.push(value),
                Fact::OneOf(number) => open.extend(values.joined(number)),
                Fact::Test(..) | Fact::Returned(_) | Fact::Caught(_) => {}
            }
            at = before;
        }
    }
    found
}
