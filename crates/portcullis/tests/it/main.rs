//! The command line from outside: exit codes, outputs, files.
#![cfg(test)]

mod api_keys;
mod browser;
mod catalogue;
mod explain_request;
mod folder;
mod guard_command;
mod guard_dev;
mod guides;
mod init;
mod logging_in;
mod masking;
mod policy;
mod policy_commands;
mod quickstart;
mod reading;
mod readme;
mod rules;
mod snippets;
mod team;
mod token_commands;
mod token_issuers;
mod token_keys;
mod trail;
mod usage;

use std::io::Write as _;
use std::process::{Command, Output};

/// The program, with nothing in its environment that could change what it prints.
pub(crate) fn portcullis() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .env_clear()
        .env("PORTCULLIS_TODAY", "2026-06-01")
        .stdin(std::process::Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    portcullis().args(args).output().unwrap()
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Says that a test needs what is not there; on a build machine that is a failure.
pub(crate) fn skipped(test: &str, missing: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by its runner whether it may be skipped"
    )]
    let ci = std::env::var("CI");
    assert!(ci.is_err(), "{missing}, and in CI nothing may be skipped");
    writeln!(std::io::stderr(), "skipped: {test}: {missing}").unwrap();
}
