//! `Revocations`: takes back tokens, and says which are: by what the store has on the disk when it says so.
//!
//! A token is taken back by its `jti`, its children with it. All tokens of a user are taken back by the moment: those that were
//! issued by then. Sources: RFC 7009 §2.1 (revoking cascades), seed 004 (revoked ids are stored until the token's end); ASVS
//! v5.0.0-7.4.1, 7.4.2 (what is ended stays ended, for all of a user).

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answer, Ask, Durability, Store, StoreError};
use portcullis_guard::token::{Claims, revocation};

use crate::asking::{Asking, confused};

/// How often a step is tried that another one came between.
const TRIES: usize = 8;

/// What is taken back, in a store.
#[derive(Clone, Copy, Debug)]
pub struct Revocations<'s> {
    store: Asking<'s>,
}

/// By which moment all tokens of a user are taken back that were `before`. What was given out since then begins a second after it,
/// also where a clock has gone back; and never more than a second from now, so that who is taken back over and over is not kept
/// out for longer.
fn moment_behind(before: Option<u64>, now: Now) -> u64 {
    let now = now.unix_seconds();
    match before {
        Some(before) if before == now.saturating_add(1) => before,
        Some(before) => before.saturating_add(1).max(now),
        None => now,
    }
}

impl<'s> Revocations<'s> {
    /// Those of a store.
    #[must_use]
    pub const fn new(store: &'s dyn Store) -> Self {
        Self {
            store: Asking::new(store),
        }
    }

    /// Takes back a token of an issuer, until it ends at `expires_at` in seconds since 1970, where that is known.
    ///
    /// # Errors
    ///
    /// Where the store does not say that it is on the disk.
    pub async fn revoke_token(
        self,
        issuer: &str,
        token_id: &str,
        expires_at: Option<u64>,
        now: Now,
    ) -> Result<(), StoreError> {
        let ask = revocation::revoke(issuer, token_id, expires_at, now);
        match self.store.one(ask, now).await? {
            Answer::Done => Ok(()),
            other => Err(confused(&other)),
        }
    }

    /// Takes back all tokens of a user of an issuer that were issued by now, and answers to the last second of those.
    ///
    /// # Errors
    ///
    /// Where the store does not say that it is on the disk.
    pub async fn revoke_user(
        self,
        issuer: &str,
        user_id: &str,
        now: Now,
    ) -> Result<u64, StoreError> {
        for _ in 0..TRIES {
            let key = revocation::user_key(issuer, user_id);
            let found = self.store.get(key.clone(), now).await?;
            let before = found.as_ref().map(revocation::moment_of).transpose()?;
            let moment = moment_behind(before, now);
            let set = Ask::CompareAndSet {
                key,
                expected: found,
                value: revocation::moment_value(moment),
                lives: revocation::user_lives(),
                durability: Durability::Durable,
            };
            match self.store.one(set, now).await? {
                Answer::Set(true) => return Ok(moment),
                Answer::Set(false) => {}
                other => return Err(confused(&other)),
            }
        }
        Err(StoreError::TimedOut)
    }

    /// Whether a token is taken back.
    ///
    /// # Errors
    ///
    /// Where the store does not say.
    pub async fn is_revoked(self, claims: &Claims, now: Now) -> Result<bool, StoreError> {
        let revocable = revocation::Revocable::of(claims);
        let asks: Vec<Ask<'_>> = revocable.asks().collect();
        let answers = self.store.all(&asks, now).await?;
        revocable.is_revoked(&answers)
    }

    /// The moment by which all tokens of a user are taken back, in seconds since 1970; none where they are not.
    ///
    /// # Errors
    ///
    /// Where the store does not say.
    pub async fn revoked_until(
        self,
        issuer: &str,
        user_id: &str,
        now: Now,
    ) -> Result<Option<u64>, StoreError> {
        let key = revocation::user_key(issuer, user_id);
        let found = self.store.get(key, now).await?;
        found.as_ref().map(revocation::moment_of).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_user_are_taken_back_by_a_moment_that_does_not_run_away() {
        let now = |seconds: u64| Now {
            monotonic: 0,
            unix_millis: seconds * 1_000 + 999,
        };
        for (before, at, moment) in [
            (None, 100, 100),
            (Some(7), 100, 100),
            (Some(99), 100, 100),
            (Some(100), 100, 101),
            (Some(101), 100, 101),
            (Some(101), 101, 102),
            // A clock has gone back.
            (Some(500), 100, 501),
        ] {
            assert_eq!(moment_behind(before, now(at)), moment, "{before:?} {at}");
        }
    }
}
