//! Texts and numbers in the bytes of a record: short, and the same in every store.

use crate::store::Value;

/// The longest text, in bytes: its length is one byte.
pub(crate) const TEXT_BYTES_MAX: usize = u8::MAX as usize;

/// Writes a text, which the caller knows to be no longer than it may be.
pub(crate) fn write_text(out: &mut Value, text: &str) {
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

/// Reads a text, and leaves what stands behind it.
pub(crate) fn read_text(rest: &mut &[u8]) -> Option<String> {
    let [length] = *take::<1>(rest)?;
    let (text, after) = rest.split_at_checked(usize::from(length))?;
    *rest = after;
    str::from_utf8(text).ok().map(str::to_owned)
}

/// Reads so many bytes, and leaves what stands behind them.
pub(crate) fn take<'a, const LENGTH: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; LENGTH]> {
    let (first, after) = rest.split_first_chunk::<LENGTH>()?;
    *rest = after;
    Some(first)
}
