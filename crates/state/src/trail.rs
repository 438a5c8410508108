//! The audit trail: what was done, by whom and to what, in a database that shows when somebody changed it.
//!
//! 1. Before something sensitive is done its intent is on the disk ([`Trail::intent`]); afterwards there is its outcome.
//!    Whatever stands in the way of the first is an error, and the caller refuses.
//! 2. Each record holds the hash of the one before. Every 1,000 records and every minute a checkpoint signs all before it;
//!    checkpoints are also kept in a second place.
//! 3. [`verify`] finds a record that was edited, dropped, added or moved, and by the second place a trail that was cut off
//!    or written anew.
//!
//! Sources: ASVS v5.0.0-16.2.1 to 16.4.3, the OWASP Logging Cheat Sheet, NIST SP 800-92 §2.

mod body;
mod checkpoint;
mod database;
mod error;
mod files;
mod intent;
mod key;
mod kind;
mod mask;
mod names;
mod opening;
mod reader;
mod record;
mod second_place;
mod shared;
mod verify;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use body::{BODY_BYTES_MAX, Body, BodyFault, Masked, Seal, TARGETS_MAX, hash_of};
pub use checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, CheckpointError, CheckpointSchema};
pub use error::TrailError;
pub use files::{PUBLIC_KEY_FILE, TRAIL_FILE};
pub use intent::Intent;
pub use key::SigningKey;
pub use kind::TrailKind;
pub use names::TrailNames;
pub use reader::{TrailFilter, TrailReader};
pub use record::TrailRecord;
pub use shared::TrailHealth;
pub use verify::{TrailFault, Verified, VerifyError, VerifyOptions, verify};

use crate::SystemClock;
use shared::Shared;
use writer::Job;

/// How long an intent may take to be on the disk.
pub const INTENT_BUDGET: Duration = Duration::from_secs(1);

/// Records that wait for the writer.
const QUEUE_MAX: usize = 16 * 1024;

/// How long the end waits for the last records: 5 s, in steps.
const END_STEP: Duration = Duration::from_millis(5);
const END_STEPS: u32 = 1_000;

/// What a trail tells of itself while it is written; from its own thread, and it must not be made to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrailNews {
    /// Everything before was signed.
    Checkpoint(Checkpoint),
    /// From now on it, or its second place, cannot be written, for this reason.
    Unwritable(String),
    /// Both can be written again.
    Recovered,
}

/// Who is told.
pub type TrailTold = Arc<dyn Fn(TrailNews) + Send + Sync>;

/// What a trail is opened with.
pub struct TrailOptions {
    /// The state folder. It is made if it is not there.
    pub folder: PathBuf,
    /// The key that signs checkpoints; without one the folder has one of its own, made at the first start.
    pub signing_key: Option<SigningKey>,
    /// A file to which checkpoints are appended as well.
    pub checkpoints: Option<PathBuf>,
    /// The clocks.
    pub clock: SystemClock,
    /// Who is told what happens to the trail.
    pub told: TrailTold,
}

impl fmt::Debug for TrailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrailOptions")
            .field("folder", &self.folder)
            .field("checkpoints", &self.checkpoints)
            .finish_non_exhaustive()
    }
}

/// What was found when a trail was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailStart {
    /// Whether a trail was begun, as there was none.
    pub begun: bool,
    /// How many intents had no outcome: the guard ended before it. Each has now one that says `unknown`.
    pub unknown: u64,
    /// The first of them, at most 100: their number and the id of their request.
    pub first_unknown: Vec<(u64, Option<String>)>,
    /// The last record.
    pub last_seq: u64,
}

/// The trail of this process. It is used from any thread, and writes from one of its own.
#[derive(Debug)]
pub struct Trail {
    queue: Sender<Job>,
    shared: Arc<Shared>,
    clock: SystemClock,
    names: TrailNames,
    start: TrailStart,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Trail {
    /// Opens the trail of a state folder, closes the intents that an earlier process left open, and begins one where there
    /// is none.
    ///
    /// # Errors
    ///
    /// A folder that cannot be used, has no room or is used by another process; a trail that is corrupt, cut off, of
    /// another version or without its key.
    pub fn open(options: TrailOptions) -> Result<Self, TrailError> {
        opening::open(options)
    }

    /// Puts an intent on the disk. It resolves when it is there; whoever drops it before writes nothing, or an outcome that
    /// says so. It needs a tokio runtime with time.
    ///
    /// # Errors
    ///
    /// When it is not on the disk within [`INTENT_BUDGET`], for whatever reason. Then what was intended must not be done.
    pub async fn intent(&self, record: TrailRecord) -> Result<Intent, TrailError> {
        if let Some(why) = self.shared.trouble() {
            return Err(TrailError::Unwell(why));
        }
        let (ack, done) = oneshot::channel();
        let mut body = Box::new(record.body);
        body.is_at(self.clock.now());
        let job = Job::Intent(body, ack);
        self.queue.try_send(job).map_err(|error| match error {
            tokio::sync::mpsc::error::TrySendError::Full(_) => TrailError::QueueFull,
            tokio::sync::mpsc::error::TrySendError::Closed(_) => TrailError::Ended,
        })?;
        match timeout(INTENT_BUDGET, done).await {
            Ok(Ok(done)) => done.map(Intent::taken),
            Ok(Err(_closed)) => Err(TrailError::Ended),
            Err(_elapsed) => {
                self.shared.too_slow();
                let millis = u64::try_from(INTENT_BUDGET.as_millis()).unwrap_or(u64::MAX);
                Err(TrailError::TooSlow(millis))
            }
        }
    }

    /// Records something that was done. It waits for nothing: what cannot be taken is counted, and until a record tells of
    /// it the trail is not well.
    pub fn note(&self, record: TrailRecord) {
        let body = Box::new(record.body);
        intent::offer(&self.queue, &self.shared, self.clock, body);
    }

    /// How the writing goes.
    #[must_use]
    pub fn health(&self) -> TrailHealth {
        self.shared.health()
    }

    /// By what clients, sessions and persons are called in it.
    #[must_use]
    pub const fn names(&self) -> &TrailNames {
        &self.names
    }

    /// What was found at the start.
    #[must_use]
    pub const fn started(&self) -> &TrailStart {
        &self.start
    }

    /// Waits until all that was handed over is on the disk, or cannot be now.
    pub async fn flush(&self) {
        let (done, is_done) = oneshot::channel();
        // Of a writer that has ended there is nothing to wait for.
        if self.queue.send(Job::Flush(done)).await.is_ok() {
            drop(is_done.await);
        }
    }

    /// Writes what was handed over, signs it, and ends. What cannot be written is counted as lost.
    pub fn close(&self) -> TrailHealth {
        self.end();
        self.shared.health()
    }

    fn end(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else {
            return;
        };
        let mut is_told = false;
        // A disk that does not answer never ends a write, and the guard must end all the same.
        for _ in 0..END_STEPS {
            if thread.is_finished() {
                break;
            }
            is_told = is_told || self.queue.try_send(Job::Close).is_ok();
            std::thread::sleep(END_STEP);
        }
        if !thread.is_finished() {
            self.shared
                .failed("the last records could not be written in time".to_owned());
        } else if thread.join().is_err() {
            self.shared
                .failed("the writer of the trail panicked".to_owned());
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.end();
    }
}
