//! What was checked about a row: that it is there, that its owner is the caller.

use portcullis_code::{
    body::BinaryOp,
    machine::EventKind,
    value::{CallId, Fact, FactsId, Value, ValueId},
};
use rustc_hash::FxHashSet;

use super::{JudgedQuery, Judging};
use crate::{
    library::{DbOp, Meaning, Operator},
    origin::Origins,
    parts::{self, calls_under},
    passes::Proof,
    query::Query,
};

/// How many rows lead to the one whose owner is compared, at most.
const HOPS_MAX: usize = 3;

impl Judging<'_, '_, '_, '_> {
    /// Whether a row that a call read is known to be there.
    pub(super) fn was_found(&self, facts: FactsId, call: CallId) -> bool {
        self.machine.values.facts(facts).any(|fact| match fact {
            Fact::Test(value, truth) => {
                truth
                    && calls_under(&self.machine.values, value)
                        .iter()
                        .any(|(under, _)| *under == call)
            }
            Fact::Returned(returned) => {
                returned == call
                    && self
                        .bench
                        .knowledge
                        .of_call(&self.machine.values, call)
                        .iter()
                        .any(|known| matches!(&known.row.meaning, Meaning::Db(db) if db.or_throw))
            }
            Fact::Caught(_) | Fact::OneOf(_) => false,
        })
    }

    /// Whether a value was found equal to something of the caller's: `params.id === session.user.id`.
    pub(super) fn is_callers(&self, facts: FactsId, value: ValueId) -> bool {
        let value = parts::spelled(&self.machine.values, value);
        self.equals(facts, value, |other| {
            self.origins(other).any(Origins::BOUND)
        })
    }

    /// Whether a value was found equal to one that is written in the code or its settings: the only tenant, the only account.
    pub(super) fn is_fixed(&self, facts: FactsId, value: ValueId) -> bool {
        let values = &self.machine.values;
        self.equals(facts, value, |other| {
            values.as_text(other).is_some_and(|text| !text.is_empty())
                || self.origins(other) == Origins::ENVIRONMENT
        })
    }

    /// Whether a spelling of a value was found equal to one of a kind.
    fn equals(&self, facts: FactsId, value: ValueId, is: impl Fn(ValueId) -> bool) -> bool {
        let values = &self.machine.values;
        values.facts(facts).any(|fact| match fact {
            Fact::Test(tested, true) => match *values.value(tested) {
                Value::Binary(BinaryOp::Equal, a, b) => [(a, b), (b, a)]
                    .into_iter()
                    .any(|(one, other)| parts::spelled(values, one) == value && is(other)),
                _ => false,
            },
            Fact::Test(_, false) | Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
        })
    }

    /// Whether a row's owner is compared with the caller on one of several ways only.
    pub(super) fn compared_partly(&self, query: &Query) -> bool {
        let values = &self.machine.values;
        let mut seen = FxHashSet::default();
        self.events.iter().skip(query.event).any(|event| {
            values.facts(event.facts).any(|fact| match fact {
                Fact::OneOf(number) if seen.insert(number) => values
                    .joined(number)
                    .iter()
                    .any(|way| self.is_compared(query, *way)),
                _ => false,
            })
        })
    }

    /// The filter values of rows whose owner was compared with the caller.
    pub(super) fn compared_rows(
        &self,
        judged: &[JudgedQuery],
        facts: FactsId,
        before: usize,
    ) -> Vec<ValueId> {
        let mut found = Vec::new();
        for passed in self.bench.passes.at(&self.machine.values, facts).iter() {
            if passed.kind != Proof::Ownership {
                continue;
            }
            let Some(tested) = passed.tested else {
                continue;
            };
            let calls = self.rows_in(tested);
            for (number, earlier) in judged.iter().enumerate().take(before) {
                if earlier.query.calls.iter().any(|call| calls.contains(call)) {
                    let mut query = Some((number, &earlier.query));
                    for _ in 0..HOPS_MAX {
                        let Some((number, this)) = query else { break };
                        found.extend(this.filters.iter().map(|filter| filter.value));
                        query = self.led_here(judged, number, this);
                    }
                }
            }
        }
        found
    }

