//! `ClientReads`: what the client reads, as the proxy writes it; a test compares the two on the wire.

use portcullis_guard::clock::SECOND;
use portcullis_guard::decision::{Denial, ShownLimits};
use portcullis_guard::reason::{Reason, title_of};
use portcullis_policy::{Method, MethodSet};

/// An answer of the guard's own, or what it adds to the application's. `Date` and `X-Request-Id`, which every answer
/// has, are left out: they differ from one to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientReads {
    /// The status and its phrase; none where it is the application's.
    pub(crate) status: Option<(u16, &'static str)>,
    /// Names and values.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The content; none where it is the application's, and for HEAD.
    pub(crate) body: Option<String>,
}

impl ClientReads {
    /// The application's answer, with what is said of limits.
    pub(crate) fn of_application(limits: &ShownLimits<'_>) -> Self {
        Self {
            status: None,
            headers: limit_headers(limits),
            body: None,
        }
    }

    /// A refusal (RFC 9457).
    pub(crate) fn of_refusal(denial: &Denial<'_>, is_head: bool) -> Self {
        let mut headers = vec![("Cache-Control", "no-store".to_owned())];
        headers.extend(limit_headers(&denial.limits));
        if let Some(wait) = denial.retry_after() {
            headers.push(("Retry-After", wait.div_ceil(SECOND).max(1).to_string()));
        }
        if !denial.allow.is_empty() {
            headers.push(("Allow", allow(denial.allow)));
        }
        headers.push(("Content-Type", "application/problem+json".to_owned()));
        let status = denial.reason.status;
        Self {
            status: Some((status, denial.reason.title)),
            headers,
            body: (!is_head).then(|| problem(denial.reason)),
        }
    }

    /// The answer to OPTIONS (RFC 9110 §9.3.7).
    pub(crate) fn of_options(methods: MethodSet) -> Self {
        Self {
            status: Some((204, title_of(204))),
            headers: vec![
                ("Cache-Control", "no-store".to_owned()),
                ("Allow", allow(methods)),
            ],
            body: None,
        }
    }
}

/// The kind of a reached limit is the one of draft-ietf-httpapi-ratelimit-headers §5.1.
fn problem(reason: Reason) -> String {
    let kind = match reason.status {
        429 => "https://iana.org/assignments/http-problem-types#quota-exceeded",
        _ => "about:blank",
    };
    let (title, status) = (reason.title, reason.status);
    format!(r#"{{"type":"{kind}","title":"{title}","status":{status}}}"#)
}

/// GET answers HEAD, and OPTIONS is answered everywhere.
fn allow(methods: MethodSet) -> String {
    let mut words: Vec<&str> = Method::ALL
        .iter()
        .filter(|method| !matches!(method, Method::Any | Method::Options))
        .filter(|method| methods.contains(**method))
        .map(|method| method.as_str())
        .collect();
    words.push("OPTIONS");
    words.join(", ")
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11 §3, §4), of the limits that the client
/// may know of.
fn limit_headers(limits: &ShownLimits<'_>) -> Vec<(&'static str, String)> {
    let shown = || {
        limits
            .iter()
            .filter_map(|(limit, state)| Some((limit.shown.as_ref()?, state)))
    };
    let policy: Vec<&str> = shown().map(|(shown, _)| &*shown.policy).collect();
    if policy.is_empty() {
        return Vec::new();
    }
    let left: Vec<String> = shown()
        .map(|(shown, state)| {
            let wait = if state.admitted {
                state.reset_after
            } else {
                state.retry_after
            };
            let (begun, left, wait) = (&shown.left, state.remaining, wait.div_ceil(SECOND));
            format!("{begun}{left};t={wait}")
        })
        .collect();
    vec![
        ("RateLimit-Policy", policy.join(", ")),
        ("RateLimit", left.join(", ")),
    ]
}
