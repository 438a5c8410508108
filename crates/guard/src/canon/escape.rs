//! The percent escapes of a path: which are undone, which are kept in capitals, which are refused.

use super::fault::PathFault;

/// Undoes harmless escapes and writes the others in capitals (RFC 3986 §6.2.2), as `portcullis_policy` does it for
/// templates; a test holds the two together.
pub(super) fn normalised(written: &str) -> Result<String, PathFault> {
    let mut plain = String::with_capacity(written.len());
    let mut sequence = Utf8Run::default();
    for (position, piece) in written.split('%').enumerate() {
        if position == 0 {
            plain.push_str(piece);
            continue;
        }
        let byte = escaped_byte(piece.as_bytes()).ok_or(PathFault::EscapeBroken)?;
        let after = piece.get(2..).unwrap_or_default();
        // `%23` hides what cuts a path short in some readers (CVE-2026-41059, CVE-2021-32779).
        if byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'.' | b';' | b'%' | b'#') {
            return Err(PathFault::EscapeHidden);
        }
        sequence.push(byte)?;
        if !after.is_empty() {
            sequence.end()?;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            plain.push(char::from(byte));
        } else {
            plain.push('%');
            plain.push(digit(byte >> 4));
            plain.push(digit(byte & 15));
        }
        plain.push_str(after);
    }
    sequence.end()?;
    Ok(plain)
}

/// The byte of an escape, of which the `%` is taken off.
fn escaped_byte(piece: &[u8]) -> Option<u8> {
    let [high, low, ..] = piece else {
        return None;
    };
    Some((value(*high)? << 4) | value(*low)?)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

/// Escapes beside each other, which together are UTF-8 or are refused.
#[derive(Default)]
struct Utf8Run {
    bytes: [u8; 4],
    len: usize,
}

impl Utf8Run {
    fn push(&mut self, byte: u8) -> Result<(), PathFault> {
        let place = self
            .bytes
            .get_mut(self.len)
            .ok_or(PathFault::EscapeEncoding)?;
        *place = byte;
        self.len += 1;
        match std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()) {
            Ok(_) => self.len = 0,
            // Not wrong yet, only not whole.
            Err(error) if error.error_len().is_none() => {}
            Err(_) => return Err(PathFault::EscapeEncoding),
        }
        Ok(())
    }

    fn end(&self) -> Result<(), PathFault> {
        if self.len == 0 {
            Ok(())
        } else {
            Err(PathFault::EscapeEncoding)
        }
    }
}
