//! The percent escapes of a path: which are undone, which are kept or made in capitals, which are refused.

use super::fault::PathFault;

/// Whether a byte stands raw in a path, as in a template of `portcullis_policy`; a test holds the two together. A `:` at
/// the beginning of a segment does not.
pub(super) const fn stands_raw(byte: u8, begins_segment: bool) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'&' | b'\'' | b',' | b'=' | b'@'
        )
        || (byte == b':' && !begins_segment)
}

/// Writes raw what stands raw and everything else as an escape in capitals, however it came (RFC 3986 §6.2.2). The raw
/// bytes of `written` have been judged.
pub(super) fn normalised(written: &str) -> Result<String, PathFault> {
    let mut plain = String::with_capacity(written.len());
    let mut sequence = Utf8Run::default();
    let mut begins_segment = false;
    let mut rest = written.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        let mut byte = *byte;
        if byte == b'%' {
            byte = escaped_byte(rest).ok_or(PathFault::EscapeBroken)?;
            rest = rest.get(2..).unwrap_or_default();
            // `%23` hides what cuts a path short in some readers (CVE-2026-41059, CVE-2021-32779).
            if byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'.' | b';' | b'%' | b'#') {
                return Err(PathFault::EscapeHidden);
            }
            sequence.push(byte)?;
        } else {
            sequence.end()?;
        }
        if byte == b'/' || stands_raw(byte, begins_segment) {
            plain.push(char::from(byte));
        } else {
            plain.push('%');
            plain.push(digit(byte >> 4));
            plain.push(digit(byte & 15));
        }
        begins_segment = byte == b'/';
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
