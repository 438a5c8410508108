//! `docs/past-failures.md`: every case stands there once, every test that it names exists, and none is left out.

use std::collections::BTreeSet;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");

/// The last column of a row.
struct Row {
    case: usize,
    tests: Vec<String>,
    is_left: bool,
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(format!("{ROOT}docs/past-failures.md")).unwrap();
    let lines = page.lines().filter(|line| line.starts_with("| "));
    lines
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            assert_eq!(cells.len(), 4, "{line}");
            let named = cells[3].split('`').skip(1).step_by(2);
            Row {
                case: cells[0].parse().unwrap(),
                tests: named.map(str::to_owned).collect(),
                is_left: cells[3].starts_with("left: "),
            }
        })
        .collect()
}

/// The names of the tests of a file: what stands below `#[test]`, or `#[test]` and another attribute.
fn tests_of(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let function = line.strip_prefix("async ").unwrap_or(line);
        if let Some(rest) = function.strip_prefix("fn ").filter(|_| is_test) {
            names.insert(rest.split(['(', '<']).next().unwrap().to_owned());
        }
        is_test = line == "#[test]"
            || line.starts_with("#[tokio::test")
            || (is_test && (line.starts_with("#[") || line.is_empty()));
    }
    names
}

/// Whether `guard::canon_path::case_01_dot_dot` is a test of `crates/guard/tests/it/canon_path.rs`.
fn exists(test: &str) -> bool {
    let parts: Vec<&str> = test.split("::").collect();
    let [room, file, name] = parts.as_slice() else {
        return false;
    };
    let path = format!("{ROOT}crates/{room}/tests/it/{file}.rs");
    tests_of(Path::new(&path)).contains(*name)
}

#[test]
fn every_case_stands_once_and_is_tested_or_left() {
    let rows = rows();
    let cases: Vec<usize> = rows.iter().map(|row| row.case).collect();
    assert_eq!(cases, (1..=113).collect::<Vec<usize>>());
    for row in &rows {
        assert!(row.is_left || !row.tests.is_empty(), "case {}", row.case);
    }
    let left = rows.iter().filter(|row| row.is_left).count();
    println!("{} cases tested, {left} left", rows.len() - left);
}

#[test]
fn every_test_that_is_named_exists() {
    let missing: Vec<String> = rows()
        .into_iter()
        .flat_map(|row| row.tests)
        .filter(|test| !exists(test))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!exists("guard::canon_path::case_00_nothing") && !exists("guard::canon_path"));
}

#[test]
fn every_test_of_a_case_is_named() {
    let named: BTreeSet<String> = rows().into_iter().flat_map(|row| row.tests).collect();
    let mut unnamed = Vec::new();
    for room in ["guard", "state", "gateway", "portcullis"] {
        let folder = std::fs::read_dir(format!("{ROOT}crates/{room}/tests/it")).unwrap();
        for file in folder.flatten().map(|entry| entry.path()) {
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            let cases = tests_of(&file)
                .into_iter()
                .filter(|name| name.starts_with("case_"));
            let tests = cases.map(|name| format!("{room}::{stem}::{name}"));
            unnamed.extend(tests.filter(|test| !named.contains(test)));
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:?}");
}
