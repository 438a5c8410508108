//! What files are called, and that each Rust file says on its first line what it is for.

use crate::{problem::Problem, tree::Tree};

/// Names that say nothing of what is inside.
const NAMELESS: &[&str] = &[
    "util",
    "utils",
    "common",
    "helper",
    "helpers",
    "misc",
    "mod",
    "shared_code",
    "stuff",
];

/// Nameless files and folders, files without a first line. Fixtures imitate the code of others and are left alone.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for path in tree.paths().filter(|path| !path.starts_with("fixtures/")) {
        let nameless = path
            .split('/')
            .map(|part| part.split_once('.').map_or(part, |(stem, _)| stem))
            .find(|stem| NAMELESS.contains(stem));
        if let Some(stem) = nameless {
            problems.push(Problem::new(
                path,
                format!("`{stem}` is no name: a file is called what it holds"),
            ));
        }
    }
    for (path, text) in tree.texts() {
        let rust = path.ends_with(".rs") && !path.starts_with("fixtures/");
        if rust && !says_what_it_is_for(text) {
            problems.push(Problem::at(
                path,
                1,
                "the first line is `//!` and says what the file is for",
            ));
        }
    }
    problems
}

/// The root of an integration binary may begin with `#![cfg(test)]`.
fn says_what_it_is_for(text: &str) -> bool {
    let mut lines = text.lines();
    let first = match lines.next() {
        Some("#![cfg(test)]") => lines.next(),
        first => first,
    };
    first
        .and_then(|line| line.strip_prefix("//! "))
        .is_some_and(|purpose| !purpose.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::tree::made;

    fn shown(path: &str, text: &str) -> Vec<String> {
        let tree = made::tree(&[(path, text)]);
        problems(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_named_file_that_says_what_it_is_for_is_quiet() {
        assert_eq!(
            shown("crates/policy/src/route.rs", "//! Routes.\n"),
            [""; 0]
        );
        assert_eq!(
            shown("crates/x/tests/it/main.rs", "#![cfg(test)]\n//! Tests.\n"),
            [""; 0]
        );
        assert_eq!(shown("docs/common-mistakes.md", ""), [""; 0]);
        assert_eq!(
            shown("fixtures/apps/shop/utils.rs", "fn main() {}\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_nameless_file_or_folder_is_found() {
        for (path, stem) in [
            ("crates/x/src/utils.rs", "utils"),
            ("crates/x/src/helpers/text.rs", "helpers"),
            ("crates/x/src/route/mod.rs", "mod"),
            ("docs/misc.md", "misc"),
        ] {
            let says = format!("{path}: `{stem}` is no name: a file is called what it holds");
            assert_eq!(shown(path, "//! Text.\n"), [says]);
        }
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_for_is_found() {
        for text in [
            "",
            "fn main() {}\n",
            "//!\n",
            "\n//! Late.\n",
            "#![cfg(test)]\nmod x;\n",
        ] {
            assert_eq!(
                shown("crates/x/src/route.rs", text),
                ["crates/x/src/route.rs:1: the first line is `//!` and says what the file is for"]
            );
        }
    }
}
