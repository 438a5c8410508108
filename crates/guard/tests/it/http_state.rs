//! The published cases of RFC 6265: a small user agent on top of the reader sends what browsers send.

mod cookie_date;
mod jar;

use std::fs;

use portcullis_guard::canon::{Cookies, HeaderSet};
use portcullis_guard::http1::{HeadBounds, Parsed, parse_request_head};
use serde_json::Value;

use jar::{Jar, Place};

const CASES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/vectors/http-state/tests/data/parser.json"
);

/// Where the cases' server sets cookies, and where it asks for them if a case does not say otherwise.
const SET_AT: &str = "http://home.example.org:8888/cookie-parser";
const SENT_TO: &str = "http://home.example.org:8888/cookie-parser-result";

/// 2012-01-01: the cases were written when 2019 was to come.
const NOW: i64 = 1_325_376_000;

/// What the server of the case receives: names and values in their order.
fn sent(case: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut jar = Jar::default();
    let place = Place::of(SET_AT);
    for field in case["received"].as_array().unwrap() {
        jar.set(field.as_str().unwrap().as_bytes(), &place, NOW);
    }
    let to = match case["sent-to"].as_str() {
        Some(path) if path.starts_with('/') => format!("http://home.example.org:8888{path}"),
        Some(url) => url.to_owned(),
        None => SENT_TO.to_owned(),
    };
    jar.sent_to(&Place::of(&to), NOW)
}

fn cases() -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(CASES).unwrap()).unwrap()
}

fn expected(case: &Value) -> Vec<(Vec<u8>, Vec<u8>)> {
    let text = |one: &Value| one.as_str().unwrap().as_bytes().to_vec();
    let sent = case["sent"].as_array().unwrap();
    sent.iter()
        .map(|one| (text(&one["name"]), text(&one["value"])))
        .collect()
}

/// There is no difference to list: all of them hold.
#[test]
fn every_case_is_answered_as_published() {
    let cases = cases();
    for case in &cases {
        assert_eq!(sent(case), expected(case), "{}", case["test"]);
    }
    assert_eq!(cases.len(), 113);
    let some = cases.iter().filter(|case| !expected(case).is_empty());
    assert_eq!(some.count(), 70, "the others expect that nothing is sent");
}

/// What a browser sends is what the reader of requests finds, in the same order and to the byte.
#[test]
fn what_is_sent_is_read_without_loss() {
    for case in cases() {
        let pairs = expected(&case);
        let list: Vec<Vec<u8>> = pairs
            .iter()
            .map(|(name, value)| [name, b"=".as_slice(), value].concat())
            .collect();
        let field = list.join(&b"; "[..]);
        let head = [
            b"GET / HTTP/1.1\r\nHost: a\r\nCookie: ",
            field.as_slice(),
            b"\r\n\r\n",
        ]
        .concat();
        let read = parse_request_head(&head, &HeadBounds::STANDARD);
        let Ok(Parsed::Complete { head: fields, .. }) = read else {
            panic!("{}: {read:?}", case["test"]);
        };
        let read: Vec<(Vec<u8>, Vec<u8>)> = Cookies::of(HeaderSet::of_request(&fields, &head))
            .pairs()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        assert_eq!(read, pairs, "{}", case["test"]);
    }
}
