//! The suite that every store must pass: each rule is one thing that the guard relies on.
//!
//! All moments are handed to the store, so that expiry is tested to the nanosecond and no rule waits.

mod bench;
mod entries;
mod limits;
mod races;
mod rings;
mod small;

use std::fmt;

use portcullis_guard::store::{Durability, Store};

use bench::Bench;

/// A rule that a store breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRule {
    /// Which.
    pub rule: &'static str,
    /// What it did.
    pub what: String,
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// A rule: its name, and how it is tried.
type Rule = (&'static str, fn(&Bench<'_>) -> Result<(), String>);

/// Tries every rule, each on a new store with room for 100,000 buckets and entries; gives those that are broken. Entries are
/// written as volatile ones.
pub fn run(make: impl Fn() -> Box<dyn Store>) -> Vec<BrokenRule> {
    run_as(Durability::Volatile, make)
}

/// The same with entries of another class, for a store that keeps them so.
pub fn run_as(class: Durability, make: impl Fn() -> Box<dyn Store>) -> Vec<BrokenRule> {
    let rules = [limits::RULES, entries::RULES, rings::RULES, races::RULES];
    try_all(&rules.concat(), class, make)
}

/// Tries what must hold when a store is full, each on a new store with room for 10 to 10,000 buckets and entries.
pub fn run_small(make: impl Fn() -> Box<dyn Store>) -> Vec<BrokenRule> {
    try_all(small::RULES, Durability::Volatile, make)
}

fn try_all(
    rules: &[Rule],
    class: Durability,
    make: impl Fn() -> Box<dyn Store>,
) -> Vec<BrokenRule> {
    let mut broken = Vec::new();
    for (rule, holds) in rules {
        let store = make();
        if let Err(what) = holds(&Bench::new(&*store, class)) {
            broken.push(BrokenRule { rule, what });
        }
    }
    broken
}
