//! What to do about a refusal: one sentence for each reason. A reason without one fails the test below.
//!
//! A new reason is one more line: its code, and what its author can do about it, as the guard cannot know whether the client or
//! the policy is wrong.

/// What to do about a refusal with this code; none of a code that no refusal has.
pub(super) fn hint(code: &str) -> Option<&'static str> {
    let of_table = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(known, _)| *known == code);
        found.map(|(_, hint)| *hint)
    };
    of_table(HINTS)
        .or_else(|| of_table(CLIENT_HINTS))
        .or_else(|| AMBIGUOUS.contains(&code).then_some(AMBIGUOUS_HINT))
        .or_else(|| UNREADABLE.contains(&code).then_some(UNREADABLE_HINT))
        .or_else(|| TOKENS.contains(&code).then_some(TOKENS_HINT))
        .or_else(|| BY_PROXY.contains(&code).then_some(BY_PROXY_HINT))
}

/// What the policy or the application can do something about.
const HINTS: &[(&str, &str)] = &[
    (
        "service_unknown",
        "send `Authorization: Bearer SECRET` with the `secret` of [identity.tokens], as it is written where the policy says",
    ),
    (
        "token_wish_malformed",
        "send one strict JSON object with the members that docs/guide/own-tokens.md names, and no other",
    ),
    (
        "token_wish_refused",
        "ask for no more than [identity.tokens] and the parent token admit, or widen the policy",
    ),
    (
        "tokens_unavailable",
        "look at what the guard said before this, and at `portcullis token keys list`",
    ),
    (
        "credential_malformed",
        "send one `Authorization: Bearer TOKEN` with one space, or one whole API key; no second credential, no cookie twice",
    ),
    (
        "token_revoked",
        "the token was revoked: let its issuer make another, or log in again",
    ),
    (
        "token_unknown",
        "the keys of the issuer could not be had, or the store did not answer: see what the guard says of the issuer's address",
    ),
    (
        "host_unknown",
        "ask by https://localhost and the port: `guard dev` answers for this machine's names alone",
    ),
    (
        "reserved_unknown",
        "paths under /.portcullis/ belong to the guard; give the application's route another path",
    ),
    (
        "route_unknown",
        "add a [[route]] with this path, or to `static` if it is a file; `portcullis routes` lists what the code has",
    ),
    (
        "route_internal",
        "the route is `internal` and closed to clients; give it another type if they may call it",
    ),
    (
        "method_not_allowed",
        "add the method to `methods` of the route, or call it by one that it has",
    ),
    (
        "exception_expired",
        "the last day of the [[except]] is over: remove what it excused, or move `until`",
    ),
    (
        "body_too_large",
        "send less, or raise `body = { max = \"...\" }` of the route",
    ),
    (
        "body_unexpected",
        "send no body with this method, or use POST",
    ),
    (
        "content_type_refused",
        "send the media type that the route takes, or add it to `content_types` of the route",
    ),
    (
        "content_encoding_refused",
        "send the body uncompressed: the guard has to read it",
    ),
    (
        "body_malformed",
        "send one strict JSON document in UTF-8, no key twice; `portcullis explain request` shows the place",
    ),
    (
        "body_incomplete",
        "send the whole body within `body_timeout`, as long as its Content-Length says",
    ),
    (
        "buffers_full",
        "too many bodies are held at once: send fewer, or raise `buffer_max` of [proxy]",
    ),
    (
        "header_repeated",
        "send the header once: a limit is counted by it",
    ),
    (
        "header_not_forwarded",
        "do not list the header in `Connection`: a limit is counted by it",
    ),
    (
        "rate_limited",
        "wait as long as Retry-After says, or raise the limit in [limits] if it is too low for development",
    ),
    (
        "limit_unknown",
        "the store did not answer: look at what the guard said before this",
    ),
    (
        "cookie_repeated",
        "two cookies have the name of the guard's: clear the cookies of localhost in the browser",
    ),
    (
        "csrf_origin",
        "call the route from a page of this same origin; a client that is no browser needs no cookie",
    ),
    (
        "csrf_token_missing",
        "get a token at /.portcullis/csrf, and send it in the header X-CSRF-Token or as the field _csrf",
    ),
    (
        "csrf_token_spent",
        "a token is good once and for one session: get another at /.portcullis/csrf for each request",
    ),
    (
        "csrf_unknown",
        "the store did not answer: look at what the guard said before this",
    ),
    (
        "caller_unknown",
        "sign in first, or make the route a public one if anybody may call it",
    ),
    (
        "key_wrong",
        "there is no such key, or its secret is another: look at `portcullis key list`, or make one by `key create`",
    ),
    (
        "key_expired",
        "the key is over, or has another secret by now: give it a new one by `portcullis key rotate`",
    ),
    (
        "key_revoked",
        "the key was revoked and stays so: make another by `portcullis key create`",
    ),
    (
        "key_unknown",
        "the store did not answer: look at what the guard said before this",
    ),
    (
        "scope_missing",
        "the key or token is not good for `scopes` of the route: make a key with these by `portcullis key create --scope`",
    ),
    (
        "session_over",
        "sign in again: the session has ended, or its time is over",
    ),
    (
        "session_unknown",
        "the store did not answer: look at what the guard said before this",
    ),
    (
        "session_word_refused",
        "the application's Portcullis-Session is not signed by its key or not for this request: look at how it is made",
    ),
    (
        "session_not_kept",
        "the store did not keep the session: look at what the guard said before this",
    ),
    (
        "trail_unwritable",
        "the request has to be in the audit trail first, and that failed: look at the disk of the state folder",
    ),
    (
        "policy_missing",
        "no valid policy is in force: correct the error that was told",
    ),
    (
        "internal",
        "a fault of the guard's: report it with this line",
    ),
    (
        "decision_timed_out",
        "a decision took too long: is this machine overloaded?",
    ),
    (
        "decision_confused",
        "a fault of the guard's: report it with this line",
    ),
    (
        "too_many_connections",
        "close connections that are not used, or raise `connections_max` or `connections_per_ip_max` of [proxy]",
    ),
    (
        "head_timed_out",
        "send the whole head at once: it has `head_timeout` of [proxy] to arrive",
    ),
    (
        "tls_expected",
        "ask by https:// and not http://: this port speaks TLS",
    ),
    (
        "client_gone",
        "nothing to do: the client went away before its answer was whole, as a browser does when a page is left",
    ),
    ("draining", "the guard is ending: ask again when it is back"),
    (
        "upstream_unreachable",
        "start the application where `upstream` says, or name where it is with `--upstream URL`",
    ),
    (
        "upstream_closed",
        "the application closed the connection before its answer was whole: look at its log",
    ),
    (
        "upstream_malformed",
        "the application answered what is no strict HTTP/1.1: look at what the guard said of it",
    ),
    (
        "upstream_timed_out",
        "the application did not answer in `response_timeout` or `timeout` of the route: look at its log",
    ),
];

