//! Whether replacing takes out of a text what does harm.

use portcullis_code::value::{Value, ValueId, Values};
use portcullis_report::Class;

use super::{Danger, Wants, alphabet::Pattern, vouched::pattern};

/// Whether `text.replace(what, by)` leaves nothing of harm, whatever the text was.
pub(super) fn is_cleaned(values: &Values, given: &[ValueId], all: bool, danger: &Danger) -> bool {
    let (Some(&what), Some(&by)) = (given.first(), given.get(1)) else {
        return false;
    };
    // What stands there afterwards must be known and harmless, or be what escapes: `''`, `&lt;`.
    if values.as_text(by).is_none() && !matches!(values.value(by), Value::Function { .. }) {
        return false;
    }
    let removed = match pattern(values, what) {
        Some(pattern) => {
            if !pattern.everywhere && !all {
                return false;
            }
            pattern
        }
        // A plain text is replaced once.
        None => match values.as_text(what) {
            Some(text) if all => Pattern::read(&escaped(&text), "g"),
            _ => return false,
        },
    };
    if !removed.one_class {
        // `..` is no way up when every pair of dots is gone.
        return danger.wants == Wants::Path && removed.takes('.') && !removed.takes('/');
    }
    danger
        .signs
        .chars()
        .take(decisive(danger))
        .all(|sign| removed.takes(sign))
}

/// How many of the signs have to go: of those of a quoted text and of a tag the first is enough, of a shell's each.
const fn decisive(danger: &Danger) -> usize {
    match danger.class {
        Class::Sqli | Class::Xss => 1,
        _ => usize::MAX,
    }
}

/// A text as an expression that matches it.
fn escaped(text: &str) -> String {
    let mut written = String::new();
    for sign in text.chars() {
        if !sign.is_alphanumeric() {
            written.push('\\');
        }
        written.push(sign);
    }
    written
}
