//! Which path a request asks for, and whether patterns of the code take it.

use portcullis_code::{
    body::Const,
    machine::Machine,
    value::{Entry, Value, ValueId, Values},
};
use ustr::ustr;

use crate::{
    input::Input,
    matcher::{Dialect, Match, PathPattern},
};

/// Whether a value is the request's URL, taken apart: `request.nextUrl`, `new URL(request.url)`.
pub(super) fn is_request_url(values: &Values, value: ValueId) -> bool {
    let of_request = |value: ValueId, wanted: &str| match values.value(value) {
        Value::Member(base, name) if name == wanted => {
            matches!(values.value(*base), Value::Input(tag) if Input::of(*tag) == Input::WebRequest)
        }
        _ => false,
    };
    match values.value(value) {
        Value::Member(..) => of_request(value, "nextUrl"),
        Value::Call(call) => {
            let data = values.call(*call);
            let first = data.args.first().map(|arg| arg.0);
            matches!(values.value(data.callee), Value::Global(name) if name == "URL")
                && first.is_some_and(|first| of_request(first, "url"))
        }
        _ => false,
    }
}

/// A path of a route's template: its constant pieces, and between them what the client put there.
pub(super) fn pathname(machine: &mut Machine<'_>, url: ValueId, template: &str) -> ValueId {
    let opaque = machine.values.make(Value::Member(url, ustr("pathname")));
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (parameter, after) = after.split_once('}').unwrap_or((after, ""));
        // A rest of a path may be missing, with the slash before it.
        let before = if parameter.starts_with('*') {
            before.trim_end_matches('/')
        } else {
            before
        };
        if !before.is_empty() {
            parts.push(machine.values.text(before));
        }
        parts.push(opaque);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(machine.values.text(rest));
    }
    match parts.as_slice() {
        [one] => *one,
        _ => machine.values.make(Value::Template(parts.into())),
    }
}

/// Tries a path on a list of patterns as Clerk reads them.
pub(super) fn try_path(sources: &[Const], path: &str) -> Match {
    let mut answer = Match::No;
    for source in sources {
        let compiled = match source {
            Const::Str(text) => PathPattern::compile(text, Dialect::Clerk),
            Const::Regex(pattern, flags) => {
                PathPattern::compile_regexp(pattern, flags, Dialect::Clerk)
            }
            _ => return Match::Unknown,
        };
        answer =
            answer.or(compiled.map_or(Match::Unknown, |pattern| pattern.matches_request(path)));
    }
    answer
}

/// The constants of a list in which there is nothing else.
pub(super) fn collect_constants(
    values: &Values,
    value: ValueId,
    into: &mut Vec<Const>,
) -> Option<()> {
    match values.value(value) {
        Value::Const(constant) => into.push(*constant),
        Value::Array(object) => {
            for entry in &values.object(*object).entries {
                match entry {
                    Entry::Item(item) | Entry::Spread(item) => {
                        collect_constants(values, *item, into)?
                    }
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    Some(())
}
