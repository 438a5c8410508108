//! Whether the result of a call, or another value, is part of a value.

use portcullis_code::value::{CallId, Value, ValueId, Values};
use rustc_hash::FxHashSet;

use super::{each_part, entry_values};

/// Values beyond this many are not looked at: a part that far away decides nothing a reader could follow.
const PARTS_MAX: usize = 4_000;

/// Whether the result of one of the calls is part of a value. The results of the sealed calls (queries) hold nothing of
/// what those were given: a row is not made of the values that it was found by.
#[must_use]
pub fn made_of(
    values: &Values,
    value: ValueId,
    calls: &[CallId],
    sealed: &FxHashSet<CallId>,
) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        if seen.len() > PARTS_MAX || !seen.insert(at) {
            continue;
        }
        if let Value::Call(call) | Value::Handed(call, ..) = values.value(at) {
            if calls.contains(call) {
                return true;
            }
            if sealed.contains(call) {
                continue;
            }
        }
        each_part(values, at, |part| open.push(part));
    }
    false
}

/// Whether a value is made with another, as far as the code makes it: members, elements, texts, but no choice and no call's result.
#[must_use]
pub fn made_with(values: &Values, value: ValueId, with: ValueId, depth: u32) -> bool {
    if value == with {
        return true;
    }
    if depth > 5 {
        return false;
    }
    let holds = |inner: ValueId| made_with(values, inner, with, depth + 1);
    match values.value(value) {
        Value::Template(parts) | Value::Derived(parts) => parts.iter().copied().any(holds),
        Value::Promise(inner) => holds(*inner),
        Value::Object(object) | Value::Array(object) => values
            .object(*object)
            .entries
            .iter()
            .flat_map(entry_values)
            .any(holds),
        _ => false,
    }
}
