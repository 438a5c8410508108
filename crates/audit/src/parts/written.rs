//! What is written into which column.

use portcullis_code::value::{Entry, Value, ValueId, Values};

/// Deepest nesting that is followed.
const DEPTH_MAX: u32 = 6;
/// Most columns that are kept.
const COLUMNS_MAX: usize = 200;

/// The columns that data names, each with its value: `{ title, meta: { by } }` writes `title` and `meta.by`. What is
/// taken over as a whole stands under the name of what it is in, or none.
#[must_use]
pub fn written(values: &Values, data: ValueId) -> Vec<(String, ValueId)> {
    let mut found = Vec::new();
    follow(values, data, "", 0, &mut found);
    found
}

fn follow(
    values: &Values,
    value: ValueId,
    path: &str,
    depth: u32,
    found: &mut Vec<(String, ValueId)>,
) {
    if depth > DEPTH_MAX || found.len() >= COLUMNS_MAX {
        return;
    }
    match values.value(value) {
        Value::Object(object) => {
            for entry in &values.object(*object).entries {
                match *entry {
                    Entry::Named(name, inner) => {
                        let path = if path.is_empty() {
                            name.to_string()
                        } else {
                            format!("{path}.{name}")
                        };
                        follow(values, inner, &path, depth + 1, found);
                    }
                    Entry::Spread(inner) => follow(values, inner, path, depth + 1, found),
                    Entry::Computed(..) | Entry::Item(_) | Entry::Each(_) => {}
                }
            }
        }
        Value::Choice(alternatives) => {
            let is_made = |value: ValueId| matches!(values.value(value), Value::Object(_));
            if alternatives.iter().any(|each| is_made(each.value)) {
                for each in alternatives.iter() {
                    follow(values, each.value, path, depth + 1, found);
                }
            } else {
                found.push((path.to_owned(), value));
            }
        }
        Value::Promise(inner) => follow(values, *inner, path, depth + 1, found),
        _ => found.push((path.to_owned(), value)),
    }
}
