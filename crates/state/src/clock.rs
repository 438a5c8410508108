//! `SystemClock`: the one place where the guard reads the clocks.

use std::time::{Duration, Instant, SystemTime};

use portcullis_guard::clock::{Nanos, Now};

/// Where monotonic time begins. What a snapshot remembers lies before the start of the process, and a moment has no
/// sign: so time begins ten years before.
const BEGINNING: Duration = Duration::from_secs(10 * 366 * 86_400);

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
}
