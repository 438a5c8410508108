//! The command line from outside: exit codes, outputs, files.
#![cfg(test)]

mod browser;
mod catalogue;
mod explain_request;
mod folder;
mod guard_command;
mod guard_dev;
mod guides;
mod init;
mod masking;
mod policy;
mod policy_commands;
mod quickstart;
mod reading;
mod readme;
mod rules;
mod snippets;
mod trail;
mod usage;

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
