//! Rows that were taken along with a row of the caller's: `include: { books: { where: { id } } }`, and then a test that
//! there is one. What they were asked for by is checked from there on.

use portcullis_code::value::{CallId, Entry, Fact, FactsId, Value, ValueId, Values};
use ustr::Ustr;

use super::{JudgedQuery, Judging, membership::is_one};
use crate::{
    library::Operator,
    query::{self, Query},
};

impl Judging<'_, '_, '_, '_> {
    /// What rows were asked for by that came with a row of the caller's, where a test says that there is one.
    pub(super) fn taken_along(
        &self,
        judged: &[JudgedQuery],
        facts: FactsId,
        before: usize,
    ) -> Vec<ValueId> {
        let values = &self.machine.values;
        let mut found = Vec::new();
        for earlier in judged.iter().take(before) {
            if !self.bound_query(earlier) {
                continue;
            }
            let query = &earlier.query;
            for (relation, taken) in relations(values, query) {
                let asked = self.asked_by(&taken);
                if !asked.is_empty() && is_there(values, facts, &query.calls, relation) {
                    found.extend(asked);
                }
            }
        }
        found
    }

    /// What all of these ways to take rows along ask for.
    fn asked_by(&self, taken: &[ValueId]) -> Vec<ValueId> {
        let mut each = taken.iter().map(|taken| self.wanted(*taken));
        let mut common = each.next().unwrap_or_default();
        for other in each {
            common.retain(|value| other.contains(value));
        }
        common
    }

    /// What rows must have to be taken along.
    fn wanted(&self, taken: ValueId) -> Vec<ValueId> {
        let values = &self.machine.values;
        let Some(wanted) = named(values, taken, "where") else {
            return Vec::new();
        };
        query::flatten(values, self.bench.knowledge, wanted)
            .iter()
            .filter(|filter| {
                matches!(filter.operator, Operator::Eq | Operator::In) && !filter.conditional
            })
            .map(|filter| filter.value)
            .collect()
    }
}

/// The relations whose rows a query takes along, each with the ways in which it may do so.
fn relations(values: &Values, query: &Query) -> Vec<(Ustr, Vec<ValueId>)> {
    let mut found: Vec<(Ustr, Vec<ValueId>)> = Vec::new();
    let mut take = |value: ValueId| {
        let Value::Object(object) = *values.value(value) else {
            return;
        };
        for entry in &values.object(object).entries {
            let Entry::Named(name, taken) = *entry else {
                continue;
            };
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, ways)) => ways.push(taken),
                None => found.push((name, vec![taken])),
            }
        }
    };
    for &taken in query.include.iter().chain(&query.select) {
        match values.value(taken) {
            // `include: id ? { .. } : undefined`
            Value::Choice(alternatives) => alternatives.iter().for_each(|each| take(each.value)),
            _ => take(taken),
        }
    }
    found
}

fn named(values: &Values, value: ValueId, wanted: &str) -> Option<ValueId> {
    let Value::Object(object) = *values.value(value) else {
        return None;
    };
    let mut entries = values.object(object).entries.iter();
    entries.find_map(|entry| match *entry {
        Entry::Named(name, value) if name == wanted => Some(value),
        _ => None,
    })
}

/// Whether a test says that a relation of a row has a row.
fn is_there(values: &Values, facts: FactsId, calls: &[CallId], relation: Ustr) -> bool {
    values.facts(facts).any(|fact| match fact {
        Fact::Test(tested, truth) => is_one(values, tested, truth, calls, &[relation]),
        Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
    })
}
