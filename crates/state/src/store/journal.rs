//! `Journal`: what became of the entries that are kept, in the order of the locks, until it is on the disk.
//!
//! 1. Whoever changes an entry pushes that under the lock of its shard, all of one ask at once.
//! 2. One thread takes all that is there, writes it, and says so: what came meanwhile is the next group.
//! 3. Who must not be answered earlier waits until all that was pushed before is written: also what it only saw.
//! 4. When writing fails nothing more is collected. Memory has all of it, and is written anew as a whole when the disk can be
//!    written again. So is it when more is pushed than the disk takes.

use std::collections::HashMap;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::store::StoreError;

use crate::store::memory::Change;

/// How many bytes of changes wait at most.
const BYTES_MAX: usize = 32 << 20;
/// So many changes are written, even if nobody waits for it.
const GROUP: usize = 4_096;
/// So long a change that nobody waits for may wait for others.
const LAZY: Duration = Duration::from_secs(1);
/// When writing is tried again after it failed.
const RETRY: Duration = Duration::from_millis(500);
/// A disk that has not answered for so long is taken for one that will not.
const HANGS_AFTER: Nanos = 5 * SECOND;

/// Changes on their way to the disk.
#[derive(Debug)]
pub(crate) struct Journal {
    state: Mutex<State>,
    /// For the thread that writes.
    work: Condvar,
    /// For who waits until that has ended.
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    changes: Vec<Change>,
    bytes: usize,
    /// How many changes there were, ever.
    pushed: u64,
    /// How many of them are on the disk.
    written: u64,
    /// The latest moment at which somebody asked.
    moment: Now,
    /// Whether somebody waits for what is here.
    is_awaited: bool,
    /// Whether changes are collected: not while all has to be written anew.
    collects: bool,
    /// Why writing failed last, until it works again.
    failed: Option<String>,
    /// Since when the thread is writing.
    writes_since: Option<Nanos>,
    waiting: HashMap<u64, Waker>,
    waiters: u64,
    closes: bool,
    has_ended: bool,
}

/// What the thread that writes is to do next.
#[derive(Debug)]
pub(crate) enum Work {
    /// To write these changes.
    Write(Group),
    /// To write all that is kept anew.
    Anew,
    /// To end.
    End,
}

/// What is written together.
#[derive(Debug)]
pub(crate) struct Group {
    /// In their order.
    pub(crate) changes: Vec<Change>,
    /// How many changes there were up to here.
    pub(crate) up_to: u64,
    /// The latest moment at which somebody asked.
    pub(crate) moment: Now,
}

impl Journal {
    /// An empty one, at the moment of its store's start.
    pub(crate) fn new(now: Now) -> Self {
        Self {
            state: Mutex::new(State {
                changes: Vec::new(),
                bytes: 0,
                pushed: 0,
                written: 0,
                moment: now,
                is_awaited: false,
                collects: true,
                failed: None,
                writes_since: None,
                waiting: HashMap::new(),
                waiters: 0,
                closes: false,
                has_ended: false,
            }),
            work: Condvar::new(),
            ended: Condvar::new(),
        }
    }

    /// Nothing here panics while it holds the lock, and every state is whole between two statements.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes changes. The caller holds the locks of all that they are of.
    pub(crate) fn push(&self, changes: impl ExactSizeIterator<Item = Change>, now: Now) {
        let mut state = self.lock();
        state.pushed = state
            .pushed
            .saturating_add(u64::try_from(changes.len()).unwrap_or(u64::MAX));
        state.saw(now);
        if !state.collects {
            return;
        }
        let was_empty = state.changes.is_empty();
        for change in changes {
            state.bytes = state.bytes.saturating_add(change.bytes());
            state.changes.push(change);
        }
        if state.bytes > BYTES_MAX {
            state.stop_collecting();
        }
        if was_empty || !state.collects || state.changes.len() >= GROUP {
            self.work.notify_one();
        }
    }

    /// Notes that time goes on.
    pub(crate) fn saw(&self, now: Now) {
        self.lock().saw(now);
    }

    /// Why nothing can be kept at the moment.
    pub(crate) fn fault(&self, now: Now) -> Option<StoreError> {
        let state = self.lock();
        if let Some(why) = &state.failed {
            return Some(StoreError::Unwritable(why.clone()));
        }
        let since = state.writes_since?;
        let hangs = now.monotonic.saturating_sub(since) > HANGS_AFTER;
        hangs.then(|| {
            let seconds = HANGS_AFTER / SECOND;
            StoreError::Unwritable(format!("the disk has not answered for {seconds} seconds"))
        })
    }

