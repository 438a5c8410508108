//! Request heads: the exact form, the framing, the bounds.

use portcullis_guard::http1::{
    FieldFault, Framing, HeadBounds, HeadFault, Parsed, Version, head_may_be_complete,
    parse_request_head,
};
use portcullis_policy::Method;

use crate::http1_made::{get, refused, request, with};

/// Each group of lines is refused for this reason.
pub(crate) fn all_refused(lines: &[&str], reason: &str) {
    for line in lines {
        assert_eq!(
            refused(&get(&line.split('\n').collect::<Vec<_>>())),
            reason,
            "{line}"
        );
    }
}

#[test]
fn an_exact_head_is_read_in_place() {
    let bytes = b"POST /items?a=b HTTP/1.1\r\nhost:shop.example.com\r\nContent-Length:  5\t \r\nX-Empty:\r\n\r\nhello";
    let Ok(Parsed::Complete { head, len }) = parse_request_head(bytes, &HeadBounds::STANDARD)
    else {
        panic!("not read");
    };
    assert_eq!(
        (head.method(), head.version()),
        (Method::Post, Version::Http11)
    );
    assert_eq!(head.target(bytes), b"/items?a=b");
    assert_eq!(head.host(bytes), b"shop.example.com");
    assert_eq!(head.framing(), Framing::Length(5));
    assert_eq!(&bytes[len..], b"hello");
    let fields: Vec<_> = head
        .fields()
        .iter()
        .map(|field| (field.name.of(bytes), field.value.of(bytes)))
        .collect();
    assert_eq!(
        fields,
        [
            (&b"host"[..], &b"shop.example.com"[..]),
            (b"Content-Length", b"5"),
            (b"X-Empty", b"")
        ]
    );
    assert!(head.keep_alive() && !head.expects_continue() && !head.has_upgrade());
}

