//! `Writer`: puts a policy file together line by line.

use std::fmt::Display;
use std::time::Duration;

use crate::Date;
use crate::form::Form;
use crate::rate::written;

/// A value as TOML has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written(String);

impl Written {
    /// Whether it is a default, which is written as JSON: alike in all that has one.
    pub(super) fn is(&self, default: Option<&str>) -> bool {
        default == Some(self.0.as_str())
    }
}

/// A string.
pub(super) fn text(value: impl Display) -> Written {
    Written(toml_edit::Value::from(value.to_string()).to_string())
}

/// A number or a truth.
pub(super) fn bare(value: impl Display) -> Written {
    Written(value.to_string())
}

/// A day.
pub(super) fn day(value: Date) -> Written {
    Written(value.to_string())
}

/// A length of time.
pub(super) fn length(value: Duration) -> Written {
    text(written(value))
}

/// A list of strings.
pub(super) fn list<T: Display>(values: impl IntoIterator<Item = T>) -> Written {
    list_of(values.into_iter().map(text))
}

/// A list of anything.
pub(super) fn list_of(values: impl IntoIterator<Item = Written>) -> Written {
    let values: Vec<String> = values.into_iter().map(|value| value.0).collect();
    Written(format!("[{}]", values.join(", ")))
}

/// An inline table, for what stands in a list.
pub(super) fn table(entries: &[(&str, Written)]) -> Written {
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{key} = {}", value.0))
        .collect();
    Written(format!("{{ {} }}", entries.join(", ")))
}

/// A key as it can stand in a header: in quotes where it has to be.
pub(super) fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) {
        return name.to_owned();
    }
    text(name).0
}

/// A policy file that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    /// A table's header, `[proxy]` or `[[route]]`, with an empty line before it.
    pub(super) fn header(&mut self, header: &str) {
        self.text.push_str(&format!("\n{header}\n"));
    }

    /// A header of a table that the policy does not have, and that holds.
    pub(super) fn default_header(&mut self, header: &str) {
        self.text.push_str(&format!("\n{header} # default\n"));
    }

    /// A key and its value.
    pub(super) fn stated(&mut self, key: &str, value: &Written) {
        self.text.push_str(&format!("{key} = {}\n", value.0));
    }

    /// A key and the value that holds because the policy says nothing.
    pub(super) fn assumed(&mut self, key: &str, value: &Written) {
        self.text
            .push_str(&format!("{key} = {} # default\n", value.0));
    }

    /// Either, as the caller has found out.
    pub(super) fn either(&mut self, key: &str, value: &Written, is_stated: bool) {
        if is_stated {
            self.stated(key, value);
        } else {
            self.assumed(key, value);
        }
    }

    /// A key of a form: the default where it has the value that the form says. `before` is what stands before the key.
    pub(super) fn of_form(&mut self, form: &Form, before: &str, key: &str, value: &Written) {
        let default = form.keys.iter().find(|one| one.name == key);
        let is_default = value.is(default.and_then(|one| one.default));
        self.either(&format!("{before}{key}"), value, !is_default);
    }

    /// A key that is left out, and what holds then.
    pub(super) fn left_out(&mut self, key: &str, says: &str) {
        self.text.push_str(&format!("# {key}: {says} # default\n"));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
