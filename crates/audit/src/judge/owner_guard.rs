//! Whether a guard that makes sure of the owner was told of the rows that a query touches.

use portcullis_code::value::{CallId, FactsId, Value, ValueId};
use rustc_hash::FxHashSet;

use super::Judging;
use crate::{
    input::Input,
    library::DbOp,
    parts::{made_of, made_with},
    passes::Proof,
    query::Query,
};

impl Judging<'_, '_, '_, '_> {
    /// Whether such a guard was passed before the query, knowing what the row is found by, or after it was read, knowing
    /// the row. One that is given the whole request knows all that the client can choose.
    pub(super) fn owner_guarded(&self, query: &Query) -> bool {
        let values = &self.machine.values;
        let told = |arg: ValueId| {
            self.is_request(arg)
                || query
                    .filters
                    .iter()
                    .any(|filter| made_with(values, arg, filter.value, 0))
        };
        let shown = |arg: ValueId| made_of(values, arg, &query.calls, &FxHashSet::default());
        self.owner_checked(query.facts, &told)
            || matches!(query.op, DbOp::Read | DbOp::ReadMany)
                && self
                    .events
                    .iter()
                    .skip(query.event)
                    .any(|event| self.owner_checked(event.facts, &shown))
    }

    /// Whether a call that makes sure of an owner was passed at a point, with an argument of this sort.
    fn owner_checked(&self, facts: FactsId, knows: &dyn Fn(ValueId) -> bool) -> bool {
        let values = &self.machine.values;
        let is_told = |call: CallId| values.call(call).args.iter().any(|arg| knows(arg.0));
        self.bench
            .passes
            .at(values, facts)
            .iter()
            .any(|passed| passed.kind == Proof::Ownership && passed.call.is_some_and(is_told))
    }

    fn is_request(&self, value: ValueId) -> bool {
        match self.machine.values.value(value) {
            Value::Input(tag) => matches!(
                Input::of(*tag),
                Input::WebRequest | Input::NodeRequest | Input::PagesRequest
            ),
            _ => false,
        }
    }
}
