//! `Field`: one header line, as two ranges of the buffer it was read from.

use super::bounds::HeadBounds;
use super::bytes::{printable_len, token_len, trimmed};
use super::fault::FieldFault;
use super::role::Role;

/// A range of a buffer, in 32 bits. A head is never larger ([`HeadBounds::BYTES_CEILING`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The span of two places. A place over 32 bits makes an empty span, which no head can reach.
    pub(super) fn new(start: usize, end: usize) -> Self {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    /// The bytes, from the buffer that the head was read from. Of a shorter buffer: nothing.
    #[must_use]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        usize::try_from(self.start)
            .ok()
            .zip(usize::try_from(self.end).ok())
            .and_then(|(start, end)| buf.get(start..end))
            .unwrap_or_default()
    }

    /// How many bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// One header line: where its name and its value are, and what the guard does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, as it was written.
    pub name: Span,
    /// The value, without the spaces around it.
    pub value: Span,
    /// What it is to the guard.
    pub role: Role,
}

/// The fields of a head in their order. On the heap: a head is moved several times, and most have room in one allocation.
pub type Fields = Vec<Field>;

/// For how many fields there is room at first.
const FIELDS_USUAL: usize = 24;

/// An empty list, with room for what most heads have.
pub(super) fn no_fields() -> Fields {
    Vec::with_capacity(FIELDS_USUAL)
}

/// Why a reader stopped before the end.
pub(super) enum Stop<F> {
    /// The bytes ended.
    Incomplete,
    /// The bytes are refused.
    Fault(F),
}

impl<F> From<F> for Stop<F> {
    fn from(fault: F) -> Self {
        Self::Fault(fault)
    }
}

/// How the fields of one kind of message are read.
#[derive(Clone, Copy)]
pub(super) struct FieldReader {
    /// The most fields.
    pub(super) fields_max: usize,
    /// What a name means.
    pub(super) role: fn(&[u8]) -> Role,
    /// Whether a value has to be UTF-8.
    pub(super) utf8: bool,
}

impl FieldReader {
    /// Reads the fields from `at` up to the empty line. Returns the place after that line.
    pub(super) fn read(
        &self,
        buf: &[u8],
        at: usize,
        fields: &mut Fields,
    ) -> Result<usize, Stop<FieldFault>> {
        let mut at = at;
        loop {
            let rest = buf.get(at..).unwrap_or_default();
            match rest {
                [b'\r', b'\n', ..] => return Ok(at + 2),
                [] | [b'\r'] => return Err(Stop::Incomplete),
                [b'\r' | b'\n', ..] => return Err(FieldFault::LineEnd.into()),
                [b' ' | b'\t', ..] => return Err(FieldFault::Folded.into()),
                _ => {}
            }
            if fields.len() >= self.fields_max {
                return Err(FieldFault::TooMany.into());
            }
            let (field, next) = self.line(rest, at)?;
            fields.push(field);
            at = next;
        }
    }

    /// One line that stands at `at`, and the place after it.
    fn line(&self, rest: &[u8], at: usize) -> Result<(Field, usize), Stop<FieldFault>> {
        let name_len = token_len(rest);
        let (name, after) = rest.split_at_checked(name_len).ok_or(Stop::Incomplete)?;
        let Some((colon, value)) = after.split_first() else {
            return Err(Stop::Incomplete);
        };
        if *colon != b':' || name.is_empty() {
            return Err(FieldFault::Name.into());
        }
        let value_at = at + name_len + 1;
        let (len, is_ascii) = value_len(value)?;
        let written = value.get(..len).unwrap_or_default();
        match value.get(len..) {
            Some([b'\r', b'\n', ..]) => {}
            Some([] | [b'\r']) | None => return Err(Stop::Incomplete),
            Some(_) => return Err(FieldFault::LineEnd.into()),
        }
        if self.utf8 && !is_ascii && std::str::from_utf8(written).is_err() {
            return Err(FieldFault::ValueEncoding.into());
        }
        let from = value_at + space_before(written);
        let field = Field {
            name: Span::new(at, at + name_len),
            value: Span::new(from, from + trimmed(written).len()),
            role: (self.role)(name),
        };
        Ok((field, value_at + len + 2))
    }
}

/// How many bytes of optional whitespace stand at the beginning.
fn space_before(written: &[u8]) -> usize {
    written
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(0)
}

/// The length of a value, up to a carriage return or the end of the bytes, and whether it is ASCII.
fn value_len(value: &[u8]) -> Result<(usize, bool), FieldFault> {
    let (mut len, mut is_ascii) = (0, true);
    loop {
        len += printable_len(value.get(len..).unwrap_or_default());
        match value.get(len) {
            Some(b'\t') => len += 1,
            Some(0x80..) => {
                len += 1;
                is_ascii = false;
            }
            None | Some(b'\r') => return Ok((len, is_ascii)),
            Some(b'\n') => return Err(FieldFault::LineEnd),
            Some(_) => return Err(FieldFault::ValueControl),
        }
    }
}

/// The part of the buffer that a head can have, and whether the buffer reaches that bound.
pub(super) fn within<'b>(buf: &'b [u8], bounds: &HeadBounds) -> (&'b [u8], bool) {
    let ceiling = bounds.head_ceiling();
    match buf.get(..ceiling) {
        Some(head) => (head, true),
        None => (buf, false),
    }
}
