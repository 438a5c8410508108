//! `RateLimit` and `RateLimit-Policy` as a client gets them, read by a strict reader of Structured Fields (RFC 9651) and
//! as draft-ietf-httpapi-ratelimit-headers-11 has them.

use serde_json::Value;
use sfv::{BareItem, Item, List, ListEntry, Parser};

use crate::support::{Answer, Setup, Upstream, vectors};

/// The members of a field: a string with whole numbers as parameters, and nothing else.
fn members(field: &str) -> Vec<(String, Vec<(String, i64)>)> {
    let list = Parser::new(field)
        .parse::<List>()
        .unwrap_or_else(|fault| panic!("{field}: {fault}"));
    let member = |entry: &ListEntry| {
        let ListEntry::Item(Item {
            bare_item: BareItem::String(name),
            params,
        }) = entry
        else {
            panic!("no string: {field}");
        };
        let number = |value: &BareItem| i64::from(value.as_integer().expect("a whole number"));
        let numbers = params
            .iter()
            .map(|(key, value)| (key.as_str().to_owned(), number(value)));
        (name.as_str().to_owned(), numbers.collect())
    };
    list.iter().map(member).collect()
}

/// Of each limit in an answer: its name, quota and window, what is left and for how long.
fn limits(answer: &Answer) -> Vec<(String, [i64; 4])> {
    let policies = members(answer.one("ratelimit-policy"));
    let states = members(answer.one("ratelimit"));
    assert_eq!(policies.len(), states.len());
    let both = policies.into_iter().zip(states);
    both.map(|((name, policy), (same, state))| {
        assert_eq!(name, same);
        let keys: Vec<&str> = policy
            .iter()
            .chain(&state)
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(keys, ["q", "w", "r", "t"], "{name}");
        (name, [policy[0].1, policy[1].1, state[0].1, state[1].1])
    })
    .collect()
}

/// Names at the edges of what a policy takes, and rates from one to the largest.
const NAMES: &[(&str, &str, &str)] = &[
    ("a", "3 per 1s", "smooth"),
    ("login", "3 per 1m", "exact"),
    ("per-minute", "2 per 1m", "smooth"),
    ("per_hour", "4 per 1h", "smooth"),
    ("a1", "1 per 31d", "smooth"),
    ("x9-_y", "4294967295 per 1s", "smooth"),
    ("long-window", "7 per 31d", "exact"),
    ("most", "1024 per 1d", "exact"),
    ("one", "1 per 1s", "exact"),
];

#[test]
fn every_name_and_state_is_a_structured_field() {
    let upstream = Upstream::ok();
    let mut more = String::new();
    for (number, (name, rate, algorithm)) in NAMES.iter().enumerate() {
        let next = NAMES[(number + 1) % NAMES.len()].0;
        more += &format!(
            "[limits.\"{name}\"]\nrate = \"{rate}\"\nalgorithm = \"{algorithm}\"\n[[route]]\npath = \"/limited/{number}\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"{name}\", \"{next}\"]\n"
        );
    }
    let gate = Setup::simple(&upstream).and(&more).start();
    let (mut answers, mut refused) = (0, 0);
    let mut client = gate.client();
    for round in 0..6 {
        for number in 0..NAMES.len() {
            let answer = client.ask(format!(
                "GET /limited/{number} HTTP/1.1\r\nHost: victim.test\r\n\r\n"
            ));
            let shown = limits(&answer);
            answers += 1;
            for (name, [quota, window, left, time]) in &shown {
                assert!(NAMES.iter().any(|(known, _, _)| known == name));
                assert!(*quota >= 1 && *window >= 1 && *time >= 0, "{name}");
                assert!((0..=*quota).contains(left), "{name} in round {round}");
            }
            if answer.status == 429 {
                refused += 1;
                let wait: i64 = answer.one("retry-after").parse().unwrap();
                let longest = shown.iter().map(|(_, state)| state[3]).max().unwrap();
                // Draft §5: nobody is told to come back before there is something to have.
                assert!(wait >= 1 && wait >= longest, "{wait} {shown:?}");
                assert!(answer.text().contains("http-problem-types#quota-exceeded"));
            } else {
                assert_eq!(answer.status, 200);
                assert_eq!(shown.len(), 2);
            }
        }
    }
    println!("{answers} answers with the fields, {refused} of them refusals");
    assert!(refused > 10);
}

/// The draft's own examples: all are Structured Fields. Four name the policy by a token, which §3 and §4 of the same
/// draft no longer allow (an older form that was left in an appendix); we write strings.
#[test]
fn the_examples_of_the_draft() {
    let text = std::fs::read_to_string(vectors("rate-limit") + "ratelimit_headers.json").unwrap();
    let blocks: Vec<String> = serde_json::from_str::<Vec<Value>>(&text)
        .unwrap()
        .iter()
        .map(|block| block.as_str().unwrap().to_owned())
        .collect();
    let (mut ours, mut otherwise, mut refused) = (0, Vec::new(), Vec::new());
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let Some((name, value)) = line.trim().split_once(':') else {
            continue;
        };
        if !name.to_ascii_lowercase().starts_with("ratelimit") {
            continue;
        }
        match Parser::new(value.trim()).parse::<List>() {
            Err(_) => refused.push(line.trim().to_owned()),
            Ok(list) => {
                let is_string = |entry: &ListEntry| {
                    matches!(
                        entry,
                        ListEntry::Item(Item {
                            bare_item: BareItem::String(_),
                            ..
                        })
                    )
                };
                if list.iter().all(is_string) {
                    ours += 1;
                } else {
                    otherwise.push(line.trim().to_owned());
                }
            }
        }
    }
    println!(
        "{ours} lists of strings; {} of something else: {otherwise:#?}; refused {refused:#?}",
        otherwise.len()
    );
    assert_eq!((ours, otherwise.len(), refused.len()), (40, 4, 0));
}
