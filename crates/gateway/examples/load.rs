//! Load: what a request with a session and a one-time CSRF token costs the guard, beside nginx with Lua and a token that can be used again.
//!
//! `load --guard PROGRAM [--cases A,B] [--rounds 5] [--seconds 2] [--connections 64]`. Each connection has a session of its own that was
//! begun by the application's word, and follows the tokens: the answer to each request brings the one for the next. All sides run in
//! turns within a round. A line of JSON is printed for each side of a round, and one for each case at the end: the ratio of its
//! processor time to that of nginx in the same rounds. One answer that is not the expected one, and there are no figures: the exit
//! code is 1. Nothing is listened at but loopback.
//!
//! Programs that measure HTTP send what they were given at the start; none of them takes a value out of one answer into the next request.

#[path = "load/answer.rs"]
mod answer;
#[path = "load/application.rs"]
mod application;
#[path = "load/case.rs"]
mod case;
#[path = "load/chain.rs"]
mod chain;
#[path = "load/figures.rs"]
mod figures;
#[path = "load/guarded.rs"]
mod guarded;
#[path = "load/lua.rs"]
mod lua;
#[path = "load/processes.rs"]
mod processes;
#[path = "load/run.rs"]
mod run;
#[path = "load/upstream.rs"]
mod upstream;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::case::{CASES, Case};
use crate::figures::{Round, ratios};
use crate::run::{Side, measure};
use crate::upstream::Upstream;

/// Whatever stops the program itself.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// How long each side is warmed up.
const WARM: Duration = Duration::from_millis(700);

/// How many rounds and seconds there are at most: nobody waits for longer.
const ROUNDS_MAX: u32 = 50;
const SECONDS_MAX: f64 = 30.0;

/// One address is given so many tokens at once: a burst of 100.
const CONNECTIONS_MAX: usize = 96;

/// What the command line says.
struct Wishes {
    guard: PathBuf,
    cases: Vec<&'static Case>,
    rounds: u32,
    time: Duration,
    connections: usize,
}

fn main() -> Result<ExitCode, Fault> {
    let wishes = Wishes::of(std::env::args().skip(1))?;
    let folder = tempfile::tempdir()?;
    let application = application::start()?;
    let upstream = Upstream::start(folder.path(), application.address)?;
    let mut sides = vec![lua::start(
        folder.path(),
        upstream.address,
        wishes.connections,
    )?];
    for case in &wishes.cases {
        sides.push(guarded::start(
            &wishes.guard,
            case,
            folder.path(),
            (upstream.address, &application),
            wishes.connections,
        )?);
    }
    let rounds = rounds(&wishes, &mut sides)?;
    let mut out = stdout().lock();
    let mut is_clean = true;
    for round in rounds.iter().flatten().filter(|round| round.wrong > 0) {
        is_clean = false;
        writeln!(
            out,
            "wrong: {} of {}: {}",
            round.wrong, round.side, round.first_wrong
        )?;
    }
    if !is_clean {
        return Ok(ExitCode::FAILURE);
    }
    for case in 1..sides.len() {
        if let Some(ratio) = ratios(&rounds, case) {
            writeln!(out, "{ratio}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// All rounds, each with every side once.
fn rounds(wishes: &Wishes, sides: &mut [Side]) -> Result<Vec<Vec<Round>>, Fault> {
    for side in &mut *sides {
        measure(side, WARM)?;
    }
    let mut rounds = Vec::new();
    for number in 1..=wishes.rounds {
        let mut round = Vec::new();
        for side in &mut *sides {
            let measured = measure(side, wishes.time)?;
            writeln!(stdout(), "{}", measured.json(number))?;
            round.push(measured);
        }
        rounds.push(round);
    }
    Ok(rounds)
}

impl Wishes {
    fn of(mut words: impl Iterator<Item = String>) -> Result<Self, Fault> {
        let mut wishes = Self {
            guard: PathBuf::new(),
            cases: CASES.iter().collect(),
            rounds: 5,
            time: Duration::from_secs(2),
            connections: 64,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("`{word}` of what?"))?;
            match word.as_str() {
                "--guard" => wishes.guard = PathBuf::from(value),
                "--cases" => wishes.cases = case::named(&value)?,
                "--rounds" => wishes.rounds = value.parse()?,
                "--seconds" => wishes.time = seconds(&value)?,
                "--connections" => wishes.connections = value.parse()?,
                _ => return Err(format!("`{word}` is no wish").into()),
            }
        }
        if wishes.guard.as_os_str().is_empty()
            || !(1..=ROUNDS_MAX).contains(&wishes.rounds)
            || !(1..=CONNECTIONS_MAX).contains(&wishes.connections)
        {
            return Err(format!(
                "usage: load --guard PROGRAM [--cases A,B] [--rounds 1..{ROUNDS_MAX}] [--seconds N] [--connections 1..{CONNECTIONS_MAX}]"
            )
            .into());
        }
        Ok(wishes)
    }
}

fn seconds(text: &str) -> Result<Duration, Fault> {
    let seconds: f64 = text.parse()?;
    if seconds > 0.0 && seconds <= SECONDS_MAX {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("`--seconds` is more than 0 and at most {SECONDS_MAX}").into())
    }
}

/// The one place where a clock is read.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement lasts as long as it is told"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_have_bounds() {
        for (words, holds) in [
            ("--guard p", true),
            ("--guard p --rounds 1 --seconds 0.5 --connections 1", true),
            ("--guard p --cases own-token,cookie-token", true),
            ("", false),
            ("--rounds 3", false),
            ("--guard", false),
            ("--guard p --rounds 0", false),
            ("--guard p --rounds 51", false),
            ("--guard p --seconds 0", false),
            ("--guard p --seconds 31", false),
            ("--guard p --seconds NaN", false),
            ("--guard p --connections 0", false),
            ("--guard p --connections 97", false),
            ("--guard p --cases other", false),
            ("--guard p --cases", false),
            ("--other p", false),
        ] {
            let wishes = Wishes::of(words.split_whitespace().map(str::to_owned));
            assert_eq!(wishes.is_ok(), holds, "{words}");
        }
    }
}
