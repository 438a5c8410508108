//! Refusals: short answers in `application/problem+json` (RFC 9457) that say nothing of the inside.

use portcullis_guard::clock::SECOND;
use portcullis_guard::decision::{Denial, Own, ShownLimits};
use portcullis_guard::limit::LimitState;
use portcullis_guard::plan::LimitPlan;
use portcullis_guard::reason::Reason;
use portcullis_policy::{Method, MethodSet};

use crate::http_date::HttpDate;
use crate::request_id::Id;
use crate::wire::write_number;

/// What an answer of the guard's own needs besides its reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// The request's id; none where no head could be read.
    pub(crate) id: Option<Id>,
    /// Whether the request was a HEAD: then the content is left out.
    pub(crate) is_head: bool,
    /// Whether the connection ends with the answer.
    pub(crate) closes: bool,
    /// The moment.
    pub(crate) date: HttpDate,
}

/// Writes a refusal.
pub(crate) fn write_denial(out: &mut Vec<u8>, denial: &Denial<'_>, context: Context) {
    write_refusal(out, denial.reason, context, |out| {
        write_limits(out, &denial.limits);
        // RFC 9110 §10.2.3: whole seconds, and never too few.
        if let Some(wait) = denial.retry_after() {
            out.extend_from_slice(b"Retry-After: ");
            write_number(out, wait.div_ceil(SECOND).max(1));
            out.extend_from_slice(b"\r\n");
        }
        if !denial.allow.is_empty() {
            write_allow(out, denial.allow);
        }
    });
}

/// Writes a refusal that no decision made: a connection over the bound, a head that is none.
pub(crate) fn write_reason(out: &mut Vec<u8>, reason: Reason, context: Context) {
    write_refusal(out, reason, context, |_| {});
}

fn write_refusal(
    out: &mut Vec<u8>,
    reason: Reason,
    context: Context,
    more: impl FnOnce(&mut Vec<u8>),
) {
    let content = content(reason);
    write_status(out, reason.status, reason.title, context);
    more(out);
    out.extend_from_slice(b"Content-Type: application/problem+json\r\nContent-Length: ");
    write_number(out, u64::try_from(content.len()).unwrap_or_default());
    out.extend_from_slice(b"\r\n\r\n");
    if !context.is_head {
        out.extend_from_slice(content.as_bytes());
    }
}

fn write_status(out: &mut Vec<u8>, status: u16, title: &str, context: Context) {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_number(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(title.as_bytes());
    out.extend_from_slice(b"\r\nCache-Control: no-store\r\n");
    out.extend_from_slice(b"Date: ");
    out.extend_from_slice(&context.date.0);
    out.extend_from_slice(b"\r\n");
    if let Some(id) = context.id {
        out.extend_from_slice(b"X-Request-Id: ");
        out.extend_from_slice(&id.hex());
        out.extend_from_slice(b"\r\n");
    }
    if context.closes {
        out.extend_from_slice(b"Connection: close\r\n");
    }
}

/// The problem of a status. The kind of a reached limit is the one of draft-ietf-httpapi-ratelimit-headers §5.1; all
/// others are no more than their status (RFC 9457 §4.2.1).
const fn content(reason: Reason) -> &'static str {
    match reason.status {
        400 => r#"{"type":"about:blank","title":"Bad Request","status":400}"#,
        404 => r#"{"type":"about:blank","title":"Not Found","status":404}"#,
        405 => r#"{"type":"about:blank","title":"Method Not Allowed","status":405}"#,
        408 => r#"{"type":"about:blank","title":"Request Timeout","status":408}"#,
        413 => r#"{"type":"about:blank","title":"Content Too Large","status":413}"#,
        414 => r#"{"type":"about:blank","title":"URI Too Long","status":414}"#,
        415 => r#"{"type":"about:blank","title":"Unsupported Media Type","status":415}"#,
        417 => r#"{"type":"about:blank","title":"Expectation Failed","status":417}"#,
        421 => r#"{"type":"about:blank","title":"Misdirected Request","status":421}"#,
        429 => {
            r#"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Too Many Requests","status":429}"#
        }
        431 => r#"{"type":"about:blank","title":"Request Header Fields Too Large","status":431}"#,
        501 => r#"{"type":"about:blank","title":"Not Implemented","status":501}"#,
        502 => r#"{"type":"about:blank","title":"Bad Gateway","status":502}"#,
        503 => r#"{"type":"about:blank","title":"Service Unavailable","status":503}"#,
        504 => r#"{"type":"about:blank","title":"Gateway Timeout","status":504}"#,
        505 => r#"{"type":"about:blank","title":"HTTP Version Not Supported","status":505}"#,
        _ => r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#,
    }
}

