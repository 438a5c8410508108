//! What the name of a member, a variable of the environment or a header says of its value.

use portcullis_code::value::{Value, ValueId, Values};
use ustr::Ustr;

use crate::schema::{Sensitivity, sensitivity_of_name, words_are_password};

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A password.
    Password,
    /// A token, a key, a code: whoever has it gets in.
    Secret,
    /// Something about a person.
    Personal,
}

/// What a name says of what it names, if that concerns anybody.
pub(crate) fn named(name: &str) -> Option<Named> {
    if names_password(name) {
        return Some(Named::Password);
    }
    // Of a language model, and of what is shown of a secret, these speak as well.
    if matches!(name, "tokens" | "totalTokens" | "total_tokens") {
        return None;
    }
    match sensitivity_of_name(name)? {
        Sensitivity::Secret => Some(Named::Secret),
        Sensitivity::Personal => Some(Named::Personal),
        Sensitivity::Privilege => None,
    }
}

/// Whether a name is that of a password: `password`, `newPassword`, `user_pwd`.
pub(crate) fn names_password(name: &str) -> bool {
    words_are_password(name)
}

/// The name under which a value was taken from what holds it: `password` of `req.body.password` and of
/// `form.get("password")`.
pub(crate) fn last_name(values: &Values, value: ValueId) -> Option<Ustr> {
    match values.value(value) {
        Value::Member(_, name) => Some(*name),
        Value::Index(_, key) => values.as_text(*key),
        Value::Promise(inner) => last_name(values, *inner),
        Value::Call(call) => {
            let data = values.call(*call);
            match values.value(data.callee) {
                Value::Member(_, how)
                    if matches!(how.as_str(), "get" | "header" | "getAll" | "getItem") =>
                {
                    values.as_text(data.args.first()?.0)
                }
                Value::Member(base, how)
                    if matches!(how.as_str(), "trim" | "toString" | "normalize" | "valueOf") =>
                {
                    last_name(values, *base)
                }
                Value::Global(name) if name == "String" => last_name(values, data.args.first()?.0),
                _ => None,
            }
        }
        Value::Template(parts) => match parts.as_ref() {
            [one] => last_name(values, *one),
            _ => None,
        },
        Value::Choice(alternatives) => alternatives
            .iter()
            .find_map(|each| last_name(values, each.value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_hold() {
        for (name, expected) in [
            ("password", Some(Named::Password)),
            ("newPassword", Some(Named::Password)),
            ("user_pwd", Some(Named::Password)),
            ("passwordHash", Some(Named::Password)),
            ("resetToken", Some(Named::Secret)),
            ("OPENAI_API_KEY", Some(Named::Secret)),
            ("nextPageToken", None),
            ("tokens", None),
            ("hasPassword", None),
            ("email", Some(Named::Personal)),
            ("role", None),
            ("title", None),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }
}
