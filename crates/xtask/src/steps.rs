//! `Steps`: runs one step after the other, each with a title before it and its time behind it.

use std::{
    io::{self, BufRead as _, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// How a line begins with which a test says that it did not run.
const SKIPPED: &str = "skipped: ";

/// Counts the time of all steps.
#[derive(Debug)]
pub(crate) struct Steps {
    begun: Instant,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { begun: now() }
    }

    /// Prints the title, runs the step, and prints how long it took; the first step that fails is the last.
    pub(crate) fn run<T>(&self, title: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        say(&format!("== {title}"))?;
        let begun = now();
        let done = step().with_context(|| format!("{title} failed"))?;
        say(&format!("   {}", shown(begun.elapsed())))?;
        Ok(done)
    }

    /// How long it has been since the first step.
    pub(crate) fn total(&self) -> String {
        shown(self.begun.elapsed())
    }
}

/// Runs a command whose output goes where ours goes.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let name = name_of(command);
    let status = command
        .status()
        .with_context(|| format!("cannot run `{name}`"))?;
    if !status.success() {
        bail!("`{name}` ended with {status}");
    }
    Ok(())
}

/// The same with `errors` as standard error, and returns the lines there with which tests said that they were skipped.
pub(crate) fn succeed_hearing_skips(
    command: &mut Command,
    errors: &mut impl Write,
) -> Result<Vec<String>> {
    let name = name_of(command);
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{name}`"))?;
    let mut skipped = Vec::new();
    if let Some(said) = child.stderr.take() {
        for line in BufReader::new(said).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            writeln!(errors, "{line}")?;
            if line.starts_with(SKIPPED) {
                skipped.push(line);
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{name}` ended with {status}");
    }
    Ok(skipped)
}

/// One line on standard output, at once, so that it stands before what a step prints itself.
pub(crate) fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn name_of(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn shown(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took is shown to people, and nothing depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{succeed, succeed_hearing_skips};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_step_that_fails_says_which_and_how() {
        assert!(succeed(&mut shell("exit 0")).is_ok());
        let error = succeed(&mut shell("exit 3")).unwrap_err().to_string();
        assert!(
            error.contains("`sh -c exit 3`") && error.contains('3'),
            "{error}"
        );
        assert!(succeed_hearing_skips(&mut shell("exit 3"), &mut Vec::new()).is_err());
    }

    #[test]
    fn skips_are_heard_on_standard_error() {
        let script = "echo one >&2; echo 'skipped: a: no node' >&2; echo 'not skipped: b' >&2";
        let mut errors = Vec::new();
        let heard = succeed_hearing_skips(&mut shell(script), &mut errors).unwrap();
        assert_eq!(heard, ["skipped: a: no node"]);
        assert_eq!(
            errors.split(|byte| *byte == b'\n').count(),
            4,
            "everything is passed on"
        );
    }
}
