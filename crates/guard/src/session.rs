//! Sessions: the cookie that names one, the record of it in the store, and who calls by it.
//!
//! A cookie has nothing of the user in it: a random id, the moment it was given out, and a tag. The store knows the digest of the
//! id alone, so who reads the store cannot make a cookie of it. A session that was ended leaves a tombstone for as long as
//! it could have lived: a slow request must not revive it.
//!
//! Sources: OWASP Session Management Cheat Sheet; ASVS v5.0.0-7.2 to 7.5; RFC 6265bis §4.1.3 (`__Host-`).

mod cookie;
mod record;
mod set_cookie;
mod word;

pub use cookie::{SessionCookie, SessionFault};
pub use record::{Corrupt, Record, SUBJECT_BYTES_MAX, Stored, is_subject};
pub use set_cookie::{SameSite, write_clear, write_set};
pub use word::{FIELD as WORD_FIELD, MEDIA_TYPE as WORD_MEDIA_TYPE, SessionWord, WordFault};

use crate::digest::sha256;
use crate::store::{Key, Space};

/// The name of the cookie that names a session.
pub const SESSION_COOKIE: &str = "__Host-pc-sid";

/// The name of the cookie of somebody who is not logged in, to which CSRF tokens of a login form are bound.
pub const PRE_SESSION_COOKIE: &str = "__Host-pc-pre";

/// How long a pre-session is good, in seconds: as long as a CSRF token at most.
pub const PRE_SESSION_SECONDS: u64 = 60 * 60;

/// What a session is called inside: the digest of its id, of which nobody can make a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionRef(pub [u8; 32]);

impl SessionRef {
    /// That of an id.
    #[must_use]
    pub fn of(id: &[u8; 32]) -> Self {
        Self(sha256(id))
    }

    /// Its entry in the store.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::new(Space::Session, &self.0)
    }

    /// How the application and the guard's people are told of it: it is good for nothing but telling sessions apart.
    #[must_use]
    pub fn shown(&self) -> String {
        let digest = sha256(&[b"portcullis session shown 1".as_slice(), &self.0].concat());
        crate::base64url::text(digest.get(..16).unwrap_or_default())
    }
}

/// What a CSRF token is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    sort: u8,
    digest: [u8; 32],
}

impl Binding {
    /// A session of the guard's own.
    #[must_use]
    pub const fn session(session: SessionRef) -> Self {
        Self {
            sort: b's',
            digest: session.0,
        }
    }

    /// Somebody who is not logged in.
    #[must_use]
    pub const fn pre_session(session: SessionRef) -> Self {
        Self {
            sort: b'p',
            digest: session.0,
        }
    }

    /// A session of the application's, of which its cookie is known.
    #[must_use]
    pub fn cookie(value: &[u8]) -> Self {
        Self {
            sort: b'c',
            digest: sha256(value),
        }
    }

    /// A session that a claim of a verified token names, together with who issued it.
    #[must_use]
    pub fn claim(issuer: &[u8], value: &[u8]) -> Self {
        let length = u64::try_from(issuer.len()).unwrap_or(u64::MAX);
        Self {
            sort: b't',
            digest: sha256(&[length.to_be_bytes().as_slice(), issuer, value].concat()),
        }
    }

    /// The user of a verified token that names no session, together with who issued it.
    #[must_use]
    pub fn subject(issuer: &[u8], subject: &[u8]) -> Self {
        Self {
            sort: b'u',
            ..Self::claim(issuer, subject)
        }
    }

    /// Its bytes: which sort it is, and the digest.
    #[must_use]
    pub fn bytes(&self) -> [u8; 33] {
        let mut bytes = [self.sort; 33];
        if let Some((_, rest)) = bytes.split_first_mut() {
            rest.copy_from_slice(&self.digest);
        }
        bytes
    }

    /// By which all keys of one session begin, so that a store that is spread over machines keeps them together.
    pub(crate) fn together(&self) -> [u8; 16] {
        let mut together = [0; 16];
        for (to, from) in together.iter_mut().zip(self.digest) {
            *to = from;
        }
        together
    }
}

/// Who calls, as a session that is alive says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What is known of them.
    pub record: Record,
    /// By which session.
    pub session: SessionRef,
}
