//! Whether a value is made from the result of a call.

use portcullis_code::value::{CallId, Fact, FactsId, Value, ValueId, Values};
use rustc_hash::FxHashSet;

use crate::origin::entry_values;

/// Most values that one question looks at.
const VALUES_MAX: usize = 400;

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
            Value::Call(found) | Value::Handed(found, ..) => {
                if *found == call {
                    return true;
                }
                let data = values.call(*found);
                open.push(data.callee);
                open.extend(data.args.iter().map(|arg| arg.0));
            }
            Value::Member(base, _)
            | Value::Element(base)
            | Value::Rest(base, _)
            | Value::Promise(base)
            | Value::Not(base)
            | Value::TypeOf(base) => open.push(*base),
            Value::Index(a, b) | Value::Binary(_, a, b) => open.extend([*a, *b]),
            Value::Template(parts) | Value::Derived(parts) => open.extend(parts.iter().copied()),
            Value::Choice(alternatives) => {
                for each in alternatives.iter() {
                    open.push(each.value);
                    open.extend(tests(values, each.facts));
                }
            }
            Value::Object(object) | Value::Array(object) | Value::Instance(object) => {
                open.extend(values.object(*object).entries.iter().flat_map(entry_values));
            }
            _ => {}
        }
    }
    false
}

/// The values whose tests the facts hold, on every way there or on one of several.
#[must_use]
pub fn tests(values: &Values, facts: FactsId) -> Vec<ValueId> {
    let mut found = Vec::new();
    let mut seen = FxHashSet::default();
    let mut open = vec![facts];
    while let Some(at) = open.pop() {
        if !seen.insert(at) || seen.len() > VALUES_MAX {
            continue;
        }
        for fact in values.facts(at) {
            match fact {
                Fact::Test(value, _) => found.push(value),
                Fact::OneOf(number) => open.extend(values.joined(number)),
                Fact::Returned(_) | Fact::Caught(_) => {}
            }
        }
    }
    found
}
