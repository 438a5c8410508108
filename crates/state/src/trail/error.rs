//! `TrailError`: why the trail cannot be opened, written or read. Whoever asked for a record refuses.

use std::io;
use std::path::PathBuf;

/// What could not be done, with the next step.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// A file or folder could not be used.
    #[error("cannot {doing} `{}`: {source}; check that the folder exists, has room, can be written and belongs to the user that runs the guard", path.display())]
    File {
        /// What was tried: a verb.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another process writes this trail.
    #[error("the trail `{}` is written by another process: stop it, or give this one a state folder of its own", .0.display())]
    InUse(PathBuf),
    /// Others than the owner can read or write it.
    #[error("`{}` can be used by others than its owner: run `chmod {mode} {}`", path.display(), path.display())]
    TooOpen {
        /// Which.
        path: PathBuf,
        /// What it should be.
        mode: &'static str,
    },
    /// The disk is full.
    #[error("no room is left for the trail `{}`: make room, or move the state folder to another disk", .0.display())]
    Full(PathBuf),
    /// It is not what a guard wrote.
    #[error("the trail `{}` cannot be trusted: {why}. Keep it as evidence, run `portcullis trail verify`, and restore a backup or move it away together with its key and its checkpoints", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It has another form.
    #[error("the trail `{}` has form {found}, and this version knows {known}: use the version of portcullis that wrote it", path.display())]
    OtherVersion {
        /// Which.
        path: PathBuf,
        /// The form that it has.
        found: i64,
        /// The form that is known.
        known: i64,
    },
    /// There is none.
    #[error("there is no trail `{}`: name one with `--trail`, or start a guard whose policy asks for one", .0.display())]
    Missing(PathBuf),
    /// The key that signs is not usable.
    #[error("the signing key of the trail cannot be used: {0}")]
    Key(String),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: check that `/dev/urandom` can be read")]
    NoRandomness,
    /// The database refused.
    #[error("the trail `{}` cannot be {doing}: {why}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// What was tried: a participle.
        doing: &'static str,
        /// What it said.
        why: String,
    },
    /// A thread or an event loop could not be started.
    #[error(
        "a thread of the trail could not be started: raise the limit of processes (`ulimit -u`)"
    )]
    NoThread(#[source] io::Error),
    /// The record was not on the disk in its time.
    #[error("the record was not on the disk within {0} ms: look at the disk of the trail")]
    TooSlow(u64),
    /// More records wait than may.
    #[error("too many records wait for the disk of the trail: look at how slow it is")]
    QueueFull,
    /// The trail is ill: what it lacks is told by its health.
    #[error("the trail cannot be written: {0}")]
    Unwell(String),
    /// The writer has ended.
    #[error("the writer of the trail has ended: restart the guard")]
    Ended,
}

impl TrailError {
    pub(super) fn file(doing: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull
            || source.kind() == io::ErrorKind::QuotaExceeded
        {
            return Self::Full(path.to_owned());
        }
        Self::File {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn damaged(path: &std::path::Path, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}
