//! Tells the pieces of a body that is read from its request: one of Node's is the stream of its body.

use portcullis_code::value::{CallId, Value, ValueId, Values};

use crate::input::Input;

/// Longest chain of calls that is gone back.
const LINKS_MAX: usize = 8;

/// Whether a value is a piece of a request's body: `for await (const piece of req)`, `req.on("data", (piece) => ..)`.
pub(crate) fn is_piece(values: &Values, value: ValueId) -> bool {
    match *values.value(value) {
        Value::Element(of) => is_request(values, of),
        Value::Handed(call, _, 0) => is_listened_to(values, call),
        _ => false,
    }
}

fn is_request(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Input(tag)
        if matches!(Input::of(*tag), Input::NodeRequest | Input::PagesRequest))
}

/// Whether a call listens to the data of a request, also behind calls that give the request back.
fn is_listened_to(values: &Values, call: CallId) -> bool {
    let data = values.call(call);
    let event = data.args.first().and_then(|arg| values.as_text(arg.0));
    if event.is_none_or(|event| event != "data") {
        return false;
    }
    let mut callee = data.callee;
    for link in 0..LINKS_MAX {
        let Value::Member(base, name) = *values.value(callee) else {
            return false;
        };
        let listens = matches!(name.as_str(), "on" | "once" | "addListener");
        if !listens && (link == 0 || name != "setEncoding") {
            return false;
        }
        match values.value(base) {
            Value::Call(before) => callee = values.call(*before).callee,
            _ => return is_request(values, base),
        }
    }
    false
}
