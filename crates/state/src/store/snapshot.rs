//! The snapshot of the limits of long windows: read when a store is opened, written from time to time.
//!
//! A snapshot is written beside the old one and takes its place when it is on the disk, so that there is always a whole
//! one. One that is not whole is no reason to begin anew: the caller refuses to start.

mod format;

use std::fs::File;
use std::io::{self, Read as _};

use portcullis_guard::clock::Now;

pub(crate) use format::Snapshot;

use super::state_dir::StateDir;
use crate::StateError;
use crate::store::memory::MemoryStore;

const FILE: &str = "limits.snapshot";

/// The last snapshot in a folder, if there is one.
pub(crate) fn read(directory: &StateDir, bytes_max: u64) -> Result<Option<Snapshot>, StateError> {
    let path = directory.path().join(FILE);
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
            let path = directory.path().join(FILE);
            return Err(StateError::TooLarge { path, max });
        }
        directory.replace(FILE, &bytes)?;
        Ok(count)
    }
}
