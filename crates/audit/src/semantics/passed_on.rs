//! What a wrapper or a middleware hands on: the arguments of the handler within, and what stands on the request then.

use portcullis_code::{
    machine::{Effect, Machine},
    value::{CallData, CallId, Value, ValueId, Values},
};
use ustr::ustr;

use super::{HANDED_BY_ROW, SET_BY_ROW};
use crate::{
    input::Input,
    knowledge::Known,
    library::{Handed, Role, Root, Usage},
};

/// The arguments of a wrapped handler: what the wrapper itself was given, and what its row hands over.
pub(super) fn hand_over(
    machine: &mut Machine<'_>,
    known: &Known<'_>,
    made: CallId,
    data: &CallData,
) -> Vec<ValueId> {
    let Usage::Wrapper { handler } = &known.row.usage else {
        return Vec::new();
    };
    let argument = match handler.root {
        Root::Argument(number) => u32::try_from(number).unwrap_or(0),
        _ => 0,
    };
    let mut args: Vec<ValueId> = data.args.iter().map(|arg| arg.0).collect();
    for (position, (place, handed)) in known.row.hands.iter().enumerate() {
        let Root::Argument(param) = place.root else {
            continue;
        };
        if matches!(
            handed,
            Handed::Role(Role::Request | Role::Response | Role::Path | Role::Next)
        ) {
            continue;
        }
        let number = HANDED_BY_ROW + u32::try_from(position).unwrap_or(0);
        let value = machine.values.make(Value::Handed(made, argument, number));
        while args.len() <= param && args.len() < 8 {
            let filler = Input::Other.value(&mut machine.values);
            args.push(filler);
        }
        match place.members.first() {
            None => {
                // An Express handler goes on by its third argument, whatever else the wrapper has for it.
                if let Some(arg) = args.get_mut(param)
                    && !is_next(&machine.values, *arg)
                {
                    *arg = value;
                }
            }
            Some(member) => {
                if let Some(&base) = args.get(param) {
                    machine.put(base, ustr(member), value);
                }
            }
        }
    }
    args
}

/// A middleware that a call made: it sets what its row says and goes on, or runs the callback that decides.
pub(super) fn pass_middleware(
    machine: &mut Machine<'_>,
    known: &Known<'_>,
    made: CallId,
    data: &CallData,
) -> Effect {
    for (place, _) in &known.row.hands {
        let Root::Argument(argument) = place.root else {
            continue;
        };
        let Some(&(function, _)) = machine.values.call(made).args.get(argument) else {
            continue;
        };
        if matches!(machine.values.value(function), Value::Function { .. }) {
            let argument = u32::try_from(argument).unwrap_or(0);
            let args = (0..3)
                .map(|param| machine.values.make(Value::Handed(made, argument, param)))
                .collect();
            return Effect::Runs { function, args };
        }
    }
    set_on_request(machine, known, made, data);
    Effect::Continues
}

/// What a middleware sets on the request, by the row of the call that made it or is it.
pub(super) fn set_on_request(
    machine: &mut Machine<'_>,
    known: &Known<'_>,
    of: CallId,
    data: &CallData,
) {
    let Some(request) = data.args.first().map(|arg| arg.0) else {
        return;
    };
    for (position, (member, role)) in known.row.sets.iter().enumerate() {
        if matches!(
            role,
            Role::Body
                | Role::RawBody
                | Role::Path
                | Role::Query
                | Role::Cookies
                | Role::File
                | Role::Files
        ) {
            continue;
        }
        let number = SET_BY_ROW + u32::try_from(position).unwrap_or(0);
        let value = machine.values.make(Value::Handed(of, 0, number));
        machine.put(request, ustr(member), value);
    }
}

pub(super) fn is_next(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Input(tag) if Input::of(*tag) == Input::Next)
}