/// Writes what the guard answers itself.
pub(crate) fn write_own(out: &mut Vec<u8>, own: Own, context: Context) {
    let Own::Options(methods) = own;
    write_status(out, 204, "No Content", context);
    write_allow(out, methods);
    out.extend_from_slice(b"\r\n");
}

/// Writes `Allow` (RFC 9110 §10.2.1). GET answers HEAD, and OPTIONS is answered everywhere.
fn write_allow(out: &mut Vec<u8>, methods: MethodSet) {
    out.extend_from_slice(b"Allow: ");
    for method in Method::ALL.iter().copied() {
        let is_there = match method {
            Method::Any | Method::Options => false,
            other => methods.contains(other),
        };
        if is_there {
            out.extend_from_slice(method.as_str().as_bytes());
            out.extend_from_slice(b", ");
        }
    }
    out.extend_from_slice(b"OPTIONS\r\n");
}

/// Writes `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11 §3, §4): Structured Fields (RFC
/// 9651), one item for each limit that the client may know of.
pub(crate) fn write_limits(out: &mut Vec<u8>, limits: &ShownLimits<'_>) {
    let shown = || limits.iter().filter(|(limit, _)| limit.is_shown);
    if shown().next().is_none() {
        return;
    }
    out.extend_from_slice(b"RateLimit-Policy: ");
    for (position, (limit, _)) in shown().enumerate() {
        begin_item(out, position, limit);
        out.extend_from_slice(b";q=");
        write_number(out, u64::from(limit.count));
        out.extend_from_slice(b";w=");
        write_number(out, limit.window_seconds);
    }
    out.extend_from_slice(b"\r\nRateLimit: ");
    for (position, (limit, state)) in shown().enumerate() {
        begin_item(out, position, limit);
        out.extend_from_slice(b";r=");
        write_number(out, u64::from(state.remaining));
        out.extend_from_slice(b";t=");
        write_number(out, until_more(state));
    }
    out.extend_from_slice(b"\r\n");
}

/// A name is letters, digits and a few marks, none of which a Structured Field string escapes.
fn begin_item(out: &mut Vec<u8>, position: usize, limit: &LimitPlan) {
    if position > 0 {
        out.extend_from_slice(b", ");
    }
    out.push(b'"');
    out.extend_from_slice(limit.name.as_bytes());
    out.push(b'"');
}

/// In how many seconds there is more to have: of a refusal, when it would be admitted.
fn until_more(state: &LimitState) -> u64 {
    let wait = if state.admitted {
        state.reset_after
    } else {
        state.retry_after
    };
    wait.div_ceil(SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_reason_has_the_content_of_its_status() {
        for reason in Reason::ALL {
            let text = content(*reason);
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(value["status"], reason.status, "{reason}");
            assert_eq!(value["title"], reason.title, "{reason}");
        }
    }

    #[test]
    fn allow_says_what_is_answered() {
        let methods = MethodSet::NONE.with(Method::Get).with(Method::Delete);
        let allow = shown(|out| write_allow(out, methods));
        assert_eq!(allow, "Allow: GET, HEAD, DELETE, OPTIONS\r\n");
    }
}
