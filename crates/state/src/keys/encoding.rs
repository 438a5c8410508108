//! How a key is written: hex, base64url or base64 (RFC 4648), each in the one spelling that its bytes have.

use zeroize::Zeroizing;

/// In which way a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

/// The bytes that a text stands for. A text of hex digits alone is hex: as base64 it would be longer and weaker than it says.
pub(super) fn decoded(text: &[u8]) -> Option<(Encoding, Zeroizing<Vec<u8>>)> {
    if text.iter().all(u8::is_ascii_hexdigit) {
        hex(text).map(|bytes| (Encoding::Hex, bytes))
    } else {
        base64(text).map(|bytes| (Encoding::Base64, bytes))
    }
}

/// §8, of either case.
fn hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, rest) = text.as_chunks::<2>();
    // Room for all of it: a vector that grows leaves its old bytes behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push(hex_digit(*high)? << 4 | hex_digit(*low)?);
    }
    rest.is_empty().then_some(bytes)
}

pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// §4 and §5, not mixed; padded wholly or not at all. Bits that are left over must be zero (§3.5).
fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = unpadded(text)?;
    let is_url = digits.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len()));
    for digit in digits {
        bits = bits << 6 | u32::from(base64_digit(*digit, is_url)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (held < 6 && bits == 0).then_some(bytes)
}

fn unpadded(text: &[u8]) -> Option<&[u8]> {
    match text.iter().rev().take_while(|byte| **byte == b'=').count() {
        0 => Some(text),
        padding @ 1..=2 if text.len().is_multiple_of(4) => text.get(..text.len() - padding),
        _ => None,
    }
}

fn base64_digit(byte: u8, is_url: bool) -> Option<u8> {
    match (byte, is_url) {
        (b'A'..=b'Z', _) => Some(byte - b'A'),
        (b'a'..=b'z', _) => Some(byte - b'a' + 26),
        (b'0'..=b'9', _) => Some(byte - b'0' + 52),
        (b'-', true) | (b'+', false) => Some(62),
        (b'_', true) | (b'/', false) => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, and what is near it.
    #[test]
    fn each_spelling_and_no_other() {
        for (text, bytes) in [
            ("Zg==", Some("f")),
            ("Zm8=", Some("fo")),
            ("Zm9v", Some("foo")),
            ("Zm9vYg==", Some("foob")),
            ("Zm9vYmE=", Some("fooba")),
            ("Zm9vYmFy", Some("foobar")),
            ("Zm9vYg", Some("foob")),
            ("Zm9vYmE", Some("fooba")),
            ("666F6f626172", Some("foobar")),
            ("Pz8/", Some("???")),
            ("Pz8_", Some("???")),
            ("Pj4+", Some(">>>")),
            ("Pj4-", Some(">>>")),
            ("666F6", None),
            ("Zm9vYg=", None),
            ("Zm9vYh==", None),
            ("Zm9vYmF=", None),
            ("Zm9vY", None),
            ("Zm9v=", None),
            ("Zm9v====", None),
            ("Zg==Zg==", None),
            ("=", None),
            ("Pz8/Pz8_", None),
            ("Pj4+Pj4-", None),
            ("Zm9v Zm8", None),
            ("Zm9\u{e9}", None),
        ] {
            let read = decoded(text.as_bytes()).map(|(_, read)| read.to_vec());
            assert_eq!(read.as_deref(), bytes.map(str::as_bytes), "{text}");
        }
    }
}
