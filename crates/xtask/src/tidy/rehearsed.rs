//! What only a rehearsal may call: a token that nobody has signed is believed there, and must not be by anybody who serves.

use crate::{problem::Problem, tree::Tree};

/// The call. Split, so that this file does not hold it.
const CALL: &str = concat!("rehear", "sed(");

/// Where it is made, and where it may be called.
const PLACES: &[&str] = &[
    "crates/guard/src/token/",
    "crates/portcullis/src/explaining/",
];

/// Every line of Rust that calls it elsewhere.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let elsewhere =
        |path: &str| path.ends_with(".rs") && !PLACES.iter().any(|place| path.starts_with(place));
    for (path, text) in tree.texts().filter(|(path, _)| elsewhere(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            if line.contains(CALL) {
                let message =
                    format!("`{CALL})` believes what nobody has signed: only a rehearsal may");
                problems.push(Problem::at(path, number, message));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{CALL, problems};
    use crate::tree::made;

    #[test]
    fn only_a_rehearsal_is_quiet() {
        let line = format!("let believed = verifier.{CALL}user, now);\n");
        for (path, count) in [
            ("crates/portcullis/src/explaining/rehearsal.rs", 0),
            ("crates/guard/src/token/verifier.rs", 0),
            ("crates/gateway/src/tokens.rs", 1),
            ("crates/portcullis/src/guarding.rs", 1),
            ("docs/guide/explain.md", 0),
        ] {
            assert_eq!(
                problems(&made::tree(&[(path, &line)])).len(),
                count,
                "{path}"
            );
        }
    }
}
