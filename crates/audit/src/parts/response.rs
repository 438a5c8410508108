//! Whether a value is the response of a Node server, or what its chained calls give back.

use portcullis_code::value::{Value, ValueId, Values};

use crate::input::Input;

/// Longest chain that is followed: `res.status(200).set(..).cookie(..)`.
const CHAIN_MAX: usize = 12;

/// Whether a value is the response being made.
#[must_use]
pub fn is_of_response(values: &Values, value: ValueId) -> bool {
    let mut at = value;
    for _ in 0..CHAIN_MAX {
        match values.value(at) {
            Value::Input(tag) => return Input::of(*tag) == Input::Response,
            Value::Call(call) => at = values.call(*call).callee,
            Value::Member(base, _) => at = *base,
            _ => return false,
        }
    }
    false
}
