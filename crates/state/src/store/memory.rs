//! `MemoryStore`: the store of one machine. It answers at once, and is used by several threads at a time.

mod bucket;
mod change;
mod entries;
mod entry;
mod hash;
mod kept;
mod limits;
mod ring;
mod rings;

use std::sync::{Arc, Mutex};

use portcullis_guard::clock::Now;
use portcullis_guard::store::{
    Answer, Answers, Ask, Durability, LimitAsk, Reply, Store, StoreError,
};

use bucket::BucketShard;
pub(crate) use bucket::{Bucket, BucketKey, Cell, ExactCell};
pub(crate) use change::Change;
use entry::EntryShard;
pub(crate) use entry::Life;
pub(crate) use hash::BucketHash;
use rings::RingPut;

use crate::StateError;
use crate::store::journal::Journal;
use crate::store::shards::{Broken, Shards};
use crate::store::snapshot;
use crate::store::state_dir::StateDir;

/// How much a store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// What all buckets together may take, in bytes. A smooth bucket is charged about 94, an exact one that and twelve
    /// for each request that its limit counts.
    pub bucket_bytes: usize,
    /// What all entries under keys together may take, in bytes.
    pub entry_bytes: usize,
    /// Into how many parts each is divided; rounded up to a power of two.
    pub shards: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            bucket_bytes: 64 << 20,
            entry_bytes: 64 << 20,
            shards: 64,
        }
    }
}

/// What a store holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// How many buckets.
    pub buckets: usize,
    /// What is charged for them, in bytes.
    pub bucket_bytes: usize,
    /// What is charged for the entries under keys, in bytes.
    pub entry_bytes: usize,
}

/// A store in memory. Limits whose windows are long can be kept over a restart, entries cannot.
#[derive(Debug)]
pub struct MemoryStore {
    pub(super) hash: BucketHash,
    pub(super) buckets: Shards<BucketShard>,
    entries: Shards<EntryShard>,
    pub(super) snapshots: Option<Mutex<StateDir>>,
    pub(super) snapshot_bytes_max: u64,
    is_rehearsal: bool,
    /// Whoever keeps entries over a restart is told of them here.
    journal: Option<Arc<Journal>>,
}

/// A snapshot is smaller than what it is of, but for buckets of whole scopes, which are not capped.
fn snapshot_bytes_max(options: MemoryOptions) -> u64 {
    let buckets = u64::try_from(options.bucket_bytes).unwrap_or(u64::MAX);
    buckets.saturating_add(1 << 20)
}

