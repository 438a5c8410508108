//! `PublicUrl`: the address under which browsers know the service.

use std::fmt;
use std::str::FromStr;

use crate::faults::Faults;
use crate::form::Kind;
use crate::host::Host;
use crate::node::Node;
use crate::origin::{Scheme, parse_origin};
use crate::policy_file::Draft;
use crate::table_reader::parsed;
use crate::{HostPattern, Malformed};

/// An origin (RFC 6454 §4). Printed without its port where that is the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicUrl {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The host, in lower case.
    pub host: Host,
    /// The port: what is written, or the scheme's own.
    pub port: u16,
}

impl PublicUrl {
    /// The `Host` header that a browser sends to this address.
    #[must_use]
    pub fn host_pattern(&self) -> HostPattern {
        HostPattern {
            host: self.host.clone(),
            port: (self.port != self.scheme.default_port()).then_some(self.port),
        }
    }
}

impl FromStr for PublicUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origin = parse_origin(text)?;
        Ok(Self {
            port: origin.port.unwrap_or(origin.scheme.default_port()),
            scheme: origin.scheme,
            host: origin.host,
        })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host_pattern())
    }
}

/// How an origin is written.
pub(crate) const ORIGIN: Kind = Kind::Pattern("^https?://[^/?#@\\\\]+/?$");

/// Reads `public_url`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    draft.policy.public_url = parsed(node, faults);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_at_the_edges() {
        for (text, shown) in [
            ("https://shop.example.com", Ok("https://shop.example.com")),
            ("https://Shop.Example.com/", Ok("https://shop.example.com")),
            ("https://a:443", Ok("https://a")),
            ("http://a:443", Ok("http://a:443")),
            ("http://localhost:8080", Ok("http://localhost:8080")),
            (
                "https://[2001:DB8::1]:8443",
                Ok("https://[2001:db8::1]:8443"),
            ),
            ("shop.example.com", Err(Some("http://shop.example.com"))),
            ("https://a/app", Err(Some("https://a"))),
            ("https://a?x=1", Err(Some("https://a"))),
            ("https://a/#x", Err(Some("https://a"))),
            ("https://u:p@a", Err(Some("https://a"))),
            ("https://a.", Err(Some("https://a"))),
            ("https://a\\b", Err(Some("https://a"))),
            ("https://bücher.example.com", Err(None)),
            ("https://", Err(None)),
            ("https:///a", Err(None)),
            ("HTTPS://a", Err(None)),
            ("ftp://a", Err(None)),
            ("//a", Err(None)),
            ("https://*.a", Err(None)),
            ("https://a b", Err(None)),
            ("", Err(None)),
        ] {
            let read = text.parse::<PublicUrl>();
            let read = read
                .map(|url| url.to_string())
                .map_err(|fault| fault.suggestion);
            let expected = shown
                .map(str::to_owned)
                .map_err(|meant| meant.map(str::to_owned));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let fault = "https://u:hunter2@a/x"
            .parse::<PublicUrl>()
            .expect_err("a user");
        assert!(!fault.message.contains("hunter2"), "{fault}");
    }
}
