//! The names that a value is made with.

use portcullis_code::{
    body::Const,
    value::{Value, ValueId, Values},
};
use ustr::Ustr;

/// The names of members and the constant arguments that a value is made with.
#[must_use]
pub fn names_of(values: &Values, value: ValueId) -> Vec<Ustr> {
    let mut names = Vec::new();
    collect_names(values, value, 0, &mut names);
    names
}

fn collect_names(values: &Values, value: ValueId, depth: u32, names: &mut Vec<Ustr>) {
    if depth > 6 {
        return;
    }
    match values.value(value) {
        Value::Member(base, name) => {
            names.push(*name);
            collect_names(values, *base, depth + 1, names);
        }
        Value::Promise(base) | Value::Index(base, _) | Value::Element(base) | Value::Not(base) => {
            collect_names(values, *base, depth + 1, names)
        }
        Value::Call(call) => {
            let data = values.call(*call);
            collect_names(values, data.callee, depth + 1, names);
            for (arg, _) in &data.args {
                match values.value(*arg) {
                    Value::Const(Const::Str(text)) if text.len() < 80 => names.push(*text),
                    _ => collect_names(values, *arg, depth + 2, names),
                }
            }
        }
        Value::Choice(alternatives) => {
            for each in alternatives.iter().take(4) {
                collect_names(values, each.value, depth + 1, names);
            }
        }
        Value::Binary(_, a, b) => {
            collect_names(values, *a, depth + 1, names);
            collect_names(values, *b, depth + 1, names);
        }
        Value::Derived(parts) | Value::Template(parts) => {
            for part in parts.iter().take(4) {
                collect_names(values, *part, depth + 1, names);
            }
        }
        _ => {}
    }
}
