//! `docs/portcullis.schema.json`: the JSON Schema of the policy file, as `portcullis policy schema` prints it.

use std::fs;

use anyhow::{Context as _, Result};

use crate::dumped;
use crate::environment::Environment;
use crate::problem::Problem;
use crate::tree::Tree;

const FILE: &str = "docs/portcullis.schema.json";

/// What the binary of this workspace prints.
pub(crate) fn ask(environment: &Environment) -> Result<String> {
    dumped::printed(environment, &["policy", "schema"])
}

/// Writes the file.
pub(crate) fn run(environment: &Environment) -> Result<()> {
    let text = ask(environment)?;
    fs::write(environment.root.join(FILE), text).with_context(|| format!("cannot write `{FILE}`"))
}

/// The file is missing, or differs from what is printed.
pub(crate) fn problems(tree: &Tree, schema: &str) -> Option<Problem> {
    let says = match tree.text(FILE) {
        Some(text) if text == schema => return None,
        Some(_) => "it is not what the reader of the policy says now: run `cargo xtask docs`",
        None => "it is missing: run `cargo xtask docs`",
    };
    Some(Problem::new(FILE, says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::made::tree;

    #[test]
    fn a_schema_that_fell_behind_is_found() {
        assert!(problems(&tree(&[(FILE, "{}\n")]), "{}\n").is_none());
        assert!(problems(&tree(&[(FILE, "{ }\n")]), "{}\n").is_some());
        assert!(problems(&tree(&[]), "{}\n").is_some());
    }
}
