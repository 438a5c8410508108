//! `StateDir`: the folder of what outlives a restart, used by one process at a time.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::StateError;
use crate::private_files::{make_folder, own_file};

const LOCK_FILE: &str = "portcullis.lock";
/// How often the lock is tried: a process that ends at this moment, or has just forked, has it for a little longer.
const LOCK_TRIES: u32 = 10;
/// How long from one try to the next.
const LOCK_PAUSE: Duration = Duration::from_millis(30);

/// A directory that this process alone uses, until it is dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl StateDir {
    /// Makes the directory, if it is not there, and takes it.
    ///
    /// # Errors
    ///
    /// When another process has it, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        make_folder(path).map_err(|error| StateError::file("make", path, error))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = own_file()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|error| StateError::file("open", &lock_path, error))?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => {
                    return Err(StateError::file("lock", &lock_path, error));
                }
            }
        }
        Err(StateError::InUse(path.to_owned()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a new file in the place of one with that name, whole or not at all.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let path = self.path.join(name);
        let new = self.path.join(format!("{name}.new"));
        let written = || -> io::Result<()> {
            let mut file = own_file()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        written().map_err(|error| StateError::file("write", &new, error))?;
        put_in_place(&new, &path).map_err(|error| StateError::file("replace", &path, error))
    }
}

/// Renames a file that is on the disk, and waits until its folder is.
pub(crate) fn put_in_place(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    // Without this the directory may still name the old file after a loss of power.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}
