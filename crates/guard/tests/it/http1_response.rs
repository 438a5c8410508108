//! Response heads: as strict as requests, with the ends of a body that only answers have.

use portcullis_guard::http1::{
    FieldFault, HeadBounds, Parsed, ResponseFault, ResponseFraming, Version, parse_response_head,
};
use portcullis_policy::Method;

use crate::http1_made::response;

fn answer(first: &str, lines: &[&str]) -> Vec<u8> {
    let mut text = format!("{first}\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn framing(method: Method, first: &str, lines: &[&str]) -> Result<ResponseFraming, &'static str> {
    response(&answer(first, lines), method)
        .map(|head| head.framing())
        .map_err(ResponseFault::reason)
}

#[test]
fn an_exact_head_is_read() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \xe9\r\n\r\nab";
    let read = parse_response_head(bytes, &HeadBounds::STANDARD, Method::Get);
    let Ok(Parsed::Complete { head, len }) = read else {
        panic!("not read: {read:?}");
    };
    assert_eq!((head.status(), head.version()), (200, Version::Http11));
    assert_eq!(
        (&bytes[len..], head.content_length()),
        (&b"ab"[..], Some(2))
    );
    assert!(head.keep_alive() && !head.is_interim());
    assert_eq!(head.fields()[1].value.of(bytes), b"\xe9");
}

#[test]
fn the_status_line_has_one_form() {
    for first in [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 ",
        "HTTP/1.1 200",
        "HTTP/1.0 404 Not Found",
        "HTTP/1.1 500 Ori\u{eb}nt",
        "HTTP/1.1 200 a\tb",
    ] {
        assert!(
            response(&answer(first, &[]), Method::Get).is_ok(),
            "{first}"
        );
    }
    for (first, reason) in [
        ("HTTP/1.1  200 OK", "status_line_malformed"),
        (" HTTP/1.1 200 OK", "status_line_malformed"),
        ("HTTP/1.1 20 OK", "status_line_malformed"),
        ("HTTP/1.1 2000", "status_line_malformed"),
        ("HTTP/1.1 200OK", "status_line_malformed"),
        ("HTTP/1.1 +20", "status_line_malformed"),
        ("http/1.1 200 OK", "status_line_malformed"),
        ("ICE/1.1 200 OK", "status_line_malformed"),
        ("HTTP/1.1 200 O\u{0}K", "status_line_malformed"),
        ("HTTP/1.1 200\tOK", "status_line_malformed"),
        ("", "status_line_malformed"),
        ("HTTP/2.0 200 OK", "version_unsupported"),
        ("HTTP/0.9 200 OK", "version_unsupported"),
        ("HTTP/1.1 099 x", "status_out_of_range"),
        ("HTTP/1.1 600 x", "status_out_of_range"),
        ("HTTP/1.1 999 x", "status_out_of_range"),
        (
            "HTTP/1.1 101 Switching Protocols",
            "switched_protocols_unasked",
        ),
    ] {
        let fault = response(&answer(first, &[]), Method::Get).unwrap_err();
        assert_eq!((fault.reason(), fault.status()), (reason, 502), "{first}");
    }
    let fault = response(b"HTTP/1.1 200 OK\nA: b\n\n", Method::Get).unwrap_err();
    assert_eq!(fault, ResponseFault::StatusLine);
}

#[test]
fn a_body_ends_in_one_of_four_ways() {
    use ResponseFraming::{Chunked, Length, None, UntilClose};
    let (length, chunked) = ("Content-Length: 5", "Transfer-Encoding: chunked");
    for (method, first, lines, expected) in [
        (Method::Get, "HTTP/1.1 200 OK", &[length][..], Length(5)),
        (Method::Get, "HTTP/1.1 200 OK", &[chunked], Chunked),
        (Method::Get, "HTTP/1.1 200 OK", &[], UntilClose),
        (Method::Get, "HTTP/1.0 200 OK", &[length], Length(5)),
        (Method::Get, "HTTP/1.0 200 OK", &[], UntilClose),
        (Method::Head, "HTTP/1.1 200 OK", &[length], None),
        (Method::Head, "HTTP/1.1 200 OK", &[chunked], None),
        (Method::Head, "HTTP/1.1 200 OK", &[], None),
        (Method::Get, "HTTP/1.1 304 Not Modified", &[length], None),
        (Method::Get, "HTTP/1.1 304 Not Modified", &[], None),
        (Method::Get, "HTTP/1.1 204 No Content", &[], None),
        (
            Method::Get,
            "HTTP/1.1 204 No Content",
            &["Content-Length: 0"],
            None,
        ),
        (Method::Get, "HTTP/1.1 100 Continue", &[], None),
        (Method::Get, "HTTP/1.1 103 Early Hints", &["Link: a"], None),
        (
            Method::Post,
            "HTTP/1.1 205 Reset Content",
            &["Content-Length: 0"],
            Length(0),
        ),
    ] {
        assert_eq!(
            framing(method, first, lines),
            Ok(expected),
            "{first} {lines:?}"
        );
    }
}

