//! API keys: what a program shows to say who is calling, the record of it in the store, and who calls by it.
//!
//! `PREFIX_ID_SECRET`: the prefix of the policy, 16 hexadecimal digits that name the key, and 64 that prove it. The id is no
//! secret: it finds the record without a search, and stands in events and in the trail. Of the secret, 256 bits that are drawn, the
//! store has the SHA-256 alone: nobody comes back from that to the secret, and from 112 bits on a slow hash adds nothing (ASVS
//! v5.0.0-6.5.2).
//!
//! Sources: OWASP ASVS v5.0.0-11.5.1 (what is drawn), 13.2.1 (no credential that never changes); OWASP REST Security Cheat Sheet
//! (API keys); RFC 6750 §2.

mod record;
mod text;

pub use record::{ApiKeyRecord, CorruptKey, KeySecret, SCOPES_MAX, StoredKey, Worth};
pub use text::{ApiKeyFault, ApiKeyId, ShownKey, write_key};

use crate::store::{Key, Space, Value};

/// How long is remembered of a key that is over what it was, in milliseconds: who calls by it is told that it is expired, and it
/// is listed.
pub const REMEMBERED_MILLIS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// How much later a use is before it is written again, in milliseconds.
pub const USED_APART_MILLIS: u64 = 60 * 1_000;

/// Who calls, as a key that is good says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCaller {
    /// The key.
    pub id: ApiKeyId,
    /// What is known of it.
    pub record: ApiKeyRecord,
    /// When it was used last, in milliseconds since 1970-01-01, as far as that was written.
    pub used: Option<u64>,
}

impl ApiKeyId {
    /// Its entry in the store.
    #[must_use]
    pub fn key(&self) -> Key {
        self.entry(b"key")
    }

    /// The entry of when it was used last. It is another one, as nobody waits for it: a use that is written late can bring no
    /// key back.
    #[must_use]
    pub fn used_key(&self) -> Key {
        self.entry(b"used")
    }

    fn entry(&self, of: &[u8]) -> Key {
        Key::new(Space::ApiKey, &[of, &self.bytes()].concat())
    }
}

/// What the store has of a use.
#[must_use]
pub fn write_used(unix_millis: u64) -> Value {
    Value::from_slice(&unix_millis.to_be_bytes())
}

/// Reads it. Bytes that are none say nothing: nobody is let in by when a key was used.
#[must_use]
pub fn read_used(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