    /// The earlier query whose row names the one that a query reads: the note whose folder this is.
    fn led_here<'j>(
        &self,
        judged: &'j [JudgedQuery],
        number: usize,
        query: &Query,
    ) -> Option<(usize, &'j Query)> {
        let mut earlier = judged.iter().enumerate().take(number).rev();
        earlier
            .find(|(_, other)| {
                matches!(other.query.op, DbOp::Read) && self.is_found_by(query, &other.query)
            })
            .map(|(at, other)| (at, &other.query))
    }

    /// Whether a query finds its row by a column of another's row.
    fn is_found_by(&self, query: &Query, by: &Query) -> bool {
        let values = &self.machine.values;
        query.filters.iter().any(|filter| {
            filter.operator == Operator::Eq
                && !filter.conditional
                && calls_under(values, filter.value)
                    .iter()
                    .any(|(call, steps)| !steps.is_empty() && by.calls.contains(call))
        })
    }

    /// Whether the row names another one whose owner is compared with the caller before anything is done with it.
    pub(super) fn compared_through(&self, judged: &[JudgedQuery], number: usize) -> bool {
        let Some(this) = judged.get(number) else {
            return false;
        };
        judged.iter().skip(number + 1).any(|later| {
            self.is_found_by(&later.query, &this.query)
                && self.holds_for_uses(&this.query, |facts| self.is_compared(&later.query, facts))
        })
    }

    pub(super) fn rows_in(&self, value: ValueId) -> Vec<CallId> {
        let sides: Vec<ValueId> = match self.machine.values.value(value) {
            Value::Binary(_, a, b) => vec![*a, *b],
            Value::Call(call) => self
                .machine
                .values
                .call(*call)
                .args
                .iter()
                .map(|arg| arg.0)
                .collect(),
            _ => vec![value],
        };
        sides
            .into_iter()
            .flat_map(|side| match self.machine.values.value(side) {
                Value::Choice(alternatives) => alternatives.iter().map(|each| each.value).collect(),
                _ => vec![side],
            })
            .flat_map(|side| {
                calls_under(&self.machine.values, side)
                    .into_iter()
                    .map(|(call, _)| call)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Whether the row's owner is compared with the caller before anything is done with the row.
    pub(super) fn compared_later(&self, judged: &[JudgedQuery], query: &Query) -> bool {
        self.holds_for_uses(query, |facts| {
            self.is_tied(judged, query, facts) || self.is_compared(query, facts)
        })
    }

    /// Whether the owner of a query's row was compared with the caller on every way to a point.
    fn is_compared(&self, query: &Query, facts: FactsId) -> bool {
        let passed = self.bench.passes.at(&self.machine.values, facts);
        passed.iter().any(|passed| {
            passed.kind == Proof::Ownership
                && passed.tested.is_some_and(|tested| {
                    let rows = self.rows_in(tested);
                    rows.iter().any(|call| query.calls.contains(call))
                })
        })
    }

    /// Whether a column of the row was found equal to what the client named, and that to be the caller's:
    /// `member.organizationId === organizationId` beside the caller's own membership in that organization.
    fn is_tied(&self, judged: &[JudgedQuery], query: &Query, facts: FactsId) -> bool {
        let values = &self.machine.values;
        let is_callers = |value: ValueId| {
            let value = parts::spelled(values, value);
            judged.iter().any(|other| {
                let names = other
                    .query
                    .filters
                    .iter()
                    .any(|filter| parts::spelled(values, filter.value) == value);
                let mut calls = other.query.calls.iter();
                names
                    && values.as_const(value).is_none()
                    && self.is_bound(&other.query)
                    && calls.any(|call| self.was_found(facts, *call))
            })
        };
        values.facts(facts).any(|fact| match fact {
            Fact::Test(tested, true) => match *values.value(tested) {
                Value::Binary(BinaryOp::Equal, a, b) => {
                    [(a, b), (b, a)].into_iter().any(|(row, other)| {
                        let rows = self.rows_in(row);
                        rows.iter().any(|call| query.calls.contains(call)) && is_callers(other)
                    })
                }
                _ => false,
            },
            Fact::Test(_, false) | Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
        })
    }

    /// Whether something is proved wherever the row of a query is used: shown, or the one that decides what is written.
    /// Where no use is in sight, it is enough that it is proved at all.
    pub(super) fn holds_for_uses(&self, query: &Query, proved: impl Fn(FactsId) -> bool) -> bool {
        let later = || self.events.iter().skip(query.event + 1);
        // What is written back as it was read changes nothing: what was stored into it before does.
        let is_written_back = later().any(|event| self.writes_back(event.kind, query));
        let mut uses = later()
            .filter(|event| match event.kind {
                EventKind::Store(row, ..) => is_written_back && self.is_row(row, query),
                kind => self.uses_row(kind, query) && !self.writes_back(kind, query),
            })
            .peekable();
        if uses.peek().is_none() {
            return later().any(|event| proved(event.facts));
        }
        uses.all(|event| proved(event.facts))
    }

    /// Whether a call writes the row of a query in its own place: `db.patch(note._id, note)`.
    fn writes_back(&self, kind: EventKind, query: &Query) -> bool {
        let values = &self.machine.values;
        let EventKind::Call(call) = kind else {
            return false;
        };
        let known = self.bench.knowledge.of_call(values, call);
        let is_update = known.iter().any(
            |known| matches!(&known.row.meaning, Meaning::Db(db) if db.op == Some(DbOp::Update)),
        );
        let args = &values.call(call).args;
        is_update
            && args.iter().any(|arg| self.is_row(arg.0, query))
            && args.iter().all(|arg| {
                self.is_row(arg.0, query)
                    || values.as_const(arg.0).is_some()
                    || matches!(*values.value(arg.0), Value::Member(row, name)
                        if matches!(name.as_str(), "_id" | "id") && self.is_row(row, query))
            })
    }

    /// Whether a value is the row of a query as a whole.
    fn is_row(&self, value: ValueId, query: &Query) -> bool {
        match *self.machine.values.value(value) {
            Value::Call(call) => query.calls.contains(&call),
            Value::Promise(inner) => self.is_row(inner, query),
            _ => false,
        }
    }

    fn uses_row(&self, kind: EventKind, query: &Query) -> bool {
        let values = &self.machine.values;
        let none = FxHashSet::default();
        let made = |value| parts::made_of(values, value, &query.calls, &none);
        match kind {
            EventKind::Return(true, value) => made(value),
            EventKind::Call(call) if !query.calls.contains(&call) => {
                let acts = self
                    .bench
                    .knowledge
                    .of_call(values, call)
                    .iter()
                    .any(|known| match &known.row.meaning {
                        Meaning::Db(db) => db.op.is_some_and(DbOp::writes),
                        Meaning::Respond(_) => true,
                        _ => false,
                    });
                acts && values.call(call).args.iter().any(|arg| made(arg.0))
            }
            _ => false,
        }
    }

    /// Whether a later query of the caller's own rows is found by this row (the membership in its organization), and
    /// what it found is tested.
    pub(super) fn looked_up_later(&self, judged: &[JudgedQuery], number: usize) -> bool {
        let Some(this) = judged.get(number) else {
            return false;
        };
        let none = FxHashSet::default();
        judged.iter().skip(number + 1).any(|later| {
            let by_this = later.query.filters.iter().any(|filter| {
                parts::made_of(&self.machine.values, filter.value, &this.query.calls, &none)
            });
            by_this
                && later
                    .query
                    .calls
                    .iter()
                    .any(|call| self.bench.origins.is_bound(*call))
                && self.events.iter().skip(later.query.event).any(|event| {
                    later
                        .query
                        .calls
                        .iter()
                        .any(|call| self.was_found(event.facts, *call))
                })
        })
    }
}
