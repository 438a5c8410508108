//! `EventWriter`: takes events without ever waiting, and writes them from a thread of its own as a chain of lines.
//!
//! Each line holds the hash of the one before it, so that [`verify`] finds a line that was changed, dropped or moved.
//! What it cannot find: lines cut off at the end, and a chain that somebody wrote anew from some line on.

mod aggregate;
mod chain;
mod file;
mod line_sink;
mod pseudonym;
mod spent;
mod thread;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use portcullis_policy::event::{HexBytes, SecurityEvent, WriterId};

pub use chain::{ChainError, ChainFault, Verified, Verifier, verify};
pub use pseudonym::Pseudonyms;

use crate::{StateError, SystemClock};
use line_sink::LineSink;
use spent::Spent;

/// Events that wait to be written. The thread looks every 50 ms: this is enough for 300,000 a second.
const QUEUE_MAX: usize = 16 * 1024;

/// How long the end waits for the last events: 2 s, in steps.
const END_STEP: Duration = Duration::from_millis(5);
const END_STEPS: u32 = 400;

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSink {
    /// To the standard output, for a machine that collects it. Each process begins a chain of its own.
    Stdout,
    /// To a file. The chain goes on over its rotations and over restarts.
    File {
        /// Which.
        path: PathBuf,
        /// From how many bytes on it is put aside as `.1`, and what is there as `.2`.
        rotate_bytes: u64,
        /// How many are put aside; at least one. What is older is deleted.
        keep: u32,
    },
}

/// How the writing goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventHealth {
    /// Events that were written.
    pub written: u64,
    /// Events that were offered when the queue was full. The next line that is written says how many.
    pub dropped: u64,
    /// Events that were taken and could never be written: the writer was closed while it could not write.
    pub lost: u64,
    /// Attempts to write that failed.
    pub failures: u64,
    /// What is wrong now; nothing when the last attempt worked.
    pub error: Option<String>,
}

/// What a writer found when it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventStart {
    /// The number of its first line; 0 for a new chain.
    pub first_seq: u64,
    /// Where half a line was moved to, which an earlier process could not finish.
    pub torn: Option<PathBuf>,
}

/// Writes events.
#[derive(Debug)]
pub struct EventWriter {
    queue: SyncSender<Box<SecurityEvent>>,
    shared: Arc<Shared>,
    start: EventStart,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and its owner both see.
#[derive(Debug, Default)]
struct Shared {
    closing: AtomicBool,
    written: AtomicU64,
    dropped: AtomicU64,
    /// Those of `dropped` that no line has told of.
    untold: AtomicU64,
    lost: AtomicU64,
    failures: AtomicU64,
    error: Mutex<Option<String>>,
    spent: Spent,
}

impl EventWriter {
    /// Opens the sink and starts the thread.
    ///
    /// # Errors
    ///
    /// When the file cannot be used, is used by another process, or does not end with an event of ours.
    pub fn start(sink: EventSink, clock: SystemClock) -> Result<Self, StateError> {
        let id = crate::random_bytes()?;
        let (sink, chain, start) = LineSink::open(sink, clock.now())?;
        Self::run(sink, chain, start, HexBytes(id), clock)
    }

    fn run(
        sink: LineSink,
        chain: chain::Chain,
        start: EventStart,
        id: WriterId,
        clock: SystemClock,
    ) -> Result<Self, StateError> {
        let (queue, taken) = sync_channel(QUEUE_MAX);
        let shared = Arc::new(Shared::default());
        let writing = thread::Writing::new(sink, chain, id, clock, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writing.run(&taken))
            .map_err(StateError::NoThread)?;
        Ok(Self {
            queue,
            shared,
            start,
            thread: Some(thread),
        })
    }

    /// Hands an event over, and never waits: when the queue is full it is dropped and counted. The place in the chain,
    /// the hash and the writer's id are set by the writer.
    pub fn offer(&self, event: SecurityEvent) {
        if self.queue.try_send(self.shared.spent.boxed(event)).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            self.shared.untold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How the writing goes.
    #[must_use]
    pub fn health(&self) -> EventHealth {
        self.shared.health()
    }

    /// What was found at the start.
    #[must_use]
    pub fn started(&self) -> &EventStart {
        &self.start
    }

    /// Writes all that was offered, to the disk, and ends. What cannot be written now is counted as lost.
    #[must_use]
    pub fn close(mut self) -> EventHealth {
        self.end();
        self.shared.health()
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        self.shared.closing.store(true, Ordering::Release);
        thread.thread().unpark();
        // A write to a pipe that nobody reads never ends, and the guard must all the same.
        for _ in 0..END_STEPS {
            if thread.is_finished() {
                break;
            }
            std::thread::sleep(END_STEP);
        }
        if !thread.is_finished() {
            self.shared
                .failed("the last events could not be written in time");
            return;
        }
        if thread.join().is_err() {
            self.shared.failed("the thread of the events panicked");
        }
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn health(&self) -> EventHealth {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        EventHealth {
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            error: error.clone(),
        }
    }

    /// Says whether it is the first failure since the last success.
    fn failed(&self, why: &str) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        let first = error.is_none();
        *error = Some(why.to_owned());
        first
    }

    fn worked(&self) {
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        *error = None;
    }
}

#[cfg(test)]
mod tests;
