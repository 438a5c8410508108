//! EMSA-PKCS1-v1_5 (RFC 8017 §9.2): the one message that a signature of a digest must be.

use aws_lc_rs::digest;

/// What is signed of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// `DigestInfo` in DER up to the digest (RFC 8017 §9.2, note 1).
    const fn prefix(self) -> &'static [u8; 19] {
        match self {
            Self::Sha256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }

    const fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// The longest modulus.
pub(crate) const MODULUS_BYTES_MAX: usize = 512;

/// At least so much padding is between what is at the front and the digest.
const PADDING_BYTES_MIN: usize = 8;

/// A message of as many bytes as a modulus has, in a buffer for the longest.
pub(crate) struct Encoded {
    buffer: [u8; MODULUS_BYTES_MAX],
    len: usize,
}

impl Encoded {
    /// Encodes a message for a modulus of `len` bytes. None where it does not fit, or the buffer does not.
    pub(crate) fn new(message: &[u8], hash: Hash, len: usize) -> Option<Self> {
        let digest = digest::digest(hash.algorithm(), message);
        let mut buffer = [0xff; MODULUS_BYTES_MAX];
        let whole = buffer.get_mut(..len)?;
        let (front, rest) = whole.split_at_mut_checked(2)?;
        front.copy_from_slice(&[0, 1]);
        let told = 1 + hash.prefix().len() + digest.as_ref().len();
        let padding = rest.len().checked_sub(told)?;
        if padding < PADDING_BYTES_MIN {
            return None;
        }
        let (_padding, rest) = rest.split_at_mut_checked(padding)?;
        let (zero, rest) = rest.split_first_mut()?;
        *zero = 0;
        let (prefix, rest) = rest.split_at_mut_checked(hash.prefix().len())?;
        prefix.copy_from_slice(hash.prefix());
        rest.copy_from_slice(digest.as_ref());
        Some(Self { buffer, len })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_of_padding_at_least() {
        // RFC 8017 §9.2, step 3: as long as `DigestInfo` and 11 bytes.
        for (hash, shortest) in [(Hash::Sha256, 62), (Hash::Sha384, 78), (Hash::Sha512, 94)] {
            for len in [0, 1, 2, 3, shortest - 9, shortest - 1] {
                assert!(Encoded::new(b"message", hash, len).is_none(), "{len}");
            }
            let encoded = Encoded::new(b"message", hash, shortest).unwrap();
            let bytes = encoded.bytes();
            assert_eq!(bytes.len(), shortest);
            assert_eq!(
                bytes[..11],
                [0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0]
            );
            let digest = digest::digest(hash.algorithm(), b"message");
            assert!(bytes.ends_with(digest.as_ref()));
        }
    }

    #[test]
    fn a_longer_one_than_the_buffer_is_none() {
        assert!(Encoded::new(b"", Hash::Sha256, MODULUS_BYTES_MAX).is_some());
        assert!(Encoded::new(b"", Hash::Sha256, MODULUS_BYTES_MAX + 1).is_none());
    }
}
