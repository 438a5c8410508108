//! The values that are tested on the ways to a point.

use portcullis_code::value::{Fact, FactsId, NO_FACTS, ValueId, Values};
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
        NO_FACTS,
        &mut FxHashSet::default(),
        |value| {
            if known.insert(value) {
                found.push(value);
            }
        },
    );
    found
}

/// Hands over what is tested on the ways to the open points, from the point `least` on: every point is made after those before
/// it. Those aside that were seen before.
pub(super) fn each_test(
    values: &Values,
    open: &mut Vec<FactsId>,
    least: FactsId,
    seen: &mut FxHashSet<(FactsId, FactsId)>,
    mut take: impl FnMut(ValueId),
) {
    while let Some(mut at) = open.pop() {
        while at >= least && seen.insert((at, least)) && seen.len() < POINTS_MAX {
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
