//! `ResponseHead`: the status line and the fields of an upstream's answer, read in place.

use portcullis_policy::Method;

use super::Parsed;
use super::bounds::HeadBounds;
use super::fault::{FieldFault, FramingFault, ResponseFault};
use super::field::{Field, FieldReader, Fields, Stop, no_fields, within};
use super::framing::{Gathered, ResponseFraming, Version};
use super::role::of_response_field;

/// One answer without its body. It can only be made by [`parse_response_head`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    status: u16,
    version: Version,
    fields: Fields,
    framing: ResponseFraming,
    length: Option<u64>,
    keep_alive: bool,
}

impl ResponseHead {
    /// The status, 100 to 599 and not 101. The reason phrase is not kept: it means nothing (RFC 9112 §4).
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether another head follows for the same request (1xx).
    #[must_use]
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Where the body ends.
    #[must_use]
    pub fn framing(&self) -> ResponseFraming {
        self.framing
    }

    /// The `Content-Length` that was written, which an answer without a body may have too (`HEAD`, 304).
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.length
    }

    /// Whether the upstream's connection can be used again after this answer.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }
}

/// Reads one response head from the beginning of the buffer, the answer to a request with this method.
///
/// # Errors
///
/// The first place that is not exactly as RFC 9112 has a sender write it, or that is over a bound.
pub fn parse_response_head(
    buf: &[u8],
    bounds: &HeadBounds,
    request: Method,
) -> Result<Parsed<ResponseHead>, ResponseFault> {
    let (head, at_bound) = within(buf, bounds);
    match read(head, bounds, request) {
        Ok((head, len)) => Ok(Parsed::Complete { head, len }),
        Err(Stop::Fault(fault)) => Err(fault),
        Err(Stop::Incomplete) if at_bound => Err(FieldFault::TooLarge.into()),
        Err(Stop::Incomplete) => Ok(Parsed::Incomplete),
    }
}

fn read(
    buf: &[u8],
    bounds: &HeadBounds,
    request: Method,
) -> Result<(ResponseHead, usize), Stop<ResponseFault>> {
    let (version, status, at) = read_status_line(buf)?;
    let reader = FieldReader {
        fields_max: bounds.fields_max,
        role: of_response_field,
        // Names of downloads are still sent in Latin-1; no decision of the guard reads them.
        utf8: false,
    };
    let mut fields = no_fields();
    let len = reader.read(buf, at, &mut fields).map_err(widened)?;
    let gathered = Gathered::of(buf, &mut fields).map_err(ResponseFault::Framing)?;
    let framing = framing(&gathered, version, status, request).map_err(ResponseFault::Framing)?;
    let head = ResponseHead {
        status,
        version,
        fields,
        framing,
        length: gathered.length(),
        keep_alive: gathered.keep_alive(version) && framing != ResponseFraming::UntilClose,
    };
    Ok((head, len))
}

/// RFC 9112 §6.3, as a strict reader.
fn framing(
    gathered: &Gathered,
    version: Version,
    status: u16,
    request: Method,
) -> Result<ResponseFraming, FramingFault> {
    if gathered.is_chunked() && version == Version::Http10 {
        return Err(FramingFault::CodingOnOld);
    }
    if status < 200 || status == 204 {
        // §6.1 and RFC 9110 §8.6: neither field may be sent. A length of 0 harms nobody, and is sent by many.
        let announced = gathered.is_chunked() || gathered.length().is_some_and(|length| length > 0);
        return if announced {
            Err(FramingFault::BodyImpossible)
        } else {
            Ok(ResponseFraming::None)
        };
    }
    if matches!(request, Method::Head) || status == 304 {
        return Ok(ResponseFraming::None);
    }
    if gathered.is_chunked() {
        return Ok(ResponseFraming::Chunked);
    }
    Ok(gathered
        .length()
        .map_or(ResponseFraming::UntilClose, ResponseFraming::Length))
}

/// The version, the status, and the place after the line.
fn read_status_line(buf: &[u8]) -> Result<(Version, u16, usize), Stop<ResponseFault>> {
    // `HTTP/1.1 200`, as a pattern of which the bytes so far are a beginning.
    const PATTERN: &[u8] = b"HTTP/d.d ddd";
    for (byte, expected) in buf.iter().zip(PATTERN) {
        let fits = match expected {
            b'd' => byte.is_ascii_digit(),
            exact => byte == exact,
        };
        if !fits {
            return Err(ResponseFault::StatusLine.into());
        }
    }
    let Some((line, rest)) = buf.split_at_checked(PATTERN.len()) else {
        return Err(Stop::Incomplete);
    };
    let version = match line.get(5..8) {
        Some(b"1.1") => Version::Http11,
        Some(b"1.0") => Version::Http10,
        _ => return Err(ResponseFault::Version.into()),
    };
    let status = line
        .iter()
        .skip(9)
        .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match status {
        101 => return Err(ResponseFault::Switched.into()),
        100..=599 => {}
        _ => return Err(ResponseFault::Status.into()),
    }
    let reason_len = rest
        .iter()
        .position(|byte| !matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
        .unwrap_or(rest.len());
    if rest
        .first()
        .is_some_and(|first| reason_len > 0 && *first != b' ')
    {
        return Err(ResponseFault::StatusLine.into());
    }
    match rest.get(reason_len..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Ok((version, status, PATTERN.len() + reason_len + 2)),
        [] | [b'\r'] => Err(Stop::Incomplete),
        _ => Err(ResponseFault::StatusLine.into()),
    }
}

/// The stop of the field reader as one of the head.
fn widened(stop: Stop<FieldFault>) -> Stop<ResponseFault> {
    match stop {
        Stop::Incomplete => Stop::Incomplete,
        Stop::Fault(fault) => Stop::Fault(fault.into()),
    }
}
