//! The test pages of llhttp, run on our reader: what it refuses we refuse, and every other difference has its reason.
//!
//! Most of its requests have no `Host`, which alone would have all of them refused here; so one is put in where there is
//! none, and what is compared is the rest.

use std::fs;

use portcullis_guard::canon::{HostName, Target};
use portcullis_guard::http1::{
    ChunkDecoder, Framing, HeadBounds, Parsed, ResponseFraming, parse_request_head,
    parse_response_head,
};
use portcullis_policy::Method;

use crate::http1_llhttp_differences::{REQUESTS, RESPONSES, URLS};

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/vectors/llhttp/test/"
);

/// One case of a page.
struct Case {
    name: String,
    input: Vec<u8>,
    /// llhttp was asked to be lenient.
    lenient: bool,
    /// llhttp takes the whole input.
    taken: bool,
}

/// What our reader made of one input: all of it taken, or why not.
type Outcome = Result<(), &'static str>;

fn cases(page: &str, fence: &str) -> Vec<Case> {
    let text = fs::read_to_string(format!("{FOLDER}{page}")).unwrap();
    let mut cases = Vec::new();
    let (mut heading, mut lenient) = (String::new(), false);
    let mut blocks = text.split("\n```");
    let mut before = blocks.next().unwrap();
    while let (Some(block), Some(after)) = (blocks.next(), blocks.next()) {
        for line in before.lines() {
            if let Some(title) = line.strip_prefix('#') {
                heading = title.trim_start_matches('#').trim().to_owned();
                lenient = false;
            }
            lenient |= line.contains("meta=") && line.contains("lenient");
        }
        before = after;
        if let Some(input) = block.strip_prefix(fence) {
            cases.push(Case {
                name: format!("{page}: {heading}"),
                input: unescaped(input.strip_prefix('\n').unwrap()),
                lenient,
                taken: true,
            });
        } else if let (Some(log), Some(case)) = (block.strip_prefix("log"), cases.last_mut()) {
            // Code 22 is the pause at an upgrade, which is no refusal.
            case.taken = !log.contains("error code=") || log.contains("error code=22");
        }
    }
    cases
}

/// The input as llhttp's own runner makes it of the page's text.
fn unescaped(text: &str) -> Vec<u8> {
    let text = text.replace("\\\n", "").replace('\n', "\r\n");
    let text = text.replace("\\r", "\r").replace("\\n", "\n");
    text.replace("\\t", "\t")
        .replace("\\f", "\u{c}")
        .replace("\\\"", "\"")
        .into_bytes()
}

/// The input with a host in the head, if there is a first line and no host yet.
fn with_host(input: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(input.to_vec()).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap();
    match text.split_once("\r\n") {
        Some((first, rest)) if !head.to_ascii_lowercase().contains("\r\nhost:") => {
            format!("{first}\r\nHost: example.com\r\n{rest}").into_bytes()
        }
        _ => input.to_vec(),
    }
}

fn take_requests(input: &[u8]) -> Outcome {
    let mut rest = input.to_vec();
    while !rest.is_empty() {
        rest = with_host(&rest);
        let (head, len) = match parse_request_head(&rest, &HeadBounds::STANDARD) {
            Ok(Parsed::Complete { head, len }) => (head, len),
            Ok(Parsed::Incomplete) => return Err("incomplete"),
            Err(fault) => return Err(fault.reason()),
        };
        let host = HostName::parse(head.host(&rest)).map_err(|fault| fault.reason())?;
        Target::parse(head.target(&rest), head.method(), &host).map_err(|fault| fault.reason())?;
        let framing = match head.framing() {
            Framing::None => ResponseFraming::None,
            Framing::Length(length) => ResponseFraming::Length(length),
            Framing::Chunked => ResponseFraming::Chunked,
        };
        rest = after_body(&rest[len..], framing)?;
        if !head.keep_alive() && !rest.is_empty() {
            return Err("closed");
        }
    }
    Ok(())
}

