//! `EmbeddedStore`: the store of one machine whose entries outlive a restart. It answers from memory, and keeps on the disk.
//!
//! 1. Volatile: it is in memory, and never on the disk.
//! 2. Snapshot: it is written within a second or so, and nobody waits for that.
//! 3. Durable: it is answered when it is on the disk, with all that it may have seen of others.
//!
//! What cannot be kept is refused: when the disk failed or hangs, before anything is done. Memory then stays as it is, which is
//! stricter than the disk, and is written anew when that can be written again. Limits of long windows are kept by the snapshot of
//! the store in memory, in the same folder.

mod backend;
mod disk;
mod file;
mod record;
mod timeline;
mod writer;
mod written;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answers, Ask, Durability, Reply, Store, StoreError};

pub use disk::{Disk, FileDisk};
pub use record::{rewritten, seal};
pub use timeline::{Mark, Timeline};

use crate::StateError;
use crate::store::journal::{Group, Journal};
use crate::store::memory::{MemoryOptions, MemoryStore, MemoryUse};
use crate::store::state_dir::StateDir;
use crate::store::wait::wait;
use file::{Opened, StateFile, length};
use written::Written;

/// A file of this size is never too large.
const FILE_BYTES_MIN: u64 = 16 << 20;
/// One that has this many times the bytes of what is in memory is written anew.
const FILE_TIMES_MAX: u64 = 4;
/// How long the end of a store may take.
const END_MAX: Duration = Duration::from_secs(10);

/// A store in memory and on the disk.
#[derive(Debug)]
pub struct EmbeddedStore {
    memory: Arc<MemoryStore>,
    journal: Arc<Journal>,
    file_bytes: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedStore {
    /// The store of a folder, with all that it kept.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or what is in it cannot be read, is of another version or damaged.
    pub fn open(options: MemoryOptions, directory: StateDir, now: Now) -> Result<Self, StateError> {
        let disk = FileDisk::new(&directory);
        Self::open_on(disk, MemoryStore::open(options, directory, now)?, now)
    }

    /// A store on another disk than a folder's. Its limits are kept as `memory` keeps them.
    ///
    /// # Errors
    ///
    /// As those of [`open`](Self::open).
    pub fn open_on(disk: impl Disk, memory: MemoryStore, now: Now) -> Result<Self, StateError> {
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let Opened { file, records } = StateFile::open(Arc::clone(&disk), now)?;
        let journal = Arc::new(Journal::new(now));
        let memory = Arc::new(memory.with_journal(Arc::clone(&journal)));
        let mut over = Vec::new();
        for record in records {
            over.extend(memory.restore(record, now)?);
        }
        // Also where nothing is over: a file that cannot be written is found now, and not by the first who needs it.
        file.write(&Group {
            changes: over,
            up_to: 0,
            moment: now,
        })
        .map_err(|why| StateError::file("write", disk.path(), io::Error::other(why)))?;
        let file_bytes = file.bytes();
        let thread = writer::start(file, Arc::clone(&memory), Arc::clone(&journal))?;
        Ok(Self {
            memory,
            journal,
            file_bytes,
            thread: Some(thread),
        })
    }

    /// Forgets what is over, in memory and on the disk, and gives room on the disk back; gives how many that were. For a
    /// timer.
    ///
    /// # Errors
    ///
    /// When a shard is broken, and when nothing can be kept at the moment: what [`fault`](Self::fault) tells.
    pub fn sweep(&self, now: Now) -> Result<usize, StoreError> {
        self.journal.saw(now);
        let swept = self.memory.sweep(now)?;
        let live = u64::try_from(self.memory.used()?.entry_bytes).unwrap_or(u64::MAX);
        let most = FILE_BYTES_MIN.saturating_add(live.saturating_mul(FILE_TIMES_MAX));
        let fault = self.fault(now);
        if fault.is_none() && length(&self.file_bytes) > most {
            self.journal.want_anew();
        }
        fault.map_or(Ok(swept), Err)
    }

    /// Why nothing can be kept at the moment: the disk failed, or does not answer. Nothing, if all is well.
    #[must_use]
    pub fn fault(&self, now: Now) -> Option<StoreError> {
        self.journal.fault(now)
    }

    /// Writes the limits that must be kept; gives how many buckets that were. For a timer.
    ///
    /// # Errors
    ///
    /// As [`MemoryStore::snapshot`].
    pub fn snapshot(&self, now: Now) -> Result<usize, StateError> {
        self.memory.snapshot(now)
    }

    /// Waits until all that was done so far is on the disk, also what nobody waits for. Up to half a minute, and never in a
    /// thread that serves requests.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or not in that time.
    pub fn flush(&self) -> Result<(), StoreError> {
        wait(self.when_written(Answers::new())).map(drop)
    }

    /// What it holds at the moment.
    ///
    /// # Errors
    ///
    /// When a shard is broken.
    pub fn used(&self) -> Result<MemoryUse, StoreError> {
        self.memory.used()
    }

    /// How long the file is.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        length(&self.file_bytes)
    }

    fn when_written(&self, answers: Answers) -> Reply<'_> {
        match self.journal.await_all() {
            None => Reply::Ready(Ok(answers)),
            Some(up_to) => Reply::Pending(Box::pin(Written::new(&self.journal, up_to, answers))),
        }
    }
}

/// Whether somebody is answered only when it is on the disk.
fn waits_for_the_disk(batch: &[Ask<'_>]) -> bool {
    batch.iter().any(|ask| match ask {
        // A limit of this class is refused.
        Ask::Limits(_) | Ask::Release { .. } | Ask::Get { .. } => false,
        Ask::PutIfAbsent { durability, .. }
        | Ask::Take { durability, .. }
        | Ask::CompareAndSet { durability, .. }
        | Ask::RevokeUntil { durability, .. }
        | Ask::PutInRing { durability, .. }
        | Ask::Commit { durability, .. } => *durability == Durability::Durable,
    })
}

impl Store for EmbeddedStore {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        if !waits_for_the_disk(batch) {
            return self.memory.ask(batch, now);
        }
        if let Some(fault) = self.fault(now) {
            return Reply::Ready(Err(fault));
        }
        match self.memory.ask(batch, now) {
            // Also where nothing was changed: what it saw may be what another one has just done, and is not on the disk yet.
            Reply::Ready(Ok(answers)) => self.when_written(answers),
            reply => reply,
        }
    }

    fn answers_at_once(&self, batch: &[Ask<'_>]) -> bool {
        !waits_for_the_disk(batch)
    }

    fn keeps(&self) -> Durability {
        Durability::Durable
    }
}

impl Drop for EmbeddedStore {
    /// Writes what is still to be written. A disk that does not answer is not waited for.
    fn drop(&mut self) {
        self.journal.close();
        if self.journal.has_ended_within(END_MAX)
            && let Some(thread) = self.thread.take()
        {
            drop(thread.join());
        }
    }
}
