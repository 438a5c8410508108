//! What is written on the wire: heads made anew from what was understood, never from what was received.

use portcullis_guard::answer::{AnswerPlan, Audience, Caching};
use portcullis_guard::application::IDENTITY_FIELD;
use portcullis_guard::canon::cookies::is_own;
use portcullis_guard::canon::{Cookies, HostName, Scheme};
use portcullis_guard::http1::role::is_same_name;
use portcullis_guard::http1::{
    Field, Framing, RequestHead, ResponseFault, ResponseFraming, ResponseHead,
};
use portcullis_guard::request::RequestView;

use crate::request_id::{Id, is_traceparent};

/// Writes a whole number in decimal digits.
pub(crate) fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a chunk's size line in hexadecimal digits (RFC 9112 §7.1).
pub(crate) fn write_chunk_size(out: &mut Vec<u8>, size: usize) {
    let mut shift = usize::BITS - size.leading_zeros();
    shift = shift.next_multiple_of(4).max(4);
    while shift > 0 {
        shift -= 4;
        let digit = u8::try_from((size >> shift) & 15).unwrap_or_default();
        out.push(if digit < 10 {
            b'0' + digit
        } else {
            b'a' + digit - 10
        });
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes data of a body, as a chunk where chunks are spoken.
pub(crate) fn write_piece(out: &mut Vec<u8>, data: &[u8], chunked: bool) {
    if data.is_empty() {
        return;
    }
    if chunked {
        write_chunk_size(out, data.len());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(data);
    }
}

/// Writes one field.
pub(crate) fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn write_fields(out: &mut Vec<u8>, fields: &[Field], buf: &[u8], is_ours: impl Fn(&[u8]) -> bool) {
    for field in fields.iter().filter(|field| field.role.is_forwarded()) {
        let (name, value) = (field.name.of(buf), field.value.of(buf));
        if !is_ours(name) {
            write_field(out, name, value);
        }
    }
}

/// What of a request is not for the application.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hidden<'h> {
    /// The guard's own cookies, where it has any: who reads the application's logs must not get hold of a session.
    pub(crate) own_cookies: bool,
    /// `Authorization` with a token that nobody believes, or with an API key.
    pub(crate) authorization: bool,
    /// The field that API keys come in, in lower case: the application has no use for one, and its log none either.
    pub(crate) key_field: Option<&'h str>,
    /// The cookies that may hold such a token.
    pub(crate) token_cookies: Option<TokenCookies<'h>>,
}

/// The cookies that may hold a token, and the token that was believed where one of them holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenCookies<'h> {
    pub(crate) names: &'h [Box<str>],
    pub(crate) believed: Option<&'h [u8]>,
}

impl TokenCookies<'_> {
    /// Whether a pair could be taken for one of them by somebody behind the guard, and does not hold what was believed.
    /// Frameworks ignore letter case, undo escapes, make `_` of other characters, or look behind spaces and commas.
    fn has(&self, name: &[u8], value: &[u8]) -> bool {
        let mut names = self.names.iter().map(|one| one.as_bytes());
        let is_believed = self.believed == Some(value) && names.clone().any(|one| one == name);
        !is_believed && names.any(|one| speaks_of(name, one) || speaks_of(value, one))
    }
}

/// Whether a text has a cookie's name in it, in one of the spellings that are read as it.
fn speaks_of(text: &[u8], name: &[u8]) -> bool {
    let fold = |byte: u8| match byte {
        b'.' | b' ' | b'[' => b'_',
        other => other.to_ascii_lowercase(),
    };
    let mut rest = text;
    while !rest.is_empty() {
        let mut read = unescaped(rest).map(fold);
        if name.iter().all(|byte| read.next() == Some(fold(*byte))) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// The bytes of a text with its escapes undone.
fn unescaped(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (first, after) = rest.split_first()?;
        if let (b'%', Some([high, low, ..])) = (first, after.get(..2)) {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                rest = after.get(2..).unwrap_or_default();
                return u8::try_from(high * 16 + low).ok();
            }
        }
        rest = after;
        Some(*first)
    })
}

