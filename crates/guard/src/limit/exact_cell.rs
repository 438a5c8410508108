//! `ExactCell`: a log that is shut for a while when it is used up.
//!
//! 1. It shuts at the moment at which the last one that it admits is counted, and opens so much later. Whoever is refused
//!    meanwhile is not counted, and so makes it no longer.
//! 2. Where one of those that filled it is given back, it was not used up: it is open again. So of a limit of failures it is
//!    failures that shut it, however many succeed side by side.
//! 3. Both hold: it admits when it is open and the window has room.

use super::{LimitState, LogCell};
use crate::clock::Nanos;

/// The cell of an exact limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExactCell {
    log: LogCell,
    shut_until: Nanos,
}

impl ExactCell {
    /// A cell as a snapshot remembers it; it was never shut, where the moment is zero.
    #[must_use]
    pub fn of(log: LogCell, shut_until: Nanos) -> Self {
        Self { log, shut_until }
    }

    /// What was admitted.
    #[must_use]
    pub fn log(&self) -> &LogCell {
        &self.log
    }

    /// Until when it is shut, or was last.
    #[must_use]
    pub fn shut_until(&self) -> Nanos {
        self.shut_until
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.log.heap_bytes()
    }

    /// When it is as good as new.
    #[must_use]
    pub fn until(&self, window: Nanos) -> Nanos {
        let empty = self
            .log
            .last()
            .map_or(0, |last| last.saturating_add(window));
        empty.max(self.shut_until)
    }

    /// What the cell says of `cost` more at `now`. Of nothing more it says how it is.
    #[must_use]
    pub fn check(
        &mut self,
        count: u32,
        window: Nanos,
        lockout: Nanos,
        cost: u32,
        now: Nanos,
    ) -> LimitState {
        let shut = self.shut_until.saturating_sub(now);
        if shut > 0 {
            return self.refusal(count, window, cost, shut, now);
        }
        let mut state = self.log.check(count, window, cost, now);
        if state.admitted && state.remaining == 0 && cost > 0 {
            state.reset_after = state.reset_after.max(lockout);
        }
        state
    }

    /// What it says while it is shut. Nothing is forgotten meanwhile: what filled it may still be given back.
    fn refusal(&self, count: u32, window: Nanos, cost: u32, shut: Nanos, now: Nanos) -> LimitState {
        let leaves = |at: Nanos| at.saturating_add(window).saturating_sub(now);
        // It is full: the request has room when as many as it counts have left the window.
        let index = usize::try_from(cost).unwrap_or(usize::MAX).checked_sub(1);
        let room = index.and_then(|index| self.log.entries().nth(index));
        LimitState {
            admitted: cost == 0,
            remaining: 0,
            retry_after: match cost {
                0 => 0,
                _ if cost > count => Nanos::MAX,
                _ => room.map_or(0, leaves).max(shut),
            },
            reset_after: self.log.last().map_or(0, leaves).max(shut),
            coarse: false,
        }
    }

    /// Counts `cost` more at `now`, after [`check`](Self::check) admitted them.
    pub fn admit(&mut self, count: u32, lockout: Nanos, cost: u32, now: Nanos) {
        self.log.admit(cost, now);
        if lockout > 0 && cost > 0 && self.is_used_up(count) {
            // The log stays sorted, so its last one may be a little later than now.
            let last = self.log.last().unwrap_or(now);
            self.shut_until = last.saturating_add(lockout);
        }
    }

    /// Gives one back that was admitted at `at`, as [`LogCell::release`] does.
    pub fn release(&mut self, count: u32, window: Nanos, at: Nanos, now: Nanos) {
        let before = self.log.count();
        self.log.release(window, at, now);
        if self.log.count() < before && !self.is_used_up(count) {
            self.shut_until = 0;
        }
    }

    fn is_used_up(&self, count: u32) -> bool {
        usize::try_from(count).is_ok_and(|count| self.log.count() >= count)
    }
}
