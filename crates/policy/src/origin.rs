//! `Origin`: scheme, host and port of a URL that has nothing else.

use crate::Malformed;
use crate::host::{Host, parse_authority};
use crate::word::words;

/// How the machine is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// In the open.
    Http,
    /// With TLS.
    Https,
}

words!(Scheme, "scheme", { Http => "http", Https => "https" });

impl Scheme {
    /// The port where none is written: 80 and 443.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// What is written of a URL: the port only where it is.
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

/// Reads `http://host`, `https://host:port`, `http://host/`. A path, a query, a fragment and a user's name are refused.
pub(crate) fn parse_origin(text: &str) -> Result<Origin, Malformed> {
    let schemes = [("http://", Scheme::Http), ("https://", Scheme::Https)];
    let Some((before, scheme, rest)) = schemes
        .into_iter()
        .find_map(|(before, scheme)| Some((before, scheme, text.strip_prefix(before)?)))
    else {
        let message = "an address begins with `http://` or `https://`";
        let whole = format!("http://{text}");
        let meant = (!text.contains("//") && parse_origin(&whole).is_ok()).then_some(whole);
        return Err(Malformed::whole(text, message).perhaps(meant));
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let without_tail = format!("{before}{authority}");
    if let Some((user, host)) = authority.rsplit_once('@') {
        // Nothing of it is repeated: there may be a password.
        let at = before.len()..before.len() + user.len() + 1;
        let plain = format!("{before}{host}");
        let meant = parse_origin(&plain).is_ok().then_some(plain);
        let message = "an address has no user name and no password";
        return Err(Malformed::at(at, message).perhaps(meant));
    }
    if !tail.is_empty() && tail != "/" {
        let what = match tail.chars().next() {
            Some('?') => "query",
            Some('#') => "fragment",
            _ => "path",
        };
        let at = before.len() + authority.len()..text.len();
        let meant = parse_origin(&without_tail).is_ok().then_some(without_tail);
        let message = format!("an address has no {what} here: scheme, host and port are all");
        return Err(Malformed::at(at, message).perhaps(meant));
    }
    let (host, port) = parse_authority(authority, before.len()).map_err(|fault| Malformed {
        suggestion: fault.suggestion.map(|meant| format!("{before}{meant}")),
        ..fault
    })?;
    Ok(Origin { scheme, host, port })
}
