//! Refusals: short answers in `application/problem+json` (RFC 9457) that say nothing of the inside.

use portcullis_guard::answer::{AnswerPlan, Audience, write_methods};
use portcullis_guard::clock::SECOND;
use portcullis_guard::decision::{Denial, Own, ShownLimits};
use portcullis_guard::limit::LimitState;
use portcullis_guard::reason::Reason;
use portcullis_policy::MethodSet;
use portcullis_state::issuer::MAX_AGE_SECONDS;

use crate::http_date::HttpDate;
use crate::request_id::Id;
use crate::wire::{write_field, write_number};

/// What an answer of the guard's own needs besides its reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The header fields that all answers have.
    pub(crate) plan: &'a AnswerPlan,
    /// Who it is for.
    pub(crate) audience: Audience,
    /// The request's id; none where no head could be read.
    pub(crate) id: Option<Id>,
    /// Whether the request was a HEAD: then the content is left out.
    pub(crate) is_head: bool,
    /// Whether the connection ends with the answer.
    pub(crate) closes: bool,
    /// The moment.
    pub(crate) date: HttpDate,
}

/// From the status line to the name of `Date`.
macro_rules! begin {
    ($status:literal $title:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            " ",
            $title,
            "\r\nCache-Control: no-store\r\nDate: "
        )
    };
}

