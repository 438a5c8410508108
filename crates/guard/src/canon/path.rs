//! `CanonPath`: the path of a request in the one spelling that is matched and forwarded.
//!
//! The rule is the one of `portcullis_policy::PathTemplate`: letter case and a trailing slash count, what a template may
//! write raw is raw, everything else is an escape in capitals, and what two readers could read differently is refused.

use std::borrow::Cow;
use std::fmt;

use super::escape::{normalised, stands_raw};
use super::fault::PathFault;

/// A path without its query. Borrowed where the bytes of the request are canonical already, which is the common case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CanonPath<'b> {
    text: Cow<'b, str>,
}

impl<'b> CanonPath<'b> {
    /// The longest path, in bytes as they are written and as they are forwarded.
    pub const BYTES_MAX: usize = 8 * 1024;

    /// Reads a path, which begins with `/` and has no query.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong or ambiguous; see [`PathFault`].
    pub fn parse(raw: &'b [u8]) -> Result<Self, PathFault> {
        if raw.len() > Self::BYTES_MAX {
            return Err(PathFault::TooLong);
        }
        let Some(rest) = raw.strip_prefix(b"/") else {
            return Err(PathFault::Form);
        };
        let respelled = judge_bytes(rest)?;
        let text = std::str::from_utf8(raw).map_err(not_ascii)?;
        if !respelled {
            return Ok(Self {
                text: Cow::Borrowed(text),
            });
        }
        let plain = normalised(text)?;
        if plain.len() > Self::BYTES_MAX {
            return Err(PathFault::TooLong);
        }
        let text = if plain == text {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(plain)
        };
        Ok(Self { text })
    }

    /// The canonical text: match this, forward this.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments after the first slash, without allocation. `/` has one, which is empty; a trailing slash is an
    /// empty segment at the end.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(1)
    }

    /// Whether the request's own bytes are canonical.
    #[must_use]
    pub fn is_borrowed(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// The same path, independent of the request's bytes.
    #[must_use]
    pub fn into_owned(self) -> CanonPath<'static> {
        CanonPath {
            text: Cow::Owned(self.text.into_owned()),
        }
    }
}

impl fmt::Display for CanonPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Only reached by bytes that are no ASCII, which are refused before.
fn not_ascii(_: std::str::Utf8Error) -> PathFault {
    PathFault::Byte
}

/// What a byte is in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Stands for itself.
    Plain,
    /// `:`, which stands for itself but at the beginning of a segment.
    Colon,
    /// Begins an escape, or has to become one.
    Escape,
    /// `/`.
    Slash,
    /// `.`.
    Dot,
    /// Refused.
    Refused,
}

const KINDS: [Kind; 256] = kinds();

#[expect(
    clippy::indexing_slicing,
    reason = "a byte is always a place in a table of 256, and this runs when the crate is compiled"
)]
const fn kinds() -> [Kind; 256] {
    let mut table = [Kind::Refused; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = match byte {
            b'\\' | b'?' | b'#' | b';' => Kind::Refused,
            b'/' => Kind::Slash,
            b'.' => Kind::Dot,
            b':' => Kind::Colon,
            plain if stands_raw(plain, true) => Kind::Plain,
            _ => Kind::Escape,
        };
        byte += 1;
    }
    table
}

fn kind(byte: u8) -> Kind {
    KINDS
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Kind::Refused)
}

/// Judges what follows the first slash byte by byte; whether there are escapes to look at or to make.
fn judge_bytes(rest: &[u8]) -> Result<bool, PathFault> {
    let mut respelled = false;
    // The length of the segment, and of that its dots.
    let (mut len, mut dots) = (0_usize, 0_usize);
    for byte in rest {
        match kind(*byte) {
            Kind::Plain => len += 1,
            Kind::Slash => {
                end_of_segment(len, dots)?;
                if len == 0 {
                    return Err(PathFault::EmptySegment);
                }
                (len, dots) = (0, 0);
            }
            Kind::Dot => {
                len += 1;
                dots += 1;
            }
            Kind::Colon => {
                respelled |= len == 0;
                len += 1;
            }
            Kind::Escape => {
                len += 1;
                respelled = true;
            }
            Kind::Refused => return Err(PathFault::Byte),
        }
    }
    end_of_segment(len, dots)?;
    Ok(respelled)
}

/// An escape of a dot is refused, so dots are only the plain ones.
fn end_of_segment(len: usize, dots: usize) -> Result<(), PathFault> {
    if len == dots && (1..=2).contains(&dots) {
        Err(PathFault::DotSegment)
    } else {
        Ok(())
    }
}
