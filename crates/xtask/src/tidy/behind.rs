//! Crates of others that stand behind one module of ours: no other file may name them.

use crate::{problem::Problem, tree::Tree};

/// How their names begin, and where they may be named: in files whose path begins so.
const BEHIND: &[(&str, &[&str])] = &[
    ("oxc_resolver", &["crates/code/src/resolve"]),
    (
        "oxc_",
        &[
            "crates/code/src/language/typescript",
            "crates/code/src/resolve",
        ],
    ),
];

/// The only crate that may depend on them (`arrows` holds that), so the only one that could name them.
const FOLDER: &str = "crates/code/";

/// Every line of Rust that names one of them in another place.
pub(super) fn problems(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let ours = |path: &str| path.starts_with(FOLDER) && path.ends_with(".rs");
    for (path, text) in tree.texts().filter(|(path, _)| ours(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            for name in names(line) {
                let places = BEHIND.iter().find(|(start, _)| name.starts_with(start));
                if let Some((_, places)) = places
                    && !places.iter().any(|place| path.starts_with(place))
                {
                    let message =
                        format!("`{name}` may only be named in `{}`", places.join("`, `"));
                    problems.push(Problem::at(path, number, message));
                }
            }
        }
    }
    problems
}

/// Names of crates, as they stand in front of `::` or in `use NAME as`.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    let paths = code.split("::").filter_map(last_word);
    let whole = code
        .split_once("use ")
        .and_then(|(_, used)| first_word(used));
    paths.chain(whole.filter(|_| !code.contains("::")))
}

fn last_word(text: &str) -> Option<&str> {
    text.rsplit(|character: char| !is_of_word(character))
        .next()
        .filter(|word| !word.is_empty())
}

fn first_word(text: &str) -> Option<&str> {
    text.split(|character: char| !is_of_word(character))
        .next()
        .filter(|word| !word.is_empty())
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::tree::made;

    fn shown(path: &str, line: &str) -> Vec<String> {
        let tree = made::tree(&[(path, &format!("//! x\n{line}\n"))]);
        problems(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn behind_its_module_is_quiet() {
        for path in [
            "crates/code/src/language/typescript.rs",
            "crates/code/src/language/typescript/lower.rs",
        ] {
            assert_eq!(shown(path, "use oxc_ast::ast::Expression;"), [""; 0]);
        }
        assert_eq!(
            shown("crates/code/src/resolve.rs", "use oxc_resolver::Resolver;"),
            [""; 0]
        );
        assert_eq!(
            shown("crates/code/src/body.rs", "// oxc_ast::ast calls it so"),
            [""; 0]
        );
    }

    #[test]
    fn anywhere_else_is_found() {
        for line in [
            "use oxc_ast::ast::Expression;",
            "fn lower(tree: &oxc_ast::ast::Program) {}",
            "pub use oxc_ast;",
            "use oxc_ast as tree;",
        ] {
            let says = shown("crates/code/src/body.rs", line);
            assert!(
                says.len() == 1 && says[0].starts_with("crates/code/src/body.rs:2: `oxc_ast`"),
                "{line}: {says:?}"
            );
        }
        assert_eq!(
            shown(
                "crates/code/src/language/typescript.rs",
                "oxc_resolver::Resolver::new()"
            )
            .len(),
            1
        );
    }
}
