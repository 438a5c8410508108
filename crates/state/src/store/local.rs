//! `LocalStore`: the store of one machine: in memory alone, or with a folder for what outlives a restart.

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Ask, Durability, Reply, Store, StoreError};

use super::embedded::EmbeddedStore;
use super::memory::MemoryStore;
use crate::StateError;

/// One of the two.
#[derive(Debug)]
pub enum LocalStore {
    /// It keeps nothing over a restart.
    Memory(MemoryStore),
    /// It keeps what it is asked to keep.
    Embedded(EmbeddedStore),
}

impl LocalStore {
    /// Forgets what is over; gives how many that were. For a timer.
    ///
    /// # Errors
    ///
    /// As [`EmbeddedStore::sweep`]: also when nothing can be kept at the moment.
    pub fn sweep(&self, now: Now) -> Result<usize, StoreError> {
        match self {
            Self::Memory(store) => store.sweep(now),
            Self::Embedded(store) => store.sweep(now),
        }
    }

    /// Writes the limits that must be kept; gives how many buckets that were. For a timer.
    ///
    /// # Errors
    ///
    /// As [`MemoryStore::snapshot`].
    pub fn snapshot(&self, now: Now) -> Result<usize, StateError> {
        match self {
            Self::Memory(store) => store.snapshot(now),
            Self::Embedded(store) => store.snapshot(now),
        }
    }

    /// Waits until all that was done so far is on the disk.
    ///
    /// # Errors
    ///
    /// As [`EmbeddedStore::flush`].
    pub fn flush(&self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Embedded(store) => store.flush(),
        }
    }
}

impl Store for LocalStore {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        match self {
            Self::Memory(store) => store.ask(batch, now),
            Self::Embedded(store) => store.ask(batch, now),
        }
    }

    fn answers_at_once(&self, batch: &[Ask<'_>]) -> bool {
        match self {
            Self::Memory(store) => store.answers_at_once(batch),
            Self::Embedded(store) => store.answers_at_once(batch),
        }
    }

    fn keeps(&self) -> Durability {
        match self {
            Self::Memory(store) => store.keeps(),
            Self::Embedded(store) => store.keeps(),
        }
    }
}
