//! `Purpose`: what a key is for; keys of two purposes have nothing to do with each other.

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Signs the cookie of a session.
    SessionCookie,
    /// Signs the cookie of somebody who is not logged in yet, which must never pass for a session.
    PreSessionCookie,
    /// Binds a CSRF token to its session.
    CsrfToken,
    /// Signs who the caller is, for the application.
    Identity,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SessionCookie,
        Self::PreSessionCookie,
        Self::CsrfToken,
        Self::Identity,
    ];

    /// The `info` of HKDF (RFC 5869 §3.2). Whoever changes one makes all that was signed under it worthless; the number
    /// at its end is there for that.
    #[must_use]
    pub const fn label(self) -> &'static [u8] {
        match self {
            Self::SessionCookie => b"portcullis session cookie 1",
            Self::PreSessionCookie => b"portcullis pre-session cookie 1",
            Self::CsrfToken => b"portcullis csrf token 1",
            Self::Identity => b"portcullis identity 1",
        }
    }
}
