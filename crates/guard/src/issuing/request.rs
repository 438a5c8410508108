//! `IssueRequest` and `ExchangeRequest`: what somebody asks for, read strictly.

use std::fmt;

use super::fault::{IssueFault, IssueWrong};
use crate::canon::differ_by_case;
use crate::session::is_subject;
use crate::token::strict_json::{Json, JsonFault, Object};
use crate::token::{TOKEN_BYTES_MAX, TokenType};

/// The longest body: a token of the longest sort, and as much again.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// The grant of an exchange (RFC 8693 §2.1).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What a token that is exchanged is (RFC 8693 §3).
pub const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What an access token or a child is that is given out (RFC 8693 §3).
pub const ACCESS_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The longest text of a claim.
const TEXT_BYTES_MAX: usize = 512;

/// The most audiences of one token.
const AUDIENCES_MAX: usize = 16;

/// What a service asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct IssueRequest {
    /// An access token or a parent; a child comes of an exchange alone.
    pub token_type: TokenType,
    /// Of whom the token is: `sub` and `user_id`.
    pub user_id: Box<str>,
    /// `network`.
    pub network: Box<str>,
    /// `rate_limit`.
    pub rate_limit: u64,
    /// For whom; the first of the policy's where nothing is said.
    pub audience: Vec<Box<str>>,
    /// For how many seconds; as long as the policy admits where nothing is said.
    pub expires_in: Option<u64>,
    /// The application's own claims.
    pub claims: Vec<(Box<str>, ClaimValue)>,
}

/// The value of a claim of the application's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue {
    /// A text.
    Text(Box<str>),
    /// A whole number that is not negative.
    Number(u64),
    /// `true` or `false`.
    Boolean(bool),
}

/// What somebody asks for who has a parent token.
#[derive(Clone, PartialEq, Eq)]
pub struct ExchangeRequest {
    /// The parent.
    pub subject_token: Box<str>,
    /// For whom; the first of the policy's where nothing is said.
    pub audience: Vec<Box<str>>,
    /// `rate_limit`, at most the parent's; as much as that where nothing is said.
    pub rate_limit: Option<u64>,
    /// For how many seconds; as long as the policy and the parent admit where nothing is said.
    pub expires_in: Option<u64>,
}

const ISSUE: [&str; 7] = [
    "token_type",
    "user_id",
    "network",
    "rate_limit",
    "audience",
    "expires_in",
    "claims",
];

const EXCHANGE: [&str; 6] = [
    "grant_type",
    "subject_token",
    "subject_token_type",
    "audience",
    "rate_limit",
    "expires_in",
];

impl IssueRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Where it is no strict JSON object of at most [`BODY_BYTES_MAX`], where a member is missing, of another type or not known.
    pub fn read(body: &[u8]) -> Result<Self, IssueFault> {
        let object = object(body, &ISSUE)?;
        let token_type = match required(text(&object, "token_type")?, "token_type")? {
            "access" => TokenType::Access,
            "parent" => TokenType::Parent,
            "child" => return Err(IssueFault::new("token_type", IssueWrong::Refused)),
            _ => return Err(IssueFault::new("token_type", IssueWrong::Type)),
        };
        let user_id = required(text(&object, "user_id")?, "user_id")?;
        if !is_subject(user_id) {
            return Err(IssueFault::new("user_id", IssueWrong::Type));
        }
        Ok(Self {
            token_type,
            user_id: user_id.into(),
            network: required(text(&object, "network")?, "network")?.into(),
            rate_limit: required(whole(&object, "rate_limit")?, "rate_limit")?,
            audience: audience(&object)?,
            expires_in: seconds(&object)?,
            claims: claims(&object)?,
        })
    }
}

impl ExchangeRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// As [`IssueRequest::read`], and where the grant or the sort of token is another one.
    pub fn read(body: &[u8]) -> Result<Self, IssueFault> {
        let object = object(body, &EXCHANGE)?;
        for (name, expected) in [("grant_type", GRANT_TYPE), ("subject_token_type", JWT_TYPE)] {
            if required(text(&object, name)?, name)? != expected {
                return Err(IssueFault::new(name, IssueWrong::Refused));
            }
        }
        let subject_token = token(&object, "subject_token")?;
        let subject_token = required(subject_token, "subject_token")?;
        Ok(Self {
            subject_token: subject_token.into(),
            audience: audience(&object)?,
            rate_limit: whole(&object, "rate_limit")?,
            expires_in: seconds(&object)?,
        })
    }
}

/// Nothing of a person.
impl fmt::Debug for IssueRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssueRequest")
            .field("token_type", &self.token_type)
            .finish_non_exhaustive()
    }
}

/// Nothing of the token.
impl fmt::Debug for ExchangeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeRequest")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

