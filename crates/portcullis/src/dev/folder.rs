//! `DevFolder`: what `guard dev` keeps beside the policy: keys that nobody else may read, and one guard at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Where it is, beside the policy.
const NAME: &str = ".portcullis/dev";

/// The largest file that is read from it. Keys and certificates are a few hundred bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// The folder. As long as it lives, no other guard has it.
#[derive(Debug)]
pub(crate) struct DevFolder {
    path: PathBuf,
    _lock: File,
}

impl DevFolder {
    /// Opens the folder beside a policy, and makes it where there is none. Others cannot look into it, and git leaves it out.
    pub(crate) fn beside(policy: &Path) -> Result<Self, Failure> {
        let path = policy.with_file_name(NAME);
        let failed = |error: io::Error| {
            let what = format!("cannot use the folder `{}`", path.display());
            Failure::caused(&what, &error)
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&path).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::usage(format!(
                    "another `portcullis guard dev` runs with the folder `{}`: end it first, or use another policy's folder",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let folder = Self { path, _lock: lock };
        folder.write(".gitignore", b"*\n")?;
        Ok(folder)
    }

    /// A file of it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The bytes of a file of it; nothing where there is none.
    ///
    /// A file that others may read or write is refused: it may have come with the code of somebody who knows what is in it.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let path = self.file(name);
        let failed = |error: io::Error| {
            Failure::caused(&format!("cannot read `{}`", path.display()), &error)
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.mode() & 0o077 != 0 || metadata.len() > BYTES_MAX {
            return Err(Failure::usage(format!(
                "`{}` was not written by this program, or others may read it: delete `{}`, and it is made anew",
                path.display(),
                self.path.display()
            )));
        }
        // Room from the beginning: a vector that grows leaves its old bytes behind.
        let room = usize::try_from(metadata.len()).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; room]);
        (&file).read_exact(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    /// Puts a file into it, whole or not at all, for its owner alone.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (path, beside) = (self.file(name), self.file(&format!("{name}.new")));
        let written = || -> io::Result<()> {
            match std::fs::remove_file(&beside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let mut file = OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)
        };
        written()
            .map_err(|error| Failure::caused(&format!("cannot write `{}`", path.display()), &error))
    }
}
