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

/// Asks of one value after the other whether the result of a call is part of it. The values of a route share most of their
/// parts: what was looked at for one is not looked at again for the next.
#[derive(Debug)]
pub struct PartOf<'v> {
    values: &'v Values,
    call: CallId,
    /// Values that have no part of it.
    without: FxHashSet<ValueId>,
}

impl<'v> PartOf<'v> {
    /// For one call.
    #[must_use]
    pub fn new(values: &'v Values, call: CallId) -> Self {
        Self {
            values,
            call,
            without: FxHashSet::default(),
        }
    }

    /// Whether the result of the call is part of a value.
    pub fn is_in(&mut self, value: ValueId) -> bool {
        let mut fresh = Vec::new();
        let mut open = vec![value];
        let mut answer = Some(false);
        while let Some(at) = open.pop() {
            if !self.without.insert(at) {
                continue;
            }
            fresh.push(at);
            match self.values.value(at) {
                Value::Call(call) | Value::Handed(call, ..) if *call == self.call => {
                    answer = Some(true);
                    break;
                }
                _ if fresh.len() > PARTS_MAX => {
                    answer = None;
                    break;
                }
                _ => each_part(self.values, at, |part| open.push(part)),
            }
        }
        // What was not gone through to its end says nothing of its parts.
        if answer != Some(false) {
            for at in fresh {
                self.without.remove(&at);
            }
        }
        answer == Some(true)
    }
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
