//! `IssuerFolder`: the folder of the signing keys: made, read, and changed by one program at a time.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use portcullis_guard::clock::Now;
use portcullis_guard::token::{KeySet, KeyStrength};
use portcullis_policy::SigningAlgorithm;
use serde_json::json;
use zeroize::Zeroizing;

use super::fault::IssuerKeyError;
use super::list::{Key, KeyList, KeyState};
use super::pair::SigningPair;
use crate::private_files::{give_to_owner, is_open_to_others, make_folder, own_file};
use crate::store::state_dir::put_in_place;

/// The list of the keys.
const LIST_FILE: &str = "keys.json";

/// Locked by who changes the keys.
const LOCK_FILE: &str = "keys.lock";

/// The ending of a private half: PKCS#8 in DER.
const PRIVATE: &str = "pk8";

/// The ending of a public half: SubjectPublicKeyInfo in DER, for other programs.
const PUBLIC: &str = "spki";

/// The longest private half; one of RSA with 4096 bits has 2.4 KiB.
const PRIVATE_BYTES_MAX: u64 = 8 * 1024;

/// How many characters a thumbprint has.
const KID_CHARS: usize = 43;

/// How long the modulus of a new RSA key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaBits {
    /// 2048: the least of seed 004.
    B2048,
    /// 3072: 128 bits of security (ASVS v5.0.0-11.2.3).
    #[default]
    B3072,
    /// 4096: what seed 004 asks for where a key lives for over a year.
    B4096,
}

/// When a new key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// So many seconds after it is published, beside the others.
    After(u64),
    /// At once, and no other key is left.
    AtOnce,
}

/// The folder of the signing keys.
#[derive(Clone, Debug)]
pub struct IssuerFolder {
    path: PathBuf,
}

impl IssuerFolder {
    /// The folder at a path. Nothing is read yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the first key, which signs at once.
    ///
    /// # Errors
    ///
    /// Where there are keys already, or the files cannot be written.
    pub fn generate(
        &self,
        algorithm: SigningAlgorithm,
        rsa_bits: RsaBits,
        now: Now,
    ) -> Result<KeyList, IssuerKeyError> {
        make_folder(&self.path).map_err(|error| IssuerKeyError::file("make", &self.path, error))?;
        let _lock = self.lock()?;
        if is_there(&self.path.join(LIST_FILE))? {
            return Err(IssuerKeyError::Some(self.path.clone()));
        }
        let now = now.unix_seconds();
        self.add(
            &KeyList::default(),
            algorithm,
            rsa_bits,
            now,
            Begins::AtOnce,
        )
    }

    /// Publishes another key, which signs `lead` seconds later. What is retired is forgotten, and so are the private halves of
    /// keys that sign no more.
    ///
    /// # Errors
    ///
    /// Where a key is next already, and where the files cannot be used.
    pub fn rotate(
        &self,
        algorithm: SigningAlgorithm,
        rsa_bits: RsaBits,
        lead: u64,
        now: Now,
    ) -> Result<KeyList, IssuerKeyError> {
        let _lock = self.lock()?;
        let (before, _) = self.list()?;
        let now = now.unix_seconds();
        if let Some(next) = before.newest().filter(|newest| newest.signs_from > now) {
            return Err(IssuerKeyError::Pending {
                kid: next.public.thumbprint(),
                seconds: next.signs_from - now,
            });
        }
        self.add(&before, algorithm, rsa_bits, now, Begins::After(lead))
    }

    /// Puts another key in the place of all others, at once: for when one of them is known to somebody. No token of before is
    /// believed any more.
    ///
    /// # Errors
    ///
    /// Where the files cannot be written. It asks nothing of the files that are there.
    pub fn replace(
        &self,
        algorithm: SigningAlgorithm,
        rsa_bits: RsaBits,
        now: Now,
    ) -> Result<KeyList, IssuerKeyError> {
        make_folder(&self.path).map_err(|error| IssuerKeyError::file("make", &self.path, error))?;
        let _lock = self.lock()?;
        let now = now.unix_seconds();
        self.add(
            &KeyList::default(),
            algorithm,
            rsa_bits,
            now,
            Begins::AtOnce,
        )
    }

