//! `SystemClock`: the one place where the guard reads the clocks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use portcullis_guard::clock::{Nanos, Now};

/// Where monotonic time begins. What a snapshot remembers lies before the start of the process, and a moment has no
/// sign: so time begins ten years before.
const BEGINNING: Duration = Duration::from_secs(10 * 366 * 86_400);

/// For how long the system's clock is not looked at again, in nanoseconds. It is set by hand or by NTP, and that is then seen so
/// much later.
const WALL_AGE_MAX: Nanos = 100_000_000;

/// What the system's clock said when it was read last; of one thread, as it is no use to share it.
#[derive(Debug)]
pub struct Wall(Mutex<Now>);

impl Default for Wall {
    fn default() -> Self {
        Self(Mutex::new(Now {
            monotonic: 0,
            unix_millis: 0,
        }))
    }
}

/// Reads both clocks. Copies of one agree with each other.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins here. One for each process.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the guard reads the clocks"
    )]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// One reading of both clocks. A system clock before 1970 reads 0.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the guard reads the clocks"
    )]
    pub fn now(&self) -> Now {
        let unix = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            monotonic: self.monotonic(),
            unix_millis: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The same with the system's clock read at most once in a tenth of a second: between two looks at it, it is taken to go as
    /// the monotonic clock does.
    #[must_use]
    pub fn now_by(&self, wall: &Wall) -> Now {
        let monotonic = self.monotonic();
        let mut seen = wall.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = monotonic.saturating_sub(seen.monotonic);
        if since > WALL_AGE_MAX || seen.monotonic == 0 {
            *seen = self.now();
            return *seen;
        }
        Now {
            monotonic,
            unix_millis: seen.unix_millis.saturating_add(since / 1_000_000),
        }
    }

    /// A moment that was read here, as the system counts it.
    #[must_use]
    pub fn instant(&self, now: Now) -> Instant {
        let since = Duration::from_nanos(now.monotonic).saturating_sub(BEGINNING);
        self.started.checked_add(since).unwrap_or(self.started)
    }

    /// A reading of the monotonic clock alone.
    #[must_use]
    pub fn monotonic(&self) -> Nanos {
        let since = BEGINNING.saturating_add(self.started.elapsed());
        Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_agree_and_time_goes_on() {
        let clock = SystemClock::start();
        let first = clock.now();
        let copy = clock;
        let second = copy.now();
        assert!(second.monotonic >= first.monotonic);
        assert!(first.monotonic >= 10 * 366 * 86_400 * 1_000_000_000);
        assert!(first.unix_millis > 1_700_000_000_000, "it is after 2023");
    }

    #[test]
    fn a_wall_clock_that_was_read_before_goes_on() {
        let clock = SystemClock::start();
        let wall = Wall::default();
        let first = clock.now_by(&wall);
        assert!(first.unix_millis > 1_700_000_000_000, "it is after 2023");
        // As if it had been read 50 ms ago, an hour slow.
        *wall.0.lock().unwrap() = Now {
            monotonic: first.monotonic - 50_000_000,
            unix_millis: first.unix_millis - 3_600_050,
        };
        let second = clock.now_by(&wall);
        assert!(second.unix_millis < first.unix_millis - 3_590_000);
        assert!(second.unix_millis >= first.unix_millis - 3_600_000);
        // As if that had been long ago.
        wall.0.lock().unwrap().monotonic = first.monotonic - WALL_AGE_MAX - 1;
        assert!(clock.now_by(&wall).unix_millis >= first.unix_millis);
    }
}
