//! `ByteCount`: a size with its unit written out.

use std::fmt;
use std::str::FromStr;

use crate::Malformed;
use crate::malformed::quoted;

/// A number of bytes from 1 to 1 GiB: `512 B`, `16 KiB`, `2 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(u64);

impl ByteCount {
    /// The largest size a policy can state.
    pub const MAX: Self = Self(1 << 30);

    /// So many times 1024 bytes; what is over [`MAX`](Self::MAX) or nothing becomes the nearest size.
    pub(crate) const fn kib(count: u32) -> Self {
        let bytes = (count as u64) << 10;
        match bytes {
            0 => Self(1),
            over if over > Self::MAX.0 => Self::MAX,
            fits => Self(fits),
        }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Units from large to small, with the bytes in each.
const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl FromStr for ByteCount {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let message = || {
            format!(
                "{} is no size: write a number and `B`, `KiB` or `MiB`, at most `1 GiB`",
                quoted(text)
            )
        };
        read(text).ok_or_else(|| Malformed::whole(text, message()).perhaps(meant(text)))
    }
}

fn read(text: &str) -> Option<ByteCount> {
    let (number, unit) = text.split_once(' ')?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (_, each) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let bytes = number.parse::<u64>().ok()?.checked_mul(*each)?;
    (bytes > 0 && bytes <= ByteCount::MAX.0).then_some(ByteCount(bytes))
}

/// What `16KB` or `16k` was meant to be.
fn meant(text: &str) -> Option<String> {
    let digits_end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits_end)?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        _ => return None,
    };
    let size = format!("{number} {unit}");
    read(&size).map(|_| size)
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, each) in UNITS {
            if self.0.is_multiple_of(each) {
                return write!(f, "{} {unit}", self.0 / each);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_at_the_edges() {
        for (text, bytes) in [
            ("1 B", Some(1)),
            ("16 KiB", Some(16_384)),
            ("1 GiB", Some(1 << 30)),
            ("0 B", None),
            ("1025 MiB", None),
            ("18446744073709551615 GiB", None),
            ("16KiB", None),
            ("16 KB", None),
            ("+1 B", None),
            (" B", None),
        ] {
            assert_eq!(
                text.parse::<ByteCount>().ok().map(ByteCount::bytes),
                bytes,
                "{text}"
            );
        }
    }

    #[test]
    fn near_misses_are_corrected() {
        let error = "16kb"
            .parse::<ByteCount>()
            .expect_err("no space, wrong unit");
        assert_eq!(error.suggestion.as_deref(), Some("16 KiB"));
        assert_eq!("16 KiB".parse::<ByteCount>().unwrap().to_string(), "16 KiB");
        assert_eq!("1025 B".parse::<ByteCount>().unwrap().to_string(), "1025 B");
    }
}