    /// The list of the keys, with its text.
    pub(super) fn list(&self) -> Result<(KeyList, Vec<u8>), IssuerKeyError> {
        let text = self.text()?;
        let list = KeyList::read(&text)
            .map_err(|why| IssuerKeyError::damaged(&self.path.join(LIST_FILE), why))?;
        Ok((list, text))
    }

    /// The keys as they are, without the private halves.
    ///
    /// # Errors
    ///
    /// Where there are none, or the list is damaged or open to others.
    pub fn keys(&self) -> Result<KeyList, IssuerKeyError> {
        self.list().map(|(list, _)| list)
    }

    /// The text of the list.
    pub(super) fn text(&self) -> Result<Vec<u8>, IssuerKeyError> {
        let path = self.path.join(LIST_FILE);
        if !is_there(&path)? {
            return Err(IssuerKeyError::None(self.path.clone()));
        }
        // Who can write them decides whose tokens are believed.
        check_unwritable(&self.path, "700")?;
        check_unwritable(&path, "600")?;
        let text = bytes_of(&path, KeyList::BYTES_MAX)
            .map_err(|error| IssuerKeyError::file("read", &path, error))?;
        text.map(|text| text.to_vec())
            .ok_or_else(|| IssuerKeyError::damaged(&path, "it is too long"))
    }

    /// Both halves of a key.
    pub(super) fn pair(
        &self,
        key: &Key,
        strength: KeyStrength,
    ) -> Result<SigningPair, IssuerKeyError> {
        let kid = key.public.thumbprint();
        let path = self.file(&kid, PRIVATE);
        let failed = |error| IssuerKeyError::file("read", &path, error);
        if is_open_to_others(&path).map_err(failed)? {
            let mode = "600";
            return Err(IssuerKeyError::OpenToOthers { path, mode });
        }
        let der = bytes_of(&path, PRIVATE_BYTES_MAX).map_err(failed)?;
        let pair = der.and_then(|der| SigningPair::read(key.public.algorithm(), &der));
        let pair = pair.ok_or_else(|| {
            let why = format!("it is no private key for {}", key.public.algorithm());
            IssuerKeyError::damaged(&path, why)
        })?;
        if pair.public().as_ref() != Some(&key.public) {
            let why = "it is another key than the one that it is called by";
            return Err(IssuerKeyError::damaged(&path, why));
        }
        let set = json!({ "keys": [key.public.in_set()] }).to_string();
        let set = KeySet::read(set.as_bytes(), strength);
        match set.as_ref().map(|set| set.unusable().first()) {
            Ok(None) => Ok(pair),
            Ok(Some((_, fault))) => Err(IssuerKeyError::Weak {
                path: self.path.clone(),
                kid,
                source: *fault,
            }),
            Err(fault) => Err(IssuerKeyError::damaged(&path, fault.to_string())),
        }
    }

