//! `StateError`: why something that is kept cannot be opened, read or written. The caller refuses to start.

use std::io;
use std::path::{Path, PathBuf};

/// What could not be done, with the file and the next step.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system gave no random bytes, without which nothing can be keyed.
    #[error("the system gives no random bytes: check that `/dev/urandom` can be read")]
    NoRandomness,
    /// A thread could not be started.
    #[error("a thread could not be started: raise the limit of processes (`ulimit -u`)")]
    NoThread(#[source] io::Error),
    /// A file or directory could not be used.
    #[error("cannot {doing} `{}`: check that the directory exists, has room and belongs to the user that runs the guard", path.display())]
    File {
        /// What was tried: a verb.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process uses the directory.
    #[error("`{}` is used by another process: stop it, or give this one a directory of its own", .0.display())]
    InUse(PathBuf),
    /// A file is not what we wrote.
    #[error("`{}` cannot be trusted: {why}. {NEXT_STEP}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file is of a version that this program does not read.
    #[error("`{}` is of version {found}, and this program reads version {known}: start the version that wrote it, or move it away: then all that was kept in it begins anew", path.display())]
    OtherVersion {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The one that is read.
        known: u64,
    },
    /// It would be larger than it may be.
    #[error("`{}` would be larger than {max} bytes: lower the number of buckets that are kept", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// How large it may be.
        max: u64,
    },
    /// A shard was broken by a panic.
    #[error("a part of the store was broken by a panic: restart the guard")]
    Broken,
}

/// What to do with a file that is damaged. Starting without it would forget what was counted and revoked.
const NEXT_STEP: &str =
    "Restore it from a backup, or move it away: then all that was kept in it begins anew";

impl StateError {
    pub(crate) fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}