    /// How many changes there were: whoever waits for the disk waits for all of these. Nothing, if they are on it.
    pub(crate) fn await_all(&self) -> Option<u64> {
        let mut state = self.lock();
        if state.written >= state.pushed {
            return None;
        }
        state.is_awaited = true;
        self.work.notify_one();
        Some(state.pushed)
    }

    /// Whether so many changes are on the disk, or why they are not. The waker is woken when that changes; its number is
    /// given back by [`leave`](Self::leave).
    pub(crate) fn poll_written(
        &self,
        up_to: u64,
        waiter: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<Result<(), StoreError>> {
        let mut state = self.lock();
        if state.written >= up_to {
            return Poll::Ready(Ok(()));
        }
        if let Some(why) = &state.failed {
            return Poll::Ready(Err(StoreError::Unwritable(why.clone())));
        }
        if state.has_ended {
            let why = "the store has been closed".to_owned();
            return Poll::Ready(Err(StoreError::Unwritable(why)));
        }
        let number = *waiter.get_or_insert_with(|| {
            state.waiters += 1;
            state.waiters
        });
        state.waiting.insert(number, waker.clone());
        Poll::Pending
    }

    /// Forgets somebody who waited.
    pub(crate) fn leave(&self, waiter: u64) {
        self.lock().waiting.remove(&waiter);
    }

    /// Asks for all to be written anew: the file has become much larger than what is in it.
    pub(crate) fn want_anew(&self) {
        self.lock().stop_collecting();
        self.work.notify_one();
    }

    /// What to do next, when there is something.
    pub(crate) fn next(&self) -> Work {
        let mut state = self.lock();
        loop {
            if state.failed.is_some() && !state.closes {
                let (after, time) = self
                    .work
                    .wait_timeout(state, RETRY)
                    .unwrap_or_else(PoisonError::into_inner);
                state = after;
                if !time.timed_out() {
                    continue;
                }
            }
            if !state.collects {
                state.writes_since = Some(state.moment.monotonic);
                return Work::Anew;
            }
            if !state.changes.is_empty() {
                let is_due = state.is_awaited || state.closes || state.changes.len() >= GROUP;
                if is_due {
                    return Work::Write(state.take());
                }
                let (after, time) = self
                    .work
                    .wait_timeout(state, LAZY)
                    .unwrap_or_else(PoisonError::into_inner);
                state = after;
                if time.timed_out() && state.collects && !state.changes.is_empty() {
                    return Work::Write(state.take());
                }
                continue;
            }
            if state.closes {
                return Work::End;
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Begins to collect what comes while all is written anew. What came before is in memory.
    pub(crate) fn begin_anew(&self) {
        let mut state = self.lock();
        state.changes.clear();
        state.bytes = 0;
        state.collects = true;
    }

    /// What came since then. Nothing, if it was too much.
    pub(crate) fn rest(&self) -> Option<Group> {
        let mut state = self.lock();
        state.collects.then(|| state.take())
    }

    /// Says that so many changes are on the disk.
    pub(crate) fn wrote(&self, up_to: u64) {
        let mut state = self.lock();
        state.written = state.written.max(up_to);
        state.failed = None;
        state.writes_since = None;
        wake(state);
    }

    /// Says that what was taken is not on the disk.
    pub(crate) fn failed(&self, why: String) {
        let mut state = self.lock();
        state.stop_collecting();
        state.failed = Some(why);
        state.writes_since = None;
        wake(state);
    }

    /// Asks the thread to end when all is written.
    pub(crate) fn close(&self) {
        self.lock().closes = true;
        self.work.notify_one();
    }

    /// Whether the thread is to end.
    pub(crate) fn closes(&self) -> bool {
        self.lock().closes
    }

    /// Says that it has ended.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        self.ended.notify_all();
        wake(state);
    }

    /// Waits for that; says whether it has.
    pub(crate) fn has_ended_within(&self, time: Duration) -> bool {
        let state = self.lock();
        let (state, _) = self
            .ended
            .wait_timeout_while(state, time, |state| !state.has_ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.has_ended
    }
}

/// Wakes all who wait, without the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waiting = mem::take(&mut state.waiting);
    drop(state);
    waiting.into_values().for_each(Waker::wake);
}

impl State {
    fn saw(&mut self, now: Now) {
        if now.monotonic >= self.moment.monotonic {
            self.moment = now;
        }
    }

    fn stop_collecting(&mut self) {
        self.changes = Vec::new();
        self.bytes = 0;
        self.collects = false;
    }

    fn take(&mut self) -> Group {
        self.bytes = 0;
        self.is_awaited = false;
        self.writes_since = Some(self.moment.monotonic);
        Group {
            changes: mem::take(&mut self.changes),
            up_to: self.pushed,
            moment: self.moment,
        }
    }
}