/// What the client alone can do something about, and often does not mean.
const CLIENT_HINTS: &[(&str, &str)] = &[
    (
        "method_unknown",
        "use a method of HTTP: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    ),
    ("method_refused", "TRACE and CONNECT never pass a guard"),
    ("expectation_unknown", "send no `Expect` but `100-continue`"),
    (
        "token_expired",
        "the token's `exp` is over: get another one; is the clock of this machine right?",
    ),
    (
        "token_not_yet_valid",
        "the token's `nbf` or `iat` lies ahead: is the clock of this machine right?",
    ),
    (
        "token_is_parent",
        "a parent token opens no route: exchange it for a token of the route first",
    ),
    (
        "token_lives_too_long",
        "the issuer gives its tokens more time than the policy admits: have it give less",
    ),
    (
        "http2_preface",
        "speak HTTP/1.1: tell the client so, as curl by `--http1.1`",
    ),
    (
        "version_unsupported",
        "speak HTTP/1.1: HTTP/2 ends at a proxy before the guard",
    ),
    (
        "target_too_long",
        "send a shorter path or query; large data belongs into a body",
    ),
    (
        "head_too_large",
        "send fewer or smaller header fields (cookies?), or raise `head_max` of [proxy]",
    ),
    (
        "fields_too_many",
        "send fewer header fields, or raise `headers_max` of [proxy]",
    ),
    ("host_missing", "send a `Host` field"),
    (
        "path_dot_segment",
        "send the path without `.` and `..` segments: what they lead to is asked for by its own path",
    ),
    (
        "path_empty_segment",
        "send the path without `//`: look for a base URL that ends in a slash",
    ),
    (
        "path_escape_hidden",
        "send letters, digits, `/` and `.` of a path as they are, not as %XX",
    ),
    ("path_escape_broken", "write `%` in a path as %25"),
];

/// What two programs could read in two ways.
const AMBIGUOUS: &[&str] = &[
    "content_length_repeated",
    "content_length_malformed",
    "transfer_encoding_repeated",
    "transfer_encoding_unknown",
    "transfer_encoding_on_http10",
    "content_length_and_transfer_encoding",
    "body_impossible",
    "connection_malformed",
    "connection_lists_protected_field",
    "framing_field_alias",
    "chunk_size_malformed",
    "chunk_line_end_malformed",
    "chunk_data_end_malformed",
    "chunk_trailer_refused",
    "field_repeated",
    "host_repeated",
    "target_authority_mismatch",
    "path_byte_ambiguous",
];
const AMBIGUOUS_HINT: &str = "two programs could read this request in two ways, so none gets it: let an HTTP library write it";

/// What is no request.
const UNREADABLE: &[&str] = &[
    "field_folded",
    "field_name_malformed",
    "field_value_control",
    "field_value_not_utf8",
    "host_byte",
    "host_empty",
    "host_ipv4_malformed",
    "host_ipv6_malformed",
    "host_label_malformed",
    "host_port_malformed",
    "host_too_long",
    "host_trailing_dot",
    "line_end_malformed",
    "method_malformed",
    "path_escape_not_utf8",
    "query_byte",
    "request_line_malformed",
    "target_byte",
    "target_form_refused",
];
const UNREADABLE_HINT: &str = "this is no strict HTTP/1.1: let an HTTP library write the request";

/// What is wrong with a token (RFC 7519, RFC 8725).
const TOKENS: &[&str] = &[
    "token_claim_missing",
    "token_claim_refused",
    "token_claim_repeated",
    "token_claim_type",
    "token_claims_malformed",
    "token_algorithm_refused",
    "token_critical_unknown",
    "token_encoding",
    "token_form",
    "token_header_malformed",
    "token_header_repeated",
    "token_key_mismatch",
    "token_key_unknown",
    "token_payload_unencoded",
    "token_secret_too_short",
    "token_signature_wrong",
    "token_too_long",
    "token_type_refused",
];
const TOKENS_HINT: &str = "the token is not one that an `issuer` of [identity] makes: ask that issuer for another, and compare `algorithms` and keys";

/// What a proxy before the guard says wrongly.
const BY_PROXY: &[&str] = &[
    "client_ip_unreadable",
    "forwarded_malformed",
    "forwarded_proto_malformed",
    "forwarded_host_malformed",
    "client_ip_disagreement",
];
const BY_PROXY_HINT: &str = "the proxy before the guard says wrongly who the client is; `guard dev` trusts none, and needs none";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use portcullis_guard::reason::Reason;

    use super::*;

    #[test]
    fn every_reason_has_a_hint() {
        let without: BTreeSet<&str> = Reason::codes()
            .filter(|code| hint(code).is_none())
            .collect();
        assert!(
            without.is_empty(),
            "no hint for {without:#?}: add a line to HINTS"
        );
    }

    #[test]
    fn no_hint_is_for_nothing_or_there_twice() {
        let tables = HINTS.iter().chain(CLIENT_HINTS).map(|(code, _)| *code);
        let lists = AMBIGUOUS
            .iter()
            .chain(UNREADABLE)
            .chain(TOKENS)
            .chain(BY_PROXY)
            .copied();
        let mut seen = BTreeSet::new();
        for code in tables.chain(lists) {
            assert!(Reason::is_code(code), "`{code}` is the code of no refusal");
            assert!(seen.insert(code), "`{code}` is there twice");
        }
        assert_eq!(hint("nonsense"), None);
    }

    #[test]
    fn a_hint_is_one_line_that_tells_what_to_do() {
        for (code, hint) in HINTS.iter().chain(CLIENT_HINTS) {
            assert!(
                !hint.ends_with('.') && !hint.contains('\n'),
                "{code}: {hint}"
            );
            assert!(hint.len() <= 130, "{code}: {}", hint.len());
        }
    }
}
