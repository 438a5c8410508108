//! `SecondPlace`: the file to which checkpoints are appended, best on a disk that the writer of the trail cannot change.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint};
use super::error::TrailError;
use crate::private_files::own_file;

/// Checkpoints that wait while the file cannot be written. Beyond them the oldest are dropped: a newer one covers what an
/// older one did.
const WAITING_MAX: usize = 1_000;

/// The file, opened to append.
#[derive(Debug)]
pub(super) struct SecondPlace {
    path: PathBuf,
    file: File,
    waiting: VecDeque<String>,
}

impl SecondPlace {
    /// Opens the file, and gives its last checkpoint.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<Checkpoint>), TrailError> {
        let failed = |doing| move |error| TrailError::file(doing, path, error);
        let mut file = own_file()
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed("open"))?;
        let tail = tail(&mut file).map_err(failed("read"))?;
        let text = String::from_utf8_lossy(&tail);
        let last = text
            .lines()
            .rev()
            .find_map(|line| Checkpoint::parse(line).ok());
        if last.is_none() && !tail.is_empty() {
            return Err(TrailError::damaged(path, "its end holds no checkpoint"));
        }
        if !tail.is_empty() && !tail.ends_with(b"\n") {
            // Half a line of a process that could not finish it. What follows would otherwise be part of it.
            let ended = file.write_all(b"\n").and_then(|()| file.sync_all());
            ended.map_err(failed("write"))?;
        }
        let place = Self {
            path: path.to_owned(),
            file,
            waiting: VecDeque::new(),
        };
        Ok((place, last))
    }

    /// Appends a checkpoint; one that cannot be written waits.
    pub(super) fn send(&mut self, line: String) -> Result<(), TrailError> {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(line);
        self.send_waiting()
    }

    /// Appends what waits, to the disk.
    pub(super) fn send_waiting(&mut self) -> Result<(), TrailError> {
        while let Some(line) = self.waiting.front() {
            // What an attempt before this one left half written is closed by the first line feed, and read by nobody.
            let text = format!("{line}\n");
            let length = self.file.metadata().map(|metadata| metadata.len());
            let sent = self
                .file
                .write_all(text.as_bytes())
                .and_then(|()| self.file.sync_all());
            if let Err(error) = sent {
                if let Ok(length) = length {
                    // Where the system refuses even this, the reader passes over half a line.
                    drop(self.file.set_len(length));
                }
                return Err(TrailError::file("append to", &self.path, error));
            }
            self.waiting.pop_front();
        }
        Ok(())
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

/// The last bytes, enough for some lines.
fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.seek(SeekFrom::End(0))?;
    let wanted = u64::try_from(4 * CHECKPOINT_BYTES_MAX).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(length.saturating_sub(wanted)))?;
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads checkpoints one after the other, and passes over lines that are none, which it counts.
#[derive(Debug)]
pub(super) struct CheckpointLines<R> {
    lines: R,
    /// Lines that are no checkpoint.
    pub(super) unreadable: u64,
}

impl<R: BufRead> CheckpointLines<R> {
    pub(super) const fn new(lines: R) -> Self {
        Self {
            lines,
            unreadable: 0,
        }
    }

    /// The next; of a line no more is kept than a checkpoint may have.
    pub(super) fn next(&mut self) -> io::Result<Option<Checkpoint>> {
        let max = u64::try_from(CHECKPOINT_BYTES_MAX).unwrap_or(u64::MAX);
        loop {
            let mut line = Vec::new();
            let read = (&mut self.lines)
                .take(max + 2)
                .read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            let has_end = line.pop_if(|last| *last == b'\n').is_some();
            let text = str::from_utf8(&line).ok().filter(|_| has_end);
            match text.map(Checkpoint::parse) {
                Some(Ok(checkpoint)) => return Ok(Some(checkpoint)),
                _ => self.unreadable += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use portcullis_policy::event::{EventTime, HexBytes};

    use super::*;
    use crate::trail::key::SigningKey;

    fn checkpoint(seq: u64) -> Checkpoint {
        let key = SigningKey::of_seed(&[9; 32]).unwrap();
        Checkpoint::sign(&key, seq, HexBytes([1; 32]), EventTime::of_unix_millis(seq))
    }

    #[test]
    fn checkpoints_are_appended_and_the_last_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.jsonl");
        let (mut place, last) = SecondPlace::open(&path).unwrap();
        assert_eq!(last, None);
        for seq in 1..40 {
            place.send(checkpoint(seq).to_line().unwrap()).unwrap();
        }
        // Half a line of a process that was killed.
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"schema\"");
        fs::write(&path, &text).unwrap();
        let (mut place, last) = SecondPlace::open(&path).unwrap();
        assert_eq!(last, Some(checkpoint(39)));
        place.send(checkpoint(40).to_line().unwrap()).unwrap();
        let mut lines = CheckpointLines::new(io::BufReader::new(File::open(&path).unwrap()));
        let mut seen = Vec::new();
        while let Some(one) = lines.next().unwrap() {
            seen.push(one.seq);
        }
        assert_eq!(seen, (1..=40).collect::<Vec<_>>());
        assert_eq!(lines.unreadable, 1);
    }

    #[test]
    fn a_file_of_something_else_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "milk\n").unwrap();
        assert!(SecondPlace::open(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "milk\n");
    }
}
