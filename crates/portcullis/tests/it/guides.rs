//! The pages about the guard and about asking it are true: their examples are run, and they name all there is.

use std::collections::BTreeSet;
use std::fs;

use portcullis_policy::event::SecurityEvent;

use crate::folder::Folder;
use crate::guard_command::running::{Guard, Upstream};
use crate::{err, out, portcullis, run};

const EXPLAIN: &str = include_str!("../../../../docs/guide/explain.md");
const GUARD_DEV: &str = include_str!("../../../../docs/guide/guard-dev.md");
const FORMS: &str = include_str!("../../../../docs/guide/csrf-browser.md");
const SCRIPT: &str = include_str!("../../../../examples/applications/browser/csrf.js");
const GUARD: &str = include_str!("../../../../docs/guide/guard.md");

/// The blocks of a page in one language.
pub(crate) fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    page.split(&format!("\n```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

/// The words of a command line, as a shell takes them apart: spaces and single quotes.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (position, part) in command.trim().split('\'').enumerate() {
        if position % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (place, word) in part.split(' ').enumerate() {
            if place > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_page_about_forms_shows_the_file_that_is_tested() {
    assert_eq!(blocks(FORMS, "js"), [SCRIPT]);
}

#[test]
fn what_the_page_about_asking_shows_is_printed() {
    let policies = blocks(EXPLAIN, "toml");
    let folder = Folder::with(&[
        ("portcullis.toml", policies[0]),
        ("expectations.toml", policies[1]),
        ("requests.jsonl", blocks(EXPLAIN, "jsonl")[0]),
        ("message.json", r#"{"name":"a"}"#),
    ]);
    let mut shown = 0;
    for rest in EXPLAIN.split("\n```sh\n").skip(1) {
        let (command, rest) = rest.split_once("```\n\n```text\n").unwrap();
        let expected = rest.split("```").next().unwrap();
        let output = portcullis()
            .current_dir(folder.path())
            .args(&words(command)[1..])
            .output()
            .unwrap();
        assert_eq!(out(&output), expected, "{command}{}", err(&output));
        shown += 1;
    }
    assert_eq!(shown, 6, "the page has lost its examples");
    // What the page says of the expectation that fails.
    let meant = policies[1].replace("times = 10", "times = 11");
    fs::write(folder.join("expectations.toml"), meant).unwrap();
    let output = portcullis()
        .current_dir(folder.path())
        .args(["policy", "test", "expectations.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
}

/// The words that begin with `--` in a help text.
fn flags(args: &[&str]) -> BTreeSet<String> {
    let help = out(&run(args));
    let options = help.split_once("\nOptions:\n").unwrap().1;
    let options = options.split("\nExamples:").next().unwrap();
    options
        .split(|mark: char| !mark.is_ascii_alphanumeric() && mark != '-')
        .filter(|word| word.len() > 2 && word.starts_with("--"))
        .filter(|word| !matches!(*word, "--help" | "--version" | "--color"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_pages_name_every_flag() {
    for (args, page) in [
        (&["guard", "--help"][..], GUARD),
        (&["guard", "dev", "--help"], GUARD_DEV),
        (&["explain", "request", "--help"], EXPLAIN),
        (&["policy", "check", "--help"], EXPLAIN),
        (&["policy", "test", "--help"], EXPLAIN),
    ] {
        let flags = flags(args);
        assert!(!flags.is_empty(), "{args:?}");
        for flag in flags {
            // A header is written by its letter.
            let written = flag.replace("--header", "-H");
            assert!(page.contains(&format!("`{written}")), "{args:?}: {flag}");
        }
    }
}

#[test]
fn the_policy_of_the_page_about_the_guard_is_one() {
    let folder = Folder::with(&[("portcullis.toml", blocks(GUARD, "toml")[0])]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["policy", "check", "--for", "guard"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

/// The fields are read from the message that lists them.
#[test]
fn every_field_of_an_event_is_on_the_page() {
    let error = serde_json::from_str::<SecurityEvent>("{\"qqqqqqq\":1}").unwrap_err();
    let message = error.to_string();
    let listed: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    assert!(listed.len() > 15, "{message}");
    for field in listed.iter().filter(|field| **field != "qqqqqqq") {
        assert!(
            GUARD.contains(&format!("`{field}`")),
            "the page lacks `{field}`"
        );
    }
}

#[test]
fn every_number_is_on_the_page() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    let metrics = guard.admin("/metrics");
    let names: Vec<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    assert!(names.len() > 10, "{metrics}");
    for name in names {
        assert!(
            GUARD.contains(&format!("`{name}`")),
            "the page lacks `{name}`"
        );
    }
    assert_eq!(guard.end().code(), Some(0));
}
