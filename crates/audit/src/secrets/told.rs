//! What is told where a value is written out: the parts that stand there as they are.

use portcullis_code::value::{Entry, Value, ValueId, Values};

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 6;
/// Most parts that are told of one value.
const PARTS_MAX: usize = 60;

/// A part of what is written out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The part: nothing that the code put together itself.
    pub(crate) value: ValueId,
    /// Whether it stands there as text, without the marks that a printed object has.
    pub(crate) plain: bool,
}

/// The parts of a value that is written out.
pub(crate) fn told(values: &Values, value: ValueId) -> Vec<Told> {
    let mut found = Vec::new();
    follow(values, value, true, 0, &mut found);
    found
}

fn follow(values: &Values, value: ValueId, plain: bool, depth: u32, found: &mut Vec<Told>) {
    if depth > DEPTH_MAX || found.len() >= PARTS_MAX {
        return;
    }
    match values.value(value) {
        Value::Const(_)
        | Value::Function { .. }
        | Value::Class { .. }
        | Value::Not(_)
        | Value::TypeOf(_)
        | Value::Binary(..)
        | Value::Markup(..) => {}
        Value::Promise(inner) => follow(values, *inner, plain, depth, found),
        Value::Object(object) | Value::Array(object) => {
            for entry in &values.object(*object).entries {
                match *entry {
                    Entry::Named(_, value)
                    | Entry::Computed(_, value)
                    | Entry::Spread(value)
                    | Entry::Item(value)
                    | Entry::Each(value) => follow(values, value, false, depth + 1, found),
                }
            }
        }
        Value::Template(parts) => {
            for part in parts.iter() {
                follow(values, *part, plain, depth + 1, found);
            }
        }
        Value::Choice(alternatives) => {
            for each in alternatives.iter() {
                follow(values, each.value, plain, depth + 1, found);
            }
        }
        Value::Call(call) => {
            let data = values.call(*call);
            let writes = match values.value(data.callee) {
                Value::Member(base, name) => {
                    matches!(values.value(*base), Value::Global(global) if global == "JSON")
                        && *name == "stringify"
                        || *name == "inspect"
                }
                _ => false,
            };
            match data.args.first() {
                Some((inner, _)) if writes => follow(values, *inner, false, depth + 1, found),
                _ => found.push(Told { value, plain }),
            }
        }
        _ => found.push(Told { value, plain }),
    }
}
