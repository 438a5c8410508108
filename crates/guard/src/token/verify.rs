//! `verify`: whether a token is signed by a key of an issuer, with an algorithm of that issuer's list.

use std::fmt;

use portcullis_policy::JwtAlgorithm;

use super::fault::TokenFault;
use super::jws::{Header, Jws};
use super::key_set::KeySet;

/// A token whose signature holds. What it claims is still to be judged.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    header: Header,
    payload: Vec<u8>,
}

impl Verified {
    pub(super) fn new(token: Jws<'_>) -> Self {
        Self {
            header: token.header,
            payload: token.payload,
        }
    }

    /// What the token says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes that are signed, decoded.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Nothing of the payload, which is about a person.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// Verifies a token in its compact form by the keys of one issuer.
///
/// # Errors
///
/// Where the token is not well formed; where its `alg` is not on the list; where the key that it names is not in the set, or
/// not for that algorithm; where the signature does not hold. See [`TokenFault`].
pub fn verify(
    compact: &str,
    keys: &KeySet,
    accepted: &[JwtAlgorithm],
) -> Result<Verified, TokenFault> {
    verify_read(Jws::read(compact)?, keys, accepted)
}

/// Verifies a token that is taken apart already.
///
/// # Errors
///
/// As [`verify`], but for its form.
pub fn verify_read(
    token: Jws<'_>,
    keys: &KeySet,
    accepted: &[JwtAlgorithm],
) -> Result<Verified, TokenFault> {
    // RFC 8725 §3.1: the algorithm comes from our list; what the token says only chooses among it. The words are compared byte
    // by byte, so that `none`, `None` and `rs256` are none of it.
    let algorithm = accepted
        .iter()
        .find(|one| one.as_str() == token.header.algorithm())
        .ok_or(TokenFault::AlgorithmRefused)?;
    let key = keys
        .find(token.header.key_id())
        .ok_or(TokenFault::KeyUnknown)?;
    let verifier = key.verifier(*algorithm).ok_or(TokenFault::KeyMismatch)?;
    if !verifier.verifies(token.signed, &token.signature) {
        return Err(TokenFault::SignatureWrong);
    }
    Ok(Verified::new(token))
}
