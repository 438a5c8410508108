//! `cargo xtask test`: everything that must hold before a change goes in, in the order of its cost.
//!
//! 1. what tests need from outside, installed first with `--setup`
//! 2. format
//! 3. lints
//! 4. tidy
//! 5. tests

use std::{io, process::Command};

use anyhow::{Result, bail};

use crate::{
    environment::Environment,
    needs::{NEEDS, Need},
    setup,
    steps::{Steps, say, succeed, succeed_hearing_skips},
    tidy,
};

/// Where tests find npm packages: the folder that holds `node_modules`.
const NPM_VARIABLE: &str = "PORTCULLIS_TEST_NPM";

/// Stops at the first step that fails. On a build machine a skipped test is a failure, elsewhere it is said at the end.
pub(crate) fn run(environment: &Environment, with_setup: bool) -> Result<()> {
    let steps = Steps::begin();
    let missing = steps.run("what tests need", || needs(environment, with_setup))?;
    let cargo = |words: &[&str]| {
        let mut command = Command::new(&environment.cargo);
        command.args(words).current_dir(&environment.root);
        command
    };
    steps.run("format", || {
        succeed(&mut cargo(&["fmt", "--all", "--check"]))
    })?;
    steps.run("lints", || {
        let words = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ];
        succeed(&mut cargo(&words))
    })?;
    steps.run("tidy", || tidy::run(environment))?;
    let skipped = steps.run("tests", || {
        let mut tests = cargo(&["test", "--workspace", "--locked"]);
        if missing.is_empty() {
            tests.env(NPM_VARIABLE, &environment.npm_folder);
        } else {
            tests.env_remove(NPM_VARIABLE);
        }
        succeed_hearing_skips(&mut tests, &mut io::stderr())
    })?;
    say(&closing(&skipped, environment.ci)?)?;
    say(&format!("all of it took {}", steps.total()))
}

/// What is still missing after it was looked for, and installed if that was asked.
fn needs(environment: &Environment, with_setup: bool) -> Result<Vec<Need>> {
    let mut missing = still_missing(environment);
    if with_setup && !missing.is_empty() {
        setup::install(environment, &missing)?;
        missing = still_missing(environment);
    }
    for need in &missing {
        say(&format!(
            "   missing: {} ({})",
            need.what.name(),
            setup::advice(&need.what)
        ))?;
        say(&format!("   will be skipped: {}", need.tests))?;
    }
    match missing.first() {
        Some(need) if with_setup => {
            bail!("{} was installed and still is not there", need.what.name())
        }
        Some(need) if environment.ci => bail!("{} is missing, and `CI` is set", need.what.name()),
        _ => Ok(missing),
    }
}

fn still_missing(environment: &Environment) -> Vec<Need> {
    let there = |need: &&Need| !need.what.is_there(&environment.npm_folder);
    NEEDS.iter().filter(there).copied().collect()
}

/// The last line but one; an error where a test was skipped that must not be.
fn closing(skipped: &[String], ci: bool) -> Result<String> {
    match skipped {
        [] => Ok("everything passed".to_owned()),
        skipped if ci => bail!(
            "{} skipped, and `CI` is set:\n{}",
            skipped.len(),
            skipped.join("\n")
        ),
        skipped => Ok(format!(
            "passed, but {} skipped:\n{}",
            skipped.len(),
            skipped.join("\n")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::closing;

    #[test]
    fn a_skipped_test_is_said_here_and_fails_there() {
        let skipped = ["skipped: a: no node".to_owned()];
        assert_eq!(closing(&[], true).unwrap(), "everything passed");
        assert!(
            closing(&skipped, false)
                .unwrap()
                .contains("skipped: a: no node")
        );
        assert!(
            closing(&skipped, true)
                .unwrap_err()
                .to_string()
                .contains("skipped: a: no node")
        );
    }
}
