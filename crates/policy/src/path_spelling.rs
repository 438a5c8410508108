//! The one spelling of a segment's text: which characters stand as they are, which as escapes, which nowhere.
//!
//! What a template may write raw is written raw, whether or not it came as an escape; everything else is an escape in
//! capitals, whether or not it came raw (RFC 3986 §6.2.2). So a character has one spelling in templates, in paths that
//! are matched and in paths that are forwarded, and no route is passed by because a client wrote `%40` for `@`.

use std::borrow::Cow;

/// Whether a byte stands raw. A `:` at the beginning of a segment does not: there it begins a parameter in the words of
/// many frameworks, and a template refuses it.
pub(crate) const fn stands_raw(byte: u8, begins_segment: bool) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'&' | b'\'' | b',' | b'=' | b'@'
        )
        || (byte == b':' && !begins_segment)
}

/// The text in its one spelling. What hides something that a server acts on (`/`, `\`, `.`, `;`, `#`, another escape, a
/// control character) or is no UTF-8 is refused, with its place and length.
pub(crate) fn canonical(
    written: &str,
    begins_segment: bool,
) -> Result<Cow<'_, str>, (usize, usize)> {
    let begins = |offset: usize| begins_segment && offset == 0;
    if written
        .bytes()
        .enumerate()
        .all(|(offset, byte)| stands_raw(byte, begins(offset)))
    {
        return Ok(Cow::Borrowed(written));
    }
    let (places, bytes): (Vec<usize>, Vec<u8>) = decoded(written)?.into_iter().unzip();
    if let Err(error) = std::str::from_utf8(&bytes) {
        let offset = places.get(error.valid_up_to()).copied();
        return Err((offset.unwrap_or_default(), 3));
    }
    let mut plain = String::with_capacity(written.len());
    for (offset, byte) in places.into_iter().zip(bytes) {
        if stands_raw(byte, begins(offset)) {
            plain.push(char::from(byte));
        } else {
            plain.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(Cow::Owned(plain))
}

/// Each byte that is meant, with the offset at which it is written.
fn decoded(written: &str) -> Result<Vec<(usize, u8)>, (usize, usize)> {
    let mut meant = Vec::with_capacity(written.len());
    let mut bytes = written.bytes().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() || matches!(byte, b'/' | b'\\' | b'?' | b'#' | b';') {
                return Err((offset, 1));
            }
            meant.push((offset, byte));
            continue;
        }
        let digits = written.get(offset + 1..offset + 3);
        let byte = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or((offset, 1))?;
        if byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'.' | b';' | b'%' | b'#') {
            return Err((offset, 3));
        }
        meant.push((offset, byte));
        bytes.nth(1);
    }
    Ok(meant)
}

/// What is left of a canonical text without an end that it has; nothing where the end would begin inside an escape
/// (`%2Ab` is `*b` and does not end in `Ab`).
pub(crate) fn without_end<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    text.strip_suffix(end)
        .filter(|left| !matches!(left.as_bytes(), [.., b'%'] | [.., b'%', _]))
}
