//! `HttpsUrl`: an address that is fetched from or compared with a claim, exactly as it is written.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::origin::parse_origin;

/// `https://HOST/PATH`, without a user, a query or a fragment. A slash at the end counts: an issuer's name is compared
/// byte by byte (RFC 8414 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpsUrl(String);

impl HttpsUrl {
    /// The URL as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A file below it.
    pub(crate) fn joined(&self, path: &str) -> Self {
        Self(format!("{}/{path}", self.0.trim_end_matches('/')))
    }
}

impl FromStr for HttpsUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(rest) = text.strip_prefix("https://") else {
            let message = "this is fetched or believed, so it begins with `https://`";
            let bare = text.strip_prefix("http://").unwrap_or(text);
            let meant = format!("https://{bare}");
            let meant = (!bare.contains("://") && !bare.is_empty())
                .then_some(meant)
                .filter(|meant| meant.parse::<Self>().is_ok());
            return Err(Malformed::whole(text, message).perhaps(meant));
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parse_origin(&format!("https://{authority}")).map_err(|fault| Malformed {
            // What was meant is the whole of it, with what follows.
            suggestion: fault.suggestion.map(|origin| format!("{origin}{path}")),
            ..fault
        })?;
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
        if path.bytes().all(is_plain) && !path.split('/').any(|part| matches!(part, "." | "..")) {
            return Ok(Self(text.to_owned()));
        }
        let message = "after the host stands a path, without `?`, `#`, `%` or `..`";
        Err(Malformed::at("https://".len() + end..text.len(), message))
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_at_the_edges() {
        for (text, expected) in [
            ("https://clerk.shop.example.com", Ok(())),
            ("https://login.example.com/tenant/v2.0/", Ok(())),
            (
                "http://login.example.com/a",
                Err(Some("https://login.example.com/a")),
            ),
            ("login.example.com", Err(Some("https://login.example.com"))),
            ("https://u:p@a/x", Err(Some("https://a/x"))),
            ("https://a/x?y", Err(None)),
            ("https://a/x#y", Err(None)),
            ("https://a/../x", Err(None)),
            ("https://a/%2e", Err(None)),
            ("https:///x", Err(None)),
            ("ftp://a", Err(None)),
            ("", Err(None)),
        ] {
            let read = text.parse::<HttpsUrl>().map(|_| ());
            let read = read.map_err(|fault| fault.suggestion);
            let expected = expected.map_err(|meant| meant.map(str::to_owned));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn the_key_set_is_below_the_issuer() {
        let issuer: HttpsUrl = "https://a.example.com/t/".parse().unwrap();
        assert_eq!(
            issuer.joined("x.json").as_str(),
            "https://a.example.com/t/x.json"
        );
    }
}