pub(super) fn object<'b>(body: &'b [u8], known: &[&'static str]) -> Result<Object<'b>, IssueFault> {
    let fault = |wrong| IssueFault::new("body", wrong);
    if body.len() > BODY_BYTES_MAX {
        return Err(fault(IssueWrong::Malformed));
    }
    let object = Object::read(body).map_err(|json| {
        fault(match json {
            JsonFault::Malformed => IssueWrong::Malformed,
            JsonFault::NameRepeated => IssueWrong::Repeated,
        })
    })?;
    for name in object.names() {
        if let Some(near) = known.iter().find(|known| differ_by_case(known, name)) {
            return Err(IssueFault::new(near, IssueWrong::Repeated));
        }
        // Who asks for what we do not know would believe to have it.
        if !known.contains(&name) {
            return Err(fault(IssueWrong::Unknown));
        }
    }
    Ok(object)
}

fn required<T>(value: Option<T>, name: &'static str) -> Result<T, IssueFault> {
    value.ok_or(IssueFault::new(name, IssueWrong::Missing))
}

pub(super) fn text<'o>(
    object: &'o Object<'_>,
    name: &'static str,
) -> Result<Option<&'o str>, IssueFault> {
    match object.find(name) {
        None => Ok(None),
        Some(Json::Text(text)) if is_plain(text) => Ok(Some(text.as_ref())),
        Some(_) => Err(IssueFault::new(name, IssueWrong::Type)),
    }
}

/// A token, which is longer than a claim may be.
pub(super) fn token<'o>(
    object: &'o Object<'_>,
    name: &'static str,
) -> Result<Option<&'o str>, IssueFault> {
    match object.find(name) {
        None => Ok(None),
        Some(Json::Text(token)) if !token.is_empty() && token.len() <= TOKEN_BYTES_MAX => {
            Ok(Some(token.as_ref()))
        }
        Some(_) => Err(IssueFault::new(name, IssueWrong::Type)),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

fn whole(object: &Object<'_>, name: &'static str) -> Result<Option<u64>, IssueFault> {
    match object.find(name) {
        None => Ok(None),
        Some(Json::Whole(number)) if *number <= portcullis_policy::CLAIM_NUMBER_MAX => {
            Ok(Some(*number))
        }
        Some(_) => Err(IssueFault::new(name, IssueWrong::Type)),
    }
}

/// A token that ends when it begins would be an error of who asks.
fn seconds(object: &Object<'_>) -> Result<Option<u64>, IssueFault> {
    match whole(object, "expires_in")? {
        Some(0) => Err(IssueFault::new("expires_in", IssueWrong::Type)),
        seconds => Ok(seconds),
    }
}

/// One text, or a list of some.
fn audience(object: &Object<'_>) -> Result<Vec<Box<str>>, IssueFault> {
    const WRONG: IssueFault = IssueFault::new("audience", IssueWrong::Type);
    match object.find("audience") {
        None => Ok(Vec::new()),
        Some(Json::Text(text)) if is_plain(text) => Ok(vec![text.as_ref().into()]),
        Some(Json::List(list)) if !list.is_empty() && list.len() <= AUDIENCES_MAX => list
            .iter()
            .map(|one| match one {
                Json::Text(text) if is_plain(text) => Ok(text.as_ref().into()),
                Json::Text(_)
                | Json::Whole(_)
                | Json::Truth(_)
                | Json::Other
                | Json::Null
                | Json::List(_)
                | Json::Object(_) => Err(WRONG),
            })
            .collect(),
        Some(_) => Err(WRONG),
    }
}

fn claims(object: &Object<'_>) -> Result<Vec<(Box<str>, ClaimValue)>, IssueFault> {
    match object.find("claims") {
        None => Ok(Vec::new()),
        Some(Json::Object(claims)) => claims
            .names()
            .map(|name| {
                let value = claims.find(name).and_then(ClaimValue::of);
                let value = value.ok_or(IssueFault::new("claims", IssueWrong::Type))?;
                Ok((name.into(), value))
            })
            .collect(),
        Some(_) => Err(IssueFault::new("claims", IssueWrong::Type)),
    }
}

impl ClaimValue {
    /// A value that a claim may have.
    pub(super) fn of(value: &Json<'_>) -> Option<Self> {
        match value {
            Json::Text(text) if is_plain(text) => Some(Self::Text(text.as_ref().into())),
            Json::Whole(number) if *number <= portcullis_policy::CLAIM_NUMBER_MAX => {
                Some(Self::Number(*number))
            }
            Json::Truth(truth) => Some(Self::Boolean(*truth)),
            Json::Text(_)
            | Json::Whole(_)
            | Json::Other
            | Json::Null
            | Json::List(_)
            | Json::Object(_) => None,
        }
    }
}
