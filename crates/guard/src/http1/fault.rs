//! What can be wrong with a head: each fault has a reason code that never changes, and a status.

use std::fmt;

use crate::codes::codes;

/// A fault of the header fields, in a request or in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// A line that begins with a space or a tab (RFC 9112 §5.2: obsolete line folding).
    Folded,
    /// A name that is empty or has a byte that no token has, a space before the colon included.
    Name,
    /// A control character, NUL or DEL in a value.
    ValueControl,
    /// A value of a request that is not UTF-8.
    ValueEncoding,
    /// A line feed without a carriage return, or a carriage return without a line feed.
    LineEnd,
    /// More fields than the bound.
    TooMany,
    /// More bytes than the bound.
    TooLarge,
}

codes!(FieldFault, {
    Folded => "field_folded",
    Name => "field_name_malformed",
    ValueControl => "field_value_control",
    ValueEncoding => "field_value_not_utf8",
    LineEnd => "line_end_malformed",
    TooMany => "fields_too_many",
    TooLarge => "head_too_large",
}, []);

/// A fault of the fields that say where a message ends and who it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingFault {
    /// `Content-Length` more than once, equal or not, or as a list.
    LengthRepeated,
    /// `Content-Length` that is not only digits, or over 64 bits.
    LengthMalformed,
    /// `Transfer-Encoding` more than once.
    CodingRepeated,
    /// `Transfer-Encoding` that is not exactly `chunked`.
    CodingUnknown,
    /// `Transfer-Encoding` in HTTP/1.0.
    CodingOnOld,
    /// `Transfer-Encoding` and `Content-Length` (RFC 9112 §6.1: request smuggling).
    LengthAndCoding,
    /// A body where there can be none: with 1xx and 204.
    BodyImpossible,
    /// `Connection` that is no list of tokens.
    ConnectionMalformed,
    /// `Connection` that lists a field which must not be taken away on the way (RFC 9110 §7.6.1).
    ConnectionProtected,
    /// A name that some servers take for a framing field: `Content_Length`.
    Alias,
}

codes!(FramingFault, {
    LengthRepeated => "content_length_repeated",
    LengthMalformed => "content_length_malformed",
    CodingRepeated => "transfer_encoding_repeated",
    CodingUnknown => "transfer_encoding_unknown",
    CodingOnOld => "transfer_encoding_on_http10",
    LengthAndCoding => "content_length_and_transfer_encoding",
    BodyImpossible => "body_impossible",
    ConnectionMalformed => "connection_malformed",
    ConnectionProtected => "connection_lists_protected_field",
    Alias => "framing_field_alias",
}, []);

/// Why a request head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// The request line is not `METHOD SP target SP HTTP/1.x CRLF`, or an empty line stands before it.
    RequestLine,
    /// A method that is no word of at most 16 capital letters.
    MethodMalformed,
    /// A method that the guard does not know.
    MethodUnknown,
    /// `CONNECT` and `TRACE`: no application behind the guard needs them.
    MethodRefused,
    /// The first line of HTTP/2 on a connection for HTTP/1.
    Http2Preface,
    /// A byte in the target that is not printable ASCII.
    TargetByte,
    /// A target over the bound.
    TargetTooLong,
    /// A version that is neither 1.0 nor 1.1.
    Version,
    /// No `Host`, in HTTP/1.0 neither.
    HostMissing,
    /// More than one `Host`.
    HostRepeated,
    /// An `Expect` other than `100-continue`.
    Expectation,
    /// A fault of a field.
    Field(FieldFault),
    /// A fault of framing.
    Framing(FramingFault),
}

codes!(HeadFault, {
    RequestLine => "request_line_malformed",
    MethodMalformed => "method_malformed",
    MethodUnknown => "method_unknown",
    MethodRefused => "method_refused",
    Http2Preface => "http2_preface",
    TargetByte => "target_byte",
    TargetTooLong => "target_too_long",
    Version => "version_unsupported",
    HostMissing => "host_missing",
    HostRepeated => "host_repeated",
    Expectation => "expectation_unknown",
}, [Field, Framing]);

impl HeadFault {
    /// The status of the refusal: 400, 414, 417, 431, 501 or 505. The connection is closed after each of them.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::Field(FieldFault::TooMany | FieldFault::TooLarge) => 431,
            Self::MethodUnknown | Self::MethodRefused => 501,
            Self::Version | Self::Http2Preface => 505,
            Self::RequestLine
            | Self::MethodMalformed
            | Self::TargetByte
            | Self::HostMissing
            | Self::HostRepeated
            | Self::Field(_)
            | Self::Framing(_) => 400,
        }
    }
}

/// Why the head of an upstream's answer is refused. Each is a 502, and the connection to the upstream is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFault {
    /// The status line is not `HTTP/1.x SP 3DIGIT [SP reason] CRLF`.
    StatusLine,
    /// A version that is neither 1.0 nor 1.1.
    Version,
    /// A status outside 100 to 599.
    Status,
    /// `101`: the guard asked for no other protocol.
    Switched,
    /// A fault of a field.
    Field(FieldFault),
    /// A fault of framing.
    Framing(FramingFault),
    /// A `Location` that browsers read as another place than the standard does.
    Location,
}

impl ResponseFault {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::StatusLine => "status_line_malformed",
            Self::Version => "version_unsupported",
            Self::Status => "status_out_of_range",
            Self::Switched => "switched_protocols_unasked",
            Self::Location => "location_ambiguous",
            Self::Field(fault) => fault.reason(),
            Self::Framing(fault) => fault.reason(),
        }
    }

    /// The status of the refusal: 502.
    #[must_use]
    pub const fn status(self) -> u16 {
        502
    }
}

impl From<FieldFault> for HeadFault {
    fn from(fault: FieldFault) -> Self {
        Self::Field(fault)
    }
}

impl From<FramingFault> for HeadFault {
    fn from(fault: FramingFault) -> Self {
        Self::Framing(fault)
    }
}

impl From<FieldFault> for ResponseFault {
    fn from(fault: FieldFault) -> Self {
        Self::Field(fault)
    }
}

impl From<FramingFault> for ResponseFault {
    fn from(fault: FramingFault) -> Self {
        Self::Framing(fault)
    }
}

impl fmt::Display for HeadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for HeadFault {}

impl fmt::Display for ResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for ResponseFault {}
