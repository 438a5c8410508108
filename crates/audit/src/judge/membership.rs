//! Rows that are read with the caller's membership in them: `include: { users: { where: { userId } } }`, and then a test
//! that there is one.

use portcullis_code::{
    body::{BinaryOp, Const},
    value::{CallId, Entry, Fact, FactsId, Value, ValueId, Values},
};
use ustr::Ustr;

use super::Judging;
use crate::{
    library::Operator,
    origin::Origins,
    query::{self, Query},
};

impl Judging<'_, '_, '_, '_> {
    /// Whether a row comes with the caller's part in it, and a test says that there is one wherever the row is used.
    pub(super) fn member_later(&self, query: &Query) -> bool {
        let relations = self.memberships(query);
        !relations.is_empty()
            && self.holds_for_uses(query, |facts| {
                self.is_member(facts, &query.calls, &relations)
            })
    }

    /// The relations of which a query takes only the caller's rows along.
    fn memberships(&self, query: &Query) -> Vec<Ustr> {
        let values = &self.machine.values;
        let mut found = Vec::new();
        for &taken in query.include.iter().chain(&query.select) {
            let Value::Object(object) = *values.value(taken) else {
                continue;
            };
            for entry in &values.object(object).entries {
                if let Entry::Named(name, relation) = *entry
                    && self.is_of_caller(relation)
                {
                    found.push(name);
                }
            }
        }
        found
    }

    /// Whether what is taken of a relation is filtered by the caller.
    fn is_of_caller(&self, relation: ValueId) -> bool {
        let values = &self.machine.values;
        let Value::Object(object) = *values.value(relation) else {
            return false;
        };
        let wanted = values
            .object(object)
            .entries
            .iter()
            .find_map(|entry| match *entry {
                Entry::Named(name, filter) if name == "where" => Some(filter),
                _ => None,
            });
        let knowledge = self.bench.knowledge;
        let filters =
            wanted.map_or_else(Vec::new, |wanted| query::flatten(values, knowledge, wanted));
        filters.iter().any(|filter| {
            filter.operator == Operator::Eq
                && !filter.conditional
                && self.origins(filter.value).any(Origins::BOUND)
        })
    }

    fn is_member(&self, facts: FactsId, calls: &[CallId], relations: &[Ustr]) -> bool {
        let values = &self.machine.values;
        values.facts(facts).any(|fact| match fact {
            Fact::Test(tested, truth) => is_one(values, tested, truth, calls, relations),
            Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
        })
    }
}

/// Whether a test says that a list of the row has an element.
pub(super) fn is_one(
    values: &Values,
    tested: ValueId,
    truth: bool,
    calls: &[CallId],
    relations: &[Ustr],
) -> bool {
    let part = |value| is_part(values, value, calls, relations);
    let zero = |value| values.as_const(value).is_some_and(|known| !known.truthy());
    match *values.value(tested) {
        Value::Not(inner) => is_one(values, inner, !truth, calls, relations),
        // `length === 0`, `users[0] == null`.
        Value::Binary(BinaryOp::Equal, a, b) if !truth => part(a) && zero(b) || part(b) && zero(a),
        // `users[0].role === "owner"`.
        Value::Binary(BinaryOp::Equal, a, b) => {
            let says = |value| matches!(values.as_const(value), Some(Const::Str(_)));
            part(a) && says(b) || part(b) && says(a)
        }
        Value::Binary(BinaryOp::Greater, a, b) if truth => part(a) && zero(b),
        Value::Binary(BinaryOp::Less, a, b) if truth => part(b) && zero(a),
        _ => truth && part(tested),
    }
}

/// Whether a value is something of a list of the row: its length, an element, what a method of it gives. The list itself
/// is there even when it is empty.
fn is_part(values: &Values, value: ValueId, calls: &[CallId], relations: &[Ustr]) -> bool {
    let mut at = value;
    for steps in 0..8 {
        at = match *values.value(at) {
            Value::Member(base, name) if relations.contains(&name) && steps > 0 => {
                if is_row(values, base, calls) {
                    return true;
                }
                base
            }
            Value::Member(base, _)
            | Value::Index(base, _)
            | Value::Element(base)
            | Value::Kept(base, _) => base,
            Value::Call(call) => values.call(call).callee,
            _ => return false,
        };
    }
    false
}

fn is_row(values: &Values, value: ValueId, calls: &[CallId]) -> bool {
    match values.value(value) {
        Value::Call(call) => calls.contains(call),
        Value::Promise(inner) => is_row(values, *inner, calls),
        _ => false,
    }
}
