//! base64url without padding (RFC 4648 §5), in the one spelling that bytes have.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes bytes.
pub fn write(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |bits: u32| {
        let at = usize::try_from(bits & 63).unwrap_or_default();
        ALPHABET.get(at).copied().unwrap_or(b'A')
    };
    let (triples, rest) = bytes.as_chunks::<3>();
    let begin = out.len();
    out.resize(begin + triples.len() * 4, 0);
    let (quads, _) = out
        .get_mut(begin..)
        .unwrap_or_default()
        .as_chunks_mut::<4>();
    for (quad, [one, two, three]) in quads.iter_mut().zip(triples) {
        let bits = u32::from(*one) << 16 | u32::from(*two) << 8 | u32::from(*three);
        *quad = [bits >> 18, bits >> 12, bits >> 6, bits].map(digit);
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

/// Reads bytes. Nothing for what has padding, another digit, or bits behind the last byte (RFC 4648 §3.5): two spellings of one
/// token would be two tokens to whoever denies or counts them.
#[must_use]
pub fn read(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    each(text, |more| {
        bytes.extend_from_slice(more);
        Some(())
    })?;
    Some(bytes)
}

/// Reads exactly so many bytes.
#[must_use]
pub fn read_exactly<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let mut rest = bytes.as_mut_slice();
    each(text, |more| {
        let (here, after) = std::mem::take(&mut rest).split_at_mut_checked(more.len())?;
        here.copy_from_slice(more);
        rest = after;
        Some(())
    })?;
    rest.is_empty().then_some(bytes)
}

/// Hands out the bytes, up to three at a time.
fn each(text: &[u8], mut put: impl FnMut(&[u8]) -> Option<()>) -> Option<()> {
    let (quads, rest) = text.as_chunks::<4>();
    for [a, b, c, d] in quads {
        let bits = digit(*a)? << 18 | digit(*b)? << 12 | digit(*c)? << 6 | digit(*d)?;
        let [_, one, two, three] = bits.to_be_bytes();
        put(&[one, two, three])?;
    }
    match rest {
        [] => Some(()),
        [a, b] => match (digit(*a)? << 18 | digit(*b)? << 12).to_be_bytes() {
            [_, one, 0, 0] => put(&[one]),
            _ => None,
        },
        [a, b, c] => {
            let bits = digit(*a)? << 18 | digit(*b)? << 12 | digit(*c)? << 6;
            match bits.to_be_bytes() {
                [_, one, two, 0] => put(&[one, two]),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a digit stands for.
fn digit(byte: u8) -> Option<u32> {
    let value = DIGITS.get(usize::from(byte)).copied()?;
    (value < 64).then(|| u32::from(value))
}

const DIGITS: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut value = 0_u8;
    let mut rest: &[u8] = ALPHABET;
    while let [byte, more @ ..] = rest {
        #[expect(
            clippy::indexing_slicing,
            reason = "a byte is below 256, and the compiler works it out"
        )]
        {
            digits[*byte as usize] = value;
        }
        value += 1;
        rest = more;
    }
    digits
};

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
            assert_eq!(read(written.as_bytes()).as_deref(), Some(bytes));
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

    #[test]
    fn one_spelling_and_no_other() {
        for (text, bytes) in [
            ("", Some("")),
            ("Zg", Some("f")),
            ("Zm8", Some("fo")),
            ("Zm9v", Some("foo")),
            ("Zm9vYg", Some("foob")),
            ("Zm9vYmE", Some("fooba")),
            ("Zm9vYmFy", Some("foobar")),
            ("Pz8_Pj4-", Some("???>>>")),
            ("Zg==", None),
            ("Zm8=", None),
            ("Zh", None),
            ("Zm9", None),
            ("Z", None),
            ("Zm9vZ", None),
            ("Zm9v\n", None),
            (" Zm9v", None),
            ("Pz8/", None),
            ("Pj4+", None),
            ("Zm9\u{e9}", None),
            ("Zm9.", None),
        ] {
            let read = read(text.as_bytes());
            assert_eq!(read.as_deref(), bytes.map(str::as_bytes), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>) {
            prop_assert_eq!(read(text(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn what_is_read_is_written_alike(written in "[A-Za-z0-9_-]{0,40}") {
            if let Some(bytes) = read(written.as_bytes()) {
                prop_assert_eq!(text(&bytes), written);
            }
        }
    }
}
