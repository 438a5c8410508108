//! Bodies as JSON documents that every reader reads alike.

use std::borrow::Cow;

use portcullis_guard::canon::{JsonBody, JsonFault, RawBody, Scalar, TooLarge};

fn read(text: &[u8]) -> Result<JsonBody, JsonFault> {
    JsonBody::read(RawBody::new(text, 1024 * 1024).unwrap())
}

fn fault(text: &[u8]) -> JsonFault {
    match read(text) {
        Err(fault) => fault,
        Ok(_) => panic!("{} is read", text.escape_ascii()),
    }
}

#[test]
fn case_63_a_body_is_bounded_when_it_is_made() {
    assert_eq!(RawBody::new(b"12345", 4), Err(TooLarge));
    assert_eq!(TooLarge.reason(), "body_too_large");
    let body = RawBody::new(b"1234", 4).unwrap();
    assert_eq!(body.bytes(), b"1234");
    assert_eq!(format!("{body:?}"), "RawBody(4 bytes)");
    assert_eq!(
        format!("{:?}", read(b"{\"password\": \"x\"}").unwrap()),
        "JsonBody"
    );
}

#[test]
fn case_64_depth() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(read(&nested(JsonBody::DEPTH_MAX)).is_ok());
    assert_eq!(fault(&nested(JsonBody::DEPTH_MAX + 1)), JsonFault::TooDeep);
    assert_eq!(fault(&vec![b'['; 100_000]), JsonFault::TooDeep);
    let objects = [b"{\"a\":".repeat(33), b"1".to_vec(), b"}".repeat(33)].concat();
    assert_eq!(fault(&objects), JsonFault::TooDeep);
    let mut brackets = vec![b'"'];
    brackets.extend(b"[{\\\"".repeat(100));
    brackets.push(b'"');
    assert!(read(&brackets).is_ok());
}

#[test]
fn case_64_duplicate_keys() {
    for text in [
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"b\":2,\"a\":{}}",
        "{\"x\":{\"a\":1,\"a\":2}}",
        "[[{\"a\":1,\"a\":1}]]",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\":1,\"\":2}",
        "{\"\\u00e9\":1,\"\u{e9}\":2}",
    ] {
        assert_eq!(fault(text.as_bytes()), JsonFault::KeyRepeated, "{text}");
    }
    for text in [
        "{\"a\":1,\"A\":1}",
        "{\"a\":{\"a\":1}}",
        "[{\"a\":1},{\"a\":1}]",
    ] {
        assert!(read(text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn case_65_long_numbers() {
    let digits = |count: usize| "9".repeat(count).into_bytes();
    assert!(read(&digits(JsonBody::NUMBER_BYTES_MAX)).is_ok());
    assert_eq!(
        fault(&digits(JsonBody::NUMBER_BYTES_MAX + 1)),
        JsonFault::NumberTooLong
    );
    assert_eq!(fault(&digits(1_000_000)), JsonFault::NumberTooLong);
    let fraction = format!("{{\"a\": 0.{}1}}", "0".repeat(64));
    assert_eq!(fault(fraction.as_bytes()), JsonFault::NumberTooLong);
    let text = format!("\"{}\"", "9".repeat(1000));
    assert!(read(text.as_bytes()).is_ok());
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        &b""[..],
        b" ",
        b"{",
        b"{}{}",
        b"{} x",
        b"[1,]",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{a:1}",
        b"NaN",
        b"Infinity",
        b"01",
        b"+1",
        b"1.",
        b".5",
        b"// x\n1",
        b"\"a",
        b"\"\\x41\"",
        b"\"\\ud800\"",
        b"\"a\nb\"",
        b"nul",
        b"\x0b1",
        b"1e999",
        b"\"\\\"",
    ] {
        assert_eq!(fault(text), JsonFault::Syntax, "{}", text.escape_ascii());
    }
    assert_eq!(fault(b"\xef\xbb\xbf{}"), JsonFault::ByteOrderMark);
    for text in [
        &b"\"\xff\""[..],
        b"\"\xc0\xaf\"",
        b"\xff\xfe{\0}\0",
        b"\"\xed\xa0\x80\"",
    ] {
        assert_eq!(fault(text), JsonFault::Encoding, "{}", text.escape_ascii());
    }
}

#[test]
fn a_field_is_read_in_one_spelling() {
    let body = read(
        br#"{"email":"a\u0040b.example","user":{"id":42,"tags":["x"]},"n":-7,"big":18446744073709551615,
            "over":18446744073709551616,"one":1.0,"exp":1e0,"null":null,"yes":true,"a.b":"no","":{"":"empty"}}"#,
    )
    .unwrap();
    let integer = |digits: &'static str| Some(Scalar::Integer(Cow::Borrowed(digits)));
    assert_eq!(body.scalar("email"), Some(Scalar::Text("a@b.example")));
    assert_eq!(body.scalar("user.id"), integer("42"));
    assert_eq!(body.scalar("n"), integer("-7"));
    assert_eq!(body.scalar("big"), integer("18446744073709551615"));
    assert_eq!(body.scalar("."), Some(Scalar::Text("empty")));
    for name in [
        "over",
        "one",
        "exp",
        "null",
        "yes",
        "user",
        "user.tags",
        "user.tags.0",
        "a.b",
        "missing",
        "email.x",
        "user.id.x",
    ] {
        assert_eq!(body.scalar(name), None, "{name}");
    }
    assert!(body.value().is_object());
    assert_eq!(read(b"[]").unwrap().scalar("a"), None);
}
