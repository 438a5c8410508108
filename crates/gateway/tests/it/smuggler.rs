//! The mutations of `defparam/smuggler`, sent to a running gateway: each is refused and the connection ends, or exactly
//! one request reaches the application, framed once and the same in every reader's eyes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Gate, Setup, Upstream, assert_normal, vectors};

/// The mutations that are forwarded, and why each is one request to everybody.
const FORWARDED: &[(&str, &str)] = &[
    (
        "xprespace-09 CL.TE",
        "`X: X<tab>Transfer-Encoding: chunked` is one field `X`: a tab may stand in a value (RFC 9110 §5.5)",
    ),
    (
        "xprespace-20 TE.CL",
        "`X: X Transfer-Encoding: chunked` is one field `X` with spaces in its value",
    ),
];

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| digit(pair[0]) * 16 + digit(pair[1]))
        .collect()
}

/// The statuses of all answers to some bytes, after which the connection has ended.
fn sent(gate: &Gate, raw: &[u8]) -> Vec<u16> {
    let mut client = gate.client();
    client.try_send(raw);
    let answers = client.finish().answers();
    // What is refused for its framing is the last that is read of its connection.
    for answer in answers.iter().filter(|answer| answer.status >= 400) {
        assert!(answer.closes(), "{answer:?} to {}", raw.escape_ascii());
    }
    answers.iter().map(|answer| answer.status).collect()
}

#[test]
fn every_mutation_is_refused_or_forwarded_once() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).admin().start();
    let text = std::fs::read_to_string(vectors("smuggler") + "requests.json").unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut forwarded = BTreeMap::new();
    let mut refused = 0;
    for case in &cases {
        let raw = unhex(case["raw_hex"].as_str().unwrap());
        let word = |key: &str| case[key].as_str().unwrap();
        let name = format!("{} {}", word("mutation"), word("kind"));
        match sent(&gate, &raw).as_slice() {
            [400] => refused += 1,
            // What follows the body that was announced is no request, and is refused as one.
            [200] | [200, 400] => {
                assert!(forwarded.insert(name, raw).is_none());
            }
            other => panic!("{name}: {other:?} to {}", raw.escape_ascii()),
        }
    }
    let metrics = gate
        .admin()
        .ask("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    for line in metrics
        .text()
        .lines()
        .filter(|line| line.contains("refused_total{"))
    {
        println!("{line}");
    }
    println!(
        "{} mutations: {refused} refused, {} forwarded once",
        cases.len(),
        forwarded.len()
    );
    // Every byte that reached the application belongs to one of the requests that were answered.
    let requests = upstream.requests();
    assert_eq!(requests.len(), forwarded.len());
    requests.iter().for_each(assert_normal);
    let names: Vec<&str> = forwarded.keys().map(String::as_str).collect();
    let known: Vec<&str> = FORWARDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known);
    assert_eq!((cases.len(), refused), (1014, 1012));
}
