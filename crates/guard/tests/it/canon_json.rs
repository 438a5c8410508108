//! Bodies as JSON documents that every reader reads alike.

use std::borrow::Cow;

use portcullis_guard::canon::{JsonBody, JsonFault, RawBody, Scalar, TooLarge};

fn read(text: &[u8]) -> Result<JsonBody, JsonFault> {
    asked(text, &[])
}

fn asked(text: &[u8], wanted: &[&str]) -> Result<JsonBody, JsonFault> {
    JsonBody::read(RawBody::new(text, 8 << 20).unwrap(), wanted)
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

/// A map for each of these objects would be 60 times the bytes of the text, in a body that is bounded by its bytes.
#[test]
fn a_document_has_so_many_values_and_no_more() {
    let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
    // The list itself is a value, and so is what is in an object.
    for (item, most) in [
        ("0", JsonBody::VALUES_MAX - 1),
        ("{}", JsonBody::VALUES_MAX - 1),
        ("{\"\":0}", JsonBody::VALUES_MAX.div_ceil(2) - 1),
        ("[[]]", JsonBody::VALUES_MAX.div_ceil(2) - 1),
    ] {
        assert!(read(list(item, most).as_bytes()).is_ok(), "{item}");
        assert_eq!(
            fault(list(item, most + 1).as_bytes()),
            JsonFault::TooManyValues,
            "{item}"
        );
    }
    assert_eq!(
        fault(list("{\"\":0}", 1_000_000).as_bytes()),
        JsonFault::TooManyValues
    );
    assert_eq!(JsonFault::TooManyValues.reason(), "json_too_many_values");
}

/// What is held at one moment is the keys of the open objects: of as many as are nested, each with its most.
#[test]
fn an_object_has_so_many_keys_and_no_more() {
    let object = |count: usize, last: &str| {
        let keys: Vec<String> = (1..count).map(|key| format!("\"{key}\":0")).collect();
        format!("{{{},\"last\":{last}}}", keys.join(","))
    };
    let most = JsonBody::KEYS_MAX;
    assert!(read(object(most, "0").as_bytes()).is_ok());
    assert_eq!(
        fault(object(most + 1, "0").as_bytes()),
        JsonFault::TooManyValues
    );
    let nested = (0..JsonBody::DEPTH_MAX).fold("0".to_owned(), |inside, _| object(most, &inside));
    assert!(read(nested.as_bytes()).is_ok());
    let repeated = nested.replacen("\"last\"", "\"999\"", 32);
    assert_eq!(fault(repeated.as_bytes()), JsonFault::KeyRepeated);
}

#[test]
fn only_what_is_asked_for_is_kept() {
    let text = br#"{"a":"x","b":"y","c":{"a":1,"b":2}}"#;
    let body = asked(text, &["a", "c.b", "c", "c.d", "a.b"]).unwrap();
    assert_eq!(body.scalar("a"), Some(Scalar::Text("x")));
    assert_eq!(
        body.scalar("c.b"),
        Some(Scalar::Integer(Cow::Borrowed("2")))
    );
    for name in ["b", "c", "c.a", "c.d", "a.b"] {
        assert_eq!(body.scalar(name), None, "{name}");
    }
}

/// Go's `encoding/json` takes any letter case for the field's, and the last of several keys.
#[test]
fn a_key_that_is_nearly_a_wanted_one_is_refused() {
    for text in [
        r#"{"email":"r1@x.example","EMAIL":"victim@x.example"}"#,
        r#"{"EMAIL":"victim@x.example","email":"r1@x.example"}"#,
        r#"{"Email":"victim@x.example"}"#,
        r#"{"\u0045mail":"victim@x.example"}"#,
        r#"{"user":{"key":1,"\u212aey":2}}"#,
        r#"{"u\u017fer":{"key":2}}"#,
        r#"{"user":{"key":1},"USER":{"key":2}}"#,
    ] {
        assert_eq!(
            asked(text.as_bytes(), &["email", "user.key"]).err(),
            Some(JsonFault::KeyAmbiguous),
            "{text}"
        );
    }
    for text in [
        r#"{"email":"a","other":1,"OTHER":2}"#,
        r#"{"email":"a","user":{"EMAIL":"b"}}"#,
        r#"{"list":[{"EMAIL":"b"}],"user":7}"#,
    ] {
        assert!(
            asked(text.as_bytes(), &["email", "user.key"]).is_ok(),
            "{text}"
        );
    }
    assert_eq!(JsonFault::KeyAmbiguous.reason(), "json_key_ambiguous");
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
    let names = [
        "email",
        "user.id",
        "n",
        "big",
        ".",
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
    ];
    let body = asked(
        br#"{"email":"a\u0040b.example","user":{"id":42,"tags":["x"]},"n":-7,"big":18446744073709551615,
            "over":18446744073709551616,"one":1.0,"exp":1e0,"null":null,"yes":true,"a.b":"no","":{"":"empty"}}"#,
        &names,
    )
    .unwrap();
    let integer = |digits: &'static str| Some(Scalar::Integer(Cow::Borrowed(digits)));
    assert_eq!(body.scalar("email"), Some(Scalar::Text("a@b.example")));
    assert_eq!(body.scalar("user.id"), integer("42"));
    assert_eq!(body.scalar("n"), integer("-7"));
    assert_eq!(body.scalar("big"), integer("18446744073709551615"));
    assert_eq!(body.scalar("."), Some(Scalar::Text("empty")));
    for name in &names[5..] {
        assert_eq!(body.scalar(name), None, "{name}");
    }
    for text in [&b"[]"[..], b"\"a\"", b"[{\"a\":1}]"] {
        assert_eq!(asked(text, &["a"]).unwrap().scalar("a"), None);
    }
}
