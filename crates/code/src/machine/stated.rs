//! What the source states of values by types that name one text.

use super::Machine;
use crate::{
    body::{ExprId, LocalId, ModuleId, TypeOfText},
    value::{Value, ValueId},
};

impl Machine<'_> {
    /// What the code that ran since [`Machine::begin`] states of a value: `body.note as Id<"notes">`. Nothing where it
    /// states two things.
    #[must_use]
    pub fn stated(&self, value: ValueId) -> Option<TypeOfText> {
        self.stated.get(&value).copied().flatten()
    }

    pub(super) fn state_expression(&mut self, module: ModuleId, expr: ExprId, value: ValueId) {
        let stated = &self.body(module).stated.exprs;
        if let Some(stated) = stated.get(&expr) {
            self.state(value, *stated);
        }
    }

    pub(super) fn state_local(&mut self, module: ModuleId, local: LocalId, value: ValueId) {
        let Some(all) = self.body(module).stated.locals.get(&local) else {
            return;
        };
        for (member, stated) in all {
            let value = match member {
                Some(member) => self.member(value, *member),
                None => value,
            };
            self.state(value, *stated);
        }
    }

    fn state(&mut self, value: ValueId, stated: TypeOfText) {
        if matches!(self.values.value(value), Value::Const(_)) {
            return;
        }
        let known = self.stated.entry(value).or_insert(Some(stated));
        if *known != Some(stated) {
            *known = None;
        }
    }
}
