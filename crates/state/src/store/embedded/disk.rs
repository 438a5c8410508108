//! `Disk`: where the file of a store lies. A real one, or one that fails as a test wants it.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use redb::backends::FileBackend;

use crate::private_files::own_file;
use crate::store::state_dir::{StateDir, put_in_place};

const FILE: &str = "state.redb";
const NEW_FILE: &str = "state.redb.new";

/// Two files: the one that is in use, and one that takes its place when it is whole.
pub trait Disk: Debug + Send + Sync + 'static {
    /// What errors call the file.
    fn path(&self) -> &Path;

    /// The file. Nothing, if there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be opened to read and write.
    fn open(&self) -> io::Result<Option<Box<dyn StorageBackend>>>;

    /// A new, empty file beside it, whatever was there.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    fn create(&self) -> io::Result<Box<dyn StorageBackend>>;

    /// Puts the new file in the place of the one in use, so that it is there after a loss of power.
    ///
    /// # Errors
    ///
    /// When nobody knows which of the two is there: each of them is whole.
    fn replace(&self) -> io::Result<()>;

    /// Deletes the new file, which did not become whole.
    ///
    /// # Errors
    ///
    /// When it cannot be deleted. One that is not there is deleted.
    fn discard(&self) -> io::Result<()>;
}

/// A file in a folder of the system.
#[derive(Debug)]
pub struct FileDisk {
    path: PathBuf,
    new: PathBuf,
}

impl FileDisk {
    /// In this folder.
    #[must_use]
    pub fn new(directory: &StateDir) -> Self {
        Self {
            path: directory.path().join(FILE),
            new: directory.path().join(NEW_FILE),
        }
    }
}

impl Disk for FileDisk {
    fn path(&self) -> &Path {
        &self.path
    }

    fn open(&self) -> io::Result<Option<Box<dyn StorageBackend>>> {
        match OpenOptions::new().read(true).write(true).open(&self.path) {
            Ok(file) => backend(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&self) -> io::Result<Box<dyn StorageBackend>> {
        // Another file than what was there: somebody may still have that one open.
        self.discard()?;
        backend(own_file().write(true).create_new(true).open(&self.new)?)
    }

    fn replace(&self) -> io::Result<()> {
        put_in_place(&self.new, &self.path)
    }

    fn discard(&self) -> io::Result<()> {
        match fs::remove_file(&self.new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn backend(file: File) -> io::Result<Box<dyn StorageBackend>> {
    match FileBackend::new(file) {
        Ok(backend) => Ok(Box::new(backend)),
        Err(error) => Err(io::Error::other(error)),
    }
}
