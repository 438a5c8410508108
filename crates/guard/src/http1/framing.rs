//! `Framing`: where a message ends, decided once and from exactly one field.

use super::connection::Connection;
use super::fault::FramingFault;
use super::field::{Field, Fields};
use super::role::Role;

/// The version of the protocol. There are two that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// Where the body of a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// After this many bytes.
    Length(u64),
    /// At the last chunk.
    Chunked,
}

/// Where the body of a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// There is none.
    None,
    /// After this many bytes.
    Length(u64),
    /// At the last chunk.
    Chunked,
    /// Where the upstream closes the connection.
    UntilClose,
}

/// What the fields say of framing and of the connection, gathered in one walk.
#[derive(Default)]
pub(super) struct Gathered {
    length: Option<u64>,
    chunked: bool,
    /// The `Connection` fields taken together.
    pub(super) connection: Connection,
    /// Whether there is an `Upgrade`.
    pub(super) upgrade: bool,
}

impl Gathered {
    /// Reads the framing fields. Fields that `Connection` lists are marked.
    pub(super) fn of(buf: &[u8], fields: &mut Fields) -> Result<Self, FramingFault> {
        let mut gathered = Self::default();
        for field in fields.iter() {
            gathered.add(field, buf)?;
        }
        if gathered.length.is_some() && gathered.chunked {
            return Err(FramingFault::LengthAndCoding);
        }
        if gathered.connection.lists_names() {
            gathered.connection.mark_listed(buf, fields)?;
        }
        Ok(gathered)
    }

    fn add(&mut self, field: &Field, buf: &[u8]) -> Result<(), FramingFault> {
        let value = field.value.of(buf);
        if field.role == Role::ContentLength {
            let length = content_length(value)?;
            if self.length.replace(length).is_some() {
                return Err(FramingFault::LengthRepeated);
            }
        } else if field.role == Role::TransferEncoding {
            if self.chunked {
                return Err(FramingFault::CodingRepeated);
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(FramingFault::CodingUnknown);
            }
            self.chunked = true;
        } else if field.role == Role::Connection {
            self.connection.add(value)?;
        } else if field.role == Role::Upgrade {
            self.upgrade = true;
        } else if field.role == Role::FramingAlias {
            return Err(FramingFault::Alias);
        }
        Ok(())
    }

    /// The one length, if there is one.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether there is a `Transfer-Encoding`, which then is `chunked`.
    pub(super) fn is_chunked(&self) -> bool {
        self.chunked
    }

    /// Whether the connection may be used again.
    pub(super) fn keep_alive(&self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.connection.close,
            Version::Http10 => self.connection.keep_alive && !self.connection.close,
        }
    }
}

/// RFC 9110 §8.6: digits and nothing else. A list of equal lengths, which a lenient reader takes, is refused too.
fn content_length(value: &[u8]) -> Result<u64, FramingFault> {
    if value.contains(&b',') {
        return Err(FramingFault::LengthRepeated);
    }
    // 20 digits hold every number of 64 bits.
    if value.is_empty() || value.len() > 20 {
        return Err(FramingFault::LengthMalformed);
    }
    value
        .iter()
        .try_fold(0_u64, |sum, byte| {
            let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
            sum.checked_mul(10)?.checked_add(u64::from(digit))
        })
        .ok_or(FramingFault::LengthMalformed)
}
