//! `Session`: the `[identity.session]` table.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::faults::Faults;
use crate::fixed_path::fixed_path;
use crate::form::{Form, Kind, may, need};
use crate::malformed::quoted;
use crate::node::Table;
use crate::secret_keys::{SecretKeys, read_secret};
use crate::table_reader::{TableReader, parsed_by};
use crate::word::words;
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

/// How the cookies of the guard itself begin.
const OWN_COOKIES: &str = "__Host-pc-";

/// RFC 6265 §4.1.1: a cookie's name is a token, which has neither `/`, `:` nor `@`.
pub(super) fn cookie_name(text: &str) -> Result<Name, Malformed> {
    let name: Name = text.parse()?;
    let start = text.get(..OWN_COOKIES.len());
    if start.is_some_and(|start| start.eq_ignore_ascii_case(OWN_COOKIES)) {
        let message = "cookies that begin with `__Host-pc-` are the guard's own, and no application can set one: name another";
        return Err(Malformed::whole(text, message));
    }
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

/// Whether browsers send the session's cookie with what another site began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SameSite {
    /// With navigations that read: a link from elsewhere arrives logged in.
    #[default]
    Lax,
    /// Never.
    Strict,
}

words!(SameSite, "value of SameSite", { Lax => "lax", Strict => "strict" });

/// How long a session lives that nobody uses; 30 min.
pub(crate) const IDLE: Duration = Duration::from_secs(30 * 60);

/// How long a session lives at most; 12 h.
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);

const IDLE_WITHIN: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 60 * 60);
const ABSOLUTE_WITHIN: RangeInclusive<Duration> =
    Duration::from_secs(5 * 60)..=Duration::from_secs(90 * 24 * 60 * 60);

/// Sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The keys that session cookies are signed with.
    pub secret: SecretKeys,
    /// What a session is; `own`.
    pub source: SessionSource,
    /// How long it lives that nobody uses; of the guard's own sessions (ASVS v5.0.0-7.3.1).
    pub idle: Duration,
    /// How long it lives at most; of the guard's own sessions (ASVS v5.0.0-7.3.2).
    pub absolute: Duration,
    /// Whether browsers send its cookie with what another site began; of the guard's own sessions.
    pub same_site: SameSite,
    /// The page to which a browser is led that goes where somebody must be known, and nobody is; it is refused without one.
    pub login: Option<String>,
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
        may(
            "idle",
            Kind::Duration,
            "How long a session lives that nobody uses, `1m` to `30d`.",
        )
        .or("\"30m\""),
        may(
            "absolute",
            Kind::Duration,
            "How long a session lives at most, `5m` to `90d`.",
        )
        .or("\"12h\""),
        may(
            "same_site",
            Kind::Words(SameSite::WORDS),
            "Whether browsers send its cookie with what another site began.",
        )
        .or("\"lax\""),
        may(
            "login",
            Kind::Pattern("^/"),
            "The page to which a browser is led that goes where somebody must be known; else it is refused.",
        ),
    ],
);

pub(super) fn read(table: &Table, faults: &mut Faults<'_>) -> Option<Session> {
    let mut reader = TableReader::new(table, "`[identity.session]`", faults);
    let secret = reader.required("secret");
    let secret = secret.and_then(|node| read_secret(node, reader.faults()));
    let source = reader.optional("source");
    let source = reader.parsed(source).unwrap_or_default();
    let idle_node = reader.optional("idle");
    let idle = reader.duration(idle_node, IDLE_WITHIN).unwrap_or(IDLE);
    let absolute = reader.optional("absolute");
    let absolute = reader
        .duration(absolute, ABSOLUTE_WITHIN)
        .unwrap_or(ABSOLUTE);
    let same_site = reader.optional("same_site");
    let same_site = reader.parsed(same_site).unwrap_or_default();
    let login = reader.optional("login");
    let login = login.and_then(|node| parsed_by(node, fixed_path, reader.faults()));
    if let Some(node) = idle_node.filter(|_| idle > absolute) {
        let message = "a session that nobody uses would live longer than one may: `idle` is at most `absolute`";
        reader.faults().add(&node.span, message);
    }
    reader.finish();
    Some(Session {
        secret: secret?,
        source,
        idle,
        absolute,
        same_site,
        login,
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
