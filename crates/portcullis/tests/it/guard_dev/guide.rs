//! The page about the guard on one's own machine is true: its policy is guarded, its requests are sent, and what it shows is
//! printed, but for ports, days and times.

use super::running::DevGuard;
use crate::folder::Folder;
use crate::guard_command::running::Upstream;
use crate::guides::{blocks, words};
use std::io::Write as _;

const PAGE: &str = include_str!("../../../../../docs/guide/guard-dev.md");

/// A line without what is another one at each run: a time, how long it took, a day.
fn steady(line: &str) -> String {
    let digits_as = |word: &str| -> String {
        let dated = word.len() >= 8 && word.bytes().filter(u8::is_ascii_digit).count() >= 6;
        if dated && word.contains([':', '-']) && !word.contains("//") {
            word.chars()
                .map(|one| if one.is_ascii_digit() { '0' } else { one })
                .collect()
        } else {
            word.to_owned()
        }
    };
    let words: Vec<String> = line.split(' ').map(digits_as).collect();
    let line = words.join(" ");
    let Some((before, after)) = line.split_once(" ms") else {
        return line;
    };
    let before = before.trim_end_matches(|one: char| one.is_ascii_digit());
    format!("{} 0 ms{after}", before.trim_end())
}

#[test]
fn what_the_page_shows_is_printed() {
    if cfg!(target_os = "macos") {
        writeln!(
            std::io::stderr(),
            "skipped: the page shows what is said on Linux"
        )
        .unwrap();
        return;
    }
    let upstream = Upstream::start();
    let at = upstream.policy();
    let at = at
        .lines()
        .find(|line| line.starts_with("upstream"))
        .unwrap();
    let at = at.split('"').nth(1).unwrap();
    let policy = blocks(PAGE, "toml")[0];
    let folder = Folder::with(&[("portcullis.toml", policy)]);
    let commands = blocks(PAGE, "sh");
    let start = words(commands[0]);
    assert_eq!(start, ["portcullis", "guard", "dev"]);
    let guard = DevGuard::start(&folder, &["--listen", "127.0.0.1:0", "--upstream", at]);
    let (port, shown) = (guard.port.to_string(), blocks(PAGE, "text"));
    let as_shown = |line: &str| {
        let line = line.replace(&format!("localhost:{port}"), "localhost:8443");
        steady(&line.replace(at, "http://127.0.0.1:3000"))
    };
    let expected: Vec<String> = shown[0].lines().map(steady).collect();
    let mut said = guard.opening.clone();
    said.extend(guard.says_next(expected.len() - 1));
    let said: Vec<String> = said.iter().map(|line| as_shown(line)).collect();
    assert_eq!(said, expected);

    let mut asked = 0;
    for command in commands[1].lines() {
        let words = words(command);
        let (_, path) = words.last().unwrap().split_once(":8443").unwrap();
        let body = words
            .iter()
            .position(|word| word == "--json")
            .map(|at| &words[at + 1]);
        let host = format!("Host: localhost:{port}\r\nConnection: close");
        let request = match body {
            None => format!("GET {path} HTTP/1.1\r\n{host}\r\n\r\n"),
            Some(body) => format!(
                "POST {path} HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        };
        assert!(guard.ask(&folder, &request).starts_with("HTTP/1.1 "));
        asked += 1;
    }
    assert_eq!(asked, 4, "the page has lost its examples");
    for line in shown[1].lines() {
        assert_eq!(as_shown(&guard.logs_next()), steady(line));
    }
    assert_eq!(guard.end().code(), Some(0));
}