#[test]
fn case_47_48_49_framing_of_an_upstream_is_as_strict() {
    for (first, lines, reason) in [
        (
            "HTTP/1.1 200 OK",
            &["Content-Length: 5", "Transfer-Encoding: chunked"][..],
            "content_length_and_transfer_encoding",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Content-Length: 5", "Content-Length: 5"],
            "content_length_repeated",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Content-Length: 5, 5"],
            "content_length_repeated",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Content-Length: +5"],
            "content_length_malformed",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Transfer-Encoding: gzip, chunked"],
            "transfer_encoding_unknown",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
            "transfer_encoding_repeated",
        ),
        (
            "HTTP/1.0 200 OK",
            &["Transfer-Encoding: chunked"],
            "transfer_encoding_on_http10",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Transfer_Encoding: chunked"],
            "framing_field_alias",
        ),
        (
            "HTTP/1.1 204 No Content",
            &["Content-Length: 5"],
            "body_impossible",
        ),
        (
            "HTTP/1.1 204 No Content",
            &["Transfer-Encoding: chunked"],
            "body_impossible",
        ),
        (
            "HTTP/1.1 100 Continue",
            &["Content-Length: 5"],
            "body_impossible",
        ),
        (
            "HTTP/1.1 200 OK",
            &["Connection: set-cookie"],
            "connection_lists_protected_field",
        ),
        ("HTTP/1.1 200 OK", &["A: b", " folded"], "field_folded"),
        ("HTTP/1.1 200 OK", &["A : b"], "field_name_malformed"),
        ("HTTP/1.1 200 OK", &["A: b\u{0}"], "field_value_control"),
        ("HTTP/1.1 200 OK", &["A: b\nB: c"], "line_end_malformed"),
    ] {
        assert_eq!(
            framing(Method::Get, first, lines),
            Err(reason),
            "{first} {lines:?}"
        );
    }
    // The same answers to HEAD: a length that means nothing here still has to be one.
    assert_eq!(
        framing(Method::Head, "HTTP/1.1 200 OK", &["Content-Length: x"]),
        Err("content_length_malformed")
    );
}

#[test]
fn an_upstreams_connection_is_kept_where_the_body_has_an_end() {
    for (first, lines, kept) in [
        ("HTTP/1.1 200 OK", &["Content-Length: 0"][..], true),
        (
            "HTTP/1.1 200 OK",
            &["Content-Length: 0", "Connection: close"],
            false,
        ),
        ("HTTP/1.1 200 OK", &[], false),
        ("HTTP/1.0 200 OK", &["Content-Length: 0"], false),
        (
            "HTTP/1.0 200 OK",
            &["Content-Length: 0", "Connection: keep-alive"],
            true,
        ),
        ("HTTP/1.0 200 OK", &["Connection: keep-alive"], false),
    ] {
        let head = response(&answer(first, lines), Method::Get).unwrap();
        assert_eq!(head.keep_alive(), kept, "{first} {lines:?}");
    }
}

#[test]
fn a_head_over_a_bound_is_refused() {
    let bounds = HeadBounds {
        head_bytes_max: 60,
        fields_max: 2,
        ..HeadBounds::STANDARD
    };
    let fault = |bytes: &[u8]| {
        parse_response_head(bytes, &bounds, Method::Get)
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(
        fault(&answer("HTTP/1.1 200 OK", &["A: 1", "B: 1", "C: 1"])),
        ResponseFault::Field(FieldFault::TooMany)
    );
    let long = "A".repeat(70);
    assert_eq!(
        fault(&answer("HTTP/1.1 200 OK", &[&format!("A: {long}")])),
        ResponseFault::Field(FieldFault::TooLarge)
    );
    assert_eq!(
        fault(&answer(&format!("HTTP/1.1 200 {long}"), &[])),
        ResponseFault::Field(FieldFault::TooLarge)
    );
}
