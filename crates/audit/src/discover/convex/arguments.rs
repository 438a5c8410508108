//! What the validators of a definition say of the arguments.

use portcullis_code::{
    body::Const,
    machine::Machine,
    value::{Entry, Value, ValueId, Values},
};
use ustr::ustr;

use crate::route::{Arguments, Validators};

/// How deep validators are looked into.
const DEPTH_MAX: u32 = 8;

/// What is declared of the arguments and of the answer.
pub(super) fn of_definition(
    machine: &mut Machine<'_>,
    definition: Option<ValueId>,
    of_client: bool,
) -> Arguments {
    let mut arguments = Arguments {
        validators: Validators::Missing,
        of_client,
        declared: None,
        returns: false,
        own_session: false,
    };
    // The short form, `query(async (ctx, args) => ..)`, has no place for validators.
    let Some(definition) =
        definition.filter(|it| matches!(machine.values.value(*it), Value::Object(_)))
    else {
        return arguments;
    };
    let returns = machine.member(definition, ustr("returns"));
    arguments.returns = !is_absent(&machine.values, returns);
    let args = machine.member(definition, ustr("args"));
    if is_absent(&machine.values, args) {
        return arguments;
    }
    arguments.declared = Some(args);
    arguments.validators = if machine.fields(args).is_some_and(|fields| fields.is_empty()) {
        Validators::Empty
    } else if admits_any(&machine.values, args, 0) {
        Validators::Partial
    } else {
        Validators::Complete
    };
    arguments
}

fn is_absent(values: &Values, value: ValueId) -> bool {
    matches!(
        values.value(value),
        Value::Const(Const::Undefined | Const::Null)
    )
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
