//! `Timeline`: the time of a store that outlives restarts. It never goes back, whatever the system's clock does.
//!
//! While the guard runs it goes as the monotonic clock does. From one run to the next it goes on by what the system's clock
//! says has passed; by nothing, where that says that time went back. So nothing that is over lives again.

use portcullis_guard::clock::{Nanos, Now};

/// Where the store's time stood, and what the system's clock said then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The store's time.
    pub time: Nanos,
    /// Milliseconds since 1970-01-01T00:00:00Z by the system's clock.
    pub unix_millis: u64,
}

/// How the store's time and the monotonic clock of this run belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    time: Nanos,
    monotonic: Nanos,
}

impl Timeline {
    /// Goes on from the last mark.
    #[must_use]
    pub fn after(mark: Mark, now: Now) -> Self {
        let passed = now.unix_millis.saturating_sub(mark.unix_millis);
        Self {
            time: mark.time.saturating_add(passed.saturating_mul(1_000_000)),
            monotonic: now.monotonic,
        }
    }

    /// The store's time at a monotonic moment.
    #[must_use]
    pub fn time(self, monotonic: Nanos) -> Nanos {
        moved(monotonic, self.monotonic, self.time)
    }

    /// The monotonic moment at a time of the store.
    #[must_use]
    pub fn monotonic(self, time: Nanos) -> Nanos {
        moved(time, self.time, self.monotonic)
    }

    /// The mark of a moment.
    #[must_use]
    pub fn mark(self, now: Now) -> Mark {
        Mark {
            time: self.time(now.monotonic),
            unix_millis: now.unix_millis,
        }
    }
}

fn moved(moment: Nanos, from: Nanos, to: Nanos) -> Nanos {
    let moved = i128::from(moment) - i128::from(from) + i128::from(to);
    Nanos::try_from(moved.max(0)).unwrap_or(Nanos::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_guard::clock::SECOND;

    fn at(seconds: u64, unix_millis: u64) -> Now {
        Now {
            monotonic: seconds * SECOND,
            unix_millis,
        }
    }

    #[test]
    fn time_goes_on_by_what_has_passed_and_never_back() {
        let mark = Mark {
            time: 100 * SECOND,
            unix_millis: 5_000,
        };
        for (unix_millis, time) in [(8_000, 103), (5_000, 100), (1_000, 100), (0, 100)] {
            let timeline = Timeline::after(mark, at(7, unix_millis));
            assert_eq!(timeline.time(7 * SECOND), time * SECOND);
            assert_eq!(timeline.time(9 * SECOND), (time + 2) * SECOND);
            assert_eq!(timeline.monotonic((time + 2) * SECOND), 9 * SECOND);
            let next = timeline.mark(at(9, 1));
            assert_eq!((next.time, next.unix_millis), ((time + 2) * SECOND, 1));
        }
    }

    #[test]
    fn what_lies_before_the_beginning_is_at_it() {
        let timeline = Timeline::after(Mark::default(), at(1_000, 0));
        assert_eq!(timeline.time(999 * SECOND), 0);
        let later = Timeline::after(
            Mark {
                time: u64::MAX,
                unix_millis: 0,
            },
            at(1, u64::MAX),
        );
        assert_eq!(later.monotonic(0), 0);
        assert_eq!(later.time(u64::MAX), u64::MAX);
    }
}
