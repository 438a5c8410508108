//! `CorsField`: a header field that pages of other sites may send or read.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::header_name::header_name;

/// The name of a header field in lower case: letters, digits and `-`. Credentials may be named: a page that has a token
/// sends it in `authorization`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorsField(String);

impl CorsField {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What no script may send or read, whatever an answer says (Fetch §2.2.2, forbidden request- and response-header names).
const FORBIDDEN: [&str; 25] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method-override",
    "x-method-override",
];

/// The same by their beginnings, and what is the guard's own to say.
const FORBIDDEN_PREFIXES: [&str; 5] = [
    "proxy-",
    "sec-",
    "access-control-",
    "x-forwarded-",
    "portcullis-",
];

impl FromStr for CorsField {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = header_name(text)?;
        let is_forbidden = FORBIDDEN.contains(&name.as_str())
            || FORBIDDEN_PREFIXES.iter().any(|one| name.starts_with(one));
        if is_forbidden {
            let message = format!(
                "`{name}` cannot be named here: browsers let no script have it, or it is the guard's own"
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

impl fmt::Display for CorsField {
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
            ("authorization", true),
            ("content-type", true),
            ("x-csrf-token", true),
            ("Authorization", false),
            ("*", false),
            ("x_token", false),
            ("a, b", false),
            ("", false),
            ("cookie", false),
            ("set-cookie", false),
            ("sec-fetch-site", false),
            ("access-control-allow-origin", false),
            ("portcullis-identity", false),
        ] {
            assert_eq!(text.parse::<CorsField>().is_ok(), reads, "{text}");
        }
        assert!("a".repeat(129).parse::<CorsField>().is_err());
        let fault = "X-Token".parse::<CorsField>().expect_err("capitals");
        assert_eq!(fault.suggestion.as_deref(), Some("x-token"));
    }
}
