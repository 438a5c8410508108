//! Of a head's fields each is forwarded or stripped, and no spelling of what the guard keeps to itself is forwarded. The
//! data are header lines.

use portcullis_guard::canon::HeaderSet;
use portcullis_guard::http1::role::is_same_name;
use portcullis_guard::http1::{HeadBounds, Parsed, parse_request_head, parse_response_head};
use portcullis_policy::Method;

/// What no application may read from a client.
const NEVER: [&str; 22] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "host",
    "upgrade",
    "expect",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-real-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-middleware-subrequest",
    "x-request-id",
    "portcullis-identity",
];

pub(crate) fn check(data: &[u8]) {
    let bytes = [b"GET / HTTP/1.1\r\nHost: a\r\n", data, b"\r\n\r\n"].concat();
    if let Ok(Parsed::Complete { head, .. }) = parse_request_head(&bytes, &HeadBounds::STANDARD) {
        let fields = HeaderSet::of_request(&head, &bytes);
        assert_eq!(
            fields.forwarded().count() + fields.stripped().count(),
            head.fields().len()
        );
        for (name, _) in fields.forwarded() {
            let is = |other: &str| is_same_name(name, other.as_bytes());
            assert!(!NEVER.into_iter().any(is), "{}", name.escape_ascii());
            assert!(name.len() < 11 || !is_same_name(&name[..11], b"portcullis-"));
            // RFC 9110 §7.6.1: what `Connection` lists is for this connection only.
            for list in fields.all("connection") {
                let mut listed = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                assert!(!listed.any(|one| one.eq_ignore_ascii_case(name)));
            }
        }
        asked_for_by_name(&fields);
    }
    let bytes = [b"HTTP/1.1 200 OK\r\n", data, b"\r\n\r\n"].concat();
    let read = parse_response_head(&bytes, &HeadBounds::STANDARD, Method::Get);
    if let Ok(Parsed::Complete { head, .. }) = read {
        let fields = HeaderSet::of_response(&head, &bytes);
        for (name, _) in fields.forwarded() {
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            assert!(
                ![
                    "connection",
                    "content-length",
                    "transfer-encoding",
                    "server"
                ]
                .into_iter()
                .any(is)
            );
        }
        asked_for_by_name(&fields);
    }
}

/// One value or a refusal, never one of two.
fn asked_for_by_name(fields: &HeaderSet<'_>) {
    let names: Vec<&[u8]> = fields
        .forwarded()
        .map(|(name, _)| name)
        .chain(fields.stripped().map(|(name, _)| name))
        .collect();
    for name in &names {
        let text = std::str::from_utf8(name).unwrap();
        let alike = names.iter().filter(|one| is_same_name(one, name)).count();
        let values: Vec<&[u8]> = fields.all(text).collect();
        assert!(!values.is_empty() && values.len() <= alike);
        match fields.one(text) {
            Ok(value) => assert!(alike == 1 && value == Some(values[0])),
            Err(_) => assert!(alike > 1),
        }
        assert_eq!(fields.one(&text.to_ascii_uppercase()), fields.one(text));
        // Where only an alias stands, an application would read a value that the guard did not.
        let plain = text.replace(['_', '.'], "-");
        let is_there = |one: &&[u8]| one.eq_ignore_ascii_case(plain.as_bytes());
        if !names.iter().any(is_there) {
            assert!(fields.one(&plain).is_err());
        }
    }
}
