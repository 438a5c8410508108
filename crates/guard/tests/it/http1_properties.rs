//! What holds for all bytes: no panic, one answer however they arrive, and a head that is read is a head that is written.

use portcullis_guard::canon::{
    Believed, CanonPath, Client, ForwardedBy, HeaderSet, HostName, JsonBody, Query, RawBody, Target,
};
use portcullis_guard::http1::{
    HeadBounds, Parsed, RequestHead, Version, head_may_be_complete, parse_request_head,
    parse_response_head,
};
use portcullis_policy::{Method, PathTemplate};
use proptest::prelude::*;

use crate::client_ip::trusted;

const BOUNDS: HeadBounds = HeadBounds {
    head_bytes_max: 160,
    target_bytes_max: 24,
    fields_max: 5,
};

/// Pieces of heads, good and bad, of which most of the states of a reader can be reached.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST ",
        "/a?b",
        "*",
        " HTTP/1.0\r\n",
        "HTTP/1.1",
        "Host: a\r\n",
        "host:b\r\n",
        "\r\n",
        "\r",
        "\n",
        " ",
        "\t",
        ":",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close, x-hop\r\n",
        "X-Hop: 1\r\n",
        "Expect: 100-continue\r\n",
        "X: \u{e9}\r\n",
        "X: ",
        "aaaaaaaaaa",
        "\0",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 304 \r\n",
        "101",
        "/",
        "Upgrade: x\r\n",
    ]);
    let piece = prop_oneof![9 => piece.prop_map(|text| text.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 1..3)];
    let start = prop::sample::select(vec![
        "",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "HTTP/1.1 200 OK\r\n",
    ]);
    (start, prop::collection::vec(piece, 0..12))
        .prop_map(|(start, pieces)| [start.as_bytes().to_vec(), pieces.concat()].concat())
}

/// What a reader says when the bytes arrive one by one: its first answer that is not "more".
fn one_by_one<T, F>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<Parsed<T>, F>,
) -> Result<Parsed<T>, F> {
    for len in 0..bytes.len() {
        match read(&bytes[..len]) {
            Ok(Parsed::Incomplete) => {}
            answer => return answer,
        }
    }
    read(bytes)
}

