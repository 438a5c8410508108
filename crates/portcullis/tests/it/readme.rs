//! What the README shows is what the program prints.

use std::path::Path;

use crate::{out, run};

#[test]
fn the_readme_shows_what_is_printed_of_the_shop() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shop = root.join("fixtures/apps/shop/before");
    let shop = shop.to_str().unwrap();
    let mut shown = readme
        .split("\n```")
        .filter_map(|block| block.strip_prefix("text\n"));
    let (report, routes) = (shown.next().unwrap(), shown.next().unwrap());

    let printed = out(&run(&["audit", shop]));
    for part in report.split("\n\n") {
        assert!(printed.contains(part), "no longer printed:\n{part}");
    }
    let counts = report
        .lines()
        .find_map(|line| line.strip_prefix("findings"))
        .unwrap();
    let all: usize = counts
        .split_ascii_whitespace()
        .filter_map(|word| word.parse::<usize>().ok())
        .sum();
    assert!(
        readme.contains(&format!("Of that shop, {all} findings")),
        "there are {all} findings"
    );

    let printed = out(&run(&["routes", shop]));
    for line in routes.lines() {
        assert!(
            printed.lines().any(|it| squeezed(it) == squeezed(line)),
            "no longer printed:\n{line}"
        );
    }
}

/// Columns are as wide as the whole table needs them.
fn squeezed(line: &str) -> String {
    line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
