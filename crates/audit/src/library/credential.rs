//! `Credential` and its kin: rows that sign tokens, compare and hash passwords, and keep accounts.

use serde::Deserialize;

use super::passing::Pass;
use super::place::Place;

/// Signs a token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// The claims.
    pub claims: Option<Place>,
    /// The key.
    pub key: Option<Place>,
    /// The options: algorithm, lifetime, audience.
    pub options: Option<Place>,
    /// The algorithm.
    pub algorithm: Option<Place>,
    /// The algorithm where none is named.
    pub default_algorithm: Option<Box<str>>,
    /// Where a lifetime may be given: any of these.
    #[serde(default)]
    pub lifetime: Vec<Place>,
    /// The builder's method that this is, where the token is built in steps.
    pub part: Option<TokenPart>,
}

/// What a step of a token's builder sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPart {
    /// The claims.
    Claims,
    /// The algorithm.
    Algorithm,
    /// The expiry.
    Expiry,
    /// The issuer.
    Issuer,
    /// The audience.
    Audience,
    /// What else there is.
    Other,
}

/// Reads a token without checking it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecodeToken {
    /// The token.
    pub token: Option<Place>,
}

/// Compares a password or a code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// How the result tells.
    pub pass: Pass,
    /// What was given.
    pub given: Place,
    /// What is known.
    pub known: Place,
}

/// Hashes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hash {
    /// What for.
    pub kind: HashKind,
    /// What is hashed.
    pub subject: Option<Place>,
    /// The algorithm, where the symbol alone says which.
    pub algorithm: Option<Box<str>>,
    /// How much work it is: the rounds or the options.
    pub cost: Option<Place>,
}

/// What a hash is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    /// Slow enough for passwords.
    Password,
    /// Fast, and so not for passwords.
    Fast,
}

/// Signs in, up or out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What is done.
    pub kind: AccountKind,
}

/// What is done with an account or its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Signs in, or starts to.
    SignIn,
    /// Makes an account.
    SignUp,
    /// Ends the session.
    SignOut,
    /// Sends or takes a reset, a code or a link.
    Reset,
    /// Changes the account.
    Change,
    /// Makes or renews a session for somebody already proved.
    StartSession,
    /// Ends sessions.
    EndSession,
}
