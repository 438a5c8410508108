//! Soak: `portcullis guard` under mixed requests, with a reload every second, for as long as it is told.
//!
//! `soak --guard PROGRAM [--seconds 600] [--clients 8] [--rate 2000] [--grow-max KIB]`. Every request must be answered
//! exactly once and as expected, every valid policy taken, every tenth one, which is not valid, refused. The last line
//! begins with `ok`, and the exit code is 0, or everything that was not expected is told, and it is 1. Nothing is
//! listened at but loopback.

#[path = "soak/answer.rs"]
mod answer;
#[path = "soak/application.rs"]
mod application;
#[path = "soak/client.rs"]
mod client;
#[path = "soak/guard.rs"]
mod guard;
#[path = "soak/memory.rs"]
mod memory;
#[path = "soak/mix.rs"]
mod mix;
#[path = "soak/policy.rs"]
mod policy;
#[path = "soak/tally.rs"]
mod tally;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::application::Application;
use crate::guard::Guard;
use crate::memory::Memory;
use crate::policy::Policies;
use crate::tally::Tally;

/// Whatever stops the soak itself.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// How long a reload may take until the guard says so.
const RELOAD_MAX: Duration = Duration::from_secs(5);

/// Of ten policies, one is not valid.
const INVALID_EACH: u64 = 10;

/// What the command line says.
struct Wishes {
    guard: PathBuf,
    seconds: u64,
    clients: u64,
    rate: u64,
    grow_max: Option<i64>,
}

fn main() -> Result<ExitCode, Fault> {
    let wishes = Wishes::read()?;
    let tally = Arc::new(Tally::new());
    let memory = run(&wishes, &tally)?;
    let mut out = stdout().lock();
    for line in tally.table() {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{memory}")?;
    if let (Some(most), Some(slope)) = (wishes.grow_max, memory.slope())
        && slope > most
    {
        tally.unexpected(format!("memory grows by {slope} KiB a minute"));
    }
    let faults = tally.faults();
    for fault in &faults {
        writeln!(out, "unexpected: {fault}")?;
    }
    Ok(if tally.is_clean() {
        writeln!(
            out,
            "ok: {} s, {} requests",
            wishes.seconds,
            tally.requests()
        )?;
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run(wishes: &Wishes, tally: &Arc<Tally>) -> Result<Memory, Fault> {
    let application = Application::start(Arc::clone(tally))?;
    let folder = tempfile::tempdir()?;
    let mut policies = Policies::new(folder.path(), application.address())?;
    policies.write_next(true)?;
    let mut guard = Guard::start(&wishes.guard, folder.path(), policies.file())?;
    let over = Arc::new(AtomicBool::new(false));
    let pause =
        Duration::from_micros(1_000_000_u64.saturating_mul(wishes.clients) / wishes.rate.max(1));
    let clients: Vec<_> = (0..wishes.clients)
        .map(|number| {
            let (tally, over) = (Arc::clone(tally), Arc::clone(&over));
            let address = policies.listen();
            thread::spawn(move || client::run(number, address, pause, &tally, &over))
        })
        .collect();
    let memory = reload_each_second(wishes, tally, &mut policies, &mut guard);
    over.store(true, Ordering::SeqCst);
    for client in clients {
        if client.join().is_err() {
            tally.unexpected("a client panicked".to_owned());
        }
    }
    if let Err(fault) = guard.end() {
        tally.unexpected(format!("the guard did not end well: {fault}"));
    }
    memory
}

/// Writes a policy, waits until the guard says what it makes of it, and looks at its memory.
fn reload_each_second(
    wishes: &Wishes,
    tally: &Tally,
    policies: &mut Policies,
    guard: &mut Guard,
) -> Result<Memory, Fault> {
    let begun = now();
    let mut memory = Memory::default();
    for second in 1..=wishes.seconds {
        let valid = second % INVALID_EACH != 0;
        let before = guard.heard();
        policies.write_next(valid)?;
        let asked = now();
        while guard.heard() == before && asked.elapsed() < RELOAD_MAX {
            if !guard.is_running()? {
                return Err("the guard ended by itself".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let (after, took) = (guard.heard(), asked.elapsed());
        let expected = [u64::from(valid), u64::from(!valid)];
        let told = [after[0] - before[0], after[1] - before[1]];
        tally.reload(valid, took);
        if told != expected {
            tally.unexpected(format!(
                "reload {second}: taken and refused {told:?}, not {expected:?}"
            ));
        }
        memory.sample(guard.id())?;
        thread::sleep(Duration::from_secs(second).saturating_sub(begun.elapsed()));
    }
    Ok(memory)
}

impl Wishes {
    fn read() -> Result<Self, Fault> {
        let mut wishes = Self {
            guard: PathBuf::new(),
            seconds: 600,
            clients: 8,
            rate: 2_000,
            grow_max: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("`{word}` of what?"))?;
            match word.as_str() {
                "--guard" => wishes.guard = PathBuf::from(value),
                "--seconds" => wishes.seconds = value.parse()?,
                "--clients" => wishes.clients = value.parse()?,
                "--rate" => wishes.rate = value.parse()?,
                "--grow-max" => wishes.grow_max = Some(value.parse()?),
                _ => return Err(format!("`{word}` is no wish").into()),
            }
        }
        if wishes.guard.as_os_str().is_empty() || wishes.seconds == 0 || wishes.clients == 0 {
            return Err("usage: soak --guard PROGRAM [--seconds N] [--clients N] [--rate N] [--grow-max KIB]".into());
        }
        Ok(wishes)
    }
}

/// The one place where the soak reads a clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a soak lasts as long as it is told"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
