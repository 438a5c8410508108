//! `LimitKey`: what the requests of a limit are counted by.

use std::fmt;
use std::str::FromStr;

use crate::{FieldName, Malformed, Name};

/// What requests are counted by. Every entry of `by` is a bucket of its own, and all of them must admit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKey {
    /// The client's address, behind trusted proxies only.
    Ip,
    /// The signed-in user.
    User,
    /// The user's tenant.
    Tenant,
    /// The session.
    Session,
    /// The route, by its template: one bucket for all clients together.
    Route,
    /// A header field, for example an API key that the application knows. A client can choose it.
    Header(FieldName),
    /// A field of the request's body, for example the address that a login is tried for. A client can choose it.
    Body(Name),
}

impl LimitKey {
    /// Whether a client can have as many buckets as it likes.
    #[must_use]
    pub const fn is_chosen_by_client(&self) -> bool {
        match self {
            Self::Header(_) | Self::Body(_) => true,
            Self::Ip | Self::User | Self::Tenant | Self::Session | Self::Route => false,
        }
    }
}

impl FromStr for LimitKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(field) = text.strip_prefix("body.") {
            return field
                .parse()
                .map(Self::Body)
                .map_err(|fault| moved(fault, "body."));
        }
        if let Some(field) = text.strip_prefix("header.") {
            if FieldName::is_refused(field) {
                let message = format!(
                    "`{field}` is not counted by: it belongs to the connection, to credentials or to proxies (`ip` is the client's address)"
                );
                return Err(Malformed::at("header.".len()..text.len(), message));
            }
            return field
                .parse()
                .map(Self::Header)
                .map_err(|fault| moved(fault, "header."));
        }
        match text {
            "ip" => Ok(Self::Ip),
            "user" => Ok(Self::User),
            "tenant" => Ok(Self::Tenant),
            "session" => Ok(Self::Session),
            "route" => Ok(Self::Route),
            _ => Err(Malformed::unknown_word(
                "limit key",
                text,
                &[
                    "ip",
                    "user",
                    "tenant",
                    "session",
                    "route",
                    "header.NAME",
                    "body.FIELD",
                ],
            )),
        }
    }
}

/// The fault of what follows a prefix, as a fault of the whole.
fn moved(fault: Malformed, prefix: &str) -> Malformed {
    let by = prefix.len();
    Malformed {
        at: fault.at.start + by..fault.at.end + by,
        suggestion: fault.suggestion.map(|rest| format!("{prefix}{rest}")),
        ..fault
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::User => f.write_str("user"),
            Self::Tenant => f.write_str("tenant"),
            Self::Session => f.write_str("session"),
            Self::Route => f.write_str("route"),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Body(field) => write!(f, "body.{field}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        for text in [
            "ip",
            "user",
            "tenant",
            "session",
            "route",
            "header.x-api-key",
            "body.email",
        ] {
            assert_eq!(text.parse::<LimitKey>().expect(text).to_string(), text);
        }
        let fault = "header.X-Api-Key"
            .parse::<LimitKey>()
            .expect_err("capitals");
        assert_eq!(
            (fault.at, fault.suggestion.as_deref()),
            (7..16, Some("header.x-api-key"))
        );
        for text in ["header.cookie", "header.", "body.", "headers", "IP", ""] {
            assert!(text.parse::<LimitKey>().is_err(), "{text}");
        }
    }
}
