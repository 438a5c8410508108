//! `LineSink`: takes bytes of whole lines, and gives them to a file or the standard output as far as these take them.

use std::io::{self, Write as _};

use portcullis_guard::clock::Now;

use super::chain::Chain;
use super::file::EventFile;
use super::{EventSink, EventStart};
use crate::StateError;

/// Where lines go.
#[derive(Debug)]
pub(super) enum LineSink {
    Stdout,
    File(EventFile),
    #[cfg(test)]
    Test(Box<dyn TestSink>),
}

/// A sink that fails when a test says so.
#[cfg(test)]
pub(super) trait TestSink: io::Write + std::fmt::Debug + Send {}

impl LineSink {
    /// Opens it; says where its chain stands, and what was found.
    pub(super) fn open(sink: EventSink, now: Now) -> Result<(Self, Chain, EventStart), StateError> {
        match sink {
            EventSink::Stdout => Ok((Self::Stdout, Chain::NEW, EventStart::default())),
            EventSink::File {
                path,
                rotate_bytes,
                keep,
            } => {
                let (file, chain, start) = EventFile::open(path, rotate_bytes, keep, now)?;
                Ok((Self::File(file), chain, start))
            }
        }
    }

    /// Writes what can be written, and takes it out of the buffer: what is left is the rest of a line that was begun
    /// and whole lines after it. So a failure in the middle of a line ends with the line being finished.
    pub(super) fn write(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut done = 0;
        let written = loop {
            let Some(rest) = buffer.get(done..).filter(|rest| !rest.is_empty()) else {
                break Ok(());
            };
            match self.write_some(rest) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        buffer.drain(..done.min(buffer.len()));
        written?;
        match self {
            Self::Stdout => io::stdout().lock().flush(),
            // The buffer is empty, so the file ends with a line.
            Self::File(file) => file.rotate_if_large(),
            #[cfg(test)]
            Self::Test(sink) => sink.flush(),
        }
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout => io::stdout().lock().write(bytes),
            Self::File(file) => file.write_some(bytes),
            #[cfg(test)]
            Self::Test(sink) => sink.write(bytes),
        }
    }

    /// Puts all on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().flush(),
            Self::File(file) => file.sync(),
            #[cfg(test)]
            Self::Test(sink) => sink.flush(),
        }
    }
}
