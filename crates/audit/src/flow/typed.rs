//! What a schema lets through at a path: a number, one of a list, a text of some shape, or any text.

use portcullis_code::{
    body::Const,
    value::{Entry, Value, ValueId, Values},
};
use ustr::Ustr;

use super::{Danger, Wants, vouched::pattern};

/// Longest chain of a schema's pieces.
const PIECES_MAX: usize = 24;
/// Pieces after which a value is a number, a date, one of a list, or a text of signs that harm nobody.
const HARMLESS: [&str; 44] = [
    "number",
    "int",
    "int32",
    "bigint",
    "boolean",
    "bool",
    "date",
    "null",
    "undefined",
    "nan",
    "literal",
    "enum",
    "enums",
    "nativeEnum",
    "picklist",
    "oneOf",
    "valid",
    "equal",
    "allow",
    "uuid",
    "uuidv4",
    "uuidv7",
    "guid",
    "cuid",
    "cuid2",
    "ulid",
    "nanoid",
    "ksuid",
    "xid",
    "datetime",
    "isoDate",
    "isoDateTime",
    "isoTimestamp",
    "time",
    "duration",
    "ip",
    "ipv4",
    "ipv6",
    "alphanum",
    "hex",
    "hexadecimal",
    "base64url",
    "id",
    "int64",
];
/// Pieces that run the project's own test or change, which may say anything.
const OWN: [&str; 8] = [
    "refine",
    "superRefine",
    "transform",
    "check",
    "custom",
    "preprocess",
    "test",
    "rawCheck",
];

/// Whether what a schema lets through at a path does no harm.
pub(super) fn is_harmless(
    values: &Values,
    schema: ValueId,
    path: &[Ustr],
    danger: &Danger,
) -> bool {
    // What cannot be read of a schema is not held against it.
    !admits(values, schema, path, danger, 0)
}

/// Whether a schema is seen to let any text, or anything, through at a path.
fn admits(values: &Values, schema: ValueId, path: &[Ustr], danger: &Danger, depth: u32) -> bool {
    judge(values, schema, path, danger, depth) == Some(false)
}

/// Whether what it lets through does no harm; nothing where that cannot be read.
fn judge(
    values: &Values,
    schema: ValueId,
    path: &[Ustr],
    danger: &Danger,
    depth: u32,
) -> Option<bool> {
    if depth > 12 {
        return None;
    }
    let inner = |schema: ValueId, path: &[Ustr]| judge(values, schema, path, danger, depth + 1);
    // One that lets a text through is enough; all have to be known otherwise.
    let every = |all: Vec<Option<bool>>| {
        if all.contains(&Some(false)) {
            Some(false)
        } else if all.is_empty() || all.contains(&None) {
            None
        } else {
            Some(true)
        }
    };
    let mut at = schema;
    let mut is_text = false;
    for _ in 0..PIECES_MAX {
        let Value::Call(call) = values.value(at) else {
            // `z.number` without a call, `yup.string` ...
            return match values.value(at) {
                Value::Choice(alternatives) => every(
                    alternatives
                        .iter()
                        .map(|each| inner(each.value, path))
                        .collect(),
                ),
                Value::Promise(promised) => inner(*promised, path),
                Value::Object(_) => {
                    member(values, at, path).and_then(|(found, rest)| inner(found, &rest))
                }
                _ => None,
            };
        };
        let data = values.call(*call);
        let first = data.args.first().map(|arg| arg.0);
        let (name, base) = match values.value(data.callee) {
            Value::Member(base, name) => (*name, Some(*base)),
            Value::External(_, name) => (*name, None),
            _ => return None,
        };
        match name.as_str() {
            "object" | "strictObject" | "looseObject" | "extend" | "safeExtend" | "keys"
            | "shape" | "interface" | "merge" | "concat" | "append" => {
                let found = first.and_then(|members| match values.value(members) {
                    Value::Object(_) => {
                        member(values, members, path).map(|(found, rest)| inner(found, &rest))
                    }
                    Value::Call(_) if !path.is_empty() => inner(members, path).map(Some),
                    _ => None,
                });
                if let Some(found) = found {
                    return found;
                }
            }
            "array" | "set" | "tuple" => return first.and_then(|item| inner(item, path)),
            "union" | "or" | "alternatives" | "try" | "discriminatedUnion" | "intersect" => {
                let list = data.args.last().map(|arg| arg.0);
                let members: Vec<ValueId> = match list.map(|list| values.value(list)) {
                    Some(Value::Array(object)) => values
                        .object(*object)
                        .entries
                        .iter()
                        .flat_map(crate::parts::entry_values)
                        .collect(),
                    _ => data.args.iter().map(|arg| arg.0).collect(),
                };
                let rest = if name == "or" { base } else { None };
                return every(
                    members
                        .into_iter()
                        .chain(rest)
                        .map(|member| inner(member, path))
                        .collect(),
                );
            }
            // valibot: `pipe(string(), uuid())`
            "pipe" if base.is_none() => {
                let pieces = data.args.iter().map(|arg| inner(arg.0, path));
                let pieces: Vec<Option<bool>> = pieces.collect();
                return if pieces.contains(&Some(true)) {
                    Some(true)
                } else if pieces.contains(&Some(false)) {
                    Some(false)
                } else {
                    None
                };
            }
            "optional" | "nullable" | "nullish" | "lazy" | "exactOptional"
                if base.is_none() || is_module(values, base) =>
            {
                return first.and_then(|first| inner(first, path));
            }
            "regex" | "pattern" | "matches" => {
                let pattern = first.and_then(|first| pattern(values, first));
                if pattern.is_some_and(|pattern| pattern.whole && !pattern.takes_any(danger.signs))
                {
                    return Some(true);
                }
            }
            // An address is one of any host, and a way to no file.
            "url" | "uri" | "httpUrl" if danger.wants == Wants::Object => return Some(true),
            "email" if danger.wants != Wants::Object && danger.signs.contains('/') => {
                return Some(true);
            }
            // The name of an object's member, and what of it: `z.enum([..])`.
            known if HARMLESS.contains(&known) && path.is_empty() => return Some(true),
            known if OWN.contains(&known) => return Some(true),
            "string" | "url" | "uri" | "httpUrl" => is_text = true,
            "any" | "unknown" | "record" | "json" => return Some(false),
            _ => {}
        }
        match base {
            Some(base) if !matches!(values.value(base), Value::External(..) | Value::Global(_)) => {
                at = base;
            }
            _ => break,
        }
    }
    (is_text && path.is_empty()).then_some(danger.wants == Wants::Object)
}

fn is_module(values: &Values, base: Option<ValueId>) -> bool {
    base.is_some_and(|base| !matches!(values.value(base), Value::Call(_)))
}

/// The schema of the first name of a path, and what is left of the path.
fn member(values: &Values, members: ValueId, path: &[Ustr]) -> Option<(ValueId, Vec<Ustr>)> {
    let (name, rest) = path.split_first()?;
    let Value::Object(object) = values.value(members) else {
        return None;
    };
    values
        .object(*object)
        .entries
        .iter()
        .rev()
        .find_map(|entry| match entry {
            Entry::Named(key, value) if key == name => Some((*value, rest.to_vec())),
            Entry::Spread(inner) => member(values, *inner, path),
            _ => None,
        })
        .filter(|(found, _)| !matches!(values.value(*found), Value::Const(Const::Undefined)))
}
