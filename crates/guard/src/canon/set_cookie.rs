//! `SetCookie`: one `Set-Cookie` field as browsers read it, so that no application sets a cookie of the guard's own.

use std::fmt;

use super::cookies::OWN_PREFIX;
use crate::http1::{is_token, trimmed};

/// The longest name and value together that a browser keeps, in bytes (RFC 6265 §6.1, and what browsers hold to).
pub const COOKIE_BYTES_MAX: usize = 4096;

/// The longest value of an attribute that a browser looks at, in bytes. A longer one counts as absent.
pub const ATTRIBUTE_BYTES_MAX: usize = 1024;

/// What a browser reads out of one `Set-Cookie` field (RFC 6265 §5.2). Nothing is copied, and every field has a reading.
///
/// Where RFC 6265 drops a pair without a name and browsers keep it (`value` and `=value` become a cookie that is sent as
/// `value`), the name is empty and the value is there: whoever asks can do either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SetCookie<'b> {
    name: &'b [u8],
    value: &'b [u8],
    attributes: &'b [u8],
}

/// One attribute of a cookie: `Path=/`, `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'b> {
    /// As it was written, to be compared without letter case.
    pub name: &'b [u8],
    /// Empty where there is no `=`.
    pub value: &'b [u8],
}

impl<'b> SetCookie<'b> {
    /// Reads the value of one field. Its length is bounded by the head that it stands in.
    #[must_use]
    pub fn read(field: &'b [u8]) -> Self {
        let (pair, attributes) = cut(field, b';').unwrap_or((field, b""));
        let (name, value) = cut(pair, b'=').unwrap_or((b"", pair));
        Self {
            name: trimmed(name),
            value: trimmed(value),
            attributes,
        }
    }

    /// The name, without the spaces and tabs around it. Empty where there is none.
    #[must_use]
    pub const fn name(&self) -> &'b [u8] {
        self.name
    }

    /// The value, without the spaces and tabs around it. Quotes are part of it.
    #[must_use]
    pub const fn value(&self) -> &'b [u8] {
        self.value
    }

    /// Whether it is longer than browsers keep: [`COOKIE_BYTES_MAX`].
    #[must_use]
    pub const fn is_too_long(&self) -> bool {
        self.name.len().saturating_add(self.value.len()) > COOKIE_BYTES_MAX
    }

    /// The attributes in their order, without those over [`ATTRIBUTE_BYTES_MAX`]. Of two with one name the last counts.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'b>> + use<'b> {
        self.attributes
            .split(|byte| *byte == b';')
            .map(|text| {
                let (name, value) = cut(text, b'=').unwrap_or((text, b""));
                Attribute {
                    name: trimmed(name),
                    value: trimmed(value),
                }
            })
            .filter(|one| !one.name.is_empty() && one.value.len() <= ATTRIBUTE_BYTES_MAX)
    }

    /// Whether it would be taken for one of the guard's own cookies, whatever its attributes are and whether a browser
    /// would keep it.
    ///
    /// More is taken for one than by any one reader. A pair without a name is sent as its value alone, so there the value
    /// decides. Servers are known to read a name without the spaces, quotes or other bytes around it, and browsers to
    /// compare the prefix without letter case.
    #[must_use]
    pub fn is_own(&self) -> bool {
        let start = |text: &'b [u8]| {
            let place = text.iter().position(|byte| is_token(*byte))?;
            text.get(place..)
        };
        start(self.name)
            .or_else(|| start(self.value))
            .and_then(|bare| bare.get(..OWN_PREFIX.len()))
            .is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX))
    }
}

/// The value is a secret as often as not.
impl fmt::Debug for SetCookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie")
            .field("name", &self.name.escape_ascii().to_string())
            .field("value_bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// What stands before and behind the first such byte.
fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = memchr::memchr(at, text)?;
    let (before, rest) = text.split_at_checked(place)?;
    Some((before, rest.get(1..)?))
}
