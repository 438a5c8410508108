//! `Writer`: the thread that writes the trail. All that waits is written in one transaction.
//!
//! 1. A record has its place in the chain only when it is written, so that what is not written leaves no gap.
//! 2. After a failure the last record is read again before anything else is written: an error of the commit does not say
//!    whether it took place.
//! 3. While nothing can be written intents are refused at once, and the rest is kept as far as it fits. An attempt is made
//!    four times a second, and the first record that can be written tells of the gap.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use portcullis_guard::clock::{Nanos, SECOND};
use portcullis_policy::event::{EventText, EventTime, WriterId};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::body::{Body, hash_of};
use super::checkpoint::Checkpoint;
use super::database::{Database, Head};
use super::error::TrailError;
use super::files::TrailFolder;
use super::intent::Intent;
use super::key::SigningKey;
use super::kind::TrailKind;
use super::second_place::SecondPlace;
use super::shared::{SecondPlaceNews, Shared};
use super::{TrailNews, TrailTold};
use crate::SystemClock;

/// After so many records everything before is signed.
const CHECKPOINT_RECORDS: u64 = 1_000;
/// After so long everything before is signed, if there is something.
const CHECKPOINT_AFTER: Nanos = 60 * SECOND;
/// The most records of one transaction.
const BATCH_MAX: usize = 512;
/// The most records that are kept while nothing can be written.
const KEPT_MAX: usize = 16 * 1024;
/// How long it waits after a failure.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// How often it looks whether a checkpoint is due.
const IDLE: Duration = Duration::from_secs(1);

/// What the writer is handed.
#[derive(Debug)]
pub(super) enum Job {
    /// To be on the disk before the other side goes on.
    Intent(Box<Body>, oneshot::Sender<Result<Intent, TrailError>>),
    /// To be written when there is time.
    Record(Box<Body>),
    /// Answers when all before it is on the disk, or cannot be now.
    Flush(oneshot::Sender<()>),
    /// Nothing comes after this.
    Close,
}

/// A record that waits.
struct Waiting {
    body: Box<Body>,
    ack: Option<oneshot::Sender<Result<Intent, TrailError>>>,
}

/// Records whose commit failed: whether they are on the disk has to be looked up.
struct Doubt {
    bodies: Vec<Body>,
    head: Head,
    told: u64,
}

pub(super) struct Writer {
    pub(super) folder: TrailFolder,
    pub(super) database: Option<Database>,
    pub(super) head: Head,
    pub(super) id: WriterId,
    pub(super) clock: SystemClock,
    pub(super) key: SigningKey,
    pub(super) second: Option<SecondPlace>,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Sender<Job>,
    pub(super) told: TrailTold,
    waiting: VecDeque<Waiting>,
    flushes: Vec<oneshot::Sender<()>>,
    doubt: Option<Doubt>,
    /// Records since the last checkpoint.
    unsigned: u64,
    signed_at: Nanos,
    /// When the writing began to fail, and how many intents were refused since.
    failing: Option<(u64, u64)>,
    /// Of a trail that is not ours any more: it is never written again.
    forsaken: bool,
    closing: bool,
}

/// What a writer is made of.
pub(super) struct Opened {
    pub(super) folder: TrailFolder,
    pub(super) database: Database,
    pub(super) head: Head,
    pub(super) unsigned: u64,
    pub(super) id: WriterId,
    pub(super) clock: SystemClock,
    pub(super) key: SigningKey,
    pub(super) second: Option<SecondPlace>,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Sender<Job>,
    pub(super) told: TrailTold,
}

