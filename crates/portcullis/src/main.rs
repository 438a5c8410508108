//! The command line: arguments in, exit code out.

mod admin_client;
mod answers;
mod args;
mod asking;
mod auditing;
mod commands;
mod commit;
mod dev;
mod drafting;
mod environment;
mod exit;
mod explaining;
mod failure;
mod git;
mod guarding;
mod issuing;
mod output;
mod policy_source;
mod progress;
mod recording;
mod speaker;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use environment::Environment;
use exit::Exit;

fn main() -> ExitCode {
    exit::quiet_about_panics();
    let exit = exit::whatever_happens(|| {
        let args = match Args::try_parse() {
            Ok(args) => args,
            Err(shown) => return asked_or_wrong(&shown),
        };
        let done = Environment::read().and_then(|environment| commands::run(args, &environment));
        done.unwrap_or_else(|failure| failure.tell())
    });
    exit.into()
}

/// Help and version are answers, everything else that clap shows is a mistake of the caller's.
fn asked_or_wrong(shown: &clap::Error) -> Exit {
    // Nobody is left to tell when standard error itself is closed.
    let told = shown.print().is_ok();
    if told && !shown.use_stderr() {
        Exit::Clean
    } else {
        Exit::Usage
    }
}
