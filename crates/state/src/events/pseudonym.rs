//! `Pseudonyms`: keyed hashes of clients and users, by which events can be joined and nobody found.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use portcullis_policy::event::{EventClient, HexBytes, Pseudonym};

use crate::StateError;

/// The bytes of a key that is drawn.
const KEY_BYTES: usize = 32;

/// Names clients and users by HMAC-SHA-256, cut to 128 bits. Each purpose has a key of its own, so that a user and a
/// client of the same bytes have different names.
#[derive(Clone, Debug)]
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
        let key: [u8; KEY_BYTES] = crate::random_bytes()?;
        Ok(Self::of(&key))
    }

    /// With a key that was configured: names are the same over restarts and machines.
    pub(crate) fn of(key: &[u8]) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_and_of_one_purpose() {
        let key = [0x7f; KEY_BYTES];
        let names = Pseudonyms::of(&key);
        let again = Pseudonyms::of(&key);
        let other = Pseudonyms::random().unwrap();
        let ip = [192, 0, 2, 1];
        assert_eq!(names.client(&ip), again.client(&ip));
        assert_ne!(names.client(&ip), other.client(&ip));
        assert_ne!(names.client(&ip), EventClient::One(names.user(&ip)));
        assert_ne!(names.client(&ip), names.client(&[192, 0, 2, 2]));
    }
}
