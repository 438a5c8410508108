//! What is told where a value is written out: the parts that stand there as they are.

use portcullis_code::value::{Entry, Value, ValueId, Values};
use ustr::Ustr;

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
    /// The name under which a printed object shows it.
    pub(crate) name: Option<Ustr>,
}

/// How a part stands in what is written out.
#[derive(Clone, Copy)]
struct Standing {
    plain: bool,
    name: Option<Ustr>,
    depth: u32,
}

impl Standing {
    fn inside(self, plain: bool, name: Option<Ustr>) -> Self {
        Self {
            plain: self.plain && plain,
            name,
            depth: self.depth + 1,
        }
    }
}

/// The parts of a value that is written out.
pub(crate) fn told(values: &Values, value: ValueId) -> Vec<Told> {
    let mut found = Vec::new();
    let at = Standing {
        plain: true,
        name: None,
        depth: 0,
    };
    follow(values, value, at, &mut found);
    found
}

fn follow(values: &Values, value: ValueId, at: Standing, found: &mut Vec<Told>) {
    if at.depth > DEPTH_MAX || found.len() >= PARTS_MAX {
        return;
    }
    let part = Told {
        value,
        plain: at.plain,
        name: at.name,
    };
    match values.value(value) {
        Value::Const(_)
        | Value::Function { .. }
        | Value::Class { .. }
        | Value::Not(_)
        | Value::TypeOf(_)
        | Value::Binary(..)
        | Value::Markup(..) => {}
        Value::Promise(inner) => follow(values, *inner, at, found),
        Value::Object(object) | Value::Array(object) => {
            for entry in &values.object(*object).entries {
                let (name, value) = match *entry {
                    Entry::Named(name, value) => (Some(name), value),
                    // An element of a list that stands under a name, or what brings names of its own.
                    Entry::Item(value) | Entry::Each(value) => (at.name, value),
                    Entry::Computed(_, value) | Entry::Spread(value) => (None, value),
                };
                follow(values, value, at.inside(false, name), found);
            }
        }
        Value::Template(parts) => {
            for part in parts.iter() {
                follow(values, *part, at.inside(true, None), found);
            }
        }
        Value::Choice(alternatives) => {
            for each in alternatives.iter() {
                follow(values, each.value, at.inside(true, at.name), found);
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
                Some((inner, _)) if writes => {
                    follow(values, *inner, at.inside(false, at.name), found);
                }
                _ => found.push(part),
            }
        }
        _ => found.push(part),
    }
}
