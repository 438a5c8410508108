//! Whether a value is made from the result of a call.

use portcullis_code::value::{CallId, FactsId, Value, ValueId, Values};
use rustc_hash::FxHashSet;

use super::{each_part, tested::each_test};

/// Most values that one question looks at.
const VALUES_MAX: usize = 400;
/// Most values that the question over a whole run looks at.
const REACH_MAX: usize = 50_000;

/// Whether a value is made from the result of a call, or was chosen by a test of it. What was tested before the ways went apart
/// chose nothing.
#[must_use]
pub fn depends(values: &Values, value: ValueId, call: CallId) -> bool {
    reaches(values, Vec::new(), vec![value], call, VALUES_MAX)
}

/// Whether any of some points, or what is known there, or any of some values, depends on the result of a call.
#[must_use]
pub fn any_depends(
    values: &Values,
    points: impl Iterator<Item = FactsId>,
    roots: impl Iterator<Item = ValueId>,
    call: CallId,
) -> bool {
    reaches(values, points.collect(), roots.collect(), call, REACH_MAX)
}

/// Looks for a call from points and values on. Each is looked at once, however many lead to it.
fn reaches(
    values: &Values,
    mut open_points: Vec<FactsId>,
    mut open: Vec<ValueId>,
    call: CallId,
    values_max: usize,
) -> bool {
    let least = values.first_point_after(call);
    let mut seen_points = FxHashSet::default();
    let mut seen = FxHashSet::default();
    loop {
        each_test(values, &mut open_points, least, &mut seen_points, |value| {
            open.push(value);
        });
        let Some(at) = open.pop() else {
            return false;
        };
        if seen.len() >= values_max || !seen.insert(at) {
            continue;
        }
        match values.value(at) {
            Value::Call(found) | Value::Handed(found, ..) if *found == call => return true,
            Value::Choice(alternatives) => {
                let mut points: Vec<FactsId> = alternatives.iter().map(|each| each.facts).collect();
                let apart = values.first_point_apart(points.iter().copied());
                let least = apart.map_or(least, |apart| apart.max(least));
                each_test(values, &mut points, least, &mut seen_points, |value| {
                    open.push(value);
                });
            }
            _ => {}
        }
        each_part(values, at, |part| open.push(part));
    }
}
