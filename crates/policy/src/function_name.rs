//! `FunctionName`: a function that callers reach by its name instead of a path, as the inventory of routes prints it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Malformed;
use crate::bounds::STRING_BYTES_MAX;

/// `items:update`, or `action:app/actions.ts#save`: a module, a colon and what is exported there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionName(String);

impl FunctionName {
    /// The name as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a name looks like.
const FORM: &str = "a function is named as `portcullis routes` prints its path, `items:update` or `action:app/actions.ts#save`";

impl FromStr for FunctionName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('/') {
            let message = "a function has no path: what is called by path is a `[[route]]`";
            return Err(Malformed::whole(text, message));
        }
        // `MUTATION messages:send`, the whole line of the inventory.
        let name = text
            .split_once(' ')
            .filter(|(kind, _)| is_kind(kind))
            .map(|(_, name)| name.trim_start());
        if let Some(name) = name {
            let meant = name.parse::<Self>().ok().map(|name| name.0);
            return Err(Malformed::whole(text, FORM).perhaps(meant));
        }
        let (module, export) = text.split_once(':').unwrap_or_default();
        let steers = |one: char| one.is_control() || (one.is_whitespace() && one != ' ');
        let is_wrong = module.is_empty()
            || export.is_empty()
            || text.trim() != text
            || text.chars().any(steers)
            || text.len() > STRING_BYTES_MAX;
        if is_wrong {
            return Err(Malformed::whole(text, FORM));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a word can be what the inventory prints before a name: `MUTATION`, `INTERNALQUERY`.
pub(crate) fn is_kind(word: &str) -> bool {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    !word.is_empty() && word.bytes().all(is_capital)
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for FunctionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_inventory() {
        for (text, expected) in [
            ("convex/items:update", Ok(())),
            ("messages:send", Ok(())),
            ("action:app/(shop)/[id]/actions.ts#save", Ok(())),
            ("action:app/my shop/actions.ts#save", Ok(())),
            ("MUTATION messages:send", Err(Some("messages:send"))),
            ("POST action:app/a.ts#b", Err(Some("action:app/a.ts#b"))),
            ("POST /api/items", Err(None)),
            ("/api/items", Err(None)),
            ("items.update", Err(None)),
            (":update", Err(None)),
            ("items:", Err(None)),
            (" items:update", Err(None)),
            ("items:\tupdate", Err(None)),
            ("items:\u{a0}update", Err(None)),
            ("", Err(None)),
        ] {
            let read = text.parse::<FunctionName>().map(|_| ());
            let read = read.map_err(|fault| fault.suggestion);
            let expected = expected.map_err(|meant| meant.map(str::to_owned));
            assert_eq!(read, expected, "{text:?}");
        }
    }
}
