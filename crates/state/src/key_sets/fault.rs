//! Why there are no keys.

use std::path::PathBuf;
use std::sync::Arc;

use portcullis_guard::token::KeySetFault;

/// Why a set could not be read when a policy was loaded. It is not loaded then.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// The file cannot be read.
    #[error("cannot read the key set `{}` of `{issuer}`: check the path and that the user of the guard may read it", path.display())]
    File {
        /// Whose.
        issuer: String,
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is no key set.
    #[error("`{}` cannot be the key set of `{issuer}`", path.display())]
    Malformed {
        /// Whose.
        issuer: String,
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: KeySetFault,
    },
    /// None of its keys verifies anything.
    #[error("`{}` has no usable key of `{issuer}`: {why}", path.display())]
    NoKey {
        /// Whose.
        issuer: String,
        /// Which.
        path: PathBuf,
        /// What is wrong with its keys.
        why: String,
    },
    /// The keys of the guard's own issuer were not handed in.
    #[error(
        "the signing keys of `{issuer}`, which is this guard, were not handed in: make some with `portcullis token keys generate`"
    )]
    NoOwn {
        /// Whose.
        issuer: String,
    },
    /// The system's certificates cannot be read.
    #[error(
        "the client that fetches keys cannot be made: install the system's certificates (`ca-certificates`)"
    )]
    NoClient(#[source] Arc<reqwest::Error>),
}

/// Why a set could not be fetched. It goes into events and the log, and repeats nothing of what was answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// No connection, no TLS, a connection that broke.
    #[error("the issuer cannot be reached")]
    Unreachable,
    /// It took longer than 5 s.
    #[error("the issuer did not answer in time")]
    TimedOut,
    /// Another status than 200. A redirect is one: where it leads is for the policy to say.
    #[error("the issuer answers {0} and not 200")]
    Status(u16),
    /// No JSON by its media type.
    #[error("the issuer answers no `application/json` and no `application/jwk-set+json`")]
    MediaType,
    /// Over 256 KiB, said or sent.
    #[error("the issuer answers more than 262144 bytes")]
    TooLong,
    /// What is answered is no key set.
    #[error("what the issuer answers cannot be its key set: {0}")]
    Malformed(KeySetFault),
}

/// Why keys are not to be had for a request. It becomes a 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeysUnavailable {
    /// None were fetched yet, or those that were are too old.
    #[error("there are no keys of the issuer that may be used")]
    None,
    /// The key is not among those that are held, and the last fetch failed.
    #[error("the key is unknown, and the keys could not be fetched again")]
    FetchFailed,
    /// The fetch is under way, and takes longer than a request waits.
    #[error("the key is unknown, and the keys are not fetched yet")]
    TimedOut,
    /// The key is not among those that are held, and the issuer was asked a moment ago.
    #[error("the key is unknown, and the issuer was asked less than a minute ago")]
    TooSoon,
    /// No issuer of this policy.
    #[error("there is no such issuer")]
    NoIssuer,
}
