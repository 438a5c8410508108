//! `RequestHead`: the request line and the fields of one request, read in place.

use portcullis_policy::Method;

use super::Parsed;
use super::bounds::HeadBounds;
use super::bytes::printable_len;
use super::fault::{FieldFault, FramingFault, HeadFault};
use super::field::{Field, FieldReader, Fields, Span, Stop, no_fields, within};
use super::framing::{Framing, Gathered, Version};
use super::role::{Role, of_request_field};

/// The longest method, in bytes.
const METHOD_BYTES_MAX: usize = 16;

/// One request without its body. It can only be made by [`parse_request_head`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    method: Method,
    target: Span,
    version: Version,
    fields: Fields,
    framing: Framing,
    keep_alive: bool,
    expects_continue: bool,
    has_upgrade: bool,
}

impl RequestHead {
    /// The method. Never `ANY`.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The request target as it was written: printable ASCII without a space, from the buffer the head was read from.
    #[must_use]
    pub fn target<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        self.target.of(buf)
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

    /// The value of the one `Host`, from the buffer the head was read from.
    #[must_use]
    pub fn host<'b>(&self, buf: &'b [u8]) -> &'b [u8] {
        self.fields
            .iter()
            .find(|field| field.role == Role::Host)
            .map_or(&[], |field| field.value.of(buf))
    }

    /// Where the body ends.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client wants to use the connection again.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1; never in HTTP/1.0).
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.expects_continue
    }

    /// The list of the fields, to be used again for another head.
    #[must_use]
    pub fn into_fields(self) -> Fields {
        self.fields
    }

    /// Whether the client asked for another protocol. It is told nothing of it and gets HTTP/1.
    #[must_use]
    pub fn has_upgrade(&self) -> bool {
        self.has_upgrade
    }
}

/// Reads one request head from the beginning of the buffer.
///
/// A fault of the first bytes is a fault of all that begin with them: however the bytes arrive, the answer is the same.
///
/// # Errors
///
/// The first place that is not exactly as RFC 9112 has a sender write it, or that is over a bound.
pub fn parse_request_head(
    buf: &[u8],
    bounds: &HeadBounds,
) -> Result<Parsed<RequestHead>, HeadFault> {
    parse_request_head_into(buf, bounds, no_fields())
}

/// The same, with a list for the fields that was used before, so that none is allocated.
///
/// # Errors
///
/// As [`parse_request_head`].
pub fn parse_request_head_into(
    buf: &[u8],
    bounds: &HeadBounds,
    fields: Fields,
) -> Result<Parsed<RequestHead>, HeadFault> {
    let (head, at_bound) = within(buf, bounds);
    match read(head, bounds, fields) {
        Ok((head, len)) => Ok(Parsed::Complete { head, len }),
        Err(Stop::Fault(fault)) => Err(fault),
        Err(Stop::Incomplete) if at_bound => Err(FieldFault::TooLarge.into()),
        Err(Stop::Incomplete) => Ok(Parsed::Incomplete),
    }
}

fn read(
    buf: &[u8],
    bounds: &HeadBounds,
    mut fields: Fields,
) -> Result<(RequestHead, usize), Stop<HeadFault>> {
    fields.clear();
    let (method, at) = read_method(buf)?;
    let rest = buf.get(at..).unwrap_or_default();
    let target_len = read_target(rest, bounds.target_bytes_max)?;
    let target = Span::new(at, at + target_len);
    let at = at + target_len + 1;
    let version = read_version(buf.get(at..).unwrap_or_default())?;
    let reader = FieldReader {
        fields_max: bounds.fields_max,
        role: of_request_field,
        utf8: true,
    };
    let len = reader
        .read(buf, at + VERSION_LINE_LEN, &mut fields)
        .map_err(widened)?;
    let expects_continue = judge_fields(buf, &fields)?;
    let gathered = Gathered::of(buf, &mut fields).map_err(HeadFault::Framing)?;
    if gathered.is_chunked() && version == Version::Http10 {
        return Err(HeadFault::Framing(FramingFault::CodingOnOld).into());
    }
    let framing = match gathered.length() {
        _ if gathered.is_chunked() => Framing::Chunked,
        Some(length) => Framing::Length(length),
        None => Framing::None,
    };
    let head = RequestHead {
        method,
        target,
        version,
        fields,
        framing,
        keep_alive: gathered.keep_alive(version),
        expects_continue: expects_continue && version == Version::Http11,
        has_upgrade: gathered.upgrade,
    };
    Ok((head, len))
}