impl Hidden<'_> {
    fn has_cookie(&self, name: &[u8], value: &[u8]) -> bool {
        (self.own_cookies && is_own(name, value))
            || self
                .token_cookies
                .is_some_and(|tokens| tokens.has(name, value))
    }

    /// Whether a field is the one of API keys, or one that some applications take for it.
    fn is_key_field(&self, name: &[u8]) -> bool {
        self.key_field
            .is_some_and(|field| is_same_name(name, field.as_bytes()))
    }

    fn hides_cookies_of(&self, view: &RequestView<'_>) -> bool {
        (self.own_cookies || self.token_cookies.is_some())
            && Cookies::of(*view.fields())
                .pairs()
                .any(|(name, value)| self.has_cookie(name, value))
    }
}

/// What the application is told besides the request.
#[derive(Debug)]
pub(crate) struct ToApplication<'h> {
    /// The request's id.
    pub(crate) id: Id,
    /// Who the answer is for.
    pub(crate) audience: Audience,
    /// Who is calling, signed.
    pub(crate) identity: Option<String>,
    /// What is not for the application.
    pub(crate) hides: Hidden<'h>,
}

fn is_cookie(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"cookie")
}

fn is_authorization(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"authorization")
}

/// Writes the cookies that are for the application, as one field (RFC 6265 §5.4).
fn write_cookies(out: &mut Vec<u8>, view: &RequestView<'_>, hidden: &Hidden<'_>) {
    let mut before: &[u8] = b"Cookie: ";
    // A pair without a name is left out: written without its `=` it would be another cookie.
    let others = Cookies::of(*view.fields())
        .pairs()
        .filter(|(name, _)| !name.is_empty());
    for (name, value) in others.filter(|(name, value)| !hidden.has_cookie(name, value)) {
        out.extend_from_slice(before);
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
        before = b"; ";
    }
    if before == b"; " {
        out.extend_from_slice(b"\r\n");
    }
}

/// The fields of a trace context are written anew.
fn is_trace_context(name: &[u8]) -> bool {
    match name.len() {
        10 => name.eq_ignore_ascii_case(b"tracestate"),
        11 => name.eq_ignore_ascii_case(b"traceparent"),
        _ => false,
    }
}

/// Writes the head of the one request that the upstream sees: the path that was matched, the host that was matched, one
/// framing, and who the client is as the guard knows it.
pub(crate) fn write_request_head(
    out: &mut Vec<u8>,
    view: &RequestView<'_>,
    head: &RequestHead,
    buf: &[u8],
    framing: Framing,
    told: &ToApplication<'_>,
) {
    let (audience, id) = (told.audience, told.id);
    out.extend_from_slice(view.method().as_str().as_bytes());
    out.push(b' ');
    view.target().write_to(out);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    write_host(out, view.host());
    out.extend_from_slice(b"\r\n");
    let hides = told.hides.hides_cookies_of(view);
    write_fields(out, head.fields(), buf, |name| {
        is_trace_context(name)
            || (hides && is_cookie(name))
            || (told.hides.authorization && is_authorization(name))
            || told.hides.is_key_field(name)
    });
    if hides {
        write_cookies(out, view, &told.hides);
    }
    if let Some(identity) = &told.identity {
        write_field(out, IDENTITY_FIELD.as_bytes(), identity.as_bytes());
    }
    match framing {
        Framing::None => {
            // RFC 9110 §8.6: with a method that has a meaning for a body, its absence is said.
            if view.is_unsafe() {
                out.extend_from_slice(b"Content-Length: 0\r\n");
            }
        }
        Framing::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            write_number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"X-Forwarded-For: ");
    write_shown(out, &view.client().address());
    out.extend_from_slice(match view.scheme() {
        Scheme::Http => b"\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: ".as_slice(),
        Scheme::Https => b"\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ".as_slice(),
    });
    write_host(out, view.host());
    out.extend_from_slice(b"\r\nX-Request-Id: ");
    out.extend_from_slice(&id.hex());
    out.extend_from_slice(b"\r\n");
    if let Some(nonce) = audience.nonce() {
        write_field(out, b"X-Nonce", nonce.as_bytes());
    }
    write_trace_context(out, view, id);
    out.extend_from_slice(b"\r\n");
}

