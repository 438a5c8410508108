//! `cargo xtask tidy`: what the lints cannot see, one line for each thing that is out of place.
//!
//! 1. `arrows`: which crate may use which.
//! 2. `behind`: which file may name a crate of others that stands behind one module.
//! 3. `names`: what files are called, and that each says what it is for.
//! 4. `links`: every path and link named in Markdown exists.
//! 5. `marks`: nothing unfinished, no path of one machine, no package registry's host.
//! 6. `rehearsed`: nobody who serves believes a token of a rehearsal.
//! 7. `locked`, `built`: what the lock file must hold, and what must not come in.
//! 8. `rules`: every rule has its file, its page, its class and its control.
//! 9. `docs`, `seeds_page`, `policy_schema`: generated files are what the rules, the catalogue and the policy's reader say
//!    now.

mod arrows;
mod behind;
mod built;
mod links;
mod locked;
mod marks;
mod names;
mod rehearsed;
mod rules;

use std::io::{self, Write as _};

use anyhow::{Result, bail};

use crate::{
    catalogue_dump::CatalogueDump, docs, environment::Environment, policy_schema, problem::Problem,
    rule_dump::RuleDump, seeds_page, tree::Tree,
};

/// Prints every problem; fails if there is one.
pub(crate) fn run(environment: &Environment) -> Result<()> {
    let tree = Tree::open(&environment.root)?;
    let catalogue = CatalogueDump::ask(environment);
    let mut problems = problems(&tree, RuleDump::ask(environment), catalogue);
    match policy_schema::ask(environment) {
        Ok(schema) => problems.extend(policy_schema::problems(&tree, &schema)),
        Err(error) => problems.push(Problem::new("crates/policy/src", format!("{error:#}"))),
    }
    problems.extend(built::problems(built::listed(environment)));
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
fn problems(tree: &Tree, dump: Result<RuleDump>, catalogue: Result<CatalogueDump>) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(arrows::problems(tree));
    problems.extend(behind::problems(tree));
    problems.extend(names::problems(tree));
    problems.extend(links::problems(tree));
    problems.extend(marks::problems(tree));
    problems.extend(rehearsed::problems(tree));
    problems.extend(locked::problems(tree));
    if let (Ok(dump), Ok(catalogue)) = (&dump, &catalogue) {
        problems.extend(docs::problems(tree, dump, catalogue));
    }
    match dump {
        Ok(dump) => problems.extend(rules::problems(tree, &dump)),
        Err(error) => problems.push(Problem::new("crates/audit/src/rules", format!("{error:#}"))),
    }
    match catalogue {
        Ok(catalogue) => problems.extend(seeds_page::problems(tree, &catalogue)),
        Err(error) => problems.push(Problem::new("crates/catalogue/data", format!("{error:#}"))),
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
    fn what_cannot_be_listed_is_a_problem() {
        let tree = made::tree(&[("Cargo.toml", ""), ("Cargo.lock", "")]);
        let broken = || anyhow!("it does not build");
        let shown: Vec<String> = problems(&tree, Err(broken()), Err(broken()))
            .iter()
            .map(ToString::to_string)
            .collect();
        for place in ["crates/audit/src/rules", "crates/catalogue/data"] {
            let problem = format!("{place}: it does not build");
            assert!(shown.contains(&problem), "{shown:?}");
        }
    }
}
