//! Whether something holds of a value or of any part of it, however deep.

use portcullis_code::value::{ValueId, Values};
use rustc_hash::FxHashSet;

use super::each_part;

/// Whether something holds of a value or of what it is made of. At most so many parts are looked at; what lies beyond them does not
/// count.
pub fn any_part(
    values: &Values,
    value: ValueId,
    parts_max: usize,
    holds: impl Fn(ValueId) -> bool,
) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        if seen.len() >= parts_max || !seen.insert(at) {
            continue;
        }
        if holds(at) {
            return true;
        }
        each_part(values, at, |part| open.push(part));
    }
    false
}
