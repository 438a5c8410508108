//! `Forwarding`: what of a request's header the application sees, what it does not and why, and what the guard adds.
//!
//! No value that a client sent is told, for it may be a secret; a test compares the names with what a running guard
//! sends.

use portcullis_guard::http1::Framing;
use portcullis_guard::request::RequestView;

/// What is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarding {
    /// Names of what is forwarded as it came.
    pub(crate) kept: Vec<String>,
    /// Names of what is not, and why.
    pub(crate) stripped: Vec<(String, &'static str)>,
    /// What the guard writes: names, and values where they do not differ from one request to the next.
    pub(crate) written: Vec<(&'static str, Option<String>)>,
}

impl Forwarding {
    /// What is forwarded of a request whose body, where it was held, has `held` bytes.
    pub(crate) fn of(view: &RequestView<'_>, held: Option<u64>, has_nonce: bool) -> Self {
        let mut told = Self::default();
        for (name, _) in view.fields().forwarded() {
            let name = text(name);
            // Judged and written anew: a trace that a client began wrongly begins anew.
            if is_trace(&name) {
                told.stripped
                    .push((name, "written anew where it is a trace context"));
            } else {
                told.kept.push(name);
            }
        }
        for (name, role) in view.fields().stripped() {
            if let Some(why) = role.why_not() {
                told.stripped.push((text(name), why));
            }
        }
        told.written = written(view, held);
        if has_nonce {
            told.written.push(("X-Nonce", None));
        }
        told
    }
}

fn written(view: &RequestView<'_>, held: Option<u64>) -> Vec<(&'static str, Option<String>)> {
    let host = view.host().to_string();
    let mut written = vec![("Host", Some(host.clone()))];
    match held.map_or(view.framing(), Framing::Length) {
        Framing::Length(length) => written.push(("Content-Length", Some(length.to_string()))),
        Framing::Chunked => written.push(("Transfer-Encoding", Some("chunked".to_owned()))),
        Framing::None if view.is_unsafe() => {
            written.push(("Content-Length", Some("0".to_owned())));
        }
        Framing::None => {}
    }
    let client = view.client().address().to_string();
    written.push(("X-Forwarded-For", Some(client)));
    let scheme = view.scheme().as_str().to_owned();
    written.push(("X-Forwarded-Proto", Some(scheme)));
    written.push(("X-Forwarded-Host", Some(host)));
    written.push(("X-Request-Id", None));
    written.push(("traceparent", None));
    written
}

fn is_trace(name: &str) -> bool {
    ["traceparent", "tracestate"]
        .iter()
        .any(|one| name.eq_ignore_ascii_case(one))
}

/// A name is a token, so this changes nothing.
fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
