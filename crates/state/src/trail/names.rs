//! `TrailNames`: keyed hashes of clients and sessions, and texts with what is about a person masked.

use std::net::IpAddr;
use std::path::Path;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use portcullis_guard::clock::Now;
use portcullis_policy::event::{EventText, HexBytes, Pseudonym};

use super::body::Masked;
use super::files::KEY_FILE;
use super::key::SigningKey;
use super::mask::private;

/// The longest text that is looked at, in bytes. A longer one is masked whole.
const TEXT_BYTES_MAX: usize = 128;

/// Names by HMAC-SHA-256, cut to 128 bits, with a key for each purpose.
#[derive(Debug)]
pub struct TrailNames {
    client: Key,
    session: Key,
    text: Key,
}

impl TrailNames {
    /// With a key that stays the same over restarts, so that names can be joined.
    pub(super) fn of(key: &[u8]) -> Self {
        let master = Key::new(HMAC_SHA256, key);
        let purpose = |label: &[u8]| Key::new(HMAC_SHA256, sign(&master, label).as_ref());
        Self {
            client: purpose(b"portcullis trail client 1"),
            session: purpose(b"portcullis trail session 1"),
            text: purpose(b"portcullis trail text 1"),
        }
    }

    /// Those of a trail whose key is the one of its folder and can be read; nothing where it is not.
    #[must_use]
    pub fn beside(trail: &Path) -> Option<Self> {
        // A key of a folder has no last day, so the moment says nothing.
        let now = Now {
            monotonic: 0,
            unix_millis: 0,
        };
        let key = SigningKey::open(&trail.with_file_name(KEY_FILE), now).ok()?;
        Some(key.names())
    }

    /// The name of an address. One that is mapped into IPv6 has the name of the IPv4 address.
    #[must_use]
    pub fn client(&self, address: IpAddr) -> Pseudonym {
        match address.to_canonical() {
            IpAddr::V4(address) => named(&self.client, &address.octets()),
            IpAddr::V6(address) => named(&self.client, &address.octets()),
        }
    }

    /// The name of a session, of its id.
    #[must_use]
    pub fn session(&self, id: &[u8]) -> Pseudonym {
        named(&self.session, id)
    }

    /// A text as it may be written: itself, or `[email:0f..]` with a keyed hash where it is about a person or secret.
    #[must_use]
    pub fn masked(&self, text: &str) -> Masked {
        let why = if text.len() > TEXT_BYTES_MAX {
            Some("long")
        } else {
            private(text).map(super::mask::Private::word)
        };
        match why {
            None => EventText::new(text.to_owned()),
            Some(why) => EventText::new(format!("[{why}:{}]", named(&self.text, text.as_bytes()))),
        }
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
        let (names, other) = (TrailNames::of(&[1; 32]), TrailNames::of(&[2; 32]));
        let address: IpAddr = "203.0.113.7".parse().unwrap();
        let mapped: IpAddr = "::ffff:203.0.113.7".parse().unwrap();
        assert_eq!(names.client(address), names.client(mapped));
        assert_ne!(names.client(address), other.client(address));
        assert_ne!(names.client(address), names.session(&[203, 0, 113, 7]));
        let masked = names.masked("alice@example.com");
        assert_eq!(masked, names.masked("alice@example.com"));
        assert_ne!(masked, names.masked("bob@example.com"));
        assert!(masked.as_str().starts_with("[email:"), "{masked:?}");
        assert_eq!(names.masked("user_1").as_str(), "user_1");
        assert!(
            names
                .masked(&"a/".repeat(65))
                .as_str()
                .starts_with("[long:")
        );
    }
}
