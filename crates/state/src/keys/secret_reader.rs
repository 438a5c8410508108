//! `SecretReader`: reads the secrets of one policy, and refuses what is weak or used twice.

use std::ffi::OsString;
use std::fmt;

use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_policy::{SecretKey, SecretRef};
use zeroize::Zeroizing;

use super::KEY_BYTES_MIN;
use super::encoding::decoded;
use super::fault::{SecretError, SecretFault, SecretPlace, SecretWarning, SecretWarningKind};
use super::kept::Kept;
use super::secret::{Material, Secret, last_day};
use super::weakness::weakness;

/// Reads secrets. One for each policy that is loaded: two secrets are compared when the same reader read them.
pub struct SecretReader<'e> {
    environment: &'e dyn Fn(&str) -> Option<OsString>,
    seen: Vec<Seen>,
    warnings: Vec<SecretWarning>,
}

/// Tells whether secrets are others than before. It stays in memory: it is made of nothing but them, and who has it could try
/// guesses against it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretsDigest([u8; 32]);

impl fmt::Debug for SecretsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsDigest")
    }
}

/// A key that was read.
struct Seen {
    digest: [u8; 32],
    place: SecretPlace,
}

impl<'e> SecretReader<'e> {
    /// With what looks a variable up: the environment is read by the binary alone.
    #[must_use]
    pub fn new(environment: &'e dyn Fn(&str) -> Option<OsString>) -> Self {
        Self {
            environment,
            seen: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads the keys of a secret, which the policy calls `name`, as `identity.csrf.secret`. A key that is past its `not_after` is
    /// not read: it may be gone by then.
    ///
    /// # Errors
    ///
    /// When a key cannot be read, is not written in hex, base64url or base64, is shorter than [`KEY_BYTES_MIN`], weak, or the same as
    /// one that was read before; and when no key is accepted any more.
    pub fn read(
        &mut self,
        name: &str,
        keys: &[SecretKey],
        now: Now,
    ) -> Result<Secret, SecretError> {
        let mut faults = Vec::new();
        let secret = self.read_noting(name, keys, now, &mut faults);
        match (secret, faults.into_iter().next()) {
            (Some(secret), None) => Ok(secret),
            (_, Some(fault)) => Err(fault),
            (None, None) => Err(SecretError {
                place: whole(name),
                fault: SecretFault::AllExpired,
            }),
        }
    }

    /// The same, and notes all that is wrong with it: whoever has several secrets to set wants to know of all of them. Nothing
    /// where one of its keys cannot be used.
    pub fn read_noting(
        &mut self,
        name: &str,
        keys: &[SecretKey],
        now: Now,
        faults: &mut Vec<SecretError>,
    ) -> Option<Secret> {
        let before = faults.len();
        let mut materials = Vec::with_capacity(keys.len());
        for key in keys {
            let place = SecretPlace {
                kid: key.kid.clone(),
                kept_at: Some(key.key.clone()),
                ..whole(name)
            };
            let last_day = last_day(key);
            if last_day.is_some_and(|last| now.unix_day() > last) {
                self.warn(place, SecretWarningKind::Expired);
                continue;
            }
            match self.key(&key.key, &place) {
                Ok(bytes) => materials.push(Material { bytes, last_day }),
                Err(fault) => faults.push(SecretError { place, fault }),
            }
        }
        if faults.len() > before {
            return None;
        }
        let place = whole(name);
        if materials.is_empty() {
            let fault = SecretFault::AllExpired;
            faults.push(SecretError { place, fault });
            return None;
        }
        Some(Secret::new(place, materials))
    }

    /// What was read so far, to find out whether it is the same another time.
    #[must_use]
    pub fn digest(&self) -> SecretsDigest {
        let mut text = Zeroizing::new(Vec::new());
        for seen in &self.seen {
            text.extend_from_slice(&sha256(seen.place.to_string().as_bytes()));
            text.extend_from_slice(&seen.digest);
        }
        SecretsDigest(sha256(&text))
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.seen
            .iter()
            .filter_map(|seen| match &seen.place.kept_at {
                Some(SecretRef::File(path)) => Some(path.as_str()),
                Some(SecretRef::Env(_)) | None => None,
            })
    }

    /// What should be looked at, of all that was read.
    #[must_use]
    pub fn warnings(&self) -> &[SecretWarning] {
        &self.warnings
    }

    fn key(
        &mut self,
        reference: &SecretRef,
        place: &SecretPlace,
    ) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
        let kept = match reference {
            SecretRef::Env(name) => Kept::of_variable((self.environment)(name))?,
            SecretRef::File(path) => Kept::of_file(path)?,
        };
        let key = judged(kept.line()?)?;
        self.compare(&key, place)?;
        if kept.is_readable_by_all {
            self.warn(place.clone(), SecretWarningKind::ReadableByAll);
        }
        Ok(key)
    }

    /// Whoever learns a key that two purposes share has both.
    fn compare(&mut self, key: &[u8], place: &SecretPlace) -> Result<(), SecretFault> {
        let bytes = sha256(key);
        if let Some(other) = self.seen.iter().find(|other| other.digest == bytes) {
            return Err(SecretFault::SameAs(Box::new(other.place.clone())));
        }
        self.seen.push(Seen {
            digest: bytes,
            place: place.clone(),
        });
        Ok(())
    }

    fn warn(&mut self, place: SecretPlace, kind: SecretWarningKind) {
        self.warnings.push(SecretWarning { place, kind });
    }
}

impl fmt::Debug for SecretReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretReader")
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Decodes a line and finds it long and random enough.
fn judged(line: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretFault> {
    let (encoding, key) = decoded(line).ok_or(SecretFault::Malformed)?;
    if let Some(under) = [16, KEY_BYTES_MIN]
        .into_iter()
        .find(|under| key.len() < *under)
    {
        return Err(SecretFault::Short(under));
    }
    match weakness(encoding, line, &key) {
        Some(weakness) => Err(SecretFault::Weak(weakness)),
        None => Ok(key),
    }
}

/// A secret with all of its keys.
fn whole(name: &str) -> SecretPlace {
    SecretPlace {
        secret: name.to_owned(),
        kid: None,
        kept_at: None,
    }
}
