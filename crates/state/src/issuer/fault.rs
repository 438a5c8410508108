//! `IssuerKeyError`: why the signing keys cannot be used. Each names the file and the next step, and repeats nothing of a key.

use std::io;
use std::path::{Path, PathBuf};

use portcullis_guard::token::UnusableKey;

/// Why the signing keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuerKeyError {
    /// There are none yet.
    #[error("there are no signing keys in `{}`: make the first with `portcullis token keys generate`", .0.display())]
    None(PathBuf),
    /// There are some already.
    #[error("there are signing keys in `{}` already: put another in their place with `portcullis token keys rotate`", .0.display())]
    Some(PathBuf),
    /// A file or the folder cannot be used.
    #[error("cannot {doing} `{}`: check that it exists and belongs to the user that runs this", path.display())]
    File {
        /// What was tried: a verb.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Others can read a private key, or write the list or the folder.
    #[error("others than its owner can use `{}`: if nobody did, `chmod {mode}` it; else put another key in its place with `portcullis token keys rotate --at-once`", path.display())]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// The mode that it should have.
        mode: &'static str,
    },
    /// A file is not as it was written.
    #[error("`{}` cannot be trusted: {why}. Restore it from a backup, or move the folder away and make new keys with `portcullis token keys generate`: then no token of before is believed", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A key that signs is weaker than the profile allows.
    #[error("the key `{kid}` in `{}` signs and is too weak for this profile: put another in its place with `portcullis token keys rotate --at-once`", path.display())]
    Weak {
        /// Where.
        path: PathBuf,
        /// Which.
        kid: String,
        /// Why.
        source: UnusableKey,
    },
    /// A key is waiting already.
    #[error(
        "the key `{kid}` is next already, and signs in {seconds} s: wait until then, or replace all keys with `portcullis token keys rotate --at-once`"
    )]
    Pending {
        /// Which.
        kid: String,
        /// When.
        seconds: u64,
    },
    /// Another program changes the keys.
    #[error("another program changes the keys in `{}`: try again", .0.display())]
    InUse(PathBuf),
    /// The library made no key.
    #[error("no key can be made: check that `/dev/urandom` can be read")]
    NotMade,
}

impl IssuerKeyError {
    pub(super) fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::File {
            doing,
            path,
            source,
        }
    }

    pub(super) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}
