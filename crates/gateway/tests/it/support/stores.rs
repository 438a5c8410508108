//! A store that panics, and one that says that it answers at once; all other faults are those of
//! `portcullis_state::store::faults`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Ask, Durability, Reply, Store};

/// What the message of the panic repeats, and nobody may read.
pub(crate) const SECRET: &str = "secretZ7hQ2xK9wT4mV";

/// When it panics.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Panics {
    /// When it is asked.
    Asked,
    /// While it is waited for.
    Awaited,
}

/// A store that panics, as often as it is asked.
#[derive(Debug)]
pub(crate) struct PanickingStore {
    when: Panics,
    asked: AtomicUsize,
}

impl PanickingStore {
    /// One that panics then.
    pub(crate) fn new(when: Panics) -> Self {
        Self {
            when,
            asked: AtomicUsize::new(0),
        }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Store for PanickingStore {
    fn ask<'a>(&'a self, _batch: &'a [Ask<'_>], _now: Now) -> Reply<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.when {
            Panics::Asked => panic!("the store panics with {SECRET}, as this test wants it"),
            Panics::Awaited => Reply::Pending(Box::pin(async {
                panic!("the store panics later with {SECRET}, as this test wants it")
            })),
        }
    }

    fn keeps(&self) -> Durability {
        Durability::Durable
    }
}

/// Says of a store that it answers at once, truly or not: then a decision is made without a wait.
#[derive(Debug)]
pub(crate) struct AtOnce<S>(pub(crate) Arc<S>);

impl<S: Store> Store for AtOnce<S> {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        self.0.ask(batch, now)
    }

    fn answers_at_once(&self, _batch: &[Ask<'_>]) -> bool {
        true
    }

    fn keeps(&self) -> Durability {
        self.0.keeps()
    }
}
