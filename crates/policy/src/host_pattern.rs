//! `HostPattern`: a host that the guard answers for, as `hosts` writes it.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::faults::Faults;
use crate::form::Kind;
use crate::host::{Host, parse_authority};
use crate::node::Node;
use crate::policy_file::Draft;
use crate::table_reader::list;

/// The ports that a `Host` header leaves out (RFC 9110 §4.2.3).
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// One host and port, written out: there are no wildcards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern {
    /// The host.
    pub host: Host,
    /// The port that the `Host` header must name. Without one, the header names none, 80 or 443.
    pub port: Option<u16>,
}

impl HostPattern {
    /// Whether a `Host` header with this host and port is meant.
    #[must_use]
    pub fn matches(&self, host: &Host, port: Option<u16>) -> bool {
        self.host == *host
            && match self.port {
                Some(_) => port == self.port,
                None => port.is_none_or(|port| DEFAULT_PORTS.contains(&port)),
            }
    }
}

impl FromStr for HostPattern {
    type Err = Malformed;

    /// Stricter than a URL: capitals and the ports that are left out anyway are refused, so that one host has one
    /// spelling in the file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, rest)) = text.split_once("://") {
            let message = "this is a host or `HOST:PORT`, without a scheme";
            let meant = rest.parse::<Self>().ok().map(|host| host.to_string());
            return Err(Malformed::whole(text, message).perhaps(meant));
        }
        let (host, port) = parse_authority(text, 0)?;
        if port.is_some_and(|port| DEFAULT_PORTS.contains(&port)) {
            let message = "leave out the port: 80 and 443 are what is meant without one";
            return Err(Malformed::whole(text, message).instead(host.to_string()));
        }
        let read = Self { host, port };
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let message = "a host is written in lower case";
            return Err(Malformed::whole(text, message).instead(read.to_string()));
        }
        Ok(read)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => self.host.fmt(f),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}

/// How a host is written.
pub(crate) const HOST: Kind = Kind::Pattern("^[^/@?# *A-Z]+$");

/// Reads `hosts`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    draft.policy.hosts = list(node, false, faults).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_at_the_edges() {
        for (text, meant) in [
            ("shop.example.com", Ok(())),
            ("shop.example.com:8443", Ok(())),
            ("127.0.0.1:3000", Ok(())),
            ("[::1]", Ok(())),
            ("shop.example.com:443", Err(Some("shop.example.com"))),
            ("SHOP.example.com:8443", Err(Some("shop.example.com:8443"))),
            ("shop.example.com.", Err(Some("shop.example.com"))),
            ("https://shop.example.com", Err(Some("shop.example.com"))),
            ("*.example.com", Err(None)),
            ("shop.example.com/", Err(None)),
            ("", Err(None)),
        ] {
            let read = text.parse::<HostPattern>();
            let read = read.map(|_| ()).map_err(|fault| fault.suggestion);
            assert_eq!(
                read,
                meant.map_err(|meant: Option<&str>| meant.map(str::to_owned)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_port_that_is_named_is_the_only_one() {
        let pattern = |text: &str| text.parse::<HostPattern>().expect(text);
        let shop = pattern("shop.example.com");
        let other = pattern("shop.example.com:8443");
        for (port, plain, named) in [
            (None, true, false),
            (Some(443), true, false),
            (Some(80), true, false),
            (Some(8443), false, true),
            (Some(8080), false, false),
        ] {
            assert_eq!(shop.matches(&shop.host, port), plain, "{port:?}");
            assert_eq!(other.matches(&shop.host, port), named, "{port:?}");
        }
        assert!(!shop.matches(&Host::Name("example.com".to_owned()), None));
    }
}
