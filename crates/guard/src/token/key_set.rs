//! `KeySet`: the public keys of one issuer (RFC 7517 §5), parsed once.

use super::jwk::{Jwk, KeyStrength, UnusableKey, key_id};
use super::strict_json::{Json, JsonFault, Object};

/// The keys of one issuer. Those that verify nothing here are left out and listed.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Jwk>,
    unusable: Vec<(usize, UnusableKey)>,
}

/// Why a text is no key set. Nothing of it is in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeySetFault {
    /// Over 256 KiB.
    #[error("a key set has at most 262144 bytes")]
    TooLong,
    /// No JSON object with a list `keys` of objects; or too deep, or too much in it.
    #[error("it is no JSON Web Key Set: an object with a list `keys` of objects (RFC 7517 §5)")]
    Malformed,
    /// A name twice in one object.
    #[error("a name stands twice in one object of it")]
    NameRepeated,
    /// Over 64 keys.
    #[error("a key set has at most 64 keys")]
    TooManyKeys,
    /// Two keys of one `kid`: which of them a token means is not to be guessed.
    #[error("two of its keys have the same `kid`")]
    KeyIdRepeated,
}

impl KeySet {
    /// The longest text.
    pub const BYTES_MAX: usize = 256 * 1024;

    /// The most keys, usable or not.
    pub const KEYS_MAX: usize = 64;

    /// Reads a set. A key that is malformed, weak, private or of another use is left out; [`unusable`](Self::unusable) says
    /// which. A set in which no key is left is a set: an issuer that takes back all its keys is obeyed.
    ///
    /// # Errors
    ///
    /// See [`KeySetFault`]. Two keys of one `kid` refuse the set, also where one of them is unusable.
    pub fn read(text: &[u8], strength: KeyStrength) -> Result<Self, KeySetFault> {
        if text.len() > Self::BYTES_MAX {
            return Err(KeySetFault::TooLong);
        }
        let object = Object::read(text).map_err(|fault| match fault {
            JsonFault::Malformed => KeySetFault::Malformed,
            JsonFault::NameRepeated => KeySetFault::NameRepeated,
        })?;
        let Some(Json::List(keys)) = object.find("keys") else {
            return Err(KeySetFault::Malformed);
        };
        if keys.len() > Self::KEYS_MAX {
            return Err(KeySetFault::TooManyKeys);
        }
        let mut set = Self::default();
        let mut ids = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            let Json::Object(key) = key else {
                return Err(KeySetFault::Malformed);
            };
            if let Ok(Some(id)) = key_id(key) {
                if ids.contains(&id) {
                    return Err(KeySetFault::KeyIdRepeated);
                }
                ids.push(id);
            }
            match Jwk::read(key, strength) {
                Ok(key) => set.keys.push(key),
                Err(fault) => set.unusable.push((place, fault)),
            }
        }
        Ok(set)
    }

    /// How many keys verify.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none does.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that verify nothing: their place in the list, from 0, and why.
    #[must_use]
    pub fn unusable(&self) -> &[(usize, UnusableKey)] {
        &self.unusable
    }

    /// The ids of the keys that verify.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.key_id.as_deref())
    }

    /// Whether there is a key for a token of this `kid`.
    #[must_use]
    pub fn knows(&self, id: Option<&str>) -> bool {
        self.find(id).is_some()
    }

    /// The key that a token means: the one of its `kid`. Without one it means the only key of the set, if that is the only one.
    /// Trying one key after the other would make of each key one for every token.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Jwk> {
        match (id, self.keys.as_slice()) {
            (Some(_), keys) => keys.iter().find(|key| key.key_id.as_deref() == id),
            (None, [key]) if self.unusable.is_empty() => Some(key),
            (None, _) => None,
        }
    }
}
