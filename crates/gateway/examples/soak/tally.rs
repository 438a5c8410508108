//! `Tally`: what was asked and answered, and everything that was not expected.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many things that were not expected are told in words; all are counted.
const TOLD_MAX: usize = 20;

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    kinds: Mutex<BTreeMap<(&'static str, u16), u64>>,
    reloads: Mutex<Reloads>,
    forwarded: AtomicU64,
    repeated: AtomicU64,
    unexpected: AtomicU64,
    told: Mutex<Vec<String>>,
}

#[derive(Debug, Default)]
struct Reloads {
    valid: u64,
    invalid: u64,
    slowest: Duration,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A request of a kind was answered as expected.
    pub(crate) fn answered(&self, kind: &'static str, status: u16) {
        *held(&self.kinds).entry((kind, status)).or_default() += 1;
    }

    /// A request reached the application.
    pub(crate) fn forwarded(&self) {
        self.forwarded.fetch_add(1, Ordering::Relaxed);
    }

    /// A safe request reached it a second time: its first connection was closed under it.
    pub(crate) fn repeated(&self) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
    }

    /// A policy was written, and the guard said after this time what it made of it.
    pub(crate) fn reload(&self, valid: bool, took: Duration) {
        let mut reloads = held(&self.reloads);
        if valid {
            reloads.valid += 1;
        } else {
            reloads.invalid += 1;
        }
        reloads.slowest = reloads.slowest.max(took);
    }

    /// Something was not expected.
    pub(crate) fn unexpected(&self, what: String) {
        self.unexpected.fetch_add(1, Ordering::SeqCst);
        let mut told = held(&self.told);
        if told.len() < TOLD_MAX {
            told.push(what);
        }
    }

    /// Whether all was as expected, and there was something.
    pub(crate) fn is_clean(&self) -> bool {
        self.unexpected.load(Ordering::SeqCst) == 0 && self.requests() > 0
    }

    /// All requests that were answered as expected.
    pub(crate) fn requests(&self) -> u64 {
        held(&self.kinds).values().sum()
    }

    /// What was not expected, in words, and how often there was something.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut told = held(&self.told).clone();
        let all = self.unexpected.load(Ordering::SeqCst);
        if all > 0 {
            told.push(format!("{all} in all"));
        } else if self.requests() == 0 {
            told.push("no request was answered".to_owned());
        }
        told
    }

    /// Lines for people.
    pub(crate) fn table(&self) -> Vec<String> {
        let kinds = held(&self.kinds);
        let mut lines: Vec<String> = kinds
            .iter()
            .map(|((kind, status), count)| format!("{count:>9}  {status}  {kind}"))
            .collect();
        let reloads = held(&self.reloads);
        lines.push(format!(
            "{} reached the application, {} of them again",
            self.forwarded.load(Ordering::SeqCst),
            self.repeated.load(Ordering::SeqCst)
        ));
        lines.push(format!(
            "{} policies taken, {} refused, the slowest after {} ms",
            reloads.valid,
            reloads.invalid,
            reloads.slowest.as_millis()
        ));
        lines
    }
}

fn held<T>(one: &Mutex<T>) -> MutexGuard<'_, T> {
    one.lock().unwrap_or_else(PoisonError::into_inner)
}
