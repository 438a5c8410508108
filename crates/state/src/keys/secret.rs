//! `Secret`: the keys of one secret as they were read, from which a key for each purpose is derived.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use portcullis_policy::SecretKey;
use zeroize::Zeroizing;

use super::fault::{SecretError, SecretFault, SecretPlace};
use portcullis_guard::application::{ApplicationSecret, IdentitySigner};
use portcullis_guard::bearer::BearerSecret;

use crate::events::Pseudonyms;
use crate::trail::SigningKey;

use super::{KeyId, MacKey, MacKeys, Purpose};

/// A secret that was read: its keys in the order of the policy, at least one. It can be dropped when the keys of its purposes are made.
pub struct Secret {
    place: SecretPlace,
    materials: Vec<Material>,
}

/// The `info` of the seed of the trail, as [`Purpose`] has one for each key of a MAC.
const TRAIL_LABEL: &[u8] = b"portcullis trail signing key 1";

/// One key, decoded.
pub(super) struct Material {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) last_day: Option<u64>,
}

/// The last day on which a key is accepted, counted from 1970-01-01 in UTC.
pub(super) fn last_day(key: &SecretKey) -> Option<u64> {
    key.not_after.map(portcullis_policy::Date::unix_day)
}

impl Secret {
    pub(super) fn new(place: SecretPlace, materials: Vec<Material>) -> Self {
        Self { place, materials }
    }

    /// The key that signs the trail, of the first key.
    ///
    /// # Errors
    ///
    /// When the cryptographic library has no memory.
    pub fn signing_key(&self) -> Result<SigningKey, SecretError> {
        let mut seed = Zeroizing::new([0; 32]);
        let derived = self.first().and_then(|key| {
            hkdf(&[], &key.bytes, &[TRAIL_LABEL], &mut *seed)
                .map_err(|Unspecified| self.not_derived())
        });
        derived?;
        SigningKey::of_seed(&seed).map_err(|_fault| self.not_derived())
    }

    /// By which clients and users are called in events, of the first key.
    ///
    /// # Errors
    ///
    /// When there is no key, which no secret has that was read.
    pub fn pseudonyms(&self) -> Result<Pseudonyms, SecretError> {
        self.first().map(|key| Pseudonyms::of(&key.bytes))
    }

    fn first(&self) -> Result<&Material, SecretError> {
        self.materials.first().ok_or_else(|| self.not_derived())
    }

    fn not_derived(&self) -> SecretError {
        SecretError {
            place: self.place.clone(),
            fault: SecretFault::NotDerived,
        }
    }

    /// The keys that the guard signs with who is calling, in the same order.
    ///
    /// # Errors
    ///
    /// When the cryptographic library has no memory.
    pub fn signers(&self) -> Result<Vec<Arc<IdentitySigner>>, SecretError> {
        let signers = self.materials.iter().map(signer);
        let signers = signers.collect::<Option<_>>();
        signers.ok_or_else(|| self.not_derived())
    }

    /// The keys themselves, for what somebody else signs with the same secret: the application.
    #[must_use]
    pub fn shared(&self) -> Vec<Arc<ApplicationSecret>> {
        let shared = |key: &Material| Arc::new(ApplicationSecret::new(&key.bytes, key.last_day));
        self.materials.iter().map(shared).collect()
    }

    /// The keys as credentials that somebody shows, of which nothing but a digest is kept.
    #[must_use]
    pub fn bearers(&self) -> Vec<Arc<BearerSecret>> {
        let bearer = |key: &Material| Arc::new(BearerSecret::new(&key.bytes, key.last_day));
        self.materials.iter().map(bearer).collect()
    }

    /// The first key as a credential that somebody shows ([`shown`](super::shown)), in hex: for whoever asks a guard by it.
    ///
    /// # Errors
    ///
    /// When there is no key, which no secret has that was read.
    pub fn credential(&self) -> Result<Zeroizing<String>, SecretError> {
        let key = self.first()?;
        // Room for all of it: a text that grows leaves its old letters behind.
        let mut text = Zeroizing::new(String::with_capacity(key.bytes.len() * 2));
        for digit in key.bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
        Ok(text)
    }

    /// The keys for one purpose, in the same order.
    ///
    /// # Errors
    ///
    /// When the cryptographic library has no memory.
    pub fn keys(&self, purpose: Purpose) -> Result<MacKeys, SecretError> {
        let keys = self.materials.iter().map(|key| mac_key(key, purpose));
        match keys.collect() {
            Ok(keys) => Ok(MacKeys::new(keys)),
            Err(Unspecified) => Err(self.not_derived()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("place", &self.place)
            .field("keys", &self.materials.len())
            .finish_non_exhaustive()
    }
}

fn mac_key(key: &Material, purpose: Purpose) -> Result<MacKey, Unspecified> {
    let mut derived = Zeroizing::new([0; 32]);
    hkdf(&[], &key.bytes, &[purpose.label()], &mut *derived)?;
    let mut id = [0; KeyId::BYTES];
    hkdf(&[], &key.bytes, &[purpose.label(), b" id"], &mut id)?;
    Ok(MacKey::new(KeyId::new(id), &*derived, key.last_day))
}

fn signer(key: &Material) -> Option<Arc<IdentitySigner>> {
    let label = Purpose::Identity.label();
    let mut seed = Zeroizing::new([0; 32]);
    hkdf(&[], &key.bytes, &[label], &mut *seed).ok()?;
    let mut id = [0; KeyId::BYTES];
    hkdf(&[], &key.bytes, &[label, b" id"], &mut id).ok()?;
    let signer = IdentitySigner::new(KeyId::new(id).to_string(), &seed, key.last_day);
    signer.ok().map(Arc::new)
}

/// RFC 5869 with SHA-256. We give no salt: a key is random already, and all guards of one service must derive the same
/// (§3.1, §3.3).
fn hkdf(salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), Unspecified> {
    let extracted = Salt::new(HKDF_SHA256, salt).extract(key);
    let expanded = extracted.expand(info, Length(out.len()))?;
    expanded.fill(out)
}

/// How many bytes are derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::bytes;
    use super::*;

    /// RFC 5869 A.1, A.2 and A.3.
    #[test]
    fn derives_as_the_rfc_does() {
        let range = |first: u8, last: u8| (first..=last).collect::<Vec<u8>>();
        for (key, salt, info, expected) in [
            (
                vec![0x0b; 22],
                range(0, 0x0c),
                range(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                range(0, 0x4f),
                range(0x60, 0xaf),
                range(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                 59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                 cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                Vec::new(),
                Vec::new(),
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ] {
            let expected = bytes(expected);
            let mut derived = vec![0; expected.len()];
            hkdf(&salt, &key, &[&info], &mut derived).unwrap();
            assert_eq!(derived, expected);
        }
    }

    #[test]
    fn more_than_the_rfc_allows_is_refused() {
        let mut derived = vec![0; 255 * 32 + 1];
        assert!(hkdf(&[], &[7; 32], &[b"info"], &mut derived).is_err());
        assert!(hkdf(&[], &[7; 32], &[b"info"], &mut derived[1..]).is_ok());
    }

    /// What is read and decoded is overwritten when it is dropped: the type says so.
    #[test]
    fn keys_are_overwritten() {
        fn overwritten<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let material = Material {
            bytes: Zeroizing::new(vec![1; 32]),
            last_day: None,
        };
        overwritten(&material.bytes);
    }
}