/// A trace goes on if the client began one rightly; else it begins here. A field that stands alone or twice is as good
/// as none, so it must not be among the forwarded ones.
fn write_trace_context(out: &mut Vec<u8>, view: &RequestView<'_>, id: Id) {
    let fields = view.fields();
    let parent = fields.one("traceparent").ok().flatten();
    if let Some(parent) = parent.filter(|parent| is_traceparent(parent)) {
        write_field(out, b"traceparent", parent);
        if let Ok(Some(state)) = fields.one("tracestate")
            && state.len() <= 512
        {
            write_field(out, b"tracestate", state);
        }
        return;
    }
    out.extend_from_slice(b"traceparent: 00-");
    out.extend_from_slice(&id.hex());
    out.push(b'-');
    out.extend_from_slice(&id.span_hex());
    out.extend_from_slice(b"-00\r\n");
}

fn write_host(out: &mut Vec<u8>, host: &HostName<'_>) {
    out.extend_from_slice(host.name().as_bytes());
    if let Some(port) = host.port() {
        out.push(b':');
        write_number(out, u64::from(port));
    }
}

fn write_shown(out: &mut Vec<u8>, shown: &impl std::fmt::Display) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    drop(write!(out, "{shown}"));
}

/// How an answer is framed for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outward {
    /// Without a body.
    None,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
    /// As it comes, and then the connection is closed (HTTP/1.0).
    UntilClose,
}

impl Outward {
    /// How an answer that the upstream framed so is framed for a client.
    pub(crate) const fn of(framing: ResponseFraming, client_knows_chunks: bool) -> Self {
        match framing {
            ResponseFraming::None => Self::None,
            ResponseFraming::Length(length) => Self::Length(length),
            ResponseFraming::Chunked | ResponseFraming::UntilClose if client_knows_chunks => {
                Self::Chunked
            }
            ResponseFraming::Chunked | ResponseFraming::UntilClose => Self::UntilClose,
        }
    }
}

/// How an upstream's answer is told to the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// The header fields that all answers have.
    pub(crate) plan: &'a AnswerPlan,
    /// Who it is for.
    pub(crate) audience: Audience,
    /// Who else may keep it.
    pub(crate) caching: Caching,
    /// How it is framed.
    pub(crate) framing: Outward,
    /// The request's id.
    pub(crate) id: Id,
    /// Whether the connection ends with it.
    pub(crate) closes: bool,
}

