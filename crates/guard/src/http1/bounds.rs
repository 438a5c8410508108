//! `HeadBounds`: how large a head may be.

/// Bounds of one head. What is larger is refused, never cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadBounds {
    /// The whole head in bytes, the empty line included. Over it: 431. At most [`HeadBounds::BYTES_CEILING`] counts.
    pub head_bytes_max: usize,
    /// The request target in bytes. Over it: 414.
    pub target_bytes_max: usize,
    /// The number of header fields. Over it: 431.
    pub fields_max: usize,
}

impl HeadBounds {
    /// No head is larger, whatever the bounds say: places in it are kept in 32 bits.
    pub const BYTES_CEILING: usize = 1024 * 1024;

    /// What a head may have where nothing else is said: 16 KiB, a target of 8 KiB, 100 fields.
    pub const STANDARD: Self = Self {
        head_bytes_max: 16 * 1024,
        target_bytes_max: 8 * 1024,
        fields_max: 100,
    };

    /// The bytes a head can have at most.
    pub(crate) fn head_ceiling(&self) -> usize {
        self.head_bytes_max.min(Self::BYTES_CEILING)
    }
}

impl Default for HeadBounds {
    fn default() -> Self {
        Self::STANDARD
    }
}