fn written(head: &RequestHead, buf: &[u8]) -> Vec<u8> {
    let mut out = format!("{} ", head.method()).into_bytes();
    out.extend_from_slice(head.target(buf));
    out.extend_from_slice(if head.version() == Version::Http11 {
        b" HTTP/1.1\r\n"
    } else {
        b" HTTP/1.0\r\n"
    });
    for field in head.fields() {
        out.extend_from_slice(field.name.of(buf));
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value.of(buf));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// All that was decided about a head, without the places in its buffer.
fn meaning(head: &RequestHead, buf: &[u8]) -> String {
    let fields: Vec<_> = head
        .fields()
        .iter()
        .map(|field| {
            (
                field.name.of(buf).to_vec(),
                field.value.of(buf).to_vec(),
                field.role,
            )
        })
        .collect();
    format!(
        "{:?}",
        (
            head.method(),
            head.target(buf),
            head.version(),
            fields,
            head.framing(),
            head.keep_alive(),
            head.expects_continue(),
            head.has_upgrade()
        )
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_request_has_one_answer_however_it_arrives(bytes in pieces()) {
        let read = |bytes: &[u8]| parse_request_head(bytes, &BOUNDS);
        prop_assert_eq!(one_by_one(&bytes, read), read(&bytes));
    }

    #[test]
    fn a_response_has_one_answer_however_it_arrives(bytes in pieces(), head in any::<bool>()) {
        let method = if head { Method::Head } else { Method::Get };
        let read = |bytes: &[u8]| parse_response_head(bytes, &BOUNDS, method);
        prop_assert_eq!(one_by_one(&bytes, read), read(&bytes));
    }

    #[test]
    fn a_head_that_is_complete_may_be_complete(bytes in pieces(), seen in 0_usize..200) {
        let seen = seen.min(bytes.len());
        let before = parse_request_head(&bytes[..seen], &BOUNDS);
        let complete = matches!(parse_request_head(&bytes, &BOUNDS), Ok(Parsed::Complete { .. }));
        if complete && before == Ok(Parsed::Incomplete) {
            prop_assert!(head_may_be_complete(&bytes, seen));
        }
    }

    #[test]
    fn a_head_that_is_read_is_written_and_read_alike(bytes in pieces()) {
        if let Ok(Parsed::Complete { head, len }) = parse_request_head(&bytes, &BOUNDS) {
            prop_assert!(len <= bytes.len());
            let again = written(&head, &bytes);
            let Ok(Parsed::Complete { head: other, len }) = parse_request_head(&again, &HeadBounds::STANDARD) else {
                return Err(TestCaseError::fail(format!("not read again: {}", again.escape_ascii())));
            };
            prop_assert_eq!(len, again.len());
            prop_assert_eq!(meaning(&head, &bytes), meaning(&other, &again));
        }
    }

    #[test]
    fn no_bytes_make_a_constructor_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let host = HostName::parse(b"a").unwrap();
        for method in [Method::Get, Method::Options] {
            drop(Target::parse(&bytes, method, &host));
            drop(parse_response_head(&bytes, &BOUNDS, method));
        }
        drop(parse_request_head(&bytes, &BOUNDS));
        drop((CanonPath::parse(&bytes), HostName::parse(&bytes), Query::parse(&bytes)));
        drop(JsonBody::read(RawBody::new(&bytes, 80).unwrap(), &["a", "a.b"]));
    }

    #[test]
    fn no_forwarding_field_makes_the_client_panic(text in "[ -~\t]{0,40}", by in 0_u8..3) {
        let by = [ForwardedBy::XForwardedFor, ForwardedBy::Forwarded, ForwardedBy::Both][usize::from(by)];
        let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\nForwarded: {text}\r\nX-Forwarded-For: {text}\r\n\r\n").into_bytes();
        if let Ok(Parsed::Complete { head, .. }) = parse_request_head(&bytes, &HeadBounds::STANDARD) {
            let headers = HeaderSet::of_request(&head, &bytes);
            let client = Client::of("10.0.0.1".parse().unwrap(), &headers, &trusted(&["10.0.0.0/8"]), Believed::all(by));
            if let Ok(client) = client {
                prop_assert_eq!(client.ip().address(), client.ip().address().to_canonical());
            }
        }
    }

    #[test]
    fn a_canonical_path_is_canonical(path in paths()) {
        if let Ok(canonical) = CanonPath::parse(path.as_bytes()) {
            let again = CanonPath::parse(canonical.as_str().as_bytes()).unwrap();
            prop_assert_eq!(&again, &canonical);
            prop_assert!(again.is_borrowed());
            prop_assert_eq!(canonical.is_borrowed(), canonical.as_str() == path);
            prop_assert_eq!(format!("/{}", canonical.segments().collect::<Vec<_>>().join("/")), canonical.as_str());
        }
    }

    #[test]
    fn a_template_matches_the_canonical_path_where_it_matches_the_written_one(path in paths(), template in templates()) {
        let Ok(template) = PathTemplate::parse(&template) else {
            return Ok(());
        };
        match CanonPath::parse(path.as_bytes()) {
            Ok(canonical) => prop_assert_eq!(template.matches(canonical.as_str()), template.matches(&path)),
            // We refuse more than the policy: `%23`, and escapes that are not UTF-8.
            Err(_) => prop_assert!(!template.matches(&path) || path.contains('%')),
        }
    }

    #[test]
    fn what_the_policy_takes_for_no_path_is_refused(path in paths()) {
        let any = [PathTemplate::parse("/{*rest}").unwrap(), PathTemplate::parse("/").unwrap()];
        if CanonPath::parse(path.as_bytes()).is_ok() {
            prop_assert!(any.iter().any(|template| template.matches(&path)), "{}", path);
        }
    }

    #[test]
    fn a_host_is_canonical(host in "[a-zA-Z0-9.:\\[\\]_-]{0,20}") {
        if let Ok(canonical) = HostName::parse(host.as_bytes()) {
            let text = canonical.to_string();
            prop_assert_eq!(HostName::parse(text.as_bytes()), Ok(canonical.clone()));
            prop_assert_eq!(canonical.into_owned().to_string(), text);
        }
    }
}

fn paths() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "/", "a", "B", "items", ".", "..", "%41", "%2e", "%2F", "%c3%a9", "%C3%A9", "%e2%82%ac", "%20", "%3f", "%23", "%25", "%", "%7e", "%2B",
            ";", "\\", "#", "?", "*", "~", "@", "%C0%AF", "%ff", "-", "admin", "%61", "é", " ", "+", "%40", "!",
        ]).prop_map(str::to_owned),
        1 => "[ -~]",
        1 => "%[0-9a-fA-F]{2}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn templates() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "a", "B", "items", "{x}", "{y}", "/{*rest}", "%41", "%C3%A9", "%20", "%3F", "%23",
        "~", "@", "%40", "admin", "-", "!",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("/{}", pieces.concat()))
}
