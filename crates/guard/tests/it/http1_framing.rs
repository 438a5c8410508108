//! Where a request ends: the ways to say it twice, or in words that two readers take differently.

use portcullis_guard::http1::{Framing, FramingFault, HeadBounds, HeadFault, parse_request_head};

use crate::http1_head::all_refused;
use crate::http1_made::{get, refused, request, with};

#[test]
fn case_47_content_length_with_transfer_encoding() {
    all_refused(
        &[
            "Content-Length: 5\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\nContent-Length: 5",
            "Transfer-Encoding: chunked\nContent-Length: 0",
        ],
        "content_length_and_transfer_encoding",
    );
}

#[test]
fn case_48_transfer_encoding_is_exactly_chunked_and_of_http11() {
    all_refused(
        &[
            "Transfer-Encoding: chunked\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\ntransfer-encoding: identity",
        ],
        "transfer_encoding_repeated",
    );
    all_refused(
        &[
            "Transfer-Encoding:",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: chunked,",
            "Transfer-Encoding: ,chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunkedchunked",
            "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: chun ked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: identity\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chun\u{212a}ed",
        ],
        "transfer_encoding_unknown",
    );
    all_refused(
        &[
            "Transfer_Encoding: chunked",
            "Transfer.Encoding: chunked",
            "content_length: 5",
            "Content.Length: 5",
            "Transfer_encoding: x",
        ],
        "framing_field_alias",
    );
    all_refused(
        &[
            "Transfer-Encoding : chunked",
            "Transfer-Encoding\u{b}: chunked",
        ],
        "field_name_malformed",
    );
    assert_eq!(
        refused(&with("POST / HTTP/1.0", &["Transfer-Encoding: chunked"])),
        "transfer_encoding_on_http10"
    );
    for value in ["chunked", "Chunked", "CHUNKED", " \tchunked\t"] {
        let line = format!("transfer-encoding:{value}");
        assert_eq!(
            request(&with("POST / HTTP/1.1", &[&line]))
                .unwrap()
                .framing(),
            Framing::Chunked
        );
    }
}

#[test]
fn case_49_content_length_is_digits() {
    all_refused(
        &[
            "Content-Length: +5",
            "Content-Length: -5",
            "Content-Length: 0x5",
            "Content-Length: 5 5",
            "Content-Length: 5.0",
            "Content-Length:",
            "Content-Length: 1e3",
            "Content-Length: 18446744073709551616",
            "Content-Length: 99999999999999999999",
            "Content-Length: 000000000000000000005",
            "Content-Length: \u{665}",
            "Content-Length: five",
            "Content-Length: 5;",
        ],
        "content_length_malformed",
    );
    all_refused(
        &[
            "Content-Length: 5\nContent-Length: 5",
            "Content-Length: 5\ncontent-length: 6",
            "Content-Length: 5, 5",
            "Content-Length: 5,",
        ],
        "content_length_repeated",
    );
    for (value, length) in [
        ("0", 0),
        ("5", 5),
        ("005", 5),
        ("18446744073709551615", u64::MAX),
    ] {
        let line = format!("Content-Length: {value}");
        assert_eq!(
            request(&get(&[&line])).unwrap().framing(),
            Framing::Length(length)
        );
    }
    assert_eq!(request(&get(&[])).unwrap().framing(), Framing::None);
}

#[test]
fn case_50_an_upgrade_is_noted_and_changes_no_framing() {
    let bytes = get(&[
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Content-Length: 4",
    ]);
    let head = request(&bytes).unwrap();
    assert!(head.has_upgrade() && head.keep_alive());
    assert_eq!(head.framing(), Framing::Length(4));
}

#[test]
fn case_51_what_follows_a_refused_head_is_never_read() {
    // A fault has no length: there is no place from which a next request could be read.
    let bytes = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(
        parse_request_head(bytes, &HeadBounds::STANDARD),
        Err(HeadFault::Framing(FramingFault::LengthMalformed))
    );
}

#[test]
fn case_61_a_false_length_is_a_length() {
    let head = request(&with(
        "GET / HTTP/1.1",
        &["Content-Length: 18446744073709551615"],
    ))
    .unwrap();
    assert_eq!(head.framing(), Framing::Length(u64::MAX));
}
