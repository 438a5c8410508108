//! `cargo xtask tidy`: what the lints cannot see, one line for each thing that is out of place.
//!
//! 1. `arrows`: which crate may use which.
//! 2. `behind`: which file may name a crate of others that stands behind one module.
//! 3. `names`: what files are called, and that each says what it is for.
//! 4. `links`: every path and link named in Markdown exists.
//! 5. `marks`: nothing unfinished, no path of one machine, no package registry's host.
//! 6. `locked`: what the lock file must hold, and what it must not.
//! 7. `rules`: every rule has its file, its page, its class and its control.
//! 8. `docs`: generated pages are what the rules say now.

mod arrows;
mod behind;
mod links;
mod locked;
mod marks;
mod names;
mod rules;

use std::io::{self, Write as _};

use anyhow::{Result, bail};

use crate::{docs, environment::Environment, problem::Problem, rule_dump::RuleDump, tree::Tree};

/// Prints every problem; fails if there is one.
pub(crate) fn run(environment: &Environment) -> Result<()> {
    let tree = Tree::open(&environment.root)?;
    let problems = problems(&tree, RuleDump::ask(environment));
    let mut out = io::stdout().lock();
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    match problems.len() {
        0 => Ok(()),
        1 => bail!("the house has 1 thing out of place"),
        count => bail!("the house has {count} things out of place"),
    }
}

/// A dump that cannot be had is a problem itself: then nothing is known of the rules, and that is not tidy.
fn problems(tree: &Tree, dump: Result<RuleDump>) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(arrows::problems(tree));
    problems.extend(behind::problems(tree));
    problems.extend(names::problems(tree));
    problems.extend(links::problems(tree));
    problems.extend(marks::problems(tree));
    problems.extend(locked::problems(tree));
    match dump {
        Ok(dump) => {
            problems.extend(rules::problems(tree, &dump));
            problems.extend(docs::problems(tree, &dump));
        }
        Err(error) => problems.push(Problem::new("crates/audit/src/rules", format!("{error:#}"))),
    }
    problems.sort();
    problems.dedup();
    problems
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::problems;
    use crate::tree::made;

    #[test]
    fn rules_that_cannot_be_listed_are_a_problem() {
        let tree = made::tree(&[("Cargo.toml", ""), ("Cargo.lock", "")]);
        let shown: Vec<String> = problems(&tree, Err(anyhow!("it does not build")))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            shown.contains(&"crates/audit/src/rules: it does not build".to_owned()),
            "{shown:?}"
        );
    }
}
