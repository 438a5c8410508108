//! `Reason`: why a request was refused, as a stable code for machines and one harmless sentence for the client.

use std::borrow::Cow;
use std::fmt;

use portcullis_policy::Control;

use crate::canon::{ClientFault, HostFault, PathFault, Repeated};
use crate::http1::{ChunkFault, FieldFault, FramingFault, HeadFault};
use crate::token::{TokenFault, Wrong};

/// Why a request was refused. All of it is fixed text, so that nothing of the request or the store can be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// The stable code: snake case. It stands in events, in metrics and in what `explain request` prints, never in the
    /// answer.
    pub code: &'static str,
    /// The status of the answer (RFC 9110 §15).
    pub status: u16,
    /// What the client reads. Several reasons share one title where telling them apart would help an attacker.
    pub title: &'static str,
    /// Which control refused; none for what is no HTTP, or belongs to no route.
    pub control: Option<Control>,
}

/// Declares reasons: the constant, its code, its status, its title, its control.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal $status:literal $title:literal $control:expr;)+) => {
        impl Reason {
            $($(#[$doc])* pub const $name: Self = Self {
                code: $code, status: $status, title: $title, control: $control,
            };)+

            /// Every reason of the core. Those of the byte checker and the canonical types are beside them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

reasons! {
    /// The request names a host that the policy does not (DNS rebinding, a forgotten alias).
    HOST_UNKNOWN = "host_unknown" 421 "Misdirected Request" None;
    /// Nothing of ours is at this path under `/.portcullis/`.
    RESERVED_UNKNOWN = "reserved_unknown" 404 "Not Found" None;
    /// No route of the policy has this path.
    ROUTE_UNKNOWN = "route_unknown" 404 "Not Found" None;
    /// The route is for the service itself. Outside it looks as if it were not there.
    ROUTE_INTERNAL = "route_internal" 404 "Not Found" Some(Control::Authentication);
    /// The path has a route, and not with this method.
    METHOD_NOT_ALLOWED = "method_not_allowed" 405 "Method Not Allowed" None;
    /// The route stands on an exception whose last day is over.
    EXCEPTION_EXPIRED = "exception_expired" 503 "Service Unavailable" None;
    /// The body is larger than the route admits.
    BODY_TOO_LARGE = "body_too_large" 413 "Content Too Large" Some(Control::BodyLimit);
    /// There is a body where there can be none (RFC 9110 §9.3.1).
    BODY_UNEXPECTED = "body_unexpected" 400 "Bad Request" None;
    /// The body has no media type, or one that the route does not take.
    CONTENT_TYPE_REFUSED = "content_type_refused" 415 "Unsupported Media Type" Some(Control::Validation);
    /// The body is compressed, and the guard has to read it.
    CONTENT_ENCODING_REFUSED = "content_encoding_refused" 415 "Unsupported Media Type" Some(Control::Validation);
    /// The body is no strict JSON: a key twice, too deep, not UTF-8.
    BODY_MALFORMED = "body_malformed" 400 "Bad Request" Some(Control::Validation);
    /// The body did not arrive whole, or not in time.
    BODY_INCOMPLETE = "body_incomplete" 408 "Request Timeout" None;
    /// The guard holds as many bodies as it may.
    BUFFERS_FULL = "buffers_full" 503 "Service Unavailable" None;
    /// A header that a limit counts by is there twice.
    HEADER_REPEATED = "header_repeated" 400 "Bad Request" Some(Control::RateLimit);
    /// A header that a limit counts by is not forwarded: the client's `Connection` lists it.
    HEADER_NOT_FORWARDED = "header_not_forwarded" 400 "Bad Request" Some(Control::RateLimit);
    /// A limit is reached.
    RATE_LIMITED = "rate_limited" 429 "Too Many Requests" Some(Control::RateLimit);
    /// The store did not say whether a limit is reached.
    LIMIT_UNKNOWN = "limit_unknown" 503 "Service Unavailable" Some(Control::RateLimit);
    /// A cookie of the guard's own is there twice: somebody else has set one of them.
    COOKIE_REPEATED = "cookie_repeated" 400 "Bad Request" Some(Control::Session);
    /// The browser says that the request comes from another site, or does not say where it comes from.
    CSRF_ORIGIN = "csrf_origin" 403 "Forbidden" Some(Control::Csrf);
    /// The request has no CSRF token, more than one, or one that is in no cookie.
    CSRF_TOKEN_MISSING = "csrf_token_missing" 403 "Forbidden" Some(Control::Csrf);
    /// The CSRF token was used, is over, or is of another session.
    CSRF_TOKEN_SPENT = "csrf_token_spent" 403 "Forbidden" Some(Control::Csrf);
    /// The store did not say whether a CSRF token is live, or that it is used now.
    CSRF_UNKNOWN = "csrf_unknown" 503 "Service Unavailable" Some(Control::Csrf);
    /// The route needs a caller, and nobody says who is calling.
    CALLER_UNKNOWN = "caller_unknown" 401 "Unauthorized" Some(Control::Authentication);
    /// The route needs a caller, and the session that is named is over.
    SESSION_OVER = "session_over" 401 "Unauthorized" Some(Control::Authentication);
    /// What `Authorization` says is no credential: two fields, or not one space and one token behind the scheme (RFC 6750 §2.1).
    CREDENTIAL_MALFORMED = "credential_malformed" 401 "Unauthorized" Some(Control::Authentication);
    /// The token was revoked, or the one that it was made from.
    TOKEN_REVOKED = "token_revoked" 401 "Unauthorized" Some(Control::Authentication);
    /// Nobody can say whether the token is good: the keys of its issuer are not to be had, or the store does not answer.
    TOKEN_UNKNOWN = "token_unknown" 503 "Service Unavailable" Some(Control::Authentication);
    /// Who asks for a token of the guard's own shows no credential of a service, or one that is not accepted any more.
    SERVICE_UNKNOWN = "service_unknown" 401 "Unauthorized" Some(Control::Authentication);
    /// What is asked of the guard's own issuer is no strict JSON, or of another form.
    TOKEN_WISH_MALFORMED = "token_wish_malformed" 400 "Bad Request" Some(Control::Validation);
    /// The policy or the parent token does not admit what is asked of the guard's own issuer.
    TOKEN_WISH_REFUSED = "token_wish_refused" 403 "Forbidden" Some(Control::Authentication);
    /// No token of the guard's own can be given out: the store, the keys or the time do not allow it.
    TOKENS_UNAVAILABLE = "tokens_unavailable" 503 "Service Unavailable" Some(Control::Authentication);
    /// There is no such key, or its secret is another.
    KEY_WRONG = "key_wrong" 401 "Unauthorized" Some(Control::Authentication);
    /// The key is over, or was changed for another secret.
    KEY_EXPIRED = "key_expired" 401 "Unauthorized" Some(Control::Authentication);
    /// The key was revoked.
    KEY_REVOKED = "key_revoked" 401 "Unauthorized" Some(Control::Authentication);
    /// The store did not say whether the key is good.
    KEY_UNKNOWN = "key_unknown" 503 "Service Unavailable" Some(Control::Authentication);
    /// The key or the token is not good for what the route asks for.
    SCOPE_MISSING = "scope_missing" 403 "Forbidden" Some(Control::Authorization);
    /// The store did not say whether a session is alive. The cookie stays: nobody is logged out because a store was away.
    SESSION_UNKNOWN = "session_unknown" 503 "Service Unavailable" Some(Control::Session);
    /// The application said something of a session that is not signed, not of this request, or not understood.
    SESSION_WORD_REFUSED = "session_word_refused" 502 "Bad Gateway" Some(Control::Session);
    /// A session could not be begun, changed or ended as the application said.
    SESSION_NOT_KEPT = "session_not_kept" 503 "Service Unavailable" Some(Control::Session);
    /// What is about to be done could not be written into the audit trail, so it is not done.
    TRAIL_UNWRITABLE = "trail_unwritable" 503 "Service Unavailable" Some(Control::AuditTrail);
    /// No valid policy is loaded.
    POLICY_MISSING = "policy_missing" 503 "Service Unavailable" None;
    /// The guard itself failed.
    INTERNAL = "internal" 500 "Internal Server Error" None;
    /// The decision took longer than it may.
    DECISION_TIMED_OUT = "decision_timed_out" 503 "Service Unavailable" None;
    /// A decision was asked to go on out of order: a fault of the door, and a refusal.
    DECISION_CONFUSED = "decision_confused" 500 "Internal Server Error" None;
    /// The guard has as many connections as it may, in all or from this address.
    TOO_MANY_CONNECTIONS = "too_many_connections" 503 "Service Unavailable" None;
    /// The head of the request did not arrive in time.
    HEAD_TIMED_OUT = "head_timed_out" 408 "Request Timeout" None;
    /// HTTP came in the clear to a port that speaks TLS.
    TLS_EXPECTED = "tls_expected" 400 "Bad Request" None;
    /// The client went away before its answer was whole. Nobody is answered.
    CLIENT_GONE = "client_gone" 500 "Internal Server Error" None;
    /// The guard is shutting down.
    DRAINING = "draining" 503 "Service Unavailable" None;
    /// No upstream takes connections.
    UPSTREAM_UNREACHABLE = "upstream_unreachable" 502 "Bad Gateway" None;
    /// The upstream closed without an answer.
    UPSTREAM_CLOSED = "upstream_closed" 502 "Bad Gateway" None;
    /// The upstream answered what is no strict HTTP/1.1.
    UPSTREAM_MALFORMED = "upstream_malformed" 502 "Bad Gateway" None;
    /// The upstream did not answer in time.
    UPSTREAM_TIMED_OUT = "upstream_timed_out" 504 "Gateway Timeout" None;
}

impl Reason {
    /// A reason that another part of the guard has words of its own for (the byte checker, a canonical type).
    #[must_use]
    pub const fn of(code: &'static str, status: u16) -> Self {
        Self {
            code,
            status,
            title: title_of(status),
            control: None,
        }
    }

    /// That a token is not believed, with the code of what is wrong with it.
    #[must_use]
    pub fn of_token(fault: TokenFault) -> Self {
        Self {
            control: Some(Control::Authentication),
            ..Self::of(fault.reason(), 401)
        }
    }

    /// Every code that a refusal may have: those of [`ALL`](Self::ALL), of the byte checker and of the canonical types. Some
    /// stand here twice.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let of_faults = [
            HeadFault::CODES,
            FieldFault::CODES,
            FramingFault::CODES,
            ChunkFault::CODES,
            PathFault::CODES,
            HostFault::CODES,
            ClientFault::CODES,
            TokenFault::CODES,
            Wrong::CODES,
        ];
        of_faults
            .into_iter()
            .flatten()
            .copied()
            .chain([Repeated.reason()])
            .chain(Self::ALL.iter().map(|reason| reason.code))
    }

    /// Whether the guard refuses anything with this code.
    #[must_use]
    pub fn is_code(code: &str) -> bool {
        Self::codes().any(|known| known == code)
    }

    /// Whether it says that nothing could be known, as against a rule that was broken.
    #[must_use]
    pub const fn is_unavailable(self) -> bool {
        self.status >= 500
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// The phrase of a status that the guard itself answers with (RFC 9110 §15, RFC 6585).
#[must_use]
pub const fn title_of(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}

/// What the guard's own people read about a refusal; it goes into no answer.
pub type Inside = Cow<'static, str>;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_words_and_each_stands_once() {
        let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(reason.code.bytes().all(is_word), "{reason}");
        }
    }

    #[test]
    fn codes_of_every_origin_are_known_and_others_are_not() {
        for code in [
            "route_unknown",
            "content_length_repeated",
            "method_refused",
            "field_folded",
            "chunk_trailer_refused",
            "path_dot_segment",
            "host_byte",
            "client_ip_unreadable",
            "field_repeated",
            "token_signature_wrong",
            "token_expired",
        ] {
            assert!(Reason::is_code(code), "{code}");
        }
        assert!(!Reason::is_code("json_key_repeated"), "that is said inside");
        assert!(!Reason::is_code("route") && !Reason::is_code(""));
    }

    #[test]
    fn a_title_says_no_more_than_its_status() {
        for reason in Reason::ALL {
            assert_eq!(reason.title, title_of(reason.status), "{reason}");
        }
    }
}
