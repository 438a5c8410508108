//! `Binding`: how the rows that a query touches are bound to the caller.

use portcullis_code::value::ValueId;
use rustc_hash::FxHashSet;

use super::{JudgedQuery, Judging, vouched::Vouching};
use crate::{library::DbOp, parts, passes::Proof, query::Query};

/// How the rows that a query touches are bound to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// No row is chosen by the client.
    Nothing,
    /// The filter names the caller and nothing that the client chose.
    Own,
    /// What the client chose stands beside the caller, or was checked before.
    Bound,
    /// What the client chose decides alone.
    Unbound,
    /// It does not matter: the table has no owner, or a role opens it.
    Open,
}

impl Judging<'_, '_, '_, '_> {
    pub(super) fn binding(&self, judged: &[JudgedQuery], number: usize) -> Binding {
        let Some(this) = judged.get(number) else {
            return Binding::Nothing;
        };
        let query = &this.query;
        let bound = self.is_bound(query);
        if this.chosen.is_empty() {
            return if bound {
                Binding::Own
            } else {
                Binding::Nothing
            };
        }
        if bound || self.is_ruled(query) {
            return Binding::Bound;
        }
        let facts = query.facts;
        if self.has(facts, Proof::Authorization)
            || self.has(facts, Proof::Service)
            || self.has(facts, Proof::Signature)
            || self.has(facts, Proof::Capability)
        {
            return Binding::Open;
        }
        if let Some(table) = query
            .table
            .and_then(|table| self.bench.schema.table(&table))
            && !table.is_user_table
            && table.owner_columns().next().is_none()
            && self.bench.schema.owner_path(&table.name).is_none()
        {
            return Binding::Open;
        }
        if self.owner_guarded(query) {
            return Binding::Bound;
        }
        let values = &self.machine.values;
        let mut checked: FxHashSet<ValueId> = FxHashSet::default();
        for earlier in judged.iter().take(number) {
            let tested = earlier
                .query
                .calls
                .iter()
                .any(|call| self.was_found(facts, *call));
            if !self.bound_query(earlier) {
                continue;
            }
            if tested {
                checked.extend(earlier.query.filters.iter().map(|filter| filter.value));
            }
            checked.extend(self.counted(earlier, facts));
        }
        checked.extend(self.compared_rows(judged, facts, number));
        checked.extend(self.taken_along(judged, facts, number));
        // Two filters that name the same constant have nothing to do with each other.
        let checked: FxHashSet<ValueId> = checked
            .into_iter()
            .filter(|value| values.as_const(*value).is_none())
            .map(|value| parts::spelled(values, value))
            .collect();
        if query.filters.iter().any(|filter| {
            checked.contains(&parts::spelled(values, filter.value))
                || self.is_callers(facts, filter.value)
        }) {
            return Binding::Bound;
        }
        // Nobody but the members of one tenant gets here, whatever they name.
        if checked.iter().any(|value| self.is_fixed(facts, *value)) {
            return Binding::Open;
        }
        let earlier = judged.get(..number).unwrap_or(judged);
        if query
            .filters
            .iter()
            .filter(|filter| values.as_const(filter.value).is_none())
            .any(|filter| Vouching::new(self, earlier, filter.value).at(facts))
        {
            return Binding::Bound;
        }
        // The row is read first and compared with the caller afterwards, before anything is done with it.
        if matches!(query.op, DbOp::Read | DbOp::ReadMany)
            && (self.compared_later(judged, query)
                || self.member_later(query)
                || self.compared_through(judged, number)
                || self.looked_up_later(judged, number))
        {
            return Binding::Bound;
        }
        Binding::Unbound
    }

    /// Whether rules of its table stand between the query and the rows.
    fn is_ruled(&self, query: &Query) -> bool {
        let values = &self.machine.values;
        let frameworks = self.bench.frameworks;
        query
            .table
            .is_some_and(|table| frameworks.has_row_rules(values, table))
    }

    /// Whether the rows of a query are the caller's own, directly or by what was checked before it.
    pub(super) fn bound_query(&self, query: &JudgedQuery) -> bool {
        matches!(query.binding, Binding::Bound | Binding::Own) || self.is_bound(&query.query)
    }
}
