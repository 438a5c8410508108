//! Comparisons that something depends on.

use portcullis_code::{
    body::BinaryOp,
    value::{Fact, Value, ValueId},
};

use crate::rule::RouteContext;

/// Whether something happens, or is answered, only where two values are equal or only where they are not.
pub(crate) fn decides(context: &RouteContext<'_>, a: ValueId, b: ValueId) -> bool {
    let values = &context.machine.values;
    let judgement = context.judgement;
    let events = judgement.events.iter().map(|event| event.facts);
    let answers = judgement.responses.iter().map(|response| response.facts);
    let sides = [a, b];
    // Of several values that a side may be, each is compared by itself.
    let is_side = |value: ValueId| {
        sides.iter().any(|side| {
            *side == value
                || matches!(values.value(*side), Value::Choice(alternatives)
                    if alternatives.iter().any(|each| each.value == value))
        })
    };
    // What holds on one of several ways to a point decides nothing there.
    events
        .chain(answers)
        .flat_map(|point| values.facts(point))
        .any(|fact| {
            let Fact::Test(test, _) = fact else {
                return false;
            };
            matches!(values.value(test), Value::Binary(BinaryOp::Equal, left, right)
                if is_side(*left) && is_side(*right))
        })
}
