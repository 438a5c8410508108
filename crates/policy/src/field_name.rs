//! `FieldName`: a header field that a limit may count by.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::header_name::header_name;

/// The name of a header field in lower case: letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(String);

impl FieldName {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name in lower case is one that no policy names.
    pub(crate) fn is_refused(name: &str) -> bool {
        REFUSED.contains(&name) || REFUSED_PREFIXES.iter().any(|one| name.starts_with(one))
    }
}

/// Fields that mean something to the connection, say who is calling, or say where from: what they hold is the guard's
/// to judge, and no client shall choose its own bucket by them.
const REFUSED: [&str; 27] = [
    // RFC 9110 §7.6.1, RFC 9112 §9.1 and their older kin.
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
    "expect",
    // Credentials.
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "www-authenticate",
    "cookie",
    "cookie2",
    "set-cookie",
    // Where a request comes from.
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "client-ip",
];

/// Beginnings of fields that are the guard's own or a proxy's.
const REFUSED_PREFIXES: [&str; 2] = ["x-forwarded-", "portcullis-"];

impl FromStr for FieldName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = header_name(text)?;
        if Self::is_refused(&name) {
            let message = format!(
                "`{name}` cannot be named here: it belongs to the connection, to credentials or to proxies"
            );
            return Err(Malformed::whole(text, message));
        }
        if name != text {
            let message = "a header field is written in lower case";
            return Err(Malformed::whole(text, message).instead(name));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_at_the_edges() {
        for (text, reads) in [
            ("x-api-key", true),
            ("accept-language", true),
            ("X-Api-Key", false),
            ("x_api_key", false),
            ("x.api.key", false),
            ("x api", false),
            ("", false),
            ("cookie", false),
            ("Authorization", false),
            ("transfer-encoding", false),
            ("x-forwarded-for", false),
            ("x-forwarded-anything", false),
            ("portcullis-identity", false),
            ("forwarded", false),
        ] {
            assert_eq!(text.parse::<FieldName>().is_ok(), reads, "{text}");
        }
        let fault = "X-Api-Key".parse::<FieldName>().expect_err("capitals");
        assert_eq!(fault.suggestion.as_deref(), Some("x-api-key"));
    }
}
