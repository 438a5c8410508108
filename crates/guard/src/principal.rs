//! `Principal`: who calls, in whichever way they were known.

use std::borrow::Cow;

use crate::api_key::KeyCaller;
use crate::digest::sha256;
use crate::session::Caller;
use crate::token::Believed;

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum Principal<'c> {
    /// By a session of the guard's own that is alive.
    Session(&'c Caller),
    /// By a token that was verified.
    Token(&'c Believed),
    /// By an API key that is good.
    Key(&'c KeyCaller),
}

impl<'c> Principal<'c> {
    /// What the user is called by who knows them: the application that began the session, who made the key, or the token's
    /// issuer (`sub`).
    #[must_use]
    pub fn subject(self) -> &'c str {
        match self {
            Self::Session(caller) => &caller.record.user,
            Self::Token(believed) => believed.identity().subject,
            Self::Key(caller) => &caller.record.user,
        }
    }

    /// Who says so, if it is not the application (`iss`). Two issuers may call two people the same.
    #[must_use]
    pub fn issuer(self) -> Option<&'c str> {
        match self {
            Self::Session(_) | Self::Key(_) => None,
            Self::Token(believed) => Some(believed.identity().issuer),
        }
    }

    /// One name of the user: `SUBJECT`, or `ISSUER#SUBJECT`. An issuer has no `#` in it, so no two users of tokens have one name
    /// (CVE-2026-40574: what is behind an `@` in a subject means nothing); and an application that calls somebody so begins no
    /// session for them.
    #[must_use]
    pub fn name(self) -> Cow<'c, str> {
        match self.issuer() {
            None => Cow::Borrowed(self.subject()),
            Some(issuer) => Cow::Owned(format!("{issuer}#{}", self.subject())),
        }
    }

    /// The bytes that a limit counts the user by: an application may call somebody as an issuer calls another one.
    pub(crate) fn counted(self) -> Vec<u8> {
        let sort: &[u8] = match self {
            // Both are called as the application calls its users.
            Self::Session(_) | Self::Key(_) => b"session ",
            Self::Token(_) => b"token ",
        };
        [sort, self.name().as_bytes()].concat()
    }

    /// The session by which they call, as 32 bytes that say nothing: of a token what it calls a session, or its own id; of a
    /// key the key.
    #[must_use]
    pub fn session(self) -> Option<[u8; 32]> {
        match self {
            Self::Session(caller) => Some(caller.session.0),
            Self::Key(caller) => {
                let named = [b"api key ".as_slice(), &caller.id.bytes()].concat();
                Some(sha256(&named))
            }
            Self::Token(believed) => {
                let claims = believed.claims();
                let session = claims.session().or_else(|| claims.token_id())?;
                Some(sha256(&[claims.issuer(), session].join("\n").into_bytes()))
            }
        }
    }

    /// Their tenant, if it is known.
    #[must_use]
    pub fn tenant(self) -> Option<&'c str> {
        match self {
            Self::Session(caller) => caller.record.tenant.as_deref(),
            Self::Token(believed) => believed.claims().tenant(),
            Self::Key(caller) => caller.record.tenant.as_deref(),
        }
    }

    /// The bytes that a limit counts their tenant by: an application may call one as an issuer calls another.
    pub(crate) fn counted_tenant(self) -> Option<Vec<u8>> {
        let tenant = self.tenant()?;
        Some(match self.issuer() {
            None => tenant.as_bytes().to_vec(),
            // No tenant has a line break in its name.
            Some(issuer) => [issuer, tenant].join("\n").into_bytes(),
        })
    }

    /// Their roles, as far as they are known.
    #[must_use]
    pub fn roles(self) -> &'c [String] {
        match self {
            Self::Session(caller) => &caller.record.roles,
            Self::Token(believed) => believed.claims().roles(),
            Self::Key(_) => &[],
        }
    }

    /// Whether the caller may do what a scope names. A session is the user, who may do all that is theirs; a key and a token
    /// are good for what they say, and for nothing where they say nothing (RFC 6749 §3.3).
    #[must_use]
    pub fn may(self, scope: &str) -> bool {
        match self {
            Self::Session(_) => true,
            Self::Token(believed) => believed.claims().has_scope(scope),
            Self::Key(caller) => caller.record.has_scope(scope),
        }
    }
}
