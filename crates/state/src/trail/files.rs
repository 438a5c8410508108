//! `TrailFolder`: the files of the trail in the state folder, which one process writes at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use portcullis_guard::clock::Now;
use portcullis_policy::event::HexBytes;

use super::error::TrailError;
use super::key::SigningKey;
use crate::private_files::{is_open_to_others, make_folder, own_file};

/// The name of the database in the state folder.
pub const TRAIL_FILE: &str = "trail.sqlite";
/// The name of the file with the public key, beside it.
pub const PUBLIC_KEY_FILE: &str = "trail.pub";
pub(super) const KEY_FILE: &str = "trail.key";
const NEW_KEY_FILE: &str = "trail.key.new";
const NEW_TRAIL_FILE: &str = "trail.sqlite.new";
const LOCK_FILE: &str = "trail.lock";

/// A folder whose trail this process alone writes, until it is dropped.
#[derive(Debug)]
pub(super) struct TrailFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// What is there at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: a trail is begun.
    Nothing,
    /// A trail, with which we go on.
    Trail,
}

impl TrailFolder {
    /// Makes the folder, if it is not there, and takes it.
    pub(super) fn open(path: &Path) -> Result<Self, TrailError> {
        make_folder(path).map_err(|error| TrailError::file("make", path, error))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = own_file()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|error| TrailError::file("open", &lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(TrailError::InUse(path.join(TRAIL_FILE))),
            Err(TryLockError::Error(error)) => Err(TrailError::file("lock", &lock_path, error)),
        }
    }

    pub(super) fn trail(&self) -> PathBuf {
        self.path.join(TRAIL_FILE)
    }

    /// Where a trail is made before it has its name.
    pub(super) fn new_trail(&self) -> PathBuf {
        self.path.join(NEW_TRAIL_FILE)
    }

    /// What is there. A trail that is gone while its key is not is no beginning: somebody took it away.
    pub(super) fn found(&self) -> Result<Found, TrailError> {
        let trail = self.trail();
        if there(&trail)? {
            check_mode(&trail)?;
            return Ok(Found::Trail);
        }
        if there(&self.path.join(KEY_FILE))? {
            return Err(TrailError::damaged(
                &trail,
                "it is gone, and its key `trail.key` is still there",
            ));
        }
        // What a start before this one could not finish.
        for name in [NEW_KEY_FILE, NEW_TRAIL_FILE, "trail.sqlite.new-journal"] {
            remove_if_there(&self.path.join(name))?;
        }
        Ok(Found::Nothing)
    }

    /// The key of the folder: made where a trail is begun, and there where one is.
    pub(super) fn key(&self, found: Found, now: Now) -> Result<SigningKey, TrailError> {
        let (path, new) = (self.path.join(KEY_FILE), self.path.join(NEW_KEY_FILE));
        match found {
            Found::Nothing => SigningKey::make(&new, now),
            Found::Trail if there(&path)? => SigningKey::open(&path, now),
            // The start that began the trail ended before it could give the key its name.
            Found::Trail if there(&new)? => {
                self.name(&new, &path)?;
                SigningKey::open(&path, now)
            }
            Found::Trail => Err(TrailError::damaged(
                &self.trail(),
                "its key `trail.key` is gone",
            )),
        }
    }

    /// Gives what was begun its name: first the trail, then the key, so that a key never stands without a trail.
    pub(super) fn begun(&self) -> Result<(), TrailError> {
        self.name(&self.new_trail(), &self.trail())?;
        let (path, new) = (self.path.join(KEY_FILE), self.path.join(NEW_KEY_FILE));
        if there(&new)? {
            self.name(&new, &path)?;
        }
        Ok(())
    }

    /// Writes the public key beside the trail, for whoever takes it away to verify with. Those before it stay: what they
    /// signed is still there.
    pub(super) fn publish(&self, key: HexBytes<32>) -> Result<(), TrailError> {
        let path = self.path.join(PUBLIC_KEY_FILE);
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        let key = key.to_string();
        if text.lines().any(|line| line == key) {
            return Ok(());
        }
        text.push_str(&key);
        text.push('\n');
        let new = self.path.join("trail.pub.new");
        remove_if_there(&new)?;
        let written = || -> io::Result<()> {
            use std::io::Write as _;
            let mut file = own_file().write(true).create_new(true).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        written().map_err(|error| TrailError::file("write", &new, error))?;
        self.name(&new, &path)
    }

    fn name(&self, from: &Path, to: &Path) -> Result<(), TrailError> {
        fs::rename(from, to).map_err(|error| TrailError::file("rename", from, error))?;
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(|error| TrailError::file("sync", &self.path, error))
    }
}

/// Makes an empty file that nobody else may read, for the database to be made in: it gives its own files the same mode.
pub(super) fn make_private(path: &Path) -> Result<(), TrailError> {
    let made = own_file().write(true).create_new(true).open(path);
    made.map(drop)
        .map_err(|error| TrailError::file("make", path, error))
}

fn there(path: &Path) -> Result<bool, TrailError> {
    path.try_exists()
        .map_err(|error| TrailError::file("read", path, error))
}

fn remove_if_there(path: &Path) -> Result<(), TrailError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(TrailError::file("remove", path, error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes sure that others cannot read a file: a key would sign for them as well.
pub(super) fn check_mode(path: &Path) -> Result<(), TrailError> {
    match is_open_to_others(path) {
        Ok(false) => Ok(()),
        Ok(true) => Err(TrailError::TooOpen {
            path: path.to_owned(),
            mode: "600",
        }),
        Err(error) => Err(TrailError::file("read", path, error)),
    }
}
