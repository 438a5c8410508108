//! `HostName`: the host of a request in one spelling, with its port apart.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use super::address::{ipv4, port};
use super::fault::HostFault;

/// The longest host, in bytes (RFC 1035 §2.3.4).
const BYTES_MAX: usize = 253;

/// The longest label, in bytes (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// What kind of host it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKind {
    /// A name.
    Domain,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address, written in brackets.
    Ipv6,
}

/// A host in lower case, perhaps with a port. Two spellings of one host are equal; two ports are two hosts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName<'b> {
    name: Cow<'b, str>,
    port: Option<u16>,
    kind: HostKind,
}

impl<'b> HostName<'b> {
    /// Reads the value of a `Host` field, or the authority of a target.
    ///
    /// Letter case is made one, and an IPv6 address is written as RFC 5952 has it. An IPv4 address is four plain
    /// decimal octets; `127.1`, `0x7f.0.0.1` and `2130706433` are names to some readers and addresses to others.
    ///
    /// # Errors
    ///
    /// All that is no host or that has another spelling to some reader; see [`HostFault`].
    pub fn parse(raw: &'b [u8]) -> Result<Self, HostFault> {
        if let [b'[', rest @ ..] = raw {
            return Self::bracketed(rest);
        }
        let (name, written_port) = match colon(raw).and_then(|at| raw.split_at_checked(at)) {
            Some((name, rest)) => (name, rest.get(1..)),
            None => (raw, None),
        };
        let text = std::str::from_utf8(name).map_err(not_ascii)?;
        // An address in its one form is all digits and dots, and needs no other look.
        let (kind, has_capitals) = if ipv4(name).is_some() {
            (HostKind::Ipv4, false)
        } else {
            let shape = judge_name(name)?;
            if shape.last_label == LastLabel::Numeric {
                return Err(HostFault::Ipv4);
            }
            (HostKind::Domain, shape.has_capitals)
        };
        Ok(Self {
            name: if has_capitals {
                Cow::Owned(text.to_ascii_lowercase())
            } else {
                Cow::Borrowed(text)
            },
            port: read_port(written_port)?,
            kind,
        })
    }

    /// What follows an opening bracket.
    fn bracketed(rest: &'b [u8]) -> Result<Self, HostFault> {
        let at = memchr::memchr(b']', rest).ok_or(HostFault::Ipv6)?;
        let (inner, after) = rest.split_at_checked(at).ok_or(HostFault::Ipv6)?;
        let address: Ipv6Addr = std::str::from_utf8(inner)
            .ok()
            .and_then(|text| text.parse().ok())
            // A mapped IPv4 address would be a second spelling of the IPv4 address.
            .filter(|address: &Ipv6Addr| address.to_ipv4_mapped().is_none())
            .ok_or(HostFault::Ipv6)?;
        let written_port = match after {
            [b']'] => None,
            [b']', b':', port @ ..] => Some(port),
            _ => return Err(HostFault::Ipv6),
        };
        Ok(Self {
            name: Cow::Owned(format!("[{address}]")),
            port: read_port(written_port)?,
            kind: HostKind::Ipv6,
        })
    }

    /// The host in lower case without its port; an IPv6 address with its brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, if one is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port, or what the scheme has where none is written.
    #[must_use]
    pub fn port_or(&self, of_scheme: u16) -> u16 {
        self.port.unwrap_or(of_scheme)
    }

    /// What kind of host it is.
    #[must_use]
    pub fn kind(&self) -> HostKind {
        self.kind
    }

    /// The same host, without a copy.
    #[must_use]
    pub fn borrowed(&self) -> HostName<'_> {
        HostName {
            name: Cow::Borrowed(&self.name),
            port: self.port,
            kind: self.kind,
        }
    }

    /// The same host, independent of the request's bytes.
    #[must_use]
    pub fn into_owned(self) -> HostName<'static> {
        HostName {
            name: Cow::Owned(self.name.into_owned()),
            port: self.port,
            kind: self.kind,
        }
    }
}

/// As it is forwarded.
impl fmt::Display for HostName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Where the port begins. A host is short, and a plain walk is over before a wide search has begun.
fn colon(raw: &[u8]) -> Option<usize> {
    raw.iter().position(|byte| *byte == b':')
}

/// Only reached by bytes that are no ASCII, which are refused before.
fn not_ascii(_: std::str::Utf8Error) -> HostFault {
    HostFault::Byte
}

fn read_port(written: Option<&[u8]>) -> Result<Option<u16>, HostFault> {
    written
        .map(|digits| port(digits).ok_or(HostFault::Port))
        .transpose()
}

/// What the last label looks like. A number makes the host an address (WHATWG URL, "ends in a number").
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastLabel {
    Numeric,
    Word,
}

struct Shape {
    has_capitals: bool,
    last_label: LastLabel,
}

/// A byte that may stand in a name as it is.
const PLAIN: u8 = 0;
/// One that may, in another letter case.
const CAPITAL: u8 = 1;
/// One that may not.
const NONE: u8 = 2;

const fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => PLAIN,
        b'A'..=b'Z' => CAPITAL,
        _ => NONE,
    }
}

/// RFC 1123 §2.1, and `_`, which names of services inside a network have.
fn judge_name(name: &[u8]) -> Result<Shape, HostFault> {
    if name.is_empty() {
        return Err(HostFault::Empty);
    }
    if name.len() > BYTES_MAX {
        return Err(HostFault::TooLong);
    }
    // All classes together: a look at each byte without a decision.
    let classes = name.iter().fold(0, |all, byte| all | class(*byte));
    if classes & NONE != 0 {
        return Err(HostFault::Byte);
    }
    if name.ends_with(b".") {
        return Err(HostFault::TrailingDot);
    }
    let mut last: &[u8] = &[];
    for label in name.split(|byte| *byte == b'.') {
        if label.len() > LABEL_BYTES_MAX {
            return Err(HostFault::TooLong);
        }
        if label.is_empty() || label.starts_with(b"-") || label.ends_with(b"-") {
            return Err(HostFault::Label);
        }
        last = label;
    }
    let decimal = last.iter().all(u8::is_ascii_digit);
    let hexadecimal = matches!(last, [b'0', b'x' | b'X', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit));
    Ok(Shape {
        has_capitals: classes & CAPITAL != 0,
        last_label: if decimal || hexadecimal {
            LastLabel::Numeric
        } else {
            LastLabel::Word
        },
    })
}