/// Writes a refusal. `lines` are field lines that it has besides.
pub(crate) fn write_denial(
    out: &mut Vec<u8>,
    denial: &Denial<'_>,
    lines: &[u8],
    context: Context<'_>,
) {
    if let Some(place) = &denial.leads_to {
        return write_redirect(out, place, lines, context);
    }
    write_refusal(out, denial.reason, context, |out| {
        write_limits(out, &denial.limits);
        out.extend_from_slice(lines);
        // RFC 9110 §15.5.2: a 401 says how one can be known; RFC 6750 §3.1: a 403 says that the scope is why. Browsers have no window
        // for this scheme.
        if denial.reason.status == 401 || denial.challenge.insufficient_scope {
            write_field(
                out,
                b"WWW-Authenticate",
                denial.challenge.value().as_bytes(),
            );
        }
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

/// Leads a browser to a page of the service (RFC 9110 §15.4.3). No cache keeps it: the next time somebody may be known.
fn write_redirect(out: &mut Vec<u8>, place: &str, lines: &[u8], context: Context<'_>) {
    write_begin(out, begin!(302 "Found"), context);
    context.plan.write_own(out, context.audience);
    out.extend_from_slice(lines);
    out.extend_from_slice(b"Location: ");
    out.extend_from_slice(place.as_bytes());
    out.extend_from_slice(b"\r\nContent-Length: 0\r\n\r\n");
}

/// Writes a refusal that no decision made: a connection over the bound, a head that is none.
pub(crate) fn write_reason(out: &mut Vec<u8>, reason: Reason, context: Context<'_>) {
    write_refusal(out, reason, context, |_| {});
}

fn write_refusal(
    out: &mut Vec<u8>,
    reason: Reason,
    context: Context<'_>,
    more: impl FnOnce(&mut Vec<u8>),
) {
    let Problem { begin, content } = problem(reason.status);
    write_begin(out, begin, context);
    context.plan.write_own(out, context.audience);
    more(out);
    out.extend_from_slice(b"Content-Type: application/problem+json\r\nContent-Length: ");
    write_number(out, u64::try_from(content.len()).unwrap_or_default());
    out.extend_from_slice(b"\r\n\r\n");
    if !context.is_head {
        out.extend_from_slice(content.as_bytes());
    }
}

/// Writes what every answer of the guard's own begins with.
fn write_begin(out: &mut Vec<u8>, begin: &str, context: Context<'_>) {
    out.extend_from_slice(begin.as_bytes());
    out.extend_from_slice(&context.date.0);
    if let Some(id) = context.id {
        out.extend_from_slice(b"\r\nX-Request-Id: ");
        out.extend_from_slice(&id.hex());
    }
    out.extend_from_slice(if context.closes {
        b"\r\nConnection: close\r\n".as_slice()
    } else {
        b"\r\n"
    });
}

/// The parts of a refusal that are the same whenever it is written.
#[derive(Clone, Copy)]
struct Problem {
    /// From the status line to the name of `Date`.
    begin: &'static str,
    /// The content.
    content: &'static str,
}

/// Writes out the parts of a refusal. A kind of problem that has no type of its own is no more than its status (RFC 9457
/// §4.2.1).
macro_rules! problem {
    ($status:literal $title:literal) => {
        problem!($status $title "about:blank")
    };
    ($status:literal $title:literal $type:literal) => {
        Problem {
            begin: begin!($status $title),
            content: concat!(
                r#"{"type":""#, $type, r#"","title":""#, $title, r#"","status":"#, $status, "}"
            ),
        }
    };
}

/// The problem of a status. The kind of a reached limit is the one of draft-ietf-httpapi-ratelimit-headers §5.1.
const fn problem(status: u16) -> Problem {
    match status {
        400 => problem!(400 "Bad Request"),
        401 => problem!(401 "Unauthorized"),
        403 => problem!(403 "Forbidden"),
        404 => problem!(404 "Not Found"),
        405 => problem!(405 "Method Not Allowed"),
        408 => problem!(408 "Request Timeout"),
        413 => problem!(413 "Content Too Large"),
        414 => problem!(414 "URI Too Long"),
        415 => problem!(415 "Unsupported Media Type"),
        417 => problem!(417 "Expectation Failed"),
        421 => problem!(421 "Misdirected Request"),
        429 => problem!(429 "Too Many Requests"
            "https://iana.org/assignments/http-problem-types#quota-exceeded"),
        431 => problem!(431 "Request Header Fields Too Large"),
        501 => problem!(501 "Not Implemented"),
        502 => problem!(502 "Bad Gateway"),
        503 => problem!(503 "Service Unavailable"),
        504 => problem!(504 "Gateway Timeout"),
        505 => problem!(505 "HTTP Version Not Supported"),
        _ => problem!(500 "Internal Server Error"),
    }
}

/// Writes a JSON document of the guard's own. `lines` are field lines that it has besides.
pub(crate) fn write_json(out: &mut Vec<u8>, context: Context<'_>, content: &str, lines: &[u8]) {
    write_begin(out, begin!(200 "OK"), context);
    context.plan.write_own(out, context.audience);
    out.extend_from_slice(lines);
    out.extend_from_slice(b"Content-Type: application/json\r\nContent-Length: ");
    write_number(out, u64::try_from(content.len()).unwrap_or_default());
    out.extend_from_slice(b"\r\n\r\n");
    if !context.is_head {
        out.extend_from_slice(content.as_bytes());
    }
}

/// Writes the keys of the guard's own tokens: the one answer of its own that others may keep, for as long as a new key is
/// published before it signs at the least.
pub(crate) fn write_key_set(out: &mut Vec<u8>, context: Context<'_>, content: &str) {
    // Nobody's answer but everybody's: what `begin!` says of caches is for all others.
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nCache-Control: public, max-age=");
    write_number(out, MAX_AGE_SECONDS);
    write_begin(out, "\r\nDate: ", context);
    context.plan.write_own(out, context.audience);
    out.extend_from_slice(b"Content-Type: application/json\r\nContent-Length: ");
    write_number(out, u64::try_from(content.len()).unwrap_or_default());
    out.extend_from_slice(b"\r\n\r\n");
    if !context.is_head {
        out.extend_from_slice(content.as_bytes());
    }
}

/// Writes what the guard answers itself.
pub(crate) fn write_own(out: &mut Vec<u8>, own: Own, context: Context<'_>) {
    write_begin(out, begin!(204 "No Content"), context);
    match own {
        Own::Options(methods) => {
            context.plan.write_own(out, context.audience);
            write_allow(out, methods);
        }
        Own::Preflight(methods) => {
            context.plan.write_preflight(out, context.audience, methods);
        }
        // These have a content, which this does not know.
        Own::Keys | Own::Token(_) | Own::TokenKeys | Own::Wished(_) => {
            context.plan.write_own(out, context.audience);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes `Allow` (RFC 9110 §10.2.1).
fn write_allow(out: &mut Vec<u8>, methods: MethodSet) {
    out.extend_from_slice(b"Allow: ");
    write_methods(out, methods);
    out.extend_from_slice(b"\r\n");
}

/// Writes `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11 §3, §4): Structured Fields (RFC
/// 9651), one item for each limit that the client may know of.
pub(crate) fn write_limits(out: &mut Vec<u8>, limits: &ShownLimits<'_>) {
    let shown = || {
        limits
            .iter()
            .filter_map(|(limit, state)| Some((limit.shown.as_ref()?, state)))
    };
    let mut before: &[u8] = b"RateLimit-Policy: ";
    for (limit, _) in shown() {
        out.extend_from_slice(before);
        out.extend_from_slice(limit.policy.as_bytes());
        before = b", ";
    }
    before = b"\r\nRateLimit: ";
    for (limit, state) in shown() {
        out.extend_from_slice(before);
        out.extend_from_slice(limit.left.as_bytes());
        write_number(out, u64::from(state.remaining));
        out.extend_from_slice(b";t=");
        write_number(out, until_more(state));
        before = b", ";
    }
    if shown().next().is_some() {
        out.extend_from_slice(b"\r\n");
    }
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

/// What a client reads of the guard, for who explains it: the same bytes that are sent, without the request's id and with the
/// date of 1970.
pub mod preview {
    use portcullis_guard::answer::{AnswerPlan, Audience, Caching};
    use portcullis_guard::decision::{Denial, Own, ShownLimits};
    use portcullis_guard::http1::{HeadBounds, Parsed, parse_response_head};
    use portcullis_policy::Method;

    use super::{Context, HttpDate};

    const fn context(plan: &AnswerPlan, audience: Audience, is_head: bool) -> Context<'_> {
        Context {
            plan,
            audience,
            id: None,
            is_head,
            closes: false,
            date: HttpDate::BEGINNING,
        }
    }

    /// A refusal: head and content.
    #[must_use]
    pub fn refusal(
        plan: &AnswerPlan,
        audience: Audience,
        denial: &Denial<'_>,
        is_head: bool,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let mut lines = Vec::new();
        if denial.clears_session {
            crate::sessions::forget(&mut lines);
        }
        super::write_denial(&mut out, denial, &lines, context(plan, audience, is_head));
        out
    }

    /// An answer of the guard's own that is no refusal. Of one with keys or a token only the head: a rehearsal has neither.
    #[must_use]
    pub fn own(plan: &AnswerPlan, audience: Audience, own: Own) -> Vec<u8> {
        let mut out = Vec::new();
        match own {
            Own::Options(_) | Own::Preflight(_) => {
                super::write_own(&mut out, own, context(plan, audience, false));
            }
            Own::Keys | Own::Token(_) | Own::Wished(_) => {
                super::write_json(&mut out, context(plan, audience, true), "", &[]);
            }
            Own::TokenKeys => super::write_key_set(&mut out, context(plan, audience, true), ""),
        }
        out
    }

    /// The field lines that are added to the application's answer with this status, where it has no content and says
    /// nothing of itself.
    #[must_use]
    pub fn added(
        plan: &AnswerPlan,
        audience: Audience,
        caching: Caching,
        limits: &ShownLimits<'_>,
        status: u16,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let plain = format!("HTTP/1.1 {status} OK\r\n\r\n").into_bytes();
        let read = parse_response_head(&plain, &HeadBounds::STANDARD, Method::Get);
        if let Ok(Parsed::Complete { head, .. }) = read {
            let written = plan.write_relayed(&mut out, &head, &plain, audience, caching);
            if written.is_err() {
                out.clear();
            }
        }
        super::write_limits(&mut out, limits);
        out
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::Method;

    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_reason_has_the_content_of_its_status() {
        for reason in Reason::ALL {
            let Problem { begin, content } = problem(reason.status);
            let value: serde_json::Value = serde_json::from_str(content).unwrap();
            assert_eq!(value["status"], reason.status, "{reason}");
            let line = format!("HTTP/1.1 {} {}\r\n", reason.status, reason.title);
            assert!(begin.starts_with(&line), "{reason}");
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
