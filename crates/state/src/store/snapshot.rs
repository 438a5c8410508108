//! `SnapshotDir`: where the limits of long windows are kept over a restart, by one process at a time.
//!
//! A snapshot is written beside the old one and takes its place when it is on the disk, so that there is always a whole
//! one. One that is not whole is no reason to begin anew: the caller refuses to start.

mod format;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use portcullis_guard::clock::Now;

pub(crate) use format::Snapshot;

use crate::StateError;
use crate::store::memory::MemoryStore;

const FILE: &str = "limits.snapshot";
const NEW_FILE: &str = "limits.snapshot.new";
const LOCK_FILE: &str = "portcullis.lock";

/// A directory that this process alone uses, until it is dropped.
#[derive(Debug)]
pub struct SnapshotDir {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl SnapshotDir {
    /// Makes the directory, if it is not there, and takes it.
    ///
    /// # Errors
    ///
    /// When another process has it, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        make_directory(path).map_err(|error| StateError::file("make", path, error))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = own_file()
            .open(&lock_path)
            .map_err(|error| StateError::file("open", &lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(StateError::file("lock", &lock_path, error)),
        }
    }

    /// The last snapshot, if there is one.
    pub(crate) fn read(&self, bytes_max: u64) -> Result<Option<Snapshot>, StateError> {
        let path = self.path.join(FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::file("open", &path, error)),
        };
        let mut bytes = Vec::new();
        file.take(bytes_max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| StateError::file("read", &path, error))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > bytes_max) {
            let why = format!("it is larger than the {bytes_max} bytes that buckets may take");
            return Err(StateError::damaged(&path, why));
        }
        match Snapshot::decode(&bytes) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(why) => Err(StateError::damaged(&path, why)),
        }
    }

    /// Puts a new snapshot in the place of the old one.
    fn write(&self, bytes: &[u8]) -> Result<(), StateError> {
        let (new, path) = (self.path.join(NEW_FILE), self.path.join(FILE));
        let written = || -> io::Result<()> {
            let mut file = own_file().truncate(true).open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        written().map_err(|error| StateError::file("write", &new, error))?;
        fs::rename(&new, &path).map_err(|error| StateError::file("replace", &path, error))?;
        // Without this the directory may still name the old file after a loss of power.
        let synced = File::open(&self.path).and_then(|directory| directory.sync_all());
        synced.map_err(|error| StateError::file("sync", &self.path, error))
    }
}

impl MemoryStore {
    /// Writes what must be kept; gives how many buckets that were. For a timer; each shard is held only as long as it is
    /// copied. A store without a directory writes nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be written: then the last snapshot is still there. The caller says so in its events.
    pub fn snapshot(&self, now: Now) -> Result<usize, StateError> {
        let Some(directory) = &self.snapshots else {
            return Ok(0);
        };
        // One at a time: both would write the same new file.
        let directory = directory.lock().map_err(|_poisoned| StateError::Broken)?;
        let mut writer = format::Writer::new(self.hash, now);
        for place in 0..self.buckets.count() {
            self.buckets.with(place, |part| {
                writer.coarse_until(part.coarse_until);
                for bucket in part.iter().filter(|bucket| bucket.kept) {
                    writer.add(bucket);
                }
            })?;
        }
        let (bytes, count) = writer.finish();
        let max = self.snapshot_bytes_max;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > max) {
            let path = directory.path.join(FILE);
            return Err(StateError::TooLarge { path, max });
        }
        directory.write(&bytes)?;
        Ok(count)
    }
}

/// Options that create a file which nobody else may read.
fn own_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}
