//! The arithmetic of rate limits: one rule, and the two cells that count by it. Every store counts by these.
//!
//! All moments are monotonic [`Nanos`]. Nothing here divides a rate so that more is admitted than the policy says:
//! where a length does not divide evenly it is rounded up.

mod exact_cell;

use std::collections::VecDeque;

pub use exact_cell::ExactCell;

use crate::clock::Nanos;

/// How requests are counted, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitRule {
    /// A sliding log: in no window of this length more than `count`.
    Exact {
        /// How many.
        count: u32,
        /// In which time; never zero.
        window: Nanos,
        /// How long the bucket stays shut from the moment at which it is used up; zero for no longer than the window says.
        lockout: Nanos,
    },
    /// GCRA (ITU-T I.371): `burst` at once, and one more for each `period`. In any time `d` at most
    /// `burst + d / period` are admitted.
    Smooth {
        /// The time in which one is earned; never zero.
        period: Nanos,
        /// How many may come at once; never zero.
        burst: u32,
    },
}

impl LimitRule {
    /// A sliding log of `count` in `window`. A window of zero is counted as one nanosecond.
    #[must_use]
    pub fn exact(count: u32, window: Nanos) -> Self {
        Self::Exact {
            count,
            window: window.max(1),
            lockout: 0,
        }
    }

    /// The same, shut for so long from the moment at which it is used up. A smooth limit has no such moment, and stays as it
    /// is.
    #[must_use]
    pub fn locking(self, lockout: Nanos) -> Self {
        match self {
            Self::Exact { count, window, .. } => Self::Exact {
                count,
                window,
                lockout,
            },
            Self::Smooth { .. } => self,
        }
    }

    /// `count` in `window`, evenly, with `burst` at once. Zeros are counted as ones.
    #[must_use]
    pub fn smooth(count: u32, window: Nanos, burst: u32) -> Self {
        Self::Smooth {
            period: window.div_ceil(u64::from(count.max(1))).max(1),
            burst: burst.max(1),
        }
    }

    /// How many requests the bucket holds when it is untouched.
    #[must_use]
    pub const fn capacity(self) -> u32 {
        match self {
            Self::Exact { count, .. } => count,
            Self::Smooth { burst, .. } => burst,
        }
    }

    /// How long after its last request a bucket is as good as new, and may be forgotten.
    #[must_use]
    pub fn memory(self) -> Nanos {
        match self {
            Self::Exact {
                window, lockout, ..
            } => window.max(lockout),
            Self::Smooth { period, burst } => period.saturating_mul(u64::from(burst)),
        }
    }
}

/// What a bucket says of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// Whether this bucket admits it.
    pub admitted: bool,
    /// How many more it would admit at once: after this one where it was admitted, now where it was not.
    pub remaining: u32,
    /// How long until it would admit this request; zero where it does, [`Nanos::MAX`] where it never will.
    pub retry_after: Nanos,
    /// How long until it is as good as new.
    pub reset_after: Nanos,
    /// Whether it was counted in a coarser bucket, because the store was full.
    pub coarse: bool,
}

/// The cell of a smooth limit: the theoretical arrival time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GcraCell {
    /// When the bucket is full again.
    pub full_at: Nanos,
}

impl GcraCell {
    /// What the cell says of `cost` more at `now`, and the cell as it would be if they were admitted.
    #[must_use]
    pub fn check(self, period: Nanos, burst: u32, cost: u32, now: Nanos) -> (LimitState, Self) {
        let tolerance = period.saturating_mul(u64::from(burst));
        let before = self.full_at.max(now);
        let after = before.saturating_add(period.saturating_mul(u64::from(cost)));
        let wait = after.saturating_sub(now).saturating_sub(tolerance);
        let admitted = wait == 0;
        let full_at = if admitted { after } else { before };
        let left = tolerance.saturating_sub(full_at - now) / period.max(1);
        let state = LimitState {
            admitted,
            remaining: u32::try_from(left).unwrap_or(u32::MAX),
            retry_after: if cost > burst { Nanos::MAX } else { wait },
            reset_after: full_at - now,
            coarse: false,
        };
        (state, Self { full_at })
    }

