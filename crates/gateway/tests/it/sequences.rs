//! Many requests on one connection, of all sorts and cut anywhere, with requests hidden in their bodies: what reaches the
//! application is exactly what was answered as forwarded, each once and with its own body.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{Gate, Setup, Upstream};

const LOGIN: &str = "[limits.login]\nrate = \"1000000 per 1s\"\nby = [\"ip\", \"body.email\"]\n[limits.\"default.auth_op\"]\nrate = \"1024 per 1s\"\nalgorithm = \"exact\"\n[[route]]\npath = \"/login\"\nmethods = [\"POST\"]\ntype = \"public_form\"\nlimits = [\"login\"]\nbody = { max = \"1 KiB\" }\n";

/// A sequence of numbers that is the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed >> 31) % u64::try_from(below).unwrap()).unwrap()
    }
}

/// A request and what has to become of it.
struct Planned {
    bytes: Vec<u8>,
    status: u16,
    /// The body that the application gets, if it gets the request.
    forwarded: Option<Vec<u8>>,
    is_head: bool,
}

/// A request that must never be one: it stands in bodies only.
fn hidden(dice: &mut Dice) -> Vec<u8> {
    let one = "GET /read/hidden HTTP/1.1\r\nHost: victim.test\r\nX-Number: hidden\r\n\r\n";
    let cut = dice.roll(one.len());
    let mut body = one.as_bytes()[cut..].to_vec();
    for _ in 0..dice.roll(4) {
        body.extend_from_slice(one.as_bytes());
    }
    body
}

fn planned(number: usize, dice: &mut Dice) -> Planned {
    let sort = dice.roll(10);
    let (path, kind) = match sort {
        0 | 1 => ("/read/a", ""),
        2 | 3 => ("/form", "text/x"),
        4 | 5 => ("/nothing", "application/json"),
        6..=8 => ("/login", "application/json"),
        _ => ("/form", "application/x-www-form-urlencoded"),
    };
    let mut body = hidden(dice);
    if sort == 6 {
        let text = String::from_utf8(body)
            .unwrap()
            .replace('\r', "\\r")
            .replace('\n', "\\n");
        body = format!("{{\"email\":\"a@example.com\",\"x\":\"{text}\"}}").into_bytes();
    }
    let status = match sort {
        0 | 1 | 6 | 9 => 200,
        2 | 3 => 415,
        4 | 5 => 404,
        // No JSON.
        _ => 400,
    };
    let is_head = sort == 1;
    if sort <= 1 {
        let method = if is_head { "HEAD" } else { "GET" };
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: victim.test\r\nX-Number: {number}\r\n\r\n");
        return Planned {
            bytes: head.into_bytes(),
            status,
            forwarded: Some(Vec::new()),
            is_head,
        };
    }
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: victim.test\r\nX-Number: {number}\r\nContent-Type: {kind}\r\n"
    );
    if dice.roll(5) == 0 {
        head.push_str("Expect: 100-continue\r\n");
    }
    let mut bytes;
    if dice.roll(2) == 0 {
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        bytes = head.into_bytes();
        bytes.extend_from_slice(&body);
    } else {
        head.push_str("Transfer-Encoding: chunked\r\n\r\n");
        bytes = head.into_bytes();
        for chunk in body.chunks(1 + dice.roll(100)) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    let forwarded = (status == 200).then_some(body);
    Planned {
        bytes,
        status,
        forwarded,
        is_head: false,
    }
}

/// Sends a sequence; the bodies that have to be at the application, by the numbers of their requests.
fn run(gate: &Gate, first: usize, dice: &mut Dice) -> (usize, BTreeMap<String, Vec<u8>>) {
    let plan: Vec<Planned> = (0..1 + dice.roll(12))
        .map(|at| planned(first + at, dice))
        .collect();
    let bytes: Vec<u8> = plan.iter().flat_map(|one| one.bytes.clone()).collect();
    let mut client = gate.client();
    let mut rest = bytes.as_slice();
    let largest = 1 + dice.roll(700);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(1 + dice.roll(largest)));
        client.try_send(part);
        rest = after;
        if dice.roll(20) == 0 {
            std::thread::sleep(Duration::from_micros(300));
        }
    }
    client.finish();
    let mut expected = BTreeMap::new();
    let mut answered = 0;
    for (at, one) in plan.iter().enumerate() {
        let answer = loop {
            match client.next(one.is_head) {
                Some(interim) if interim.status == 100 => {}
                other => break other,
            }
        };
        // Where the end of an unread body could not be known, the connection has ended; never otherwise.
        let Some(answer) = answer else {
            assert!(
                at > 0 && plan[at - 1].status != 200,
                "{at} after {}",
                plan[at.saturating_sub(1)].status
            );
            break;
        };
        assert_eq!(answer.status, one.status, "{}", one.bytes.escape_ascii());
        answered += 1;
        if let Some(body) = &one.forwarded {
            expected.insert((first + at).to_string(), body.clone());
        }
        if answer.closes() {
            assert_ne!(one.status, 200);
            assert!(client.is_ended());
            break;
        }
    }
    (answered, expected)
}

#[test]
fn what_is_answered_as_forwarded_is_what_arrives() {
    let upstream = Upstream::by_request(|request| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
        if request.line.starts_with("HEAD") {
            head.into()
        } else {
            format!("{head}ok").into_bytes()
        }
    });
    let gate = Setup::simple(&upstream).and(LOGIN).start();
    let mut expected = BTreeMap::new();
    let mut answered = 0;
    for seed in 0..1000 {
        let mut dice = Dice(seed);
        let (count, more) = run(&gate, usize::try_from(seed).unwrap() * 100, &mut dice);
        answered += count;
        expected.extend(more);
    }
    let mut arrived = BTreeMap::new();
    for request in upstream.requests() {
        crate::support::assert_normal(&request);
        let twice = arrived.insert(request.one("x-number").to_owned(), request.body);
        assert!(twice.is_none());
    }
    println!(
        "{answered} answers on 1,000 connections, {} forwarded",
        arrived.len()
    );
    assert!(arrived == expected && arrived.len() > 1000);
}
