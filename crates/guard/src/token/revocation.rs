//! Which tokens are revoked: what the store is asked for each request, and what for a revocation.
//!
//! A token is revoked by its `jti`, and with it every token whose `parent_jti` that is. All tokens of a user are revoked by the
//! moment at which that was said: those that were issued by then. What is asked is one batch beside the other asks of a phase; a
//! store that does not answer is a refusal (case 78).

use smallvec::SmallVec;

use crate::digest::sha256;

use super::claims::{Claims, TokenType};
use crate::clock::{Nanos, Now, SECOND};
use crate::store::{Answer, Ask, Durability, Key, Space, StoreError, Value};

/// How long a revocation lasts beyond the token: by as much as clocks may differ, to the end of that second, and by as long as a
/// child may live that another issuer lets outlive its parent.
const BEYOND_SECONDS: u64 = 61 + TokenType::Child.lifetime_seconds_max();

/// By what a token can be revoked: itself, the one that it was made from, and all tokens of its user. It is found once for a token
/// that is believed, and asked about at each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocable {
    /// Those of ids, then the one of the user.
    keys: SmallVec<[Key; 3]>,
    issued_at: u64,
}

impl Revocable {
    /// Of what a token claims. Its user is `user_id`, or `sub` where it says no other.
    #[must_use]
    pub fn of(claims: &Claims) -> Self {
        let ids = [claims.token_id(), claims.parent_id()];
        let keys = ids.into_iter().flatten().map(|id| key(claims.issuer(), id));
        let user = claims.user_id().unwrap_or_else(|| claims.subject());
        Self {
            keys: keys.chain([user_key(claims.issuer(), user)]).collect(),
            // One that does not say when it was issued may have been by any moment.
            issued_at: claims.issued_at().unwrap_or_default(),
        }
    }

    /// What the store is asked.
    pub fn asks<'a>(&self) -> impl ExactSizeIterator<Item = Ask<'a>> {
        self.keys.iter().map(|key| Ask::Get { key: key.clone() })
    }

    /// Whether the token is revoked, by the answers to what was [asked](Self::asks).
    ///
    /// # Errors
    ///
    /// Where they are not as many, or not of that sort: nobody knows then.
    pub fn is_revoked(&self, answers: &[Answer]) -> Result<bool, StoreError> {
        let (Some((of_user, of_ids)), true) =
            (answers.split_last(), answers.len() == self.keys.len())
        else {
            return Err(StoreError::Confused("the number of answers".to_owned()));
        };
        let mut is_revoked = false;
        for answer in of_ids {
            is_revoked |= found(answer)?.is_some();
        }
        if let Some(moment) = found(of_user)? {
            is_revoked |= self.issued_at <= moment_of(moment)?;
        }
        Ok(is_revoked)
    }
}

fn found(answer: &Answer) -> Result<Option<&Value>, StoreError> {
    let Answer::Found(found) = answer else {
        return Err(StoreError::Confused("no entry".to_owned()));
    };
    Ok(found.as_ref())
}

/// By which all tokens of a user are revoked: the entry of a moment, as [`moment_value`] writes it.
#[must_use]
pub fn user_key(issuer: &str, user_id: &str) -> Key {
    // No length begins like this, so that no token is called as a user is.
    keyed(&[0xff], issuer, user_id)
}

/// How long that entry lives: as long as any token that it is about.
#[must_use]
pub const fn user_lives() -> Nanos {
    (TokenType::Parent.lifetime_seconds_max() + BEYOND_SECONDS) * SECOND
}

/// The moment by which tokens were issued that are revoked, in seconds since 1970.
#[must_use]
pub fn moment_value(unix_seconds: u64) -> Value {
    Value::from_slice(&unix_seconds.to_be_bytes())
}

/// The moment that an entry has.
///
/// # Errors
///
/// Where it is none.
pub fn moment_of(value: &Value) -> Result<u64, StoreError> {
    let bytes = value.as_slice().try_into();
    bytes
        .map(u64::from_be_bytes)
        .map_err(|_length| StoreError::Confused("no moment of a revocation".to_owned()))
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
    keyed(&[], issuer, token_id)
}

fn keyed(first: &[u8], issuer: &str, id: &str) -> Key {
    let length = u64::try_from(issuer.len())
        .unwrap_or(u64::MAX)
        .to_be_bytes();
    let parts: SmallVec<[u8; 256]> = [first, &length[..], issuer.as_bytes(), id.as_bytes()]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    Key::new(Space::Revocation, &sha256(&parts))
}