    /// Gives back, at `now`, the `cost` that was admitted at `at`: what of it has not been earned back since.
    ///
    /// Where the bucket was never empty in between, a little less than all of it is given back: as much as was earned
    /// in that time. Never more, or a request that is released late would let two others pass.
    #[must_use]
    pub fn released(self, period: Nanos, cost: u32, at: Nanos, now: Nanos) -> Self {
        let given = period.saturating_mul(u64::from(cost));
        let left = given.saturating_sub(now.saturating_sub(at));
        Self {
            full_at: self.full_at.saturating_sub(left),
        }
    }
}

/// The cell of an exact limit: when each request of the window was admitted, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCell {
    admitted_at: VecDeque<Nanos>,
}

impl LogCell {
    /// A cell of what was admitted before, as a snapshot remembers it; sorted, so that a torn file cannot confuse it.
    #[must_use]
    pub fn of(mut admitted_at: Vec<Nanos>) -> Self {
        admitted_at.sort_unstable();
        Self {
            admitted_at: admitted_at.into(),
        }
    }

    /// What is in the log, the oldest first.
    pub fn entries(&self) -> impl Iterator<Item = Nanos> {
        self.admitted_at.iter().copied()
    }

    /// How many are in the log. Some of them may have left the window since it was checked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.admitted_at.len()
    }

    /// The moment of the last one that was admitted.
    #[must_use]
    pub fn last(&self) -> Option<Nanos> {
        self.admitted_at.back().copied()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.admitted_at.capacity() * size_of::<Nanos>()
    }

    /// What the cell says of `cost` more at `now`. Entries that left the window are forgotten.
    #[must_use]
    pub fn check(&mut self, count: u32, window: Nanos, cost: u32, now: Nanos) -> LimitState {
        while let Some(oldest) = self.admitted_at.front() {
            if now.saturating_sub(*oldest) < window {
                break;
            }
            self.admitted_at.pop_front();
        }
        let used = u32::try_from(self.admitted_at.len()).unwrap_or(u32::MAX);
        let free = count.saturating_sub(used);
        let admitted = cost <= free;
        // The request fits when as many of the oldest entries as it lacks have left the window.
        let lacking = usize::try_from(cost.saturating_sub(free)).unwrap_or(usize::MAX);
        let frees_at = lacking
            .checked_sub(1)
            .and_then(|index| self.admitted_at.get(index))
            .map(|at| at.saturating_add(window).saturating_sub(now));
        let counts = admitted && cost > 0;
        let last = if counts {
            Some(now).max(self.last())
        } else {
            self.last()
        };
        LimitState {
            admitted,
            remaining: if admitted { free - cost } else { free },
            retry_after: match frees_at {
                _ if admitted => 0,
                Some(wait) => wait,
                None => Nanos::MAX,
            },
            reset_after: last.map_or(0, |at| at.saturating_add(window).saturating_sub(now)),
            coarse: false,
        }
    }

    /// Counts `cost` more at `now`, after [`check`](Self::check) admitted them.
    pub fn admit(&mut self, cost: u32, now: Nanos) {
        // Moments of several threads may arrive out of order by a little; the log stays sorted.
        let at = self.last().map_or(now, |last| last.max(now));
        for _ in 0..cost {
            self.admitted_at.push_back(at);
        }
    }

    /// Gives one admitted at `at` back, at `now`: the newest not after it. Where there is none, and it is still in the
    /// window, it was logged a little later than it was admitted (see [`admit`](Self::admit)), and the oldest is given
    /// back; where it has left the window nothing is.
    pub fn release(&mut self, window: Nanos, at: Nanos, now: Nanos) {
        let place = self.admitted_at.iter().rposition(|entry| *entry <= at);
        if let Some(place) = place {
            self.admitted_at.remove(place);
        } else if now.saturating_sub(at) < window {
            self.admitted_at.pop_front();
        }
    }
}