/// Writes the head of an upstream's answer for the client, without the empty line at its end.
///
/// # Errors
///
/// What of it cannot be told. What was written by then is no answer.
pub(crate) fn write_response_head(
    out: &mut Vec<u8>,
    head: &ResponseHead,
    buf: &[u8],
    told: Told<'_>,
) -> Result<(), ResponseFault> {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_number(out, u64::from(head.status()));
    out.push(b' ');
    // The phrase is for nobody; one that we know says no more than the number.
    out.extend_from_slice(phrase(head.status()).as_bytes());
    out.extend_from_slice(b"\r\n");
    told.plan
        .write_relayed(out, head, buf, told.audience, told.caching)?;
    match told.framing {
        // The length that a HEAD or a 304 speaks of (RFC 9110 §8.6).
        Outward::None => {
            if let Some(length) = head.content_length() {
                out.extend_from_slice(b"Content-Length: ");
                write_number(out, length);
                out.extend_from_slice(b"\r\n");
            }
        }
        Outward::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            write_number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Outward::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Outward::UntilClose => {}
    }
    out.extend_from_slice(b"X-Request-Id: ");
    out.extend_from_slice(&told.id.hex());
    out.extend_from_slice(b"\r\n");
    if told.closes {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    Ok(())
}

/// The phrase of a status (RFC 9110 §15 and the IANA registry); empty where there is none, which RFC 9112 §4 allows.
const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::IpAddr;
    use std::path::Path;

    use portcullis_guard::http1::{HeadBounds, Parsed, parse_request_head};
    use portcullis_guard::plan::Plan;

    use super::*;
    use crate::request_id::Ids;

    /// The heads that the fuzzers found worth keeping, whole and cut into halves of two.
    fn heads() -> Vec<Vec<u8>> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let mut kept: Vec<Vec<u8>> = ["request_head", "decide"]
            .iter()
            .flat_map(|target| fs::read_dir(corpus.join(target)).unwrap())
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        // The first byte of the other target chooses who is asking.
        let others: Vec<Vec<u8>> = kept
            .iter()
            .filter_map(|one| one.get(1..))
            .map(<[u8]>::to_vec)
            .collect();
        kept.extend(others);
        let mixed: Vec<Vec<u8>> = kept
            .windows(2)
            .map(|pair| {
                let (one, other) = (&pair[0], &pair[1]);
                [&one[..one.len() / 2], &other[other.len() / 2..]].concat()
            })
            .collect();
        kept.extend(mixed);
        kept
    }

    #[test]
    fn a_request_that_is_written_is_read_as_that_one_and_nothing_behind_it() {
        let plan = Plan::closed();
        let peer: IpAddr = "203.0.113.9".parse().unwrap();
        let roomy = HeadBounds {
            head_bytes_max: HeadBounds::STANDARD.head_bytes_max * 4,
            target_bytes_max: HeadBounds::STANDARD.target_bytes_max * 4,
            ..HeadBounds::STANDARD
        };
        let mut ids = Ids::new([1, 2]);
        let mut written = 0;
        for raw in heads() {
            let Ok(Parsed::Complete { head, len }) = parse_request_head(&raw, &plan.head) else {
                continue;
            };
            let buf = &raw[..len];
            let Ok(view) = RequestView::read(&plan, &head, buf, peer) else {
                continue;
            };
            let mut out = Vec::new();
            let audience = plan.answer.audience(&view);
            let told = ToApplication {
                id: ids.next(),
                audience,
                identity: None,
                hides: Hidden::default(),
            };
            write_request_head(&mut out, &view, &head, buf, view.framing(), &told);
            let shown = out.escape_ascii().to_string();
            let Ok(Parsed::Complete { head: again, len }) = parse_request_head(&out, &roomy) else {
                panic!("not read again: {shown}");
            };
            assert_eq!(len, out.len(), "{shown}");
            assert_eq!(again.method(), view.method(), "{shown}");
            // Where a body could be, its absence is said.
            let framing = match view.framing() {
                Framing::None if view.is_unsafe() => Framing::Length(0),
                other => other,
            };
            assert_eq!(again.framing(), framing, "{shown}");
            assert!(again.keep_alive() && !again.expects_continue() && !again.has_upgrade());
            let seen = RequestView::read(&plan, &again, &out, peer).unwrap();
            assert_eq!(seen.target(), view.target(), "{shown}");
            assert_eq!(seen.host(), view.host(), "{shown}");
            for ours in [
                "x-forwarded-for",
                "x-forwarded-proto",
                "x-forwarded-host",
                "x-request-id",
                "traceparent",
            ] {
                assert!(
                    seen.fields().one(ours).unwrap().is_some(),
                    "{ours}: {shown}"
                );
            }
            let theirs = view.fields().forwarded().filter(|(name, _)| {
                !name.eq_ignore_ascii_case(b"traceparent")
                    && !name.eq_ignore_ascii_case(b"tracestate")
            });
            for (name, value) in theirs {
                let name = std::str::from_utf8(name).unwrap();
                assert!(
                    seen.fields().all(name).any(|one| one == value),
                    "{name}: {shown}"
                );
            }
            written += 1;
        }
        assert!(written > 500, "only {written} requests");
    }

    #[test]
    fn numbers_at_the_edges() {
        for number in [0, 9, 10, 429, u64::MAX] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
        for size in [1, 15, 16, 255, 256, 65_536, usize::MAX] {
            let mut out = Vec::new();
            write_chunk_size(&mut out, size);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{size:x}\r\n"));
        }
    }
}