/// The method and the place after its space.
///
/// An empty line before the request line is refused: RFC 9112 §2.2 asks servers to skip one for the sake of browsers
/// of 1996, and skipping would hide that the body before it was counted differently.
fn read_method(buf: &[u8]) -> Result<(Method, usize), Stop<HeadFault>> {
    let len = buf
        .iter()
        .take(METHOD_BYTES_MAX + 1)
        .position(|byte| !byte.is_ascii_uppercase())
        .unwrap_or_else(|| buf.len().min(METHOD_BYTES_MAX + 1));
    if len > METHOD_BYTES_MAX {
        return Err(HeadFault::MethodMalformed.into());
    }
    let (word, after) = buf.split_at_checked(len).ok_or(Stop::Incomplete)?;
    match after.first() {
        None => return Err(Stop::Incomplete),
        Some(b'\r' | b'\n') => return Err(HeadFault::RequestLine.into()),
        Some(b' ') if len > 0 => {}
        Some(_) => return Err(HeadFault::MethodMalformed.into()),
    }
    let method = match word {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"POST" => Method::Post,
        b"PUT" => Method::Put,
        b"PATCH" => Method::Patch,
        b"DELETE" => Method::Delete,
        b"OPTIONS" => Method::Options,
        b"CONNECT" | b"TRACE" => return Err(HeadFault::MethodRefused.into()),
        b"PRI" => return Err(HeadFault::Http2Preface.into()),
        _ => return Err(HeadFault::MethodUnknown.into()),
    };
    Ok((method, len + 1))
}

/// The length of the target, which a space ends.
fn read_target(rest: &[u8], bytes_max: usize) -> Result<usize, Stop<HeadFault>> {
    let seen = rest.get(..bytes_max.saturating_add(1)).unwrap_or(rest);
    let printable = printable_len(seen);
    let printable = seen.get(..printable).unwrap_or_default();
    match memchr::memchr(b' ', printable) {
        Some(0) => Err(HeadFault::RequestLine.into()),
        Some(len) => Ok(len),
        None if printable.len() > bytes_max => Err(HeadFault::TargetTooLong.into()),
        None => match seen.get(printable.len()) {
            None => Err(Stop::Incomplete),
            Some(b'\r' | b'\n') => Err(HeadFault::RequestLine.into()),
            Some(_) => Err(HeadFault::TargetByte.into()),
        },
    }
}

/// The bytes of `HTTP/1.1` and its line end.
const VERSION_LINE_LEN: usize = 10;

fn read_version(rest: &[u8]) -> Result<Version, Stop<HeadFault>> {
    const NAME: &[u8] = b"HTTP/";
    match rest {
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            b'1',
            b'\r',
            b'\n',
            ..,
        ] => {
            return Ok(Version::Http11);
        }
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            b'0',
            b'\r',
            b'\n',
            ..,
        ] => {
            return Ok(Version::Http10);
        }
        _ => {}
    }
    let shared = rest.len().min(NAME.len());
    if rest.get(..shared) != NAME.get(..shared) {
        return Err(HeadFault::RequestLine.into());
    }
    match rest.get(NAME.len()..).unwrap_or_default() {
        [] => Err(Stop::Incomplete),
        [b'1', b'.', b'0' | b'1'] | [b'1', b'.', b'0' | b'1', b'\r'] => Err(Stop::Incomplete),
        [b'1', b'.', b'0' | b'1', ..] => Err(HeadFault::RequestLine.into()),
        [digit] if digit.is_ascii_digit() => Err(Stop::Incomplete),
        [digit, b'.'] if digit.is_ascii_digit() => Err(Stop::Incomplete),
        [major, b'.', minor, ..] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(HeadFault::Version.into())
        }
        _ => Err(HeadFault::RequestLine.into()),
    }
}

/// Counts `Host` and reads `Expect`; whether `100 Continue` is expected.
fn judge_fields(buf: &[u8], fields: &[Field]) -> Result<bool, HeadFault> {
    let mut hosts = 0_usize;
    let mut expects_continue = false;
    for field in fields {
        if field.role == Role::Host {
            hosts += 1;
        } else if field.role == Role::Expect {
            let known = field.value.of(buf).eq_ignore_ascii_case(b"100-continue");
            if !known || expects_continue {
                return Err(HeadFault::Expectation);
            }
            expects_continue = true;
        }
    }
    match hosts {
        0 => Err(HeadFault::HostMissing),
        1 => Ok(expects_continue),
        _ => Err(HeadFault::HostRepeated),
    }
}

/// The stop of the field reader as one of the head.
fn widened(stop: Stop<FieldFault>) -> Stop<HeadFault> {
    match stop {
        Stop::Incomplete => Stop::Incomplete,
        Stop::Fault(fault) => Stop::Fault(fault.into()),
    }
}
