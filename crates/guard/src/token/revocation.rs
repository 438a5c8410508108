//! Which tokens are revoked: what the store is asked for each request, and what for a revocation.
//!
//! A token is revoked by its `jti`, and with it every token whose `parent_jti` that is. What is asked is one batch beside the
//! other asks of a phase; a store that does not answer is a refusal (case 78).

use smallvec::SmallVec;

use crate::digest::sha256;

use super::claims::{Claims, TokenType};
use crate::clock::Now;
use crate::store::{Answer, Ask, Batch, Durability, Key, Space, StoreError};

/// How long a revocation lasts beyond the token: by as much as clocks may differ.
const BEYOND_SECONDS: u64 = 60;

/// What the store is asked of a token: whether it, or the one it was made from, is revoked. Nothing of one that has no id and
/// no parent, which cannot be revoked and lives for an hour at most.
#[must_use]
pub fn asks<'s>(claims: &Claims) -> Batch<'s> {
    let ids = [claims.token_id(), claims.parent_id()];
    let keys = ids.into_iter().flatten().map(|id| key(claims.issuer(), id));
    keys.map(|key| Ask::Get { key }).collect()
}

/// Whether a token is revoked, by the answers to its [`asks`].
///
/// # Errors
///
/// Where they are not as many, or not of that sort: nobody knows then.
pub fn is_revoked(claims: &Claims, answers: &[Answer]) -> Result<bool, StoreError> {
    if answers.len() != asks(claims).len() {
        return Err(StoreError::Confused("the number of answers".to_owned()));
    }
    let mut is_revoked = false;
    for answer in answers {
        let Answer::Found(found) = answer else {
            return Err(StoreError::Confused("no entry".to_owned()));
        };
        is_revoked |= found.is_some();
    }
    Ok(is_revoked)
}

/// Revokes a token of an issuer for as long as it can live: until `expires_at`, in seconds since 1970, where that is known, else
/// for as long as any token can. On the disk when it is acknowledged.
#[must_use]
pub fn revoke(issuer: &str, token_id: &str, expires_at: Option<u64>, now: Now) -> Ask<'static> {
    let longest = now
        .unix_seconds()
        .saturating_add(TokenType::Parent.lifetime_seconds_max());
    let until = expires_at
        .unwrap_or(longest)
        .min(longest)
        .saturating_add(BEYOND_SECONDS);
    Ask::RevokeUntil {
        key: key(issuer, token_id),
        until_unix_millis: until.saturating_mul(1_000),
        durability: Durability::Durable,
    }
}

/// The key of a token: two issuers may give one id. The length of the first part keeps the two apart.
fn key(issuer: &str, token_id: &str) -> Key {
    let length = u64::try_from(issuer.len())
        .unwrap_or(u64::MAX)
        .to_be_bytes();
    let parts: SmallVec<[u8; 256]> = [&length[..], issuer.as_bytes(), token_id.as_bytes()]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    Key::new(Space::Revocation, &sha256(&parts))
}
