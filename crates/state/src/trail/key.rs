//! `SigningKey`: signs checkpoints; made at the first start, or configured.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use portcullis_guard::clock::Now;
use portcullis_policy::event::HexBytes;
use portcullis_policy::{SecretKey, SecretRef};
use zeroize::Zeroizing;

use super::error::TrailError;
use super::files::check_mode;
use super::names::TrailNames;
use crate::keys::SecretReader;
use crate::private_files::own_file;

/// Signs checkpoints, and names clients and sessions. Cheap to copy.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    names: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.public().to_string();
        f.debug_struct("SigningKey")
            .field("public", &public)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key in a file of the state folder, with the same demands on it as on every secret.
    pub(super) fn open(path: &Path, now: Now) -> Result<Self, TrailError> {
        check_mode(path)?;
        let key = [SecretKey {
            kid: None,
            key: SecretRef::File(path.to_string_lossy().into_owned()),
            not_after: None,
        }];
        let secret = SecretReader::new(&|_| None).read("trail.key", &key, now);
        secret
            .and_then(|secret| secret.signing_key())
            .map_err(|error| TrailError::Key(error.to_string()))
    }

    /// Makes a key in a file that is not there yet.
    pub(super) fn make(path: &Path, now: Now) -> Result<Self, TrailError> {
        let mut bytes = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *bytes).or(Err(TrailError::NoRandomness))?;
        let text = Zeroizing::new(format!("{}\n", HexBytes(*bytes)));
        write_new(path, text.as_bytes()).map_err(|error| TrailError::file("write", path, error))?;
        Self::open(path, now)
    }

    /// RFC 8032 §5.1.5: any 32 bytes are a private key.
    pub(crate) fn of_seed(seed: &[u8; 32]) -> Result<Self, TrailError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|error| TrailError::Key(error.to_string()))?;
        let mut names = Zeroizing::new([0; 32]);
        let tag = sign(&Key::new(HMAC_SHA256, seed), b"portcullis trail names 1");
        names.copy_from_slice(tag.as_ref());
        let pair = Arc::new(pair);
        Ok(Self { pair, names })
    }

    /// The key that others verify with.
    #[must_use]
    pub fn public(&self) -> HexBytes<32> {
        let bytes = self.pair.public_key().as_ref();
        HexBytes(bytes.try_into().unwrap_or([0; 32]))
    }

    pub(super) fn sign(&self, statement: &[u8]) -> HexBytes<64> {
        let signature = self.pair.sign(statement);
        HexBytes(signature.as_ref().try_into().unwrap_or([0; 64]))
    }

    /// The names that go with it.
    #[must_use]
    pub fn names(&self) -> TrailNames {
        TrailNames::of(&*self.names)
    }
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = own_file().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()?;
    // Without this a loss of power may leave a trail whose key is gone.
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NOW: Now = Now {
        monotonic: 0,
        unix_millis: 1_800_000_000_000,
    };

    #[test]
    fn a_key_is_made_once_and_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail.key");
        let made = SigningKey::make(&path, NOW).unwrap();
        assert_eq!(
            SigningKey::open(&path, NOW).unwrap().public(),
            made.public()
        );
        assert!(
            SigningKey::make(&path, NOW).is_err(),
            "it is not overwritten"
        );
        let text = fs::read_to_string(&path).unwrap();
        assert!(!format!("{made:?}").contains(text.trim()));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail.key");
        SigningKey::make(&path, NOW).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::open(&path, NOW).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_weak_key_is_refused_and_not_repeated() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail.key");
        for text in ["short", &"0".repeat(64)] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = SigningKey::open(&path, NOW).unwrap_err();
            assert!(matches!(error, TrailError::Key(_)));
            assert!(!error.to_string().contains(text), "{error}");
        }
    }
}
