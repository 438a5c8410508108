//! What a value is made of: whether the result of a call is part of it, and by which name the client sent it.

use portcullis_code::{
    body::Const,
    value::{CallId, Value, ValueId, Values},
};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::origin::{Origins, entry_values};

/// Values beyond this many are not looked at: a part that far away decides nothing a reader could follow.
const PARTS_MAX: usize = 4_000;

/// Whether the result of one of the calls is part of a value. The results of the sealed calls (queries) hold nothing of
/// what those were given: a row is not made of the values that it was found by.
#[must_use]
pub fn made_of(
    values: &Values,
    value: ValueId,
    calls: &[CallId],
    sealed: &FxHashSet<CallId>,
) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        if seen.len() > PARTS_MAX || !seen.insert(at) {
            continue;
        }
        let part = values.value(at);
        if let Value::Call(call) | Value::Handed(call, ..) = part {
            if calls.contains(call) {
                return true;
            }
            if sealed.contains(call) {
                continue;
            }
        }
        match part {
            Value::Member(base, _)
            | Value::Element(base)
            | Value::Rest(base, _)
            | Value::Promise(base)
            | Value::Not(base)
            | Value::TypeOf(base) => open.push(*base),
            Value::Index(a, b) | Value::Binary(_, a, b) => open.extend([*a, *b]),
            Value::Call(call) | Value::Handed(call, ..) => {
                let data = values.call(*call);
                open.push(data.callee);
                open.extend(data.args.iter().map(|arg| arg.0));
            }
            Value::Template(parts) | Value::Derived(parts) => open.extend(parts.iter().copied()),
            Value::Choice(alternatives) => open.extend(alternatives.iter().map(|each| each.value)),
            Value::Object(object) | Value::Array(object) | Value::Instance(object) => {
                open.extend(values.object(*object).entries.iter().flat_map(entry_values));
            }
            Value::Markup(_, props, children) => {
                open.extend(values.object(*props).entries.iter().flat_map(entry_values));
                open.extend(children.iter().copied());
            }
            Value::Const(_)
            | Value::Input(_)
            | Value::External(..)
            | Value::Global(_)
            | Value::Namespace(_)
            | Value::Function { .. }
            | Value::Class { .. }
            | Value::Caught(_)
            | Value::Unknown(_) => {}
        }
    }
    false
}

/// Whether a value is made with another, as far as the code makes it: members, texts, choices, but no call's result.
#[must_use]
pub fn made_with(values: &Values, value: ValueId, with: ValueId, depth: u32) -> bool {
    if value == with {
        return true;
    }
    if depth > 5 {
        return false;
    }
    let any = |inner: &[ValueId]| {
        inner
            .iter()
            .any(|inner| made_with(values, *inner, with, depth + 1))
    };
    match values.value(value) {
        Value::Template(parts) | Value::Derived(parts) => any(parts),
        Value::Promise(inner) => any(&[*inner]),
        Value::Object(object) | Value::Array(object) => values
            .object(*object)
            .entries
            .iter()
            .any(|entry| any(&entry_values(entry))),
        _ => false,
    }
}

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
