//! `Vouching`: whether something that was told both the caller and a value answered well.

use portcullis_code::value::{CallId, Fact, FactsId, Value, ValueId};
use rustc_hash::FxHashMap;

use super::{JudgedQuery, Judging};
use crate::{
    origin::Origins,
    parts::{self, calls_under},
};

/// One question, asked at a point and at all that it follows from: each point and each call is looked at once.
pub(super) struct Vouching<'j, 'a, 'k, 'p, 'm> {
    judging: &'j Judging<'a, 'k, 'p, 'm>,
    /// The queries before the one in question.
    earlier: &'j [JudgedQuery],
    value: ValueId,
    points: FxHashMap<FactsId, bool>,
    calls: FxHashMap<CallId, bool>,
}

impl<'j, 'a, 'k, 'p, 'm> Vouching<'j, 'a, 'k, 'p, 'm> {
    pub(super) fn new(
        judging: &'j Judging<'a, 'k, 'p, 'm>,
        earlier: &'j [JudgedQuery],
        value: ValueId,
    ) -> Self {
        Self {
            judging,
            earlier,
            value,
            points: FxHashMap::default(),
            calls: FxHashMap::default(),
        }
    }

    /// Whether a bound row is there, or a call that was given both the caller and the value (a cache, a service) answered;
    /// on each of several ways, if there are several.
    pub(super) fn at(&mut self, facts: FactsId) -> bool {
        let mut passed = Vec::new();
        let mut at = facts;
        let answer = loop {
            if let Some(&known) = self.points.get(&at) {
                break known;
            }
            let Some((before, fact)) = self.judging.machine.values.newest(at) else {
                break false;
            };
            passed.push(at);
            if self.by(fact) {
                break true;
            }
            at = before;
        };
        self.points
            .extend(passed.into_iter().map(|at| (at, answer)));
        answer
    }

    fn by(&mut self, fact: Fact) -> bool {
        let values = &self.judging.machine.values;
        match fact {
            Fact::Test(tested, true) => match values.value(tested) {
                Value::Choice(alternatives) => alternatives
                    .iter()
                    .filter(|each| values.truth(each.facts, each.value) != Some(false))
                    .all(|each| self.answered(each.value)),
                _ => self.answered(tested),
            },
            Fact::OneOf(number) => {
                let ways = values.joined(number);
                !ways.is_empty() && ways.iter().all(|way| self.at(*way))
            }
            Fact::Test(_, false) | Fact::Returned(_) | Fact::Caught(_) => false,
        }
    }

    fn answered(&mut self, tested: ValueId) -> bool {
        let Some(&(call, _)) = calls_under(&self.judging.machine.values, tested).first() else {
            return false;
        };
        if let Some(&known) = self.calls.get(&call) {
            return known;
        }
        let answer = self.was_told(call);
        self.calls.insert(call, answer);
        answer
    }

    fn was_told(&self, call: CallId) -> bool {
        let values = &self.judging.machine.values;
        let this = parts::spelled(values, self.value);
        let by_row = self.earlier.iter().any(|earlier| {
            let filters = &earlier.query.filters;
            earlier.query.calls.contains(&call)
                && self.judging.bound_query(earlier)
                && filters
                    .iter()
                    .any(|filter| parts::spelled(values, filter.value) == this)
        });
        let args = &values.call(call).args;
        by_row
            || args
                .iter()
                .any(|arg| parts::made_with(values, arg.0, self.value, 0))
                && args
                    .iter()
                    .any(|arg| self.judging.origins(arg.0).any(Origins::BOUND))
    }
}
