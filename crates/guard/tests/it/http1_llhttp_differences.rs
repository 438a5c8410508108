//! Where our verdict on a case of llhttp is not llhttp's, and why. We refuse more; there is nothing that only llhttp
//! refuses.

use crate::http1_llhttp::Difference;

const EMPTY_LINE: &str = "an empty line before a request: skipping it hides that the body before was counted differently";
const UPGRADE: &str =
    "llhttp stops at an upgrade; ours is never made, so what follows has to be a request";
const FORM: &str = "an absolute target without a path is a second spelling of `/`";
const FRAGMENT: &str =
    "`#` is no part of a target (RFC 9112 §3.2), and cuts it short in some readers";
const USER: &str = "user information in a target names no host (RFC 9110 §4.2.4)";
const ZONE: &str = "a zone means something on the sender's machine only (RFC 6874 §1)";
const PROTOCOL: &str = "the upstream speaks HTTP";
const EXTENSION: &str =
    "chunk extensions: nobody needs them, and readers have disagreed where they end";
const CODING: &str = "only `chunked` alone; llhttp reads to the end of the connection";

pub(crate) const REQUESTS: &[Difference] = &[
    (
        "request/connection.md: CRLF between requests, implicit `keep-alive`",
        Err("request_line_malformed"),
        EMPTY_LINE,
    ),
    (
        "request/connection.md: Multiple tokens with folding and LWS",
        Err("method_malformed"),
        UPGRADE,
    ),
    (
        "request/connection.md: Emitting part of body and pausing",
        Err("method_malformed"),
        UPGRADE,
    ),
    (
        "request/connection.md: Upgrade GET request",
        Err("method_malformed"),
        UPGRADE,
    ),
    (
        "request/connection.md: Upgrade POST request",
        Err("method_malformed"),
        UPGRADE,
    ),
    (
        "request/uri.md: Host terminated by a query string",
        Err("target_form_refused"),
        FORM,
    ),
    (
        "request/uri.md: `host:port` terminated by a query string",
        Err("target_form_refused"),
        FORM,
    ),
    (
        "request/uri.md: `host:port` terminated by a space",
        Err("target_form_refused"),
        FORM,
    ),
    (
        "request/uri.md: Fragment in URI",
        Err("query_byte"),
        FRAGMENT,
    ),
    (
        "request/uri.md: Underscore in hostname",
        Err("method_refused"),
        "the guard opens no tunnels",
    ),
    (
        "request/uri.md: `host:port` and basic auth",
        Err("target_authority_mismatch"),
        USER,
    ),
    (
        "request/pipelining.md: Should parse multiple events",
        Err("request_line_malformed"),
        EMPTY_LINE,
    ),
];

pub(crate) const RESPONSES: &[Difference] = &[
    (
        "response/sample.md: RTSP response",
        Err("status_line_malformed"),
        PROTOCOL,
    ),
    (
        "response/sample.md: ICE response",
        Err("status_line_malformed"),
        PROTOCOL,
    ),
    (
        "response/sample.md: HTTP version 0.9",
        Err("version_unsupported"),
        "there are 1.0 and 1.1",
    ),
    (
        "response/sample.md: Response starting with CRLF",
        Err("status_line_malformed"),
        EMPTY_LINE,
    ),
    (
        "response/transfer-encoding.md: `chunked` before other transfer-encoding",
        Err("transfer_encoding_unknown"),
        CODING,
    ),
    (
        "response/transfer-encoding.md: multiple transfer-encoding where chunked is not the last one",
        Err("transfer_encoding_repeated"),
        CODING,
    ),
    (
        "response/transfer-encoding.md: `chunkedchunked` transfer-encoding does not enable chunked enconding",
        Err("transfer_encoding_unknown"),
        CODING,
    ),
    (
        "response/transfer-encoding.md: Chunk extensions",
        Err("chunk_size_malformed"),
        EXTENSION,
    ),
    (
        "response/transfer-encoding.md: Chunk extensions quoting",
        Err("chunk_size_malformed"),
        EXTENSION,
    ),
    (
        "response/pipelining.md: Should parse multiple events",
        Err("status_line_malformed"),
        EMPTY_LINE,
    ),
];

pub(crate) const URLS: &[Difference] = &[
    ("url.md: Absolute URL", Err("query_byte"), FRAGMENT),
    ("url.md: Relative URL", Err("query_byte"), FRAGMENT),
    ("url.md: URL fragment", Err("path_byte_ambiguous"), FRAGMENT),
    ("url.md: Complex URL fragment", Err("query_byte"), FRAGMENT),
    (
        "url.md: Complex URL from node.js url parser doc",
        Err("query_byte"),
        FRAGMENT,
    ),
    (
        "url.md: Complex URL with basic auth from node.js url parser doc",
        Err("host_port_malformed"),
        USER,
    ),
    (
        "url.md: Proxy basic auth with url encoded space",
        Err("host_byte"),
        USER,
    ),
    (
        "url.md: Proxy basic auth with unreserved chars",
        Err("host_byte"),
        USER,
    ),
    (
        "url.md: IPv6 address with Zone ID",
        Err("host_ipv6_malformed"),
        ZONE,
    ),
    (
        "url.md: IPv6 address with Zone ID, but `%` is not percent-encoded",
        Err("host_ipv6_malformed"),
        ZONE,
    ),
];
