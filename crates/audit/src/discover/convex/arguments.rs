//! What the validators of a definition say of the arguments.

use portcullis_code::{
    body::Const,
    machine::Machine,
    value::{Entry, Value, ValueId, Values},
};
use ustr::ustr;

use crate::route::Validators;

/// How deep validators are looked into.
const DEPTH_MAX: u32 = 8;

/// What is declared of the arguments.
pub(super) fn of_definition(machine: &mut Machine<'_>, definition: ValueId) -> Validators {
    // The short form, `query(async (ctx, args) => ..)`, has no place for validators.
    if !matches!(machine.values.value(definition), Value::Object(_)) {
        return Validators::Missing;
    }
    let args = machine.member(definition, ustr("args"));
    if matches!(
        machine.values.value(args),
        Value::Const(Const::Undefined | Const::Null)
    ) {
        return Validators::Missing;
    }
    if machine.fields(args).is_some_and(|fields| fields.is_empty()) {
        return Validators::Empty;
    }
    if admits_any(&machine.values, args, 0) {
        Validators::Partial
    } else {
        Validators::Complete
    }
}

/// Whether a validator somewhere admits whatever is sent: `v.any()`, `z.any()`.
fn admits_any(values: &Values, validator: ValueId, depth: u32) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match values.value(validator) {
        Value::Object(object) | Value::Array(object) => {
            let entries = &values.object(*object).entries;
            entries.iter().any(|entry| match *entry {
                Entry::Named(_, value)
                | Entry::Computed(_, value)
                | Entry::Spread(value)
                | Entry::Item(value)
                | Entry::Each(value) => admits_any(values, value, depth + 1),
            })
        }
        Value::Choice(alternatives) => alternatives
            .iter()
            .any(|each| admits_any(values, each.value, depth + 1)),
        Value::Call(call) => {
            let data = values.call(*call);
            let on = match values.value(data.callee) {
                Value::Member(on, name) => Some((*on, *name)),
                _ => None,
            };
            let is_any = on.is_some_and(|(on, name)| {
                matches!(name.as_str(), "any" | "unknown")
                    && matches!(values.value(on), Value::External(_, name) if matches!(name.as_str(), "v" | "z" | "zod" | "zid"))
            });
            is_any
                || on.is_some_and(|(on, _)| admits_any(values, on, depth + 1))
                || data
                    .args
                    .iter()
                    .any(|arg| admits_any(values, arg.0, depth + 1))
        }
        _ => false,
    }
}
