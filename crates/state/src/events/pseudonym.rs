//! `Pseudonyms`: keyed hashes of clients and users, by which events can be joined and nobody found.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use portcullis_policy::event::{EventClient, HexBytes, Pseudonym};

use crate::StateError;

/// The fewest bytes of a key.
const KEY_BYTES_MIN: usize = 32;

/// Names clients and users by HMAC-SHA-256, cut to 128 bits. Each purpose has a key of its own, so that a user and a
/// client of the same bytes have different names.
#[derive(Debug)]
pub struct Pseudonyms {
    client: Key,
    user: Key,
}

impl Pseudonyms {
    /// With a key of the system's random bytes: names are the same as long as the process runs.
    ///
    /// # Errors
    ///
    /// When there are no random bytes.
    pub fn random() -> Result<Self, StateError> {
        let key: [u8; KEY_BYTES_MIN] = crate::random_bytes()?;
        Ok(Self::of(&key))
    }

    /// With a key as it is configured, in hex or base64url: names are the same over restarts and machines.
    ///
    /// # Errors
    ///
    /// When it is written in neither, or has fewer than 32 bytes when it is decoded.
    pub fn configured(text: &str) -> Result<Self, StateError> {
        let text = text.trim();
        let key = hex(text)
            .or_else(|| base64url(text))
            .ok_or(StateError::MalformedKey)?;
        if key.len() < KEY_BYTES_MIN {
            return Err(StateError::ShortKey(key.len()));
        }
        Ok(Self::of(&key))
    }

    fn of(key: &[u8]) -> Self {
        let master = Key::new(HMAC_SHA256, key);
        let purpose = |label: &[u8]| Key::new(HMAC_SHA256, sign(&master, label).as_ref());
        Self {
            client: purpose(b"portcullis events client 1"),
            user: purpose(b"portcullis events user 1"),
        }
    }

    /// The name of a client: of its address, in the fewest bytes that tell clients apart.
    #[must_use]
    pub fn client(&self, bytes: &[u8]) -> EventClient {
        EventClient::One(named(&self.client, bytes))
    }

    /// The name of a user: of issuer and subject.
    #[must_use]
    pub fn user(&self, bytes: &[u8]) -> Pseudonym {
        named(&self.user, bytes)
    }
}

fn named(key: &Key, bytes: &[u8]) -> Pseudonym {
    let tag = sign(key, bytes);
    let first = tag.as_ref().first_chunk::<16>();
    HexBytes(first.copied().unwrap_or_default())
}

/// Hex of either case.
fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

/// RFC 4648 §5 without padding. Bits that are left over must be zero (§3.5).
fn base64url(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = Vec::new();
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (held < 6 && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_counted_when_it_is_decoded() {
        let long_hex = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let long_base64 = "z".repeat(42) + "A";
        assert!(Pseudonyms::configured(long_hex).is_ok());
        assert!(Pseudonyms::configured(&long_base64).is_ok());
        for (text, bytes) in [
            (long_hex.strip_prefix("00").unwrap(), 31),
            ("", 0),
            (long_base64.strip_prefix('z').unwrap(), 31),
        ] {
            let error = Pseudonyms::configured(text).unwrap_err();
            // 42 letters are 31 bytes and 4 bits that are zero.
            assert!(
                matches!(error, StateError::ShortKey(n) if n == bytes),
                "{text}: {error}"
            );
        }
        for text in [
            "not a key!",
            &"=".repeat(44),
            &"B".repeat(43),
            &"é".repeat(32),
        ] {
            let error = Pseudonyms::configured(text).unwrap_err();
            assert!(matches!(error, StateError::MalformedKey), "{text}");
        }
    }

    #[test]
    fn names_are_stable_and_of_one_purpose() {
        let key = "7f".repeat(32);
        let names = Pseudonyms::configured(&key).unwrap();
        let again = Pseudonyms::configured(&key).unwrap();
        let other = Pseudonyms::random().unwrap();
        let ip = [192, 0, 2, 1];
        assert_eq!(names.client(&ip), again.client(&ip));
        assert_ne!(names.client(&ip), other.client(&ip));
        assert_ne!(names.client(&ip), EventClient::One(names.user(&ip)));
        assert_ne!(names.client(&ip), names.client(&[192, 0, 2, 2]));
    }
}
