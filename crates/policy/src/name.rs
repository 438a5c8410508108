//! `Name`: what the policy file calls its own things, as limits, permissions, kinds of object and owners.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Malformed;
use crate::bounds::NAME_BYTES_MAX;
use crate::malformed::quoted;

/// A name: letters, digits, `_`, `-`, `.`, `:`, `/` and `@`, at most [`NAME_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name put together from words of the program's own, all of whose characters can stand in a name.
    pub(crate) fn of_words(first: &str, second: &str) -> Self {
        Self(format!("{first}{second}"))
    }
}

impl FromStr for Name {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(Malformed::whole(text, "a name is not empty"));
        }
        if text.len() > NAME_BYTES_MAX {
            let message = format!("a name has at most {NAME_BYTES_MAX} bytes");
            return Err(Malformed::whole(text, message));
        }
        let wrong = text.char_indices().find(|(_, character)| {
            !character.is_ascii_alphanumeric()
                && !matches!(character, '_' | '-' | '.' | ':' | '/' | '@')
        });
        match wrong {
            None => Ok(Self(text.to_owned())),
            Some((offset, character)) => {
                let message = format!("{} cannot stand in a name", quoted(&character.to_string()));
                Err(Malformed::at(
                    offset..offset + character.len_utf8(),
                    message,
                ))
            }
        }
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_surprises_in_them() {
        for (text, wrong_at) in [
            ("write:items", None),
            ("api.v2/export-all", None),
            ("", Some(0..0)),
            ("two words", Some(3..4)),
            ("naïve", Some(2..4)),
        ] {
            assert_eq!(
                text.parse::<Name>().err().map(|fault| fault.at),
                wrong_at,
                "{text}"
            );
        }
        assert!("x".repeat(128).parse::<Name>().is_ok());
        assert!("x".repeat(129).parse::<Name>().is_err());
    }
}
