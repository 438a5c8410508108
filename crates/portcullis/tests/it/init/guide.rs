//! The page about `init` is true: its example is run, and it names every flag.

use std::collections::BTreeSet;

use super::Written;
use crate::{out, run};

const PAGE: &str = include_str!("../../../../../docs/guide/init.md");

#[test]
fn what_the_page_shows_is_written() {
    let blocks = |language: &str| -> Vec<(&str, &str)> {
        PAGE.split("\n```")
            .filter_map(|block| block.strip_prefix(language)?.split_once('\n'))
            .map(|(file, text)| (file.trim(), text))
            .collect()
    };
    let files = blocks("ts ");
    assert_eq!(files.len(), 3);
    let written = Written::of(&files);
    let shown = blocks("toml");
    assert_eq!(shown.len(), 1);
    assert!(written.has(shown[0].1), "{}", written.policy);
}

#[test]
fn the_page_and_the_help_name_the_same_flags() {
    let help = out(&run(&["init", "--help"]));
    let options = help.split_once("\nOptions:\n").unwrap().1;
    let options = options.split("\nIt finds every route").next().unwrap();
    let of_help: BTreeSet<&str> = options
        .split_ascii_whitespace()
        .filter(|word| word.starts_with("--"))
        .filter(|word| !["--help", "--version"].contains(word))
        .collect();
    let of_page: BTreeSet<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `--"))
        .filter_map(|rest| rest.split(['`', ' ']).next())
        .collect();
    let of_help: BTreeSet<&str> = of_help
        .iter()
        .filter_map(|word| word.strip_prefix("--"))
        .collect();
    assert_eq!(of_help, of_page);
}
