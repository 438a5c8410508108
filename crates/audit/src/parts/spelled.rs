//! What a value is only another spelling of.

use portcullis_code::value::{Value, ValueId, Values};

/// How many spellings of spellings are followed.
const DEPTH_MAX: u32 = 8;

/// The value that another is a spelling of: trimmed, without a prefix, in lower case, as a number, and the same whichever of
/// these it is.
#[must_use]
pub fn spelled(values: &Values, value: ValueId) -> ValueId {
    follow(values, value, 0)
}

fn follow(values: &Values, value: ValueId, depth: u32) -> ValueId {
    if depth > DEPTH_MAX {
        return value;
    }
    let inner = match values.value(value) {
        Value::Promise(inner) => Some(*inner),
        Value::Template(parts) => match parts.as_ref() {
            [one] => Some(*one),
            _ => None,
        },
        Value::Choice(alternatives) => same(
            alternatives
                .iter()
                .map(|each| follow(values, each.value, depth + 1)),
        ),
        Value::Call(call) => {
            let data = values.call(*call);
            match values.value(data.callee) {
                Value::Member(base, name) if is_spelling(name) => Some(*base),
                Value::Global(name)
                    if matches!(name.as_str(), "String" | "Number" | "parseInt" | "BigInt") =>
                {
                    data.args.first().map(|arg| arg.0)
                }
                // The method of one of several values.
                Value::Choice(alternatives) => {
                    let bases: Option<Vec<ValueId>> = alternatives
                        .iter()
                        .map(|each| match values.value(each.value) {
                            Value::Member(base, name) if is_spelling(name) => Some(*base),
                            _ => None,
                        })
                        .collect();
                    bases.and_then(|bases| {
                        same(
                            bases
                                .into_iter()
                                .map(|base| follow(values, base, depth + 1)),
                        )
                    })
                }
                _ => None,
            }
        }
        _ => None,
    };
    inner.map_or(value, |inner| follow(values, inner, depth + 1))
}

/// The one value that all of several are.
fn same(mut all: impl Iterator<Item = ValueId>) -> Option<ValueId> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// String methods whose result names the same thing.
fn is_spelling(method: &str) -> bool {
    matches!(
        method,
        "trim" | "toLowerCase" | "toUpperCase" | "toString" | "replace" | "normalize" | "valueOf"
    )
}
