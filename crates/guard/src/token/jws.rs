//! `Jws`: a token in its compact form (RFC 7515 §7.1), read once and believed in nothing.

use std::fmt;

use super::fault::TokenFault;
use super::strict_json::{Json, JsonFault, Object};
use super::texts::{Collected, Text, Texts};
use crate::base64url;
use crate::canon::near;

/// The longest token.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The longest `kid`.
pub(super) const KEY_ID_BYTES_MAX: usize = 256;

/// What is read of a header. A place to fetch a key from and a key (`jku`, `x5u`, `jwk`, `x5c`) are not: the keys of an issuer
/// come from where the policy says (RFC 8725 §3.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    texts: Texts,
    /// The name of the algorithm, whatever it is.
    algorithm: Text,
    /// Which key it names.
    key_id: Option<Text>,
    /// Which sort of token it says it is.
    media_type: Option<Text>,
}

impl Header {
    /// `alg` as it is written. Whether it is accepted is for the issuer's list to say.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.texts.at(self.algorithm)
    }

    /// `kid`: at most 256 bytes, never empty.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.map(|text| self.texts.at(text))
    }

    /// `typ` as it is written.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.media_type.map(|text| self.texts.at(text))
    }
}

/// A token, taken apart. Its one reader: no part of a token is decoded anywhere else, or twice.
#[derive(Clone, PartialEq, Eq)]
pub struct Jws<'t> {
    pub(super) header: Header,
    pub(super) payload: Vec<u8>,
    /// What the signature is of: the first two parts as they came.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// Where it is over 8 KiB, has not three parts, is no strict base64url; where its header is no strict JSON object with an
    /// `alg`, or has `crit` or `b64`. Of the payload only the encoding is looked at.
    pub fn read(compact: &'t str) -> Result<Self, TokenFault> {
        let text = compact.as_bytes();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::TooLong);
        }
        let (signed, signature) = split_at_last_dot(text).ok_or(TokenFault::Form)?;
        let (header, payload) = split_at_last_dot(signed).ok_or(TokenFault::Form)?;
        if header.is_empty() || header.contains(&b'.') {
            return Err(TokenFault::Form);
        }
        let part = |text| base64url::read(text).ok_or(TokenFault::Encoding);
        Ok(Self {
            header: read_header(&part(header)?)?,
            payload: part(payload)?,
            signed,
            signature: part(signature)?,
        })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What is signed, and the signature. For tests of other verifiers against this reader.
    #[must_use]
    pub fn signed(&self) -> (&'t [u8], &[u8]) {
        (self.signed, &self.signature)
    }
}

/// Nothing of what it says, and nothing that could be used as it.
impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").finish_non_exhaustive()
    }
}

fn split_at_last_dot(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = memchr::memrchr(b'.', text)?;
    let (before, after) = text.split_at_checked(dot)?;
    let (_dot, after) = after.split_first()?;
    Some((before, after))
}

/// The members that are read, and those that refuse a token.
pub(super) const KNOWN: [&str; 5] = ["alg", "kid", "typ", "crit", "b64"];

fn read_header(text: &[u8]) -> Result<Header, TokenFault> {
    let object = Object::read(text).map_err(|fault| match fault {
        JsonFault::Malformed => TokenFault::HeaderMalformed,
        JsonFault::NameRepeated => TokenFault::HeaderRepeated,
    })?;
    // A reader that takes any letter case (Go's `encoding/json`) would find another `alg` than this one.
    if object.names().any(|name| near(&KNOWN, name).is_some()) {
        return Err(TokenFault::HeaderRepeated);
    }
    if object.find("crit").is_some() {
        return Err(TokenFault::CriticalUnknown);
    }
    if object.find("b64").is_some() {
        return Err(TokenFault::PayloadUnencoded);
    }
    let mut texts = Collected::default();
    let mut take = |name, bytes_max| match object.find(name) {
        None => Ok(None),
        Some(Json::Text(text)) if !text.is_empty() && text.len() <= bytes_max => {
            let kept = texts.keep(text);
            kept.map(Some).ok_or(TokenFault::HeaderMalformed)
        }
        Some(_) => Err(TokenFault::HeaderMalformed),
    };
    let algorithm = take("alg", TOKEN_BYTES_MAX)?.ok_or(TokenFault::HeaderMalformed)?;
    let key_id = take("kid", KEY_ID_BYTES_MAX)?;
    let media_type = take("typ", TOKEN_BYTES_MAX)?;
    Ok(Header {
        algorithm,
        key_id,
        media_type,
        texts: texts.texts(),
    })
}