#[test]
fn the_request_line_has_one_form() {
    for (line, reason) in [
        ("get / HTTP/1.1", "method_malformed"),
        ("G=T / HTTP/1.1", "method_malformed"),
        ("GET\t/ HTTP/1.1", "method_malformed"),
        (" GET / HTTP/1.1", "method_malformed"),
        ("ABCDEFGHIJKLMNOPQ / HTTP/1.1", "method_malformed"),
        ("\u{16}\u{3}\u{1}", "method_malformed"),
        ("GET  / HTTP/1.1", "request_line_malformed"),
        ("GET /  HTTP/1.1", "request_line_malformed"),
        ("GET / HTTP/1.1 ", "request_line_malformed"),
        ("GET / x HTTP/1.1", "request_line_malformed"),
        ("GET /", "request_line_malformed"),
        ("GET", "request_line_malformed"),
        ("", "request_line_malformed"),
        ("GET / http/1.1", "request_line_malformed"),
        ("GET / HTTP/1.12", "request_line_malformed"),
        ("GET / HTTP/1,1", "request_line_malformed"),
        ("GET / HTTP/11", "request_line_malformed"),
        ("GET / HTP/1.1", "request_line_malformed"),
        ("GET / HTTP /1.1", "request_line_malformed"),
        ("GET / ", "request_line_malformed"),
        ("GET / HTTP/2.0", "version_unsupported"),
        ("GET / HTTP/0.9", "version_unsupported"),
        ("GET / HTTP/1.2", "version_unsupported"),
        ("GET /\t HTTP/1.1", "target_byte"),
        ("GET /\u{e9} HTTP/1.1", "target_byte"),
        ("GET /\u{0} HTTP/1.1", "target_byte"),
        ("PURGE / HTTP/1.1", "method_unknown"),
        ("BREW / HTTP/1.1", "method_unknown"),
        ("PROPFIND / HTTP/1.1", "method_unknown"),
        ("CONNECT a:1 HTTP/1.1", "method_refused"),
        ("TRACE / HTTP/1.1", "method_refused"),
        ("PRI * HTTP/2.0", "http2_preface"),
    ] {
        assert_eq!(refused(&with(line, &[])), reason, "{line}");
    }
    assert_eq!(
        refused(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        "request_line_malformed"
    );
    assert_eq!(
        refused(b"GET / HTTP/1.1\nHost: a\n\n"),
        "request_line_malformed"
    );
    assert_eq!(
        refused(b"GET / HTTP/1.1\rHost: a\r\r"),
        "request_line_malformed"
    );
}

#[test]
fn each_fault_has_its_status() {
    for (first, lines, status) in [
        ("PURGE / HTTP/1.1", &[][..], 501),
        ("TRACE / HTTP/1.1", &[], 501),
        ("GET / HTTP/3.0", &[], 505),
        ("PRI * HTTP/2.0", &[], 505),
        ("GET / HTTP/1.1", &["Expect: 200-ok"], 417),
        ("GET / HTTP/1.1", &["a b: c"], 400),
        ("GET / HTTP/1.1", &["Content-Length: x"], 400),
        ("GET / HTTP/1.1", &["Transfer-Encoding: gzip"], 400),
    ] {
        let fault = request(&with(first, lines)).unwrap_err();
        assert_eq!(fault.status(), status, "{fault}");
    }
}

#[test]
fn field_lines_have_one_form() {
    all_refused(
        &[
            "X-A : 1",
            "X-A\t: 1",
            "X A: 1",
            ": 1",
            "X-A",
            "X-\u{e9}: 1",
            "X-A\u{0}: 1",
            "X(A): 1",
        ],
        "field_name_malformed",
    );
    all_refused(
        &[
            " X-A: 1",
            "\tX-A: 1",
            "X-A: 1\n folded",
            "X-A: 1\n\tfolded",
            "X-A: 1\n ",
        ],
        "field_folded",
    );
    all_refused(
        &[
            "X-A: \u{0}",
            "X-A: a\u{1}b",
            "X-A: \u{7f}",
            "X-A: \u{b}",
            "X-A: \u{c}",
            "X-A: a\u{1b}[0m",
        ],
        "field_value_control",
    );
    assert_eq!(
        refused(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xc0\xaf\r\n\r\n"),
        "field_value_not_utf8"
    );
    assert_eq!(
        refused(b"GET / HTTP/1.1\r\nHost: a\r\nX: a\xff\r\n\r\n"),
        "field_value_not_utf8"
    );
}

#[test]
fn case_52_bare_line_feeds_and_returns() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: a\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\rX",
        b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n",
        b"GET / HTTP/1.1\r\n\nHost: a\r\n\r\n",
    ] {
        assert_eq!(
            refused(bytes),
            "line_end_malformed",
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn case_59_host_copies_are_counted_in_every_spelling() {
    all_refused(
        &[
            "Host: a",
            "HOST: a",
            "hOsT:",
            "X: 1\nHost: shop.example.com",
        ],
        "host_repeated",
    );
    all_refused(&["H_ost: a\nHo.st: b\nhost: a"], "host_repeated");
}

#[test]
fn case_60_a_slow_head_costs_one_look_at_each_byte() {
    let bytes = get(&["X-A: 1"]);
    for len in 1..bytes.len() {
        assert!(!head_may_be_complete(&bytes[..len], len - 1), "{len}");
    }
    for seen in 0..bytes.len() {
        assert!(head_may_be_complete(&bytes, seen), "{seen}");
    }
}

#[test]
fn expectations_are_one_or_none() {
    let head = request(&get(&["Expect: 100-Continue"])).unwrap();
    assert!(head.expects_continue());
    assert!(
        !request(&with("GET / HTTP/1.0", &["Expect: 100-continue"]))
            .unwrap()
            .expects_continue()
    );
    all_refused(
        &[
            "Expect:",
            "Expect: 100-continue, x",
            "Expect: 100-continue\nExpect: 100-continue",
            "Expect: x",
        ],
        "expectation_unknown",
    );
}

#[test]
fn a_connection_is_kept_where_both_say_so() {
    for (first, lines, kept) in [
        ("GET / HTTP/1.1", &[][..], true),
        ("GET / HTTP/1.1", &["Connection: close"], false),
        ("GET / HTTP/1.1", &["Connection: x, CLOSE"], false),
        (
            "GET / HTTP/1.1",
            &["Connection: keep-alive", "Connection: close"],
            false,
        ),
        ("GET / HTTP/1.0", &[], false),
        ("GET / HTTP/1.0", &["Connection: Keep-Alive"], true),
        ("GET / HTTP/1.0", &["Connection: keep-alive, close"], false),
    ] {
        assert_eq!(
            request(&with(first, lines)).unwrap().keep_alive(),
            kept,
            "{first} {lines:?}"
        );
    }
}

#[test]
fn bounds_are_refused_not_cut() {
    let bounds = HeadBounds {
        head_bytes_max: 200,
        target_bytes_max: 20,
        fields_max: 3,
    };
    let fault = |bytes: &[u8]| parse_request_head(bytes, &bounds).map(|_| ()).unwrap_err();
    let target = |len: usize| {
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(len - 1)).into_bytes()
    };
    assert!(parse_request_head(&target(20), &bounds).is_ok());
    assert_eq!(fault(&target(21)), HeadFault::TargetTooLong);
    assert_eq!(fault(&target(21)[..26]), HeadFault::TargetTooLong);
    let fields = get(&["A: 1", "B: 1", "C: 1"]);
    assert_eq!(fault(&fields), HeadFault::Field(FieldFault::TooMany));
    let padded = |len: usize| {
        let bare = get(&["X: "]).len();
        get(&[&format!("X: {}", "a".repeat(len - bare))])
    };
    assert!(matches!(
        parse_request_head(&padded(200), &bounds),
        Ok(Parsed::Complete { len: 200, .. })
    ));
    assert_eq!(fault(&padded(201)), HeadFault::Field(FieldFault::TooLarge));
    assert_eq!(
        fault(&padded(300)[..200]),
        HeadFault::Field(FieldFault::TooLarge)
    );
    assert_eq!(
        parse_request_head(&padded(300)[..199], &bounds),
        Ok(Parsed::Incomplete)
    );
    for fault in [
        HeadFault::Field(FieldFault::TooMany),
        HeadFault::Field(FieldFault::TooLarge),
    ] {
        assert_eq!(fault.status(), 431);
    }
}