impl MemoryStore {
    /// A store that keeps nothing over a restart.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn new(options: MemoryOptions) -> Result<Self, StateError> {
        Ok(Self::with_hash(options, BucketHash::random()?))
    }

    /// A store that stands for one that is kept over a restart, where there will be none: what a guard would decide is
    /// worked out, and nothing is written.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn for_rehearsal(options: MemoryOptions) -> Result<Self, StateError> {
        Ok(Self {
            is_rehearsal: true,
            ..Self::new(options)?
        })
    }

    /// A store that begins with what the last snapshot in the directory remembers. Moments are moved by what the
    /// system's clock says has passed; by nothing, where it says that time went back.
    ///
    /// # Errors
    ///
    /// When the snapshot cannot be read or is not ours, and when there are no random bytes.
    pub fn open(options: MemoryOptions, directory: StateDir, now: Now) -> Result<Self, StateError> {
        let store = match snapshot::read(&directory, snapshot_bytes_max(options))? {
            None => Self::new(options)?,
            Some(snapshot) => {
                let store = Self::with_hash(options, snapshot.hash());
                let coarse_until = snapshot.coarse_until(now);
                for place in 0..store.buckets.count() {
                    store
                        .buckets
                        .with(place, |part| part.coarse_until = coarse_until)?;
                }
                for bucket in snapshot.buckets(now) {
                    let place = store.bucket_place(bucket.key);
                    store.buckets.with(place, |part| {
                        part.remove(bucket.key);
                        part.insert(bucket);
                    })?;
                }
                store
            }
        };
        Ok(Self {
            snapshots: Some(Mutex::new(directory)),
            ..store
        })
    }

    fn with_hash(options: MemoryOptions, hash: BucketHash) -> Self {
        let shards = options.shards.max(1).next_power_of_two();
        Self {
            hash,
            buckets: Shards::new(shards, || BucketShard::new(options.bucket_bytes / shards)),
            entries: Shards::new(shards, || EntryShard::new(options.entry_bytes / shards)),
            snapshots: None,
            snapshot_bytes_max: snapshot_bytes_max(options),
            is_rehearsal: false,
            journal: None,
        }
    }

    /// Forgets what is over, shard by shard; gives how many that were. Every operation does a little of it: this is for
    /// a timer, so that memory is given back when nothing is asked.
    ///
    /// # Errors
    ///
    /// When a shard is broken.
    pub fn sweep(&self, now: Now) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for place in 0..self.buckets.count() {
            forgotten += self
                .buckets
                .with(place, |part| part.sweep(&[], now.monotonic))?;
        }
        for place in 0..self.entries.count() {
            forgotten += self.entries.with(place, |part| {
                let swept = part.sweep(now);
                self.tell(&mut part.changes, now);
                swept
            })?;
        }
        Ok(forgotten)
    }

    /// What it holds at the moment.
    ///
    /// # Errors
    ///
    /// When a shard is broken.
    pub fn used(&self) -> Result<MemoryUse, StoreError> {
        let mut used = MemoryUse::default();
        for place in 0..self.buckets.count() {
            self.buckets.with(place, |part| {
                used.buckets += part.len();
                used.bucket_bytes += part.bytes();
            })?;
        }
        for place in 0..self.entries.count() {
            used.entry_bytes += self.entries.with(place, |part| part.bytes())?;
        }
        Ok(used)
    }

    pub(super) fn answer(&self, batch: &[Ask<'_>], now: Now) -> Result<Answers, StoreError> {
        // Before anything is done: a batch of which half is refused would leave the other half counted.
        for ask in batch {
            self.can_keep(ask)?;
        }
        batch.iter().map(|ask| self.answer_one(ask, now)).collect()
    }

    fn answer_one(&self, ask: &Ask<'_>, now: Now) -> Result<Answer, StoreError> {
        match ask {
            Ask::Limits(limits) => Ok(Answer::Limits(self.count(limits, now.monotonic)?)),
            Ask::Release { limits, at } => {
                self.release(limits, *at, now.monotonic)?;
                Ok(Answer::Done)
            }
            Ask::PutIfAbsent {
                key,
                value,
                lives,
                durability,
            } => self.put_if_absent(key, value, self.life(*lives, *durability, now), now),
            Ask::Take { key, .. } => self.take(key, now),
            Ask::Get { key } => self.get(key, now),
            Ask::CompareAndSet {
                key,
                expected,
                value,
                lives,
                durability,
            } => {
                let life = self.life(*lives, *durability, now);
                self.compare_and_set(key, expected.as_ref(), value, life, now)
            }
            Ask::RevokeUntil {
                key,
                until_unix_millis,
                durability,
            } => self.revoke_until(key, *until_unix_millis, *durability, now),
            Ask::PutInRing {
                ring,
                key,
                value,
                lives,
                at_most,
                durability,
            } => {
                let put = RingPut {
                    ring,
                    key,
                    value,
                    life: self.life(*lives, *durability, now),
                    at_most: *at_most,
                };
                self.put_in_ring(&put, now)
            }
            Ask::Commit {
                conditions,
                effects,
                durability,
            } => self.commit(conditions, effects, *durability, now),
        }
    }

    fn keeps_limits(&self) -> Durability {
        if self.snapshots.is_some() {
            Durability::Snapshot
        } else {
            Durability::Volatile
        }
    }

    fn can_keep(&self, ask: &Ask<'_>) -> Result<(), StoreError> {
        let entries = if self.journal.is_some() {
            Durability::Durable
        } else {
            Durability::Volatile
        };
        let (asked, kept) = match ask {
            _ if self.is_rehearsal => return Ok(()),
            Ask::Limits(limits) | Ask::Release { limits, .. } => {
                (worst(limits), self.keeps_limits())
            }
            Ask::Get { .. } => return Ok(()),
            Ask::PutIfAbsent { durability, .. }
            | Ask::Take { durability, .. }
            | Ask::CompareAndSet { durability, .. }
            | Ask::RevokeUntil { durability, .. }
            | Ask::PutInRing { durability, .. }
            | Ask::Commit { durability, .. } => (*durability, entries),
        };
        if asked > kept {
            return Err(StoreError::NotKept(asked));
        }
        Ok(())
    }
}

/// The best class that is asked for.
fn worst(limits: &[LimitAsk<'_>]) -> Durability {
    limits
        .iter()
        .map(|limit| limit.durability)
        .max()
        .unwrap_or(Durability::Volatile)
}

impl Store for MemoryStore {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        Reply::Ready(self.answer(batch, now))
    }

    fn answers_at_once(&self, _batch: &[Ask<'_>]) -> bool {
        true
    }

    /// Of limits. It keeps no entries, but where an embedded store does it for it.
    fn keeps(&self) -> Durability {
        if self.is_rehearsal || self.journal.is_some() {
            Durability::Durable
        } else {
            self.keeps_limits()
        }
    }
}

impl From<Broken> for StoreError {
    fn from(_broken: Broken) -> Self {
        Self::Unreachable("a part of it was broken by a panic".to_owned())
    }
}

impl From<Broken> for StateError {
    fn from(_broken: Broken) -> Self {
        Self::Broken
    }
}
