//! base64url without padding (RFC 4648 §5), in the one spelling that bytes have.

use smallvec::SmallVec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes bytes.
pub fn write(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |bits: u32| {
        let at = usize::try_from(bits & 63).unwrap_or_default();
        ALPHABET.get(at).copied().unwrap_or(b'A')
    };
    let (triples, rest) = bytes.as_chunks::<3>();
    for [one, two, three] in triples {
        let bits = u32::from(*one) << 16 | u32::from(*two) << 8 | u32::from(*three);
        let digits = [bits >> 18, bits >> 12, bits >> 6, bits].map(digit);
        out.extend_from_slice(&digits);
    }
    match rest {
        [one] => {
            let bits = u32::from(*one) << 16;
            out.extend_from_slice(&[bits >> 18, bits >> 12].map(digit));
        }
        [one, two] => {
            let bits = u32::from(*one) << 16 | u32::from(*two) << 8;
            out.extend_from_slice(&[bits >> 18, bits >> 12, bits >> 6].map(digit));
        }
        _ => {}
    }
}

/// The same as a text.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    write(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}

/// Reads bytes. Nothing for what has padding, another digit, or bits behind the last byte: it would be a second spelling.
#[must_use]
pub fn read(text: &[u8]) -> Option<SmallVec<[u8; 48]>> {
    let mut bytes = SmallVec::with_capacity(text.len() / 4 * 3 + 2);
    for quad in text.chunks(4) {
        let mut bits = 0;
        for digit in quad {
            bits = bits << 6 | value(*digit)?;
        }
        let [_, one, two, three] = match quad.len() {
            4 => bits.to_be_bytes(),
            3 if bits & 3 == 0 => (bits << 6).to_be_bytes(),
            2 if bits & 15 == 0 => (bits << 12).to_be_bytes(),
            _ => return None,
        };
        let all = [one, two, three];
        bytes.extend_from_slice(all.get(..quad.len() - 1)?);
    }
    Some(bytes)
}

/// Reads exactly so many bytes.
#[must_use]
pub fn read_exactly<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    read(text)?.as_slice().try_into().ok()
}

const fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    #[expect(
        clippy::as_conversions,
        reason = "`From` is not const, and a byte always fits"
    )]
    Some(value as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4648 §10, in the alphabet of §5 and without padding.
    #[test]
    fn reads_and_writes_as_the_rfc_does() {
        for (bytes, written) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff], "-_8"),
        ] {
            assert_eq!(text(bytes), written);
            assert_eq!(read(written.as_bytes()).unwrap().as_slice(), bytes);
        }
    }

    #[test]
    fn what_has_a_second_spelling_is_refused() {
        for written in [
            "Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm9v\n", " Zg", "Zm9vY",
        ] {
            assert_eq!(read(written.as_bytes()), None, "{written}");
        }
        assert_eq!(read_exactly::<2>(b"Zm9v"), None);
        assert_eq!(read_exactly::<3>(b"Zm9v"), Some(*b"foo"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>) {
            let read = read(text(&bytes).as_bytes()).map(|read| read.to_vec());
            prop_assert_eq!(read, Some(bytes));
        }

        #[test]
        fn what_is_read_is_written_alike(written in "[A-Za-z0-9_-]{0,40}") {
            if let Some(bytes) = read(written.as_bytes()) {
                prop_assert_eq!(text(&bytes), written);
            }
        }
    }
}
