//! `RawBody`: the bytes of a body, which are no more than was allowed.

use std::fmt;

/// A body over its bound. 413.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl TooLarge {
    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        "body_too_large"
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for TooLarge {}

/// A whole body as it was sent: what is verified, what is read and what is forwarded are these bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawBody<'b>(&'b [u8]);

impl<'b> RawBody<'b> {
    /// Takes a body of at most `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] where it has more.
    pub fn new(bytes: &'b [u8], bytes_max: usize) -> Result<Self, TooLarge> {
        if bytes.len() > bytes_max {
            return Err(TooLarge);
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> &'b [u8] {
        self.0
    }
}

/// Only the length: bodies have secrets in them.
impl fmt::Debug for RawBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawBody({} bytes)", self.0.len())
    }
}
