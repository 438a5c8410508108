//! Reads the text of a secret from a variable or a file, within its bounds.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};

use zeroize::Zeroizing;

use super::SECRET_BYTES_MAX;
use super::fault::SecretFault;

/// What was read.
#[derive(Debug)]
pub(super) struct Kept {
    text: Zeroizing<Vec<u8>>,
    /// Whether every user of the machine can read it.
    pub(super) is_readable_by_all: bool,
}

impl Kept {
    /// Of a variable's value, if it is set.
    pub(super) fn of_variable(value: Option<OsString>) -> Result<Self, SecretFault> {
        let value = value.ok_or(SecretFault::Missing)?;
        Ok(Self {
            text: Zeroizing::new(value.into_encoded_bytes()),
            is_readable_by_all: false,
        })
    }

    /// Of a file, through links: Kubernetes mounts secrets as links.
    pub(super) fn of_file(path: &str) -> Result<Self, SecretFault> {
        // Looked at before it is opened: to open a pipe would wait for whoever writes it.
        check(&fs::metadata(path).map_err(|error| unreadable(&error))?)?;
        let mut file = File::open(path).map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        check(&metadata)?;
        Ok(Self {
            text: read(&mut file).map_err(|error| unreadable(&error))?,
            is_readable_by_all: mode(&metadata) & 0o004 != 0,
        })
    }

    /// The secret in it: one line of printable ASCII, whose end may be there or not.
    pub(super) fn line(&self) -> Result<&[u8], SecretFault> {
        let text = self.text.as_slice();
        if text.len() > SECRET_BYTES_MAX {
            return Err(SecretFault::TooLarge);
        }
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            return Err(SecretFault::Empty);
        }
        match line.iter().find(|byte| !byte.is_ascii_graphic()) {
            None => Ok(line),
            Some(b'\n' | b'\r') => Err(SecretFault::SeveralLines),
            Some(b' ' | b'\t') => Err(SecretFault::WhiteSpace),
            Some(_) => Err(SecretFault::NotText),
        }
    }
}

fn check(metadata: &Metadata) -> Result<(), SecretFault> {
    if !metadata.is_file() {
        return Err(SecretFault::NotAFile);
    }
    if mode(metadata) & 0o022 != 0 {
        return Err(SecretFault::WritableByOthers);
    }
    Ok(())
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode()
}

/// Where files have no mode there is none to judge.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}

/// Into room that is there from the beginning: a vector that grows leaves its old bytes behind.
fn read(file: &mut File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; SECRET_BYTES_MAX + 1]);
    let mut length = 0;
    while let Some(room) = text.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(length);
    Ok(text)
}

fn unreadable(error: &io::Error) -> SecretFault {
    match error.kind() {
        io::ErrorKind::NotFound => SecretFault::Missing,
        kind => SecretFault::Unreadable(kind),
    }
}
