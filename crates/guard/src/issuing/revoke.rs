//! `RevokeRequest`: what is to be taken back, read strictly.

use std::fmt;

use super::fault::{IssueFault, IssueWrong};
use super::request::{object, text, token};
use crate::session::is_subject;

/// What is to be taken back: one of three.
#[derive(Clone, PartialEq, Eq)]
pub enum RevokeRequest {
    /// A token that is shown, of the guard's own or of an issuer of the policy, and all that were made from it.
    Token(Box<str>),
    /// The token with this `jti`, and all that were made from it.
    TokenId {
        /// Its `jti`.
        token_id: Box<str>,
        /// Its `iss`; the guard itself where nothing is said.
        issuer: Option<Box<str>>,
    },
    /// All tokens of this user that were issued by now.
    User {
        /// Their `user_id`, or `sub` where they say no other.
        user: Box<str>,
        /// Their `iss`; the guard itself where nothing is said.
        issuer: Option<Box<str>>,
    },
}

const KNOWN: [&str; 4] = ["token", "jti", "user_id", "issuer"];

impl RevokeRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Where it is no strict JSON object, or says not one of the three.
    pub fn read(body: &[u8]) -> Result<Self, IssueFault> {
        let object = object(body, &KNOWN)?;
        let issuer = text(&object, "issuer")?;
        match (
            token(&object, "token")?,
            text(&object, "jti")?,
            text(&object, "user_id")?,
            issuer,
        ) {
            (Some(token), None, None, None) => Ok(Self::Token(token.into())),
            (None, Some(token_id), None, issuer) => Ok(Self::TokenId {
                token_id: token_id.into(),
                issuer: issuer.map(Into::into),
            }),
            (None, None, Some(user), issuer) if is_subject(user) => Ok(Self::User {
                user: user.into(),
                issuer: issuer.map(Into::into),
            }),
            (None, None, Some(_), _) => Err(IssueFault::new("user_id", IssueWrong::Type)),
            (None, None, None, _) => Err(IssueFault::new("jti", IssueWrong::Missing)),
            // Of two that are meant one would be left.
            _ => Err(IssueFault::new("body", IssueWrong::Unknown)),
        }
    }
}

/// Nothing of a token, and nobody.
impl fmt::Debug for RevokeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(..)",
            Self::TokenId { .. } => "TokenId { .. }",
            Self::User { .. } => "User { .. }",
        })
    }
}
