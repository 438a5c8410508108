//! By which name the client sent a value.

use portcullis_code::{
    body::Const,
    value::{Value, ValueId, Values},
};
use ustr::Ustr;

use crate::origin::Origins;

/// By which name the client sent a value, where the code shows one: `id` of `params.id`, of `searchParams.get("id")`.
#[must_use]
pub fn sent_name(values: &Values, value: ValueId) -> Option<Ustr> {
    let mut at = value;
    for _ in 0..8 {
        match values.value(at) {
            Value::Member(_, name) => return Some(*name),
            Value::Index(_, key) => return values.as_text(*key),
            Value::Promise(inner) | Value::Element(inner) => at = *inner,
            Value::Choice(alternatives) => {
                return alternatives
                    .iter()
                    .find_map(|each| match values.value(each.value) {
                        Value::Const(_) => None,
                        _ => sent_name(values, each.value),
                    });
            }
            Value::Call(call) => {
                let data = values.call(*call);
                let argument = data.args.first()?.0;
                match values.value(argument) {
                    Value::Const(Const::Str(name)) => return Some(*name),
                    // `Number(id)`, `parseInt(id, 10)`, `new ObjectId(id)`.
                    _ => at = argument,
                }
            }
            Value::Template(parts) | Value::Derived(parts) => {
                return parts.iter().find_map(|part| sent_name(values, *part));
            }
            _ => return None,
        }
    }
    None
}

/// Where a value that the client chose comes in, in words: "the path's `{id}`".
#[must_use]
pub fn sent_in_words(values: &Values, value: ValueId, origins: Origins) -> String {
    let name = sent_name(values, value);
    let (part, brackets) = if origins.any(Origins::PATH) && !origins.any(Origins::QUERY) {
        ("path", true)
    } else if origins.any(Origins::BODY.and(Origins::PARSED)) {
        ("body", false)
    } else if origins.any(Origins::QUERY) {
        ("query", false)
    } else if origins.any(Origins::PATH) {
        ("path", true)
    } else if origins.any(Origins::ARGUMENT) {
        ("arguments", false)
    } else if origins.any(Origins::COOKIE) {
        ("cookies", false)
    } else {
        ("headers", false)
    };
    match name {
        Some(name) if brackets => format!("`{{{name}}}` from the {part}"),
        Some(name) => format!("`{name}` from the {part}"),
        None => format!("a value from the {part}"),
    }
}
