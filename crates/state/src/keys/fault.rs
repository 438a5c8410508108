//! `SecretError`: why a secret cannot be used, told by its name and never by its content.

use std::fmt;
use std::io;

use portcullis_policy::{Name, SecretRef};

use super::weakness::Weakness;
use super::{KEY_BYTES_MIN, SECRET_BYTES_MAX};

/// A secret that cannot be used. The caller refuses to start, or keeps the policy that is in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place} {fault}")]
pub struct SecretError {
    /// Which key of which secret.
    pub place: SecretPlace,
    /// What is wrong with it.
    pub fault: SecretFault,
}

/// Which key of which secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPlace {
    /// The secret, as the policy calls it: `identity.session.secret`.
    pub secret: String,
    /// The name of the key, where the secret has several.
    pub kid: Option<Name>,
    /// Where it is kept; none where all keys of the secret are meant.
    pub kept_at: Option<SecretRef>,
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "the key `{kid}` of `{}`", self.secret)?,
            None => write!(f, "the secret `{}`", self.secret)?,
        }
        match &self.kept_at {
            Some(kept_at) => write!(f, " at `{kept_at}`"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFault {
    /// There is no such variable or file.
    Missing,
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// Others than its owner can write the file, and so choose the key.
    WritableByOthers,
    /// There is nothing in it.
    Empty,
    /// It has more than [`SECRET_BYTES_MAX`] bytes.
    TooLarge,
    /// It has NUL, control characters or what is not ASCII in it.
    NotText,
    /// It has more than one line.
    SeveralLines,
    /// It has spaces or tabs in it.
    WhiteSpace,
    /// It is neither hex, base64url nor base64.
    Malformed,
    /// Decoded it has fewer bytes than this, which is 16 or [`KEY_BYTES_MIN`]. How many exactly is nobody's business.
    Short(usize),
    /// It was not drawn at random, or is known to others.
    Weak(Weakness),
    /// It is the same as another.
    SameAs(Box<SecretPlace>),
    /// All keys are past their `not_after`.
    AllExpired,
    /// The cryptographic library derived no key of it.
    NotDerived,
}

impl SecretFault {
    /// Every code that [`code`](Self::code) gives.
    pub const CODES: &'static [&'static str] = &[
        "missing",
        "unreadable",
        "not_a_file",
        "writable_by_others",
        "empty",
        "too_large",
        "not_text",
        "several_lines",
        "white_space",
        "malformed",
        "short",
        "weak",
        "same_as_another",
        "all_expired",
        "not_derived",
    ];

    /// What machines call it: snake case, and stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable(_) => "unreadable",
            Self::NotAFile => "not_a_file",
            Self::WritableByOthers => "writable_by_others",
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::NotText => "not_text",
            Self::SeveralLines => "several_lines",
            Self::WhiteSpace => "white_space",
            Self::Malformed => "malformed",
            Self::Short(_) => "short",
            Self::Weak(_) => "weak",
            Self::SameAs(_) => "same_as_another",
            Self::AllExpired => "all_expired",
            Self::NotDerived => "not_derived",
        }
    }
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DRAW: &str = "make one with `openssl rand -hex 32`";
        match self {
            Self::Missing => f.write_str("is not there: set the variable, or create the file"),
            Self::Unreadable(kind) => write!(
                f,
                "cannot be read ({kind}): check that the user that runs the guard may read it"
            ),
            Self::NotAFile => f.write_str("is no regular file: put it into one"),
            Self::WritableByOthers => f.write_str(
                "can be written by others than its owner, who could choose the key: `chmod go-w` it, then make a new one",
            ),
            Self::Empty => write!(f, "is empty: {DRAW}"),
            Self::TooLarge => write!(f, "has more than {SECRET_BYTES_MAX} bytes: {DRAW}"),
            Self::NotText => write!(
                f,
                "has bytes in it that are no printable ASCII: write it in hex or base64url, or {DRAW}"
            ),
            Self::SeveralLines => {
                f.write_str("has more than one line: write it in one, and nothing beside it")
            }
            Self::WhiteSpace => f.write_str("has spaces or tabs in it: take them out"),
            Self::Malformed => write!(
                f,
                "is neither hex, base64url nor base64; quotes belong to neither: {DRAW}"
            ),
            Self::Short(under) => write!(
                f,
                "has fewer than {under} bytes when it is decoded, at least {KEY_BYTES_MIN} are needed: {DRAW}"
            ),
            Self::Weak(weakness) => write!(f, "{weakness}: {DRAW}"),
            Self::SameAs(other) => write!(f, "is the same as {other}: each has one of its own, {DRAW}"),
            Self::AllExpired => {
                f.write_str("has no key that is still accepted: add a new one as the first")
            }
            Self::NotDerived => {
                f.write_str("gave no key: check that the machine has memory, and start again")
            }
        }
    }
}

/// What should be looked at, and is no reason to refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretWarning {
    /// Which key of which secret.
    pub place: SecretPlace,
    /// What is to be done about it.
    pub kind: SecretWarningKind,
}

/// What there is to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretWarningKind {
    /// Every user of the machine can read the file. What Docker and Kubernetes mount is so unless it is said otherwise.
    ReadableByAll,
    /// The key is past its `not_after`, and was not read.
    Expired,
}

impl fmt::Display for SecretWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            SecretWarningKind::ReadableByAll => {
                "can be read by every user of the machine: `chmod o-r` it, or mount it with mode 0440"
            }
            SecretWarningKind::Expired => {
                "is past its `not_after` and is not used: take it out of the policy"
            }
        };
        write!(f, "{} {what}", self.place)
    }
}
