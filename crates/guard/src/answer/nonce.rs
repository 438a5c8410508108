//! `Nonce`: the word of one answer by which a page tells its own scripts from foreign ones (CSP3 §2.3).

use std::fmt;

/// How many random bytes a nonce is made of: 144 bits, where CSP3 §7.1 asks for 128, so that base64 needs no padding.
pub const NONCE_RANDOM_BYTES: usize = 18;

/// Its length as text.
const TEXT_BYTES: usize = NONCE_RANDOM_BYTES / 3 * 4;

/// The alphabet of base64 (RFC 4648 §4).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A nonce, as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; TEXT_BYTES]);

impl Nonce {
    /// The nonce of random bytes, which are used for nothing else.
    #[must_use]
    pub fn of(random: [u8; NONCE_RANDOM_BYTES]) -> Self {
        let mut text = [b'A'; TEXT_BYTES];
        let (groups, _none) = random.as_chunks::<3>();
        let (places, _none) = text.as_chunks_mut::<4>();
        for ([a, b, c], place) in groups.iter().zip(places) {
            let bits = u32::from_be_bytes([0, *a, *b, *c]);
            *place = [18, 12, 6, 0].map(|shift| {
                let at = usize::try_from(bits >> shift & 63).unwrap_or_default();
                ALPHABET.get(at).copied().unwrap_or(b'A')
            });
        }
        Self(text)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Nobody reads it in a log.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_base64() {
        let shown = |random| String::from_utf8(Nonce::of(random).0.to_vec()).unwrap();
        assert_eq!(shown([0; 18]), "A".repeat(24));
        assert_eq!(shown([255; 18]), "/".repeat(24));
        assert_eq!(shown(*b"Many hands make li"), "TWFueSBoYW5kcyBtYWtlIGxp");
        assert_eq!(format!("{:?}", Nonce::of([7; 18])), "Nonce(..)");
    }
}
