//! `cargo xtask test`: everything that must hold before a change goes in, in the order of its cost.
//!
//! 1. what tests need from outside, installed first with `--setup`
//! 2. format
//! 3. lints
//! 4. tidy
//! 5. tests
//! 6. instructions per decision
//! 6. every interleaving of the store's locks

use std::{io, process::Command};

use anyhow::{Result, bail};

use crate::{
    environment::Environment,
    instructions,
    needs::{MATCHER, NEEDS, Need},
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
    let mut skipped = steps.run("tests", || {
        let mut tests = cargo(&["test", "--workspace", "--locked"]);
        if missing.iter().all(|need| need.tests != MATCHER) {
            tests.env(NPM_VARIABLE, &environment.npm_folder);
        } else {
            tests.env_remove(NPM_VARIABLE);
        }
        succeed_hearing_skips(&mut tests, &mut io::stderr())
    })?;
    steps.run("interleavings", || {
        // Loom's threads are not the system's, so everything is built once more, beside the rest.
        let mut loom = cargo(&[
            "test",
            "-p",
            "portcullis-state",
            "--test",
            "loom",
            "--release",
            "--locked",
        ]);
        loom.arg("--target-dir")
            .arg(environment.target.join("loom"));
        loom.env("RUSTFLAGS", "--cfg portcullis_loom");
        succeed(&mut loom)
    })?;
    skipped.extend(steps.run("instructions per decision", || {
        instructions::run(environment, false)
    })?);
    say(&closing(&missing, &skipped, environment.ci)?)?;
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
        let (name, advice) = (need.what.name(), setup::advice(&need.what));
        say(&format!("   missing: {name} ({advice})"))?;
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

/// The last lines but one; an error where a test was skipped that must not be. What tests said themselves stands beside
/// what the table knows, since either alone may be incomplete.
fn closing(missing: &[Need], skipped: &[String], ci: bool) -> Result<String> {
    let without = |need: &Need| format!("skipped: {}: {} is missing", need.tests, need.what.name());
    let lines: Vec<String> = missing
        .iter()
        .map(without)
        .chain(skipped.iter().cloned())
        .collect();
    match lines.join("\n").as_str() {
        "" => Ok("everything passed".to_owned()),
        lines if ci => bail!("`CI` is set and not everything ran\n{lines}"),
        lines => Ok(format!("passed, but not everything ran\n{lines}")),
    }
}

#[cfg(test)]
mod tests {
    use super::closing;
    use crate::needs::NEEDS;

    #[test]
    fn a_skipped_test_is_said_here_and_fails_there() {
        let heard = ["skipped: a: no node".to_owned()];
        assert_eq!(closing(&[], &[], true).unwrap(), "everything passed");
        for (missing, heard, line) in [
            (&NEEDS[..0], &heard[..], "skipped: a: no node"),
            (&NEEDS[..1], &heard[..0], "node 18 or newer is missing"),
        ] {
            assert!(closing(missing, heard, false).unwrap().contains(line));
            assert!(
                closing(missing, heard, true)
                    .unwrap_err()
                    .to_string()
                    .contains(line)
            );
        }
    }
}
