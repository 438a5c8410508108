//! Why raw bytes have no canonical form: each fault has a reason code that never changes, and a status.

use std::fmt;

use crate::codes::codes;

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// Over the bound. 414.
    TooLong,
    /// Neither `/path` nor `http://host/path`, nor `*` with `OPTIONS`.
    Form,
    /// An absolute target whose host is not the one of the `Host` field (RFC 9112 §3.2.2).
    Authority,
    /// An empty segment: `//`.
    EmptySegment,
    /// `.` or `..` as a segment.
    DotSegment,
    /// A byte that some reader gives a meaning to: `\`, `;`, `#`, or none that is printable ASCII.
    Byte,
    /// `%` without two hexadecimal digits.
    EscapeBroken,
    /// An escape that hides what a reader acts on: `%2f %5c %2e %3b %23 %25` or a control character.
    EscapeHidden,
    /// Escapes that are not UTF-8 when undone, overlong forms included.
    EscapeEncoding,
    /// A byte in the query that is not printable ASCII, or `#`.
    Query,
}

codes!(PathFault, {
    TooLong => "target_too_long",
    Form => "target_form_refused",
    Authority => "target_authority_mismatch",
    EmptySegment => "path_empty_segment",
    DotSegment => "path_dot_segment",
    Byte => "path_byte_ambiguous",
    EscapeBroken => "path_escape_broken",
    EscapeHidden => "path_escape_hidden",
    EscapeEncoding => "path_escape_not_utf8",
    Query => "query_byte",
}, []);

impl PathFault {
    /// The status: 414 where it is too long, else 400.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLong => 414,
            Self::Form
            | Self::Authority
            | Self::EmptySegment
            | Self::DotSegment
            | Self::Byte
            | Self::EscapeBroken
            | Self::EscapeHidden
            | Self::EscapeEncoding
            | Self::Query => 400,
        }
    }
}

/// Why a host is refused. Each is a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// Nothing before the port.
    Empty,
    /// Over 253 bytes, or a label over 63.
    TooLong,
    /// A byte that no host name has: user information, an escape, a path, a list, a byte that is not ASCII.
    Byte,
    /// An empty label, or one that begins or ends with `-`.
    Label,
    /// A dot at the end: another spelling of the same host, with other cookies and certificates.
    TrailingDot,
    /// A port that is not 1 to 65535 in plain decimal digits.
    Port,
    /// An IPv4 address that is not four plain decimal octets.
    Ipv4,
    /// Brackets around what is no IPv6 address: a zone, a mapped IPv4 address.
    Ipv6,
}

codes!(HostFault, {
    Empty => "host_empty",
    TooLong => "host_too_long",
    Byte => "host_byte",
    Label => "host_label_malformed",
    TrailingDot => "host_trailing_dot",
    Port => "host_port_malformed",
    Ipv4 => "host_ipv4_malformed",
    Ipv6 => "host_ipv6_malformed",
}, []);

/// Why the client cannot be known although a trusted proxy speaks for it. Each is a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFault {
    /// A hop that is no address, met on the way from the nearest proxy to the client.
    Unreadable,
    /// `Forwarded` that RFC 7239 §4 does not allow.
    ForwardedMalformed,
    /// More than one scheme or host, or one that is neither `http` nor `https`.
    SchemeMalformed,
    /// More than one forwarded host, or one that is no host.
    HostMalformed,
    /// `X-Forwarded-For` and `Forwarded` have to agree, and tell of two clients.
    Disagreement,
}

codes!(ClientFault, {
    Unreadable => "client_ip_unreadable",
    ForwardedMalformed => "forwarded_malformed",
    SchemeMalformed => "forwarded_proto_malformed",
    HostMalformed => "forwarded_host_malformed",
    Disagreement => "client_ip_disagreement",
}, []);

/// Why a body is no JSON document that is read in one way only. Each is a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// Not UTF-8.
    Encoding,
    /// A byte order mark (RFC 8259 §8.1).
    ByteOrderMark,
    /// Not JSON, or more than one document.
    Syntax,
    /// Deeper than the bound.
    TooDeep,
    /// A number of more bytes than the bound.
    NumberTooLong,
    /// A key twice in one object, at whatever depth.
    KeyRepeated,
    /// A key that some readers take for one that is asked for, as they do not look at letter case.
    KeyAmbiguous,
    /// More keys in one object, or more values in all, than the bounds.
    TooManyValues,
}

impl JsonFault {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Encoding => "json_not_utf8",
            Self::ByteOrderMark => "json_byte_order_mark",
            Self::Syntax => "json_malformed",
            Self::TooDeep => "json_too_deep",
            Self::NumberTooLong => "json_number_too_long",
            Self::KeyRepeated => "json_key_repeated",
            Self::KeyAmbiguous => "json_key_ambiguous",
            Self::TooManyValues => "json_too_many_values",
        }
    }
}

/// Any of these faults: what the canonicalisation of one request can fail by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanonFault {
    /// The target.
    Path(PathFault),
    /// The host.
    Host(HostFault),
    /// The client.
    Client(ClientFault),
    /// The body.
    Json(JsonFault),
}

impl CanonFault {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Path(fault) => fault.reason(),
            Self::Host(fault) => fault.reason(),
            Self::Client(fault) => fault.reason(),
            Self::Json(fault) => fault.reason(),
        }
    }

    /// The status of the refusal: 400 or 414.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Path(fault) => fault.status(),
            Self::Host(_) | Self::Client(_) | Self::Json(_) => 400,
        }
    }
}

/// Display, error and conversion of the faults.
macro_rules! faults {
    ($($fault:ident in $variant:ident),+) => {
        $(
            impl fmt::Display for $fault {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.reason())
                }
            }

            impl std::error::Error for $fault {}

            impl From<$fault> for CanonFault {
                fn from(fault: $fault) -> Self {
                    Self::$variant(fault)
                }
            }
        )+
    };
}

faults!(PathFault in Path, HostFault in Host, ClientFault in Client, JsonFault in Json);

impl fmt::Display for CanonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for CanonFault {}