fn take_responses(input: &[u8]) -> Outcome {
    let mut rest = input.to_vec();
    while !rest.is_empty() {
        let (head, len) = match parse_response_head(&rest, &HeadBounds::STANDARD, Method::Get) {
            Ok(Parsed::Complete { head, len }) => (head, len),
            Ok(Parsed::Incomplete) => return Err("incomplete"),
            Err(fault) => return Err(fault.reason()),
        };
        rest = after_body(&rest[len..], head.framing())?;
    }
    Ok(())
}

fn after_body(body: &[u8], framing: ResponseFraming) -> Result<Vec<u8>, &'static str> {
    match framing {
        ResponseFraming::None => Ok(body.to_vec()),
        ResponseFraming::UntilClose => Ok(Vec::new()),
        ResponseFraming::Length(length) => {
            let length = usize::try_from(length).unwrap();
            Ok(body.get(length..).unwrap_or_default().to_vec())
        }
        ResponseFraming::Chunked => {
            let mut decoder = ChunkDecoder::new(1 << 20);
            let mut rest = body;
            while !decoder.is_done() && !rest.is_empty() {
                let step = decoder.feed(rest).map_err(|fault| fault.reason())?;
                rest = &rest[step.consumed..];
            }
            Ok(rest.to_vec())
        }
    }
}

fn take_url(input: &[u8]) -> Outcome {
    let text = std::str::from_utf8(input).unwrap();
    let host = text.split_once("://").map_or("example.com", |(_, rest)| {
        rest.split(['/', '?', '#']).next().unwrap()
    });
    let host = HostName::parse(host.as_bytes()).map_err(|fault| fault.reason())?;
    Target::parse(input, Method::Get, &host).map_err(|fault| fault.reason())?;
    Ok(())
}

/// A case in which our verdict is not llhttp's: its name, our answer, and why.
pub(crate) type Difference = (&'static str, Outcome, &'static str);

/// Compares, and gives the numbers: strict cases taken by both, refused by both, and different; lenient ones refused
/// and taken.
fn compare(cases: &[Case], take: fn(&[u8]) -> Outcome, differences: &[Difference]) -> [usize; 5] {
    let (mut numbers, mut used) = ([0; 5], 0);
    let mut unexplained = Vec::new();
    for case in cases {
        let ours = take(&case.input);
        // A lenient reader takes what a strict one has to refuse.
        let expected = case.taken && !case.lenient;
        assert_ne!(ours, Err("incomplete"), "{}", case.name);
        assert!(
            expected || ours.is_err(),
            "only llhttp refuses {}",
            case.name
        );
        let explained = differences.iter().find(|(name, _, _)| *name == case.name);
        match explained {
            Some((name, outcome, _)) => {
                assert_eq!(ours, *outcome, "{name}");
                assert_ne!(ours.is_ok(), expected, "{name} is no difference");
                used += 1;
            }
            None if ours.is_ok() != expected => unexplained.push((&case.name, ours)),
            None => {}
        }
        let number = match (case.lenient, ours.is_ok(), expected) {
            (false, true, true) => 0,
            (false, false, false) => 1,
            (false, _, _) => 2,
            (true, false, _) => 3,
            (true, true, _) => 4,
        };
        numbers[number] += 1;
    }
    assert!(unexplained.is_empty(), "without a reason: {unexplained:#?}");
    assert_eq!(used, differences.len(), "a difference without a case");
    numbers
}

#[test]
fn requests() {
    let pages = [
        "request/connection.md",
        "request/uri.md",
        "request/pipelining.md",
        "request/lenient-headers.md",
        "request/lenient-header-value-relaxed.md",
    ];
    let cases: Vec<Case> = pages.iter().flat_map(|page| cases(page, "http")).collect();
    assert_eq!(compare(&cases, take_requests, REQUESTS), [9, 9, 12, 12, 0]);
}

#[test]
fn responses() {
    let pages = [
        "response/sample.md",
        "response/transfer-encoding.md",
        "response/pipelining.md",
    ];
    let cases: Vec<Case> = pages.iter().flat_map(|page| cases(page, "http")).collect();
    assert_eq!(
        compare(&cases, take_responses, RESPONSES),
        [12, 7, 10, 2, 0]
    );
}

#[test]
fn urls() {
    let cases = cases("url.md", "url");
    assert_eq!(compare(&cases, take_url, URLS), [7, 4, 10, 0, 0]);
}
