//! Ids of which each was found among the caller's rows, because as many rows were found as there are ids:
//! `if (rows.length !== ids.length) throw ..`.

use portcullis_code::{
    body::BinaryOp,
    value::{Fact, FactsId, Value, ValueId},
};

use super::{JudgedQuery, Judging};
use crate::{
    library::{DbOp, Operator, Step},
    parts::calls_under,
    query::Filter,
};

impl Judging<'_, '_, '_, '_> {
    /// The lists of ids of a query of which each names a row that was found, and any one id of such a list.
    pub(super) fn counted(&self, judged: &JudgedQuery, facts: FactsId) -> Vec<ValueId> {
        let values = &self.machine.values;
        let mut found = Vec::new();
        for filter in &judged.query.filters {
            // What is compared by its length is a list, also where an object says `{ in: ids }`.
            let all = matches!(filter.operator, Operator::Eq | Operator::In)
                && !filter.conditional
                && self.has_one_row_each(judged, filter)
                && values.facts(facts).any(|fact| match fact {
                    Fact::Test(tested, true) => self.as_many(judged, filter.value, tested),
                    _ => false,
                });
            if all {
                found.push(filter.value);
                found.extend(values.find(&Value::Element(filter.value)));
            }
        }
        found
    }

    /// Whether each of the ids has one row at most, as far as the schema tells: two rows of one id would stand for another id.
    fn has_one_row_each(&self, judged: &JudgedQuery, filter: &Filter) -> bool {
        let schema = self.bench.schema;
        let Some(table) = judged.query.table.and_then(|table| schema.table(&table)) else {
            return true;
        };
        match table.column(&filter.column) {
            // Of what somebody is a member of they are so once.
            Some(column) => column.unique || column.id || table.is_of_members(),
            None => true,
        }
    }

    /// Whether a test compares the number of rows with the number of ids.
    fn as_many(&self, judged: &JudgedQuery, ids: ValueId, tested: ValueId) -> bool {
        let Value::Binary(BinaryOp::Equal, a, b) = *self.machine.values.value(tested) else {
            return false;
        };
        [(a, b), (b, a)]
            .into_iter()
            .any(|(rows, many)| self.is_number_of_rows(judged, rows) && self.is_number(many, ids))
    }

    /// The length of the list of rows, or what a query that counts gives.
    fn is_number_of_rows(&self, judged: &JudgedQuery, value: ValueId) -> bool {
        let values = &self.machine.values;
        let is_of = |value: ValueId| match *values.value(value) {
            Value::Call(call) => judged.query.calls.contains(&call),
            _ => false,
        };
        match *values.value(value) {
            Value::Member(rows, name) if name == "length" => match *values.value(rows) {
                // Some rows of them are fewer.
                Value::Kept(..) => false,
                // A list in one of the rows is not that of the rows.
                _ => calls_under(values, rows).iter().any(|(call, steps)| {
                    judged.query.calls.contains(call)
                        && !steps.iter().any(|step| matches!(step, Step::Index))
                }),
            },
            _ => judged.query.op == DbOp::Count && is_of(value),
        }
    }

    /// The length of a list, or the size of a set of what is in it.
    fn is_number(&self, value: ValueId, of: ValueId) -> bool {
        let values = &self.machine.values;
        let Value::Member(list, name) = *values.value(value) else {
            return false;
        };
        match *values.value(list) {
            Value::Call(call) if name == "size" => {
                let data = values.call(call);
                let is_set =
                    matches!(values.value(data.callee), Value::Global(name) if *name == "Set");
                is_set && data.args.first().is_some_and(|arg| arg.0 == of)
            }
            _ => name == "length" && list == of,
        }
    }
}