impl Writer {
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            signed_at: opened.clock.monotonic(),
            folder: opened.folder,
            database: Some(opened.database),
            head: opened.head,
            id: opened.id,
            clock: opened.clock,
            key: opened.key,
            second: opened.second,
            shared: opened.shared,
            queue: opened.queue,
            told: opened.told,
            waiting: VecDeque::new(),
            flushes: Vec::new(),
            doubt: None,
            unsigned: opened.unsigned,
            failing: None,
            forsaken: false,
            closing: false,
        }
    }

    /// Writes until it is told to end.
    pub(super) async fn run(mut self, mut jobs: Receiver<Job>) {
        while !self.closing {
            let patience = if self.failing.is_some() {
                RETRY_AFTER
            } else {
                IDLE
            };
            // While nothing can be written jobs are taken as they come, and the attempts keep their time.
            let started = self.clock.monotonic();
            loop {
                let passed = Duration::from_nanos(self.clock.monotonic().saturating_sub(started));
                let left = patience.saturating_sub(passed);
                match timeout(left, jobs.recv()).await {
                    Ok(Some(job)) => self.take(job),
                    // The writer itself holds a sender, so this is never reached while it runs.
                    Ok(None) => self.closing = true,
                    Err(_elapsed) => break,
                }
                while self.waiting.len() < BATCH_MAX
                    && let Ok(job) = jobs.try_recv()
                {
                    self.take(job);
                }
                if self.failing.is_none() || self.closing {
                    break;
                }
            }
            self.work().await;
        }
        while let Ok(job) = jobs.try_recv() {
            self.take(job);
        }
        self.end().await;
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Intent(_, ack) if ack.is_closed() => {}
            Job::Intent(_, ack) if self.failing.is_some() => self.refuse(ack),
            Job::Intent(body, ack) => self.waiting.push_back(Waiting {
                body,
                ack: Some(ack),
            }),
            Job::Record(body) if self.waiting.len() < KEPT_MAX => {
                self.waiting.push_back(Waiting { body, ack: None });
            }
            Job::Record(_) => self.shared.lost(1),
            Job::Flush(done) => self.flushes.push(done),
            Job::Close => self.closing = true,
        }
    }

    fn refuse(&mut self, ack: oneshot::Sender<Result<Intent, TrailError>>) {
        if let Some((_, refused)) = &mut self.failing {
            *refused += 1;
        }
        let why = self.shared.trouble().unwrap_or_default();
        // Who asked may have gone away, and is refused all the same.
        drop(ack.send(Err(TrailError::Unwell(why))));
    }

    /// Writes what waits, and signs when it is time.
    async fn work(&mut self) {
        while !self.forsaken {
            self.waiting
                .retain(|one| one.ack.as_ref().is_none_or(|ack| !ack.is_closed()));
            let now = self.clock.monotonic();
            let is_due =
                self.unsigned > 0 && now.saturating_sub(self.signed_at) >= CHECKPOINT_AFTER;
            let has_gap = self.failing.is_some() || self.shared.untold() > 0;
            if self.waiting.is_empty() && !is_due && !has_gap && self.doubt.is_none() {
                break;
            }
            if let Err(error) = self.batch(is_due).await {
                self.failed(&error);
                break;
            }
        }
        self.send_checkpoints();
        for done in self.flushes.drain(..) {
            match done.send(()) {
                // Who no longer waits need not be told.
                Ok(()) | Err(()) => {}
            }
        }
    }

    /// Writes one transaction.
    async fn batch(&mut self, is_due: bool) -> Result<(), TrailError> {
        self.recover().await?;
        let count = self.waiting.len().min(BATCH_MAX);
        let mut bodies = Vec::with_capacity(count + 2);
        let untold = self.shared.untold();
        if untold > 0 || self.failing.is_some() {
            bodies.push(self.gap(untold));
        }
        bodies.extend(
            self.waiting
                .iter()
                .take(count)
                .map(|one| (*one.body).clone()),
        );
        let mut head = self.head;
        for body in &mut bodies {
            head = self.join(body, head);
        }
        let records = u64::try_from(bodies.len()).unwrap_or(u64::MAX);
        let mut checkpoint = None;
        if is_due || self.unsigned.saturating_add(records) >= CHECKPOINT_RECORDS {
            let (body, signed) = self.checkpoint(head);
            head = Head {
                seq: body.seq,
                hash: hash_of(&body.to_bytes()),
            };
            bodies.push(body);
            checkpoint = Some(signed);
        }
        let Some(database) = &mut self.database else {
            return Err(TrailError::Ended);
        };
        if let Err(error) = database.append(&bodies).await {
            self.doubt = Some(Doubt {
                bodies,
                head,
                told: untold,
            });
            return Err(error);
        }
        let written = u64::try_from(bodies.len()).unwrap_or(u64::MAX);
        self.wrote(head, written, untold);
        self.unsigned = self.unsigned.saturating_add(records);
        if let Some(checkpoint) = checkpoint {
            self.signed(&checkpoint);
        }
        let first = bodies.len() - count - usize::from(checkpoint.is_some());
        let joined: Vec<Body> = bodies.into_iter().skip(first).take(count).collect();
        for body in joined {
            if let Some(Waiting { ack: Some(ack), .. }) = self.waiting.pop_front() {
                let intent = self.intent(&body);
                // Who asked may have gone away: then the intent comes back, and leaves an outcome when it is dropped.
                drop(ack.send(Ok(intent)));
            }
        }
        Ok(())
    }

    /// Gives a record its place, and says where the chain stands after it.
    fn join(&self, body: &mut Body, head: Head) -> Head {
        body.seq = head.seq.saturating_add(1);
        body.prev_hash = head.hash;
        body.writer = self.id;
        Head {
            seq: body.seq,
            hash: hash_of(&body.to_bytes()),
        }
    }

    fn intent(&self, body: &Body) -> Intent {
        let shared = Arc::clone(&self.shared);
        Intent::of(body, self.queue.clone(), shared, self.clock)
    }

    fn gap(&self, untold: u64) -> Body {
        let mut body = Body::new(TrailKind::Gap);
        body.is_at(self.clock.now());
        let words = match self.failing {
            Some((since, refused)) => format!(
                "nothing could be written since {}: {refused} intents were refused, {untold} records lost",
                EventTime::of_unix_millis(since)
            ),
            None => format!("{untold} records could not be taken and are lost"),
        };
        body.detail = Some(EventText::new(words));
        body.reason = Some(EventText::new("trail_unwritable"));
        body
    }

    fn checkpoint(&self, head: Head) -> (Body, Checkpoint) {
        let now = self.clock.now();
        let time = EventTime::of_unix_millis(now.unix_millis);
        let checkpoint = Checkpoint::sign(&self.key, head.seq, head.hash, time);
        let mut body = Body::new(TrailKind::Checkpoint);
        body.is_at(now);
        body.seal = Some(checkpoint.seal());
        self.join(&mut body, head);
        (body, checkpoint)
    }

    fn wrote(&mut self, head: Head, records: u64, told: u64) {
        self.head = head;
        self.shared.told(told);
        self.shared.wrote(records);
        // While the second place cannot be written nothing sensitive passes, so it is not told that it does.
        if self.failing.take().is_some() && self.shared.has_second_place() {
            (self.told)(TrailNews::Recovered);
        }
    }

    fn signed(&mut self, checkpoint: &Checkpoint) {
        self.unsigned = 0;
        self.signed_at = self.clock.monotonic();
        (self.told)(TrailNews::Checkpoint(*checkpoint));
        let Some(second) = &mut self.second else {
            return;
        };
        let sent = match checkpoint.to_line() {
            Ok(line) => second.send(line),
            Err(error) => Err(TrailError::Key(error.to_string())),
        };
        self.second_place(sent);
    }

    fn send_checkpoints(&mut self) {
        if let Some(second) = self.second.as_mut().filter(|second| second.is_waiting()) {
            let sent = second.send_waiting();
            self.second_place(sent);
        }
    }

    fn second_place(&self, sent: Result<(), TrailError>) {
        let trouble = sent.err().map(|error| error.to_string());
        let told = trouble.clone().unwrap_or_default();
        match self.shared.second_place(trouble) {
            SecondPlaceNews::Nothing => {}
            SecondPlaceNews::Lost => (self.told)(TrailNews::Unwritable(told)),
            SecondPlaceNews::AllIsWell => (self.told)(TrailNews::Recovered),
        }
    }

    fn failed(&mut self, error: &TrailError) {
        if matches!(error, TrailError::Damaged { .. }) {
            self.forsaken = true;
        }
        let now = self.clock.now();
        self.failing.get_or_insert((now.unix_millis, 0));
        let why = error.to_string();
        if self.shared.failed(why.clone()) {
            (self.told)(TrailNews::Unwritable(why));
        }
        let (intents, rest): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|one| one.ack.is_some());
        self.waiting = rest;
        for ack in intents.into_iter().filter_map(|one| one.ack) {
            self.refuse(ack);
        }
    }

    /// After a failure: opens the database anew, and looks up whether what was being written is there.
    async fn recover(&mut self) -> Result<(), TrailError> {
        if self.failing.is_none() {
            return Ok(());
        }
        if let Some(database) = self.database.take() {
            // What it has to say was said.
            drop(database.close().await);
        }
        let mut database = Database::open(&self.folder.trail()).await?;
        let found = database.head().await?;
        self.database = Some(database);
        match self.doubt.take() {
            _ if found == self.head => {}
            Some(doubt) if found == doubt.head => self.was_written(doubt),
            _ => {
                let why = "another program changed it while it was written";
                return Err(TrailError::damaged(&self.folder.trail(), why));
            }
        }
        Ok(())
    }

    /// The commit took place after all. Its intents were refused, so nothing of them was done.
    fn was_written(&mut self, doubt: Doubt) {
        self.head = doubt.head;
        self.shared.told(doubt.told);
        let written = u64::try_from(doubt.bodies.len()).unwrap_or(u64::MAX);
        self.unsigned = self.unsigned.saturating_add(written);
        for body in &doubt.bodies {
            match body.kind {
                TrailKind::Intent => {
                    let intent = self.intent(body);
                    drop(intent);
                }
                TrailKind::Gap | TrailKind::Checkpoint => {}
                // In the order in which they wait: the intents among them were taken out.
                _ => drop(self.waiting.pop_front()),
            }
        }
    }

    /// Writes what is left, signs it, and counts what cannot be written.
    async fn end(mut self) {
        self.work().await;
        if self.unsigned > 0 && self.failing.is_none() && !self.forsaken {
            let signed = self.batch(true).await;
            if let Err(error) = signed {
                self.failed(&error);
            }
        }
        let left = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        if left > 0 {
            self.shared.lost(left);
        }
        if let Some(database) = self.database.take()
            && let Err(error) = database.close().await
        {
            self.failed(&error);
        }
    }
}
