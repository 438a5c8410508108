//! `CorsPlan`: which other sites' pages may read answers (Fetch §3.3), from `[cors]`.
//!
//! An origin is compared as a whole with those of the policy, and what is written is the policy's own text: nothing that a
//! request says is echoed. Every answer says that it depends on the origin, so that no cache gives one site's to another.

use portcullis_policy::{Cors, Method, MethodSet};

use crate::canon::HeaderSet;
use crate::canon::Repeated;
use crate::request::RequestView;

/// What `[cors]` says, ready for use.
#[derive(Debug)]
pub(super) struct CorsPlan {
    origins: Vec<Origin>,
    /// The line that says what of an answer they may read.
    expose: Box<[u8]>,
    /// The lines of an answer to a preflight, behind the methods.
    preflight: Box<[u8]>,
}

/// An origin of the policy.
#[derive(Debug)]
struct Origin {
    /// As a browser writes it.
    text: Box<str>,
    /// The lines that let its pages read.
    lines: Box<str>,
}

/// Whose page may read an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cross {
    /// Nobody's, and it depends on nothing.
    #[default]
    Closed,
    /// Nobody's, with this origin or without one.
    Refused,
    /// That of an origin of the policy, by its place.
    Granted(usize),
}

/// What an answer has that scripts may read beyond what they always may (Fetch §3.3.2): what the guard adds.
const EXPOSED: [&str; 4] = [
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
];

const VARY: &[u8] = b"Vary: Origin\r\n";
const VARY_PREFLIGHT: &[u8] =
    b"Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";

impl CorsPlan {
    pub(super) fn of(cors: &Cors) -> Self {
        let credentials = if cors.credentials {
            "Access-Control-Allow-Credentials: true\r\n"
        } else {
            ""
        };
        let origins = cors.origins.iter().map(|origin| {
            let origin = origin.to_string();
            let lines = format!("Access-Control-Allow-Origin: {origin}\r\n{credentials}");
            Origin {
                text: origin.into(),
                lines: lines.into(),
            }
        });
        let names: Vec<&str> = cors.headers.iter().map(|name| name.as_str()).collect();
        let headers = if names.is_empty() {
            String::new()
        } else {
            format!("Access-Control-Allow-Headers: {}\r\n", names.join(", "))
        };
        let exposed: Vec<&str> = EXPOSED
            .into_iter()
            .chain(cors.expose.iter().map(|name| name.as_str()))
            .collect();
        let expose = format!("Access-Control-Expose-Headers: {}\r\n", exposed.join(", "));
        let max_age = cors.max_age.as_secs();
        let preflight = format!("{headers}Access-Control-Max-Age: {max_age}\r\n");
        Self {
            origins: origins.collect(),
            expose: expose.into_bytes().into(),
            preflight: preflight.into_bytes().into(),
        }
    }

    /// Whose page asks. An origin that is there twice is none.
    pub(super) fn judge(&self, origin: Result<Option<&[u8]>, Repeated>) -> Cross {
        let Ok(Some(origin)) = origin else {
            return Cross::Refused;
        };
        let place = self
            .origins
            .iter()
            .position(|one| one.text.as_bytes() == origin);
        place.map_or(Cross::Refused, Cross::Granted)
    }

    /// Writes the lines of an answer that is no answer to a preflight.
    pub(super) fn write(&self, out: &mut Vec<u8>, cross: Cross) {
        if cross == Cross::Closed {
            return;
        }
        out.extend_from_slice(VARY);
        if let Some(lines) = self.granted(cross) {
            out.extend_from_slice(lines);
            out.extend_from_slice(&self.expose);
        }
    }

    pub(super) fn write_preflight(&self, out: &mut Vec<u8>, cross: Cross, methods: MethodSet) {
        out.extend_from_slice(VARY_PREFLIGHT);
        if let Some(lines) = self.granted(cross) {
            out.extend_from_slice(lines);
            out.extend_from_slice(b"Access-Control-Allow-Methods: ");
            write_methods(out, methods);
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(&self.preflight);
        }
    }

    fn granted(&self, cross: Cross) -> Option<&[u8]> {
        let Cross::Granted(place) = cross else {
            return None;
        };
        self.origins.get(place).map(|one| one.lines.as_bytes())
    }
}

/// Whether a request asks for another site's page whether it may (Fetch §3.3.2, CORS-preflight request).
#[must_use]
pub fn is_preflight(view: &RequestView<'_>) -> bool {
    let has = |name| {
        let fields: &HeaderSet<'_> = view.fields();
        fields.all(name).next().is_some()
    };
    view.method() == Method::Options && has("origin") && has("access-control-request-method")
}

/// Writes the methods that a set answers, with commas between them. GET answers HEAD, and OPTIONS is answered everywhere.
pub fn write_methods(out: &mut Vec<u8>, methods: MethodSet) {
    for method in Method::ALL.iter().copied() {
        let is_last = matches!(method, Method::Any | Method::Options);
        if !is_last && methods.contains(method) {
            out.extend_from_slice(method.as_str().as_bytes());
            out.extend_from_slice(b", ");
        }
    }
    out.extend_from_slice(b"OPTIONS");
}
