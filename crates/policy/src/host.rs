//! `Host`: the name or address of a machine, in the one spelling that is compared.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Malformed;
use crate::malformed::quoted;

/// The longest host name, in bytes (RFC 1035 §2.3.4, as text).
const NAME_BYTES_MAX: usize = 253;

/// The longest part of one between two dots.
const LABEL_BYTES_MAX: usize = 63;

/// A host. Equal hosts are equal values: names are lower case and end in no dot, an address is a number, and an IPv4
/// address is never written as IPv6.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name: letters in lower case, digits, `-` and `_`, with dots.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

/// As it stands in a URL and in a `Host` header: an IPv6 address in brackets.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Reads `HOST` or `HOST:PORT`, `start` bytes into the value. Capitals become small letters.
///
/// A suggestion is the whole of `text` as it should be.
pub(crate) fn parse_authority(text: &str, start: usize) -> Result<(Host, Option<u16>), Malformed> {
    let (host, port) = split_port(text, start)?;
    let read_port = match port {
        None => None,
        Some(port) => {
            let at = start + text.len() - port.len()..start + text.len();
            Some(parse_port(port).ok_or_else(|| {
                Malformed::at(at, format!("{} is no port from 1 to 65535", quoted(port)))
            })?)
        }
    };
    let tail = port.map(|port| format!(":{port}")).unwrap_or_default();
    let host = parse_host(host, start).map_err(|fault| Malformed {
        suggestion: fault.suggestion.map(|host| format!("{host}{tail}")),
        ..fault
    })?;
    Ok((host, read_port))
}

fn split_port(text: &str, start: usize) -> Result<(&str, Option<&str>), Malformed> {
    let whole = start..start + text.len();
    if text.starts_with('[') {
        let Some((_, after)) = text.split_once(']') else {
            return Err(Malformed::at(whole, "`[` without `]`"));
        };
        let host = text.strip_suffix(after).unwrap_or(text);
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(Malformed::at(whole, "after `]` stands nothing or `:PORT`")),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, rest)) if rest.contains(':') => {
            let fault = Malformed::at(whole, "an IPv6 address stands in brackets");
            let bracketed = text.parse::<Ipv6Addr>().ok();
            Err(fault.perhaps(bracketed.map(|address| Host::from(address).to_string())))
        }
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// One spelling only: no sign, no leading zero.
fn parse_port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse::<u16>().ok().filter(|_| plain)
}

impl From<Ipv6Addr> for Host {
    /// An IPv4-mapped address is the IPv4 address.
    fn from(address: Ipv6Addr) -> Self {
        Self::Ip(match address.to_ipv4_mapped() {
            Some(address) => IpAddr::V4(address),
            None => IpAddr::V6(address),
        })
    }
}

fn parse_host(text: &str, start: usize) -> Result<Host, Malformed> {
    let wrong = |message: String| Malformed::at(start..start + text.len(), message);
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address = inner
            .parse::<Ipv6Addr>()
            .ok()
            .ok_or_else(|| wrong(format!("{} is no IPv6 address", quoted(inner))))?;
        return match Host::from(address) {
            Host::Ip(IpAddr::V4(address)) => {
                let message = "an IPv4 address is not written as IPv6".to_owned();
                Err(wrong(message).instead(address.to_string()))
            }
            host => Ok(host),
        };
    }
    if text.is_empty() {
        return Err(wrong("a host is missing here".to_owned()));
    }
    if let Some(plain) = text.strip_suffix('.') {
        let fault =
            wrong("a host has no dot at its end: two servers would read it as two".to_owned());
        let plain = parse_host(plain, start).ok().map(|host| host.to_string());
        return Err(fault.perhaps(plain));
    }
    if !text.is_ascii() {
        let message = "a name with other letters than `a` to `z` is written in punycode, `xn--..`";
        return Err(wrong(message.to_owned()));
    }
    if text.contains('*') {
        return Err(wrong(
            "a host is written out: there are no wildcards".to_owned(),
        ));
    }
    let name = text.to_ascii_lowercase();
    if ends_in_number(&name) {
        // "127.1" and "0x7f.1" are addresses for some readers and names for others (WHATWG URL, host parsing).
        return name
            .parse::<Ipv4Addr>()
            .ok()
            .map(|address| Host::Ip(IpAddr::V4(address)))
            .ok_or_else(|| wrong(format!("{} is no IPv4 address", quoted(text))));
    }
    let is_name = name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label);
    is_name
        .then_some(Host::Name(name))
        .ok_or_else(|| wrong(format!("{} is no host name", quoted(text))))
}

fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = last.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    digits || hexadecimal
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_at_the_edges() {
        for (text, shown) in [
            ("shop.example.com", Some("shop.example.com")),
            ("Shop.Example.COM:8443", Some("shop.example.com:8443")),
            ("localhost", Some("localhost")),
            ("my_app:3000", Some("my_app:3000")),
            (
                "xn--bcher-kva.example.com",
                Some("xn--bcher-kva.example.com"),
            ),
            ("127.0.0.1:80", Some("127.0.0.1:80")),
            ("[::1]:8080", Some("[::1]:8080")),
            ("[0:0:0:0:0:0:0:1]", Some("[::1]")),
            ("x:65535", Some("x:65535")),
            ("x:65536", None),
            ("x:0", None),
            ("x:080", None),
            ("x:+80", None),
            ("x:", None),
            ("", None),
            (":80", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[fe80::1%eth0]", None),
            ("[::ffff:10.0.0.1]", None),
            ("127.1", None),
            ("0x7f.0x1", None),
            ("2130706433", None),
            ("127.0.0.01", None),
            ("a..b", None),
            ("-a.com", None),
            ("a-.com", None),
            ("a b", None),
            ("a@b", None),
            ("bücher.example.com", None),
            ("*.example.com", None),
            ("example.com.", None),
        ] {
            let read = parse_authority(text, 0).ok();
            let read = read.map(|(host, port)| match port {
                Some(port) => format!("{host}:{port}"),
                None => host.to_string(),
            });
            assert_eq!(read.as_deref(), shown, "{text}");
        }
        assert!(parse_authority(&"a".repeat(63), 0).is_ok());
        assert!(parse_authority(&"a".repeat(64), 0).is_err());
        assert!(parse_authority("a.".repeat(127).trim_end_matches('.'), 0).is_ok());
        assert!(parse_authority(&format!("{}b", "a.".repeat(127)), 0).is_err());
    }

    #[test]
    fn what_was_meant_is_said() {
        for (text, meant) in [
            ("::1", Some("[::1]")),
            ("Example.com.:80", Some("example.com:80")),
            ("[::ffff:10.0.0.1]:80", Some("10.0.0.1:80")),
            ("..", None),
        ] {
            let fault = parse_authority(text, 0).expect_err(text);
            assert_eq!(fault.suggestion.as_deref(), meant, "{text}");
        }
    }
}
