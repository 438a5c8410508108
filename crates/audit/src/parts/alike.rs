//! Whether two expressions give the same because they do the same with the same.

use portcullis_code::value::{CallId, Value, ValueId, Values};

/// How deep two values are compared.
const DEPTH_MAX: u32 = 12;

/// Whether two values are equal: one and the same, or computed in the same steps from the same, where each step gives the
/// same each time: `name.split(".").pop()`, written twice.
#[must_use]
pub fn alike(values: &Values, a: ValueId, b: ValueId) -> bool {
    within(values, a, b, 0)
}

fn within(values: &Values, a: ValueId, b: ValueId, depth: u32) -> bool {
    if a == b {
        return true;
    }
    if depth > DEPTH_MAX {
        return false;
    }
    let same = |a: ValueId, b: ValueId| within(values, a, b, depth + 1);
    match (values.value(a), values.value(b)) {
        (Value::Call(a), Value::Call(b)) => same_call(values, *a, *b, depth),
        (Value::Member(a, name), Value::Member(b, other)) => name == other && same(*a, *b),
        (Value::Element(a), Value::Element(b)) | (Value::Promise(a), Value::Promise(b)) => {
            same(*a, *b)
        }
        (Value::Index(a, at), Value::Index(b, other)) => same(*a, *b) && same(*at, *other),
        (Value::Binary(does, a, c), Value::Binary(other, b, d)) => {
            does == other && same(*a, *b) && same(*c, *d)
        }
        (Value::Template(a), Value::Template(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(*a, *b))
        }
        _ => false,
    }
}

fn same_call(values: &Values, a: CallId, b: CallId, depth: u32) -> bool {
    let (a, b) = (values.call(a), values.call(b));
    let does_alike = match (values.value(a.callee), values.value(b.callee)) {
        (Value::Global(name), Value::Global(other)) => name == other && is_pure_global(name),
        (Value::Member(base, name), Value::Member(other, named)) => {
            name == named
                // Twice out of one and the same list is first one, then the next.
                && (is_pure(name) || base != other && takes_from_new_list(values, *base, name))
                && within(values, *base, *other, depth + 1)
        }
        _ => false,
    };
    does_alike
        && !a.new
        && !b.new
        && a.args.len() == b.args.len()
        && a.args
            .iter()
            .zip(&b.args)
            .all(|(a, b)| a.1 == b.1 && within(values, a.0, b.0, depth + 1))
}

/// Methods of texts and lists, and functions about paths, that give the same each time and change nothing.
fn is_pure(method: &str) -> bool {
    matches!(
        method,
        "split"
            | "slice"
            | "substring"
            | "substr"
            | "at"
            | "charAt"
            | "trim"
            | "trimStart"
            | "trimEnd"
            | "toLowerCase"
            | "toUpperCase"
            | "toString"
            | "normalize"
            | "replace"
            | "replaceAll"
            | "concat"
            | "join"
            | "indexOf"
            | "lastIndexOf"
            | "extname"
            | "basename"
            | "dirname"
    )
}

fn is_pure_global(name: &str) -> bool {
    matches!(
        name,
        "String"
            | "Number"
            | "parseInt"
            | "parseFloat"
            | "encodeURIComponent"
            | "decodeURIComponent"
    )
}

/// Whether something is taken out of a list that nobody else has: `name.split(".").pop()`.
fn takes_from_new_list(values: &Values, base: ValueId, method: &str) -> bool {
    let Value::Call(call) = values.value(base) else {
        return false;
    };
    matches!(method, "pop" | "shift" | "reverse")
        && matches!(values.value(values.call(*call).callee), Value::Member(_, made)
            if matches!(made.as_str(), "split" | "slice" | "concat"))
}
