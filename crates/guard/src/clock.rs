//! `Now`: one reading of the clocks, handed in by whoever drives a decision.

/// Nanoseconds, as all lengths and moments of the limiter are counted.
pub type Nanos = u64;

/// One second in [`Nanos`].
pub const SECOND: Nanos = 1_000_000_000;

/// One reading of both clocks, taken once for a request so that all its phases see the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Now {
    /// Monotonic time since a moment that the process chose; what limits and deadlines are counted by. Never goes back.
    pub monotonic: Nanos,
    /// Milliseconds since 1970-01-01T00:00:00Z by the system's clock; what tokens, sessions and events are dated by.
    pub unix_millis: u64,
}

impl Now {
    /// Days since 1970-01-01, UTC: what an exception's last day is compared with.
    #[must_use]
    pub const fn unix_day(self) -> u64 {
        self.unix_millis / 86_400_000
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.unix_millis / 1_000
    }
}
