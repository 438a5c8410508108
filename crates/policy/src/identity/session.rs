//! `Session`: the `[identity.session]` table.

use std::fmt;
use std::str::FromStr;

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::malformed::quoted;
use crate::node::Table;
use crate::secret_keys::{SecretKeys, read_secret};
use crate::table_reader::TableReader;
use crate::{Malformed, Name};

/// What a session is, to which CSRF tokens and limits are bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum SessionSource {
    /// The guard's own, in a cookie of its own.
    #[default]
    Own,
    /// The application's, in the cookie of this name.
    Cookie(Name),
    /// The one that a claim of a verified token names: `sid`, which lives as long as the session; never the token, which
    /// lives for a minute.
    Claim(Name),
}

impl FromStr for SessionSource {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moved = |before: usize| {
            move |fault: Malformed| Malformed {
                at: fault.at.start + before..fault.at.end + before,
                ..fault
            }
        };
        if let Some(name) = text.strip_prefix("cookie:") {
            return cookie_name(name).map(Self::Cookie).map_err(moved(7));
        }
        if let Some(name) = text.strip_prefix("claim:") {
            return name.parse().map(Self::Claim).map_err(moved(6));
        }
        match text {
            "own" => Ok(Self::Own),
            _ => Err(Malformed::unknown_word(
                "source of sessions",
                text,
                &["own", "cookie:NAME", "claim:NAME"],
            )),
        }
    }
}

/// RFC 6265 §4.1.1: a cookie's name is a token, which has neither `/`, `:` nor `@`.
fn cookie_name(text: &str) -> Result<Name, Malformed> {
    let name: Name = text.parse()?;
    match text.find(['/', ':', '@']) {
        None => Ok(name),
        Some(at) => {
            let message = format!("{} cannot stand in a cookie's name", quoted(text));
            Err(Malformed::at(at..at + 1, message))
        }
    }
}

impl fmt::Display for SessionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Claim(name) => write!(f, "claim:{name}"),
        }
    }
}

/// Sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The keys that session cookies are signed with.
    pub secret: SecretKeys,
    /// What a session is; `own`.
    pub source: SessionSource,
}

pub(crate) const FORM: Form = Form::new(
    "Sessions.",
    &[
        need(
            "secret",
            Kind::Secrets,
            "The keys that session cookies are signed with.",
        ),
        may(
            "source",
            Kind::Pattern("^(own|cookie:[A-Za-z0-9_.-]+|claim:[A-Za-z0-9_.:/@-]+)$"),
            "What a session is: the guard's own, the application's cookie, or a claim of a verified token.",
        )
        .or("\"own\""),
    ],
);

pub(super) fn read(table: &Table, faults: &mut Faults<'_>) -> Option<Session> {
    let mut reader = TableReader::new(table, "`[identity.session]`", faults);
    let secret = reader.required("secret");
    let secret = secret.and_then(|node| read_secret(node, reader.faults()));
    let source = reader.optional("source");
    let source = reader.parsed(source).unwrap_or_default();
    reader.finish();
    Some(Session {
        secret: secret?,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_as_they_are_read() {
        for text in ["own", "cookie:__Host-sid", "claim:sid"] {
            let source: SessionSource = text.parse().expect(text);
            assert_eq!(source.to_string(), text);
        }
        for (text, at) in [
            ("cookie:", 7..7),
            ("cookie:a/b", 8..9),
            ("claim:a b", 7..8),
            ("header:x", 0..8),
            ("", 0..0),
        ] {
            let fault = text.parse::<SessionSource>().expect_err(text);
            assert_eq!(fault.at, at, "{text}");
        }
    }
}
