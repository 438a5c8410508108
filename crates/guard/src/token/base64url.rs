//! base64url as RFC 7515 §2 has it: without padding, in the one spelling that bytes have.

/// The bytes of a text. None for padding, white space, a digit of another alphabet, and bits that are left over and not zero
/// (RFC 4648 §3.5): two spellings of one token would be two tokens to whoever denies or counts them.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (quads, rest) = text.as_chunks::<4>();
    for [a, b, c, d] in quads {
        let bits = digit(*a)? << 18 | digit(*b)? << 12 | digit(*c)? << 6 | digit(*d)?;
        let [_, first, second, third] = bits.to_be_bytes();
        bytes.extend_from_slice(&[first, second, third]);
    }
    match rest {
        [] => {}
        [a, b] => {
            let bits = digit(*a)? << 18 | digit(*b)? << 12;
            let [_, first, 0, 0] = bits.to_be_bytes() else {
                return None;
            };
            bytes.push(first);
        }
        [a, b, c] => {
            let bits = digit(*a)? << 18 | digit(*b)? << 12 | digit(*c)? << 6;
            let [_, first, second, 0] = bits.to_be_bytes() else {
                return None;
            };
            bytes.extend_from_slice(&[first, second]);
        }
        _ => return None,
    }
    Some(bytes)
}

/// What a digit stands for.
fn digit(byte: u8) -> Option<u32> {
    let value = DIGITS.get(usize::from(byte)).copied()?;
    (value < 64).then(|| u32::from(value))
}

const DIGITS: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut value = 0_u8;
    let mut rest: &[u8] = alphabet;
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
    use super::*;

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
            assert_eq!(
                decoded(text.as_bytes()).as_deref(),
                bytes.map(str::as_bytes),
                "{text:?}"
            );
        }
    }

    #[test]
    fn every_digit_has_its_value_and_every_other_byte_none() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for byte in 0..=u8::MAX {
            let expected = alphabet.bytes().position(|one| one == byte);
            assert_eq!(
                digit(byte),
                expected.and_then(|value| u32::try_from(value).ok()),
                "{byte}"
            );
        }
    }
}
