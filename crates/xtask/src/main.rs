//! Chores that cargo has no word for: `cargo xtask tidy`, `docs`, `coverage`, `instructions` and `test`.

mod catalogue_dump;
mod coverage;
mod docs;
mod dumped;
mod environment;
mod instructions;
mod needs;
mod policy_schema;
mod problem;
mod rule_dump;
mod seeds_page;
mod setup;
mod steps;
mod test;
mod tidy;
mod tree;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Result, bail};

use crate::environment::Environment;

const USAGE: &str = "usage: cargo xtask tidy | docs | coverage [--missing [VERB]] | instructions [--write] | test [--setup]

  tidy          what the lints cannot see: arrows between crates, names, links, the table of rules, generated pages
  docs          writes `docs/rules.md`, `docs/rules/`, `docs/seeds.md` and the policy's JSON Schema from what `portcullis` prints
  coverage      how much of the seeds is answered, and by whom; with --missing, what is not
  instructions  what a decision costs, beside `benches/instructions.toml`; with --write, that becomes the baseline
  test          format, lints, tidy, every test and instructions; with --setup, first installs what the tests need";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed there is nobody left to tell; the exit code still says it.
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["tidy"] => tidy::run(&Environment::read()?),
        ["docs"] => {
            let environment = Environment::read()?;
            docs::run(&environment)?;
            seeds_page::run(&environment)?;
            policy_schema::run(&environment)
        }
        ["coverage"] => coverage::run(&Environment::read()?),
        ["coverage", "--missing"] => coverage::missing(&Environment::read()?, None),
        ["coverage", "--missing", verb] => coverage::missing(&Environment::read()?, Some(verb)),
        ["instructions"] => instructions(false),
        ["instructions", "--write"] => instructions(true),
        ["test"] => test::run(&Environment::read()?, false),
        ["test", "--setup"] => test::run(&Environment::read()?, true),
        _ => bail!("{USAGE}"),
    }
}

/// On a build machine what is not measured has failed.
fn instructions(write: bool) -> Result<()> {
    let environment = Environment::read()?;
    match instructions::run(&environment, write)? {
        Some(skipped) if environment.ci => bail!("`CI` is set, and {skipped}"),
        Some(_) | None => Ok(()),
    }
}