    /// Writes both halves of a new key, then the list with it, and then takes away what the list needs no more: whenever it is
    /// cut short, there is a whole list, and all that it needs.
    fn add(
        &self,
        before: &KeyList,
        algorithm: SigningAlgorithm,
        rsa_bits: RsaBits,
        now: u64,
        begins: Begins,
    ) -> Result<KeyList, IssuerKeyError> {
        let pair = SigningPair::draw(algorithm, rsa_bits)?;
        let public = pair.public().ok_or(IssuerKeyError::NotMade)?;
        let kid = public.thumbprint();
        let private = pair.private_der().ok_or(IssuerKeyError::NotMade)?;
        let spki = pair.public_der().ok_or(IssuerKeyError::NotMade)?;
        self.write(&self.file(&kid, PRIVATE), &private)?;
        self.write(&self.file(&kid, PUBLIC), &spki)?;
        let (kept, signs_from) = match begins {
            Begins::After(lead) => (before, now.saturating_add(lead)),
            Begins::AtOnce => (&KeyList::default(), now),
        };
        let key = Key {
            public,
            published: now,
            signs_from,
        };
        let list = kept.with(key, now);
        let new = self.path.join(format!("{LIST_FILE}.new"));
        remove(&new)?;
        self.write(&new, list.written().as_bytes())?;
        let path = self.path.join(LIST_FILE);
        put_in_place(&new, &path).map_err(|error| IssuerKeyError::file("replace", &path, error))?;
        self.forget(&list, now)?;
        Ok(list)
    }

    /// Takes away the halves of keys that no list needs.
    fn forget(&self, list: &KeyList, now: u64) -> Result<(), IssuerKeyError> {
        let failed = |error| IssuerKeyError::file("read", &self.path, error);
        let signing: Vec<String> = list
            .signing(now)
            .map(|key| key.public.thumbprint())
            .collect();
        let listed: Vec<String> = list
            .states(now)
            .filter(|(_, state)| *state != KeyState::Retired)
            .map(|(key, _)| key.public.thumbprint())
            .collect();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let part = |part: Option<&OsStr>| part.and_then(OsStr::to_str).map(str::to_owned);
            let (Some(stem), Some(ending)) = (part(path.file_stem()), part(path.extension()))
            else {
                continue;
            };
            let needed = match ending.as_str() {
                PRIVATE => &signing,
                PUBLIC => &listed,
                _ => continue,
            };
            if stem.len() == KID_CHARS && !needed.contains(&stem) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn file(&self, kid: &str, ending: &str) -> PathBuf {
        self.path.join(format!("{kid}.{ending}"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), IssuerKeyError> {
        let written = || -> io::Result<()> {
            let mut file = own_file().write(true).create_new(true).open(path)?;
            give_to_owner(&file, &self.path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            // Without this a loss of power may leave a list whose key is gone.
            File::open(&self.path)?.sync_all()
        };
        written().map_err(|error| IssuerKeyError::file("write", path, error))
    }

    /// Nobody else changes the keys as long as it is held.
    fn lock(&self) -> Result<File, IssuerKeyError> {
        if !is_there(&self.path)? {
            return Err(IssuerKeyError::None(self.path.clone()));
        }
        let path = self.path.join(LOCK_FILE);
        let mut options = own_file();
        let lock = options.write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(|error| IssuerKeyError::file("open", &path, error))?;
        let given = give_to_owner(&lock, &self.path);
        given.map_err(|error| IssuerKeyError::file("give away", &path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(IssuerKeyError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(IssuerKeyError::file("lock", &path, error)),
        }
    }
}

fn is_there(path: &Path) -> Result<bool, IssuerKeyError> {
    path.try_exists()
        .map_err(|error| IssuerKeyError::file("read", path, error))
}

fn remove(path: &Path) -> Result<(), IssuerKeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(IssuerKeyError::file("remove", path, error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes sure that others cannot write it.
fn check_unwritable(path: &Path, mode: &'static str) -> Result<(), IssuerKeyError> {
    let metadata = fs::metadata(path).map_err(|error| IssuerKeyError::file("read", path, error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o022 != 0 {
            let path = path.to_owned();
            return Err(IssuerKeyError::OpenToOthers { path, mode });
        }
    }
    #[cfg(not(unix))]
    drop((metadata, mode));
    Ok(())
}

/// All bytes of a file; nothing where it is longer than it may be. Into room that is there from the beginning: a vector that grows
/// leaves its old bytes behind.
fn bytes_of(path: &Path, bytes_max: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let most = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(most.saturating_add(1)));
    let mut file = File::open(path)?.take(bytes_max.saturating_add(1));
    file.read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}
