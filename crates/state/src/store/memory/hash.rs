//! `BucketHash`: the keyed hash of names. Without its key nobody can aim at a shard or at another's bucket.

use std::hash::Hasher as _;

use portcullis_guard::store::{Key, Scope};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::bucket::BucketKey;
use crate::StateError;

/// The value's own bucket.
pub(crate) const OWN: u8 = 0;
/// A coarser value's.
pub(crate) const COARSER: u8 = 1;
/// The one of the whole scope.
pub(crate) const WHOLE: u8 = 2;
/// An entry under a key.
const ENTRY: u8 = 3;
/// A ring of entries.
const RING: u8 = 4;

/// SipHash-1-3 of 128 bits. Two names share a bucket with a chance of 2^-128, which nobody can better without the key.
#[derive(Clone, Copy)]
pub(crate) struct BucketHash {
    pub(crate) keys: [u64; 2],
}

impl std::fmt::Debug for BucketHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BucketHash")
    }
}

impl BucketHash {
    /// With a key of the system's random bytes.
    pub(crate) fn random() -> Result<Self, StateError> {
        let whole = u128::from_ne_bytes(crate::random_bytes()?);
        Ok(Self {
            keys: halves(whole),
        })
    }

    /// The key of a bucket. The length of the value and the kind stand last, so that no two names have the same bytes.
    pub(crate) fn key(self, scope: &Scope, kind: u8, value: &[u8]) -> BucketKey {
        self.of(scope.digest(), value, kind)
    }

    /// The hash of an entry's key.
    pub(crate) fn entry(self, key: &Key) -> BucketKey {
        self.of(key.space.as_str().as_bytes(), &key.bytes, ENTRY)
    }

    /// The hash of a ring's key.
    pub(crate) fn ring(self, key: &Key) -> BucketKey {
        self.of(key.space.as_str().as_bytes(), &key.bytes, RING)
    }

    fn of(self, first: &[u8], second: &[u8], kind: u8) -> BucketKey {
        let [key0, key1] = self.keys;
        let mut hasher = SipHasher13::new_with_keys(key0, key1);
        hasher.write(first);
        hasher.write(second);
        // Together in one word, since each piece costs as much as a dozen bytes. No value has 2^56 of them.
        let length = u64::try_from(second.len()).unwrap_or(u64::MAX);
        hasher.write(&((length << 8) | u64::from(kind)).to_le_bytes());
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }
}

const fn halves(whole: u128) -> [u64; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    [whole as u64, (whole >> 64) as u64]
}
