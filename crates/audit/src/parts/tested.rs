//! The values that are tested on the ways to a point.

use portcullis_code::value::{Fact, FactsId, ValueId, Values};
use rustc_hash::FxHashSet;

/// Most points that are looked at on the ways to some.
const POINTS_MAX: usize = 50_000;

/// The values whose tests the facts hold, on every way there or on one of several.
#[must_use]
pub fn tests(values: &Values, facts: FactsId) -> Vec<ValueId> {
    all_tests(values, std::iter::once(facts))
}

/// The values that are tested on the ways to any of some points, each once.
#[must_use]
pub fn all_tests(values: &Values, points: impl Iterator<Item = FactsId>) -> Vec<ValueId> {
    let mut found = Vec::new();
    let mut known = FxHashSet::default();
    let mut open = points.collect();
    each_test(
        values,
        &mut open,
        None,
        &mut FxHashSet::default(),
        |value| {
            if known.insert(value) {
                found.push(value);
            }
        },
    );
    found
}

/// Hands over what is tested on the ways to the open points, those aside that were seen before, and only what comes after a point
/// that they share if one is given.
pub(super) fn each_test(
    values: &Values,
    open: &mut Vec<FactsId>,
    shared: Option<FactsId>,
    seen: &mut FxHashSet<FactsId>,
    mut take: impl FnMut(ValueId),
) {
    while let Some(mut at) = open.pop() {
        while Some(at) != shared && seen.insert(at) && seen.len() < POINTS_MAX {
            let Some((before, fact)) = values.newest(at) else {
                break;
            };
            match fact {
                Fact::Test(value, _) => take(value),
                Fact::OneOf(number) => open.extend(values.joined(number)),
                Fact::Returned(_) | Fact::Caught(_) => {}
            }
            at = before;
        }
    }
}
