//! `EventFile`: the file of events: one process writes it, it is put aside when it is large, and half a line that
//! another process left is kept apart.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use portcullis_guard::clock::Now;
use portcullis_policy::event::{LINE_BYTES_MAX, SecurityEvent};

use super::EventStart;
use super::chain::Chain;
use crate::StateError;
use crate::private_files::own_file;

/// The smallest size at which a file is put aside: less would be a file for every few lines.
const ROTATE_BYTES_MIN: u64 = 4 * 1024;

/// A file of events that is written.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    rotate_bytes: u64,
    keep: u32,
    /// Locked as long as it is open.
    _lock: File,
}

impl EventFile {
    pub(super) fn open(
        path: PathBuf,
        rotate_bytes: u64,
        keep: u32,
        now: Now,
    ) -> Result<(Self, Chain, EventStart), StateError> {
        let lock = lock(&path)?;
        let failed = |doing| {
            let path = path.clone();
            move |error| StateError::file(doing, &path, error)
        };
        let mut file = append(&path).map_err(failed("open"))?;
        let torn = keep_torn_apart(&path, &file, now)?;
        let bytes = file.seek(SeekFrom::End(0)).map_err(failed("read"))?;
        // The process may have ended between putting a file aside and writing the next.
        let last = if bytes == 0 {
            numbered(&path, 1)
        } else {
            path.clone()
        };
        let chain = chain_of(&last)?;
        let start = EventStart {
            first_seq: chain.seq,
            torn,
        };
        let file = Self {
            path,
            file,
            bytes,
            rotate_bytes: rotate_bytes.max(ROTATE_BYTES_MIN),
            keep: keep.max(1),
            _lock: lock,
        };
        Ok((file, chain, start))
    }

    pub(super) fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Puts the file aside, if it is large enough. When that fails lines go on into the same file.
    pub(super) fn rotate_if_large(&mut self) -> io::Result<()> {
        if self.bytes < self.rotate_bytes {
            return Ok(());
        }
        self.file.sync_all()?;
        for number in (1..self.keep).rev() {
            rename_if_there(
                &numbered(&self.path, number),
                &numbered(&self.path, number + 1),
            )?;
        }
        rename_if_there(&self.path, &numbered(&self.path, 1))?;
        self.file = append(&self.path)?;
        self.bytes = 0;
        match self
            .path
            .parent()
            .filter(|path| !path.as_os_str().is_empty())
        {
            Some(directory) => File::open(directory)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    with_end(path, &format!(".{number}"))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Opens a file of our own to write at its end and to read.
fn append(path: &Path) -> io::Result<File> {
    own_file().append(true).create(true).open(path)
}

/// Two processes would write two chains into one file. The lock is beside the file, as the file is put aside.
fn lock(path: &Path) -> Result<File, StateError> {
    let lock_path = with_end(path, ".lock");
    let lock = own_file()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock_path)
        .map_err(|error| StateError::file("open", &lock_path, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StateError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(StateError::file("lock", &lock_path, error)),
    }
}

/// The last bytes of a file, as many as the longest line has with its two ends.
fn tail(mut file: &File) -> io::Result<(u64, Vec<u8>)> {
    let length = file.seek(SeekFrom::End(0))?;
    let wanted = u64::try_from(LINE_BYTES_MAX + 2).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(length.saturating_sub(wanted)))?;
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes)?;
    Ok((length, bytes))
}

/// Moves half a line at the end of the file to a file of its own. What follows it would otherwise be part of it.
fn keep_torn_apart(path: &Path, file: &File, now: Now) -> Result<Option<PathBuf>, StateError> {
    let failed = |doing: &'static str, path: &Path, error| StateError::file(doing, path, error);
    let (length, bytes) = tail(file).map_err(|error| failed("read", path, error))?;
    let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => end + 1,
        None => 0,
    };
    let Some(half) = bytes.get(whole..).filter(|half| !half.is_empty()) else {
        return Ok(None);
    };
    if half.len() > LINE_BYTES_MAX {
        return Err(StateError::damaged(
            path,
            "its last line is longer than any event",
        ));
    }
    let torn = with_end(path, &format!(".torn-{}", now.unix_millis));
    let kept = || -> io::Result<()> {
        let mut file = own_file().write(true).create_new(true).open(&torn)?;
        file.write_all(half)?;
        file.sync_all()
    };
    kept().map_err(|error| failed("write", &torn, error))?;
    let half = u64::try_from(half.len()).unwrap_or(u64::MAX);
    file.set_len(length.saturating_sub(half))
        .and_then(|()| file.sync_all())
        .map_err(|error| failed("cut", path, error))?;
    Ok(Some(torn))
}

/// Where the chain of a file stands after its last line.
fn chain_of(path: &Path) -> Result<Chain, StateError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Chain::NEW),
        Err(error) => return Err(StateError::file("open", path, error)),
    };
    let (_, bytes) = tail(&file).map_err(|error| StateError::file("read", path, error))?;
    if bytes.is_empty() {
        return Ok(Chain::NEW);
    }
    let line = bytes
        .strip_suffix(b"\n")
        .and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next())
        .and_then(|line| str::from_utf8(line).ok());
    let event = line.map(SecurityEvent::parse);
    match (line, event) {
        (Some(line), Some(Ok(event))) => Ok(Chain::after(event.seq, line.as_bytes())),
        (_, Some(Err(error))) => Err(StateError::damaged(
            path,
            format!("its last line is no event: {error}"),
        )),
        _ => Err(StateError::damaged(path, "its last line is no event")),
    }
}
