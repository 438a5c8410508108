//! `ApiKeys`: what is done to API keys besides looking at them: they are made, listed, changed and revoked.
//!
//! Each step is one commit of the store, all of it or nothing, and on the disk when it is acknowledged where the store has one: a key
//! and its line in the list of its user are there together or not at all, and a revoked key leaves a tombstone for as long as it could
//! have lived. Where two do so at the same time, one of them sees the other and tries again.
//!
//! Sources: OWASP ASVS v5.0.0-11.5.1 (what is drawn), 13.2.1 (no credential that never changes), 13.3.4 (secrets expire and are
//! changed).

mod used;

use std::fmt;
use std::time::Duration;

use portcullis_guard::api_key::{
    ApiKeyId, ApiKeyRecord, KeySecret, REMEMBERED_MILLIS, StoredKey, write_key,
};
use portcullis_guard::clock::{Nanos, Now};
use portcullis_guard::digest::sha256;
use portcullis_guard::store::{Condition, Effect, Store, StoreError, Value};

use crate::asking::Asking;
use crate::random_bytes;
use crate::user_list::{self, UserList};

/// How many keys a user has at most that are not over. Unlike a session, none makes room: a program would stop in the night.
pub const KEYS_MAX: usize = 64;

/// How often a step is tried that another one came between.
const TRIES: usize = 8;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// The keys of one user.
type Index = UserList<ApiKeyId>;

/// One of them.
type Line = user_list::Line<ApiKeyId>;

/// What a key is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWish {
    /// Who calls by it, as the application calls them.
    pub user: String,
    /// Their tenant.
    pub tenant: Option<String>,
    /// What it is called.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// How long it lives.
    pub lifetime: Duration,
}

/// How the secret of a key is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long the secret before is accepted besides; not at all where it is zero.
    pub overlap: Duration,
    /// How long the new one lives; as long as the one before did, where it is not said.
    pub lifetime: Option<Duration>,
    /// How long one lives at most.
    pub lifetime_max: Duration,
}

/// A key as text, for whoever it is given to.
pub struct KeyText(String);

impl KeyText {
    /// The text. It is shown once, and kept nowhere.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(..)")
    }
}

/// A key that was made, or has a new secret.
#[derive(Debug)]
pub struct MadeKey {
    /// All of it.
    pub text: KeyText,
    /// Which.
    pub id: ApiKeyId,
    /// What is known of it.
    pub record: ApiKeyRecord,
}

/// A key, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// Which.
    pub id: ApiKeyId,
    /// What is known of it.
    pub record: ApiKeyRecord,
    /// When it was used last, in milliseconds since 1970-01-01, to a minute.
    pub used: Option<u64>,
}

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// The store did not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// A name is empty, too long, or has control characters; or a scope is no name, or there are too many.
    #[error("the user, the tenant, the name or a scope is none that is kept")]
    Names,
    /// It would live too long, or not at all.
    #[error("it would live longer than `lifetime_max` of the policy, or not at all")]
    Lifetime,
    /// The user has as many keys as may be.
    #[error("the user has {KEYS_MAX} keys, and may have no more: revoke one that is not needed")]
    TooMany,
    /// There is no such key, or it was revoked.
    #[error("there is no such key")]
    Missing,
    /// The secret before the last one is still accepted.
    #[error("the key has two secrets that are accepted: wait, or change it without an overlap")]
    Rotating,
    /// Others came between, again and again.
    #[error("the keys of the user are changed by too many at a time")]
    Contended,
    /// What the store has cannot be read.
    #[error("what is kept of the key, or of the user's keys, cannot be read")]
    Corrupt,
}

/// API keys in a store.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeys<'s> {
    store: Asking<'s>,
}

impl<'s> ApiKeys<'s> {
    /// Those of a store.
    #[must_use]
    pub const fn new(store: &'s dyn Store) -> Self {
        Self {
            store: Asking::new(store),
        }
    }

    /// Makes a key under an id that no other has.
    ///
    /// # Errors
    ///
    /// When it was not made.
    pub async fn create(
        &self,
        prefix: &str,
        wish: KeyWish,
        lifetime_max: Duration,
        now: Now,
    ) -> Result<MadeKey, ApiKeyError> {
        let until = until(wish.lifetime, lifetime_max, now)?;
        for _ in 0..TRIES {
            let id = ApiKeyId::new(random_bytes().map_err(|_none| ApiKeyError::NoRandomness)?);
            let (drawn, secret) = draw(now.unix_millis, until)?;
            let record = ApiKeyRecord {
                user: wish.user.clone(),
                tenant: wish.tenant.clone(),
                name: wish.name.clone(),
                scopes: wish.scopes.clone(),
                created: now.unix_millis,
                secret,
                before: None,
            };
            if !record.is_valid() {
                return Err(ApiKeyError::Names);
            }
            let (was, mut index) = self.index(&record.user, now).await?;
            if index.alive(now) >= KEYS_MAX {
                return Err(ApiKeyError::TooMany);
            }
            index.put(Line { id, until });
            let mut conditions = vec![Condition::Absent(id.key())];
            let mut effects = vec![put(id, &record, now)];
            index.replace(&record.user, was, now, &mut conditions, &mut effects);
            if self.store.commit(conditions, effects, now).await?.is_ok() {
                let text = KeyText(write_key(prefix, id, &drawn));
                return Ok(MadeKey { text, id, record });
            }
        }
        Err(ApiKeyError::Contended)
    }

    /// The keys of a user that were not revoked, the first one first. One that is over is among them for a while.
    ///
    /// # Errors
    ///
    /// When the store does not say, or what it says cannot be read.
    pub async fn list(&self, user: &str, now: Now) -> Result<Vec<ListedKey>, ApiKeyError> {
        let (_, index) = self.index(user, now).await?;
        let mut listed = Vec::new();
        for line in &index.lines {
            if let Some(StoredKey::Live(record)) = self.stored(line.id, now).await? {
                listed.push(ListedKey {
                    id: line.id,
                    record: *record,
                    used: self.used(line.id, now).await?,
                });
            }
        }
        Ok(listed)
    }

    /// Gives a key a new secret. The one before is accepted besides for as long as is said, and never longer than it would have been.
    ///
    /// # Errors
    ///
    /// When it was not changed; then it is as it was.
    pub async fn rotate(
        &self,
        prefix: &str,
        id: ApiKeyId,
        rotation: Rotation,
        now: Now,
    ) -> Result<MadeKey, ApiKeyError> {
        let at = now.unix_millis;
        for _ in 0..TRIES {
            let Some(StoredKey::Live(record)) = self.stored(id, now).await? else {
                return Err(ApiKeyError::Missing);
            };
            let is_changing = record.before.is_some_and(|before| at < before.until);
            if is_changing && !rotation.overlap.is_zero() {
                return Err(ApiKeyError::Rotating);
            }
            let lived = record.secret.until.saturating_sub(record.secret.since);
            let lifetime = rotation
                .lifetime
                .unwrap_or_else(|| Duration::from_millis(lived).min(rotation.lifetime_max));
            let (drawn, secret) = draw(at, until(lifetime, rotation.lifetime_max, now)?)?;
            let before = KeySecret {
                // Nor longer than the new one: a key is over with its newest secret.
                until: (record.secret.until)
                    .min(after(rotation.overlap, now))
                    .min(secret.until),
                ..record.secret
            };
            let changed = ApiKeyRecord {
                secret,
                before: (at < before.until).then_some(before),
                ..(*record).clone()
            };
            let (was, mut index) = self.index(&record.user, now).await?;
            let is_over = record.expires() <= at;
            if is_over && index.alive(now) >= KEYS_MAX {
                return Err(ApiKeyError::TooMany);
            }
            index.put(Line {
                id,
                until: changed.expires(),
            });
            let mut conditions = vec![Condition::Equals(id.key(), record.encode())];
            let mut effects = vec![put(id, &changed, now)];
            index.replace(&record.user, was, now, &mut conditions, &mut effects);
            if self.store.commit(conditions, effects, now).await?.is_ok() {
                let text = KeyText(write_key(prefix, id, &drawn));
                return Ok(MadeKey {
                    text,
                    id,
                    record: changed,
                });
            }
        }
        Err(ApiKeyError::Contended)
    }

    /// Revokes a key; gives whose it was.
    ///
    /// # Errors
    ///
    /// When nobody can say that it is revoked, and where there was none.
    pub async fn revoke(&self, id: ApiKeyId, now: Now) -> Result<ApiKeyRecord, ApiKeyError> {
        for _ in 0..TRIES {
            let Some(StoredKey::Live(record)) = self.stored(id, now).await? else {
                return Err(ApiKeyError::Missing);
            };
            let mut conditions = vec![Condition::Equals(id.key(), record.encode())];
            let mut effects = vec![tombstone(id, record.expires(), now)];
            match self.index(&record.user, now).await {
                Ok((was, mut index)) => {
                    index.remove(id);
                    index.replace(&record.user, was, now, &mut conditions, &mut effects);
                }
                // A list that cannot be read keeps no key alive.
                Err(ApiKeyError::Corrupt) => {}
                Err(error) => return Err(error),
            }
            if self.store.commit(conditions, effects, now).await?.is_ok() {
                return Ok(*record);
            }
        }
        Err(ApiKeyError::Contended)
    }

    /// Revokes all keys of a user in one step; gives how many could still have been used.
    ///
    /// # Errors
    ///
    /// When nobody can say that all are revoked.
    pub async fn revoke_all(&self, user: &str, now: Now) -> Result<usize, ApiKeyError> {
        for _ in 0..TRIES {
            let (was, mut index) = self.index(user, now).await?;
            let count = index.alive(now);
            if index.lines.is_empty() {
                return Ok(0);
            }
            let mut conditions = Vec::new();
            let mut effects: Vec<Effect> = index
                .lines
                .drain(..)
                .map(|line| tombstone(line.id, line.until, now))
                .collect();
            index.replace(user, was, now, &mut conditions, &mut effects);
            if self.store.commit(conditions, effects, now).await?.is_ok() {
                return Ok(count);
            }
        }
        Err(ApiKeyError::Contended)
    }

    /// The list of a user's keys, with the bytes that it is kept in.
    async fn index(&self, user: &str, now: Now) -> Result<(Option<Value>, Index), ApiKeyError> {
        let list = UserList::of(user, self.store, now).await?;
        list.ok_or(ApiKeyError::Corrupt)
    }

    /// What there is of a key.
    async fn stored(&self, id: ApiKeyId, now: Now) -> Result<Option<StoredKey>, ApiKeyError> {
        let stored = self.store.get(id.key(), now).await?;
        let stored = stored.as_deref().map(StoredKey::decode).transpose();
        stored.map_err(|_corrupt| ApiKeyError::Corrupt)
    }
}

/// Until when a secret is accepted that lives so long.
fn until(lifetime: Duration, longest: Duration, now: Now) -> Result<u64, ApiKeyError> {
    if lifetime.as_millis() == 0 || lifetime > longest {
        return Err(ApiKeyError::Lifetime);
    }
    Ok(after(lifetime, now))
}

/// A secret, and what is kept of it.
fn draw(since: u64, until: u64) -> Result<([u8; 32], KeySecret), ApiKeyError> {
    let drawn: [u8; 32] = random_bytes().map_err(|_none| ApiKeyError::NoRandomness)?;
    let digest = sha256(&drawn);
    let secret = KeySecret {
        digest,
        since,
        until,
    };
    Ok((drawn, secret))
}

fn put(id: ApiKeyId, record: &ApiKeyRecord, now: Now) -> Effect {
    Effect::Put {
        key: id.key(),
        value: record.encode(),
        lives: remembered(record.expires(), now),
    }
}

fn tombstone(id: ApiKeyId, until: u64, now: Now) -> Effect {
    Effect::Put {
        key: id.key(),
        value: ApiKeyRecord::tombstone(),
        lives: remembered(until, now),
    }
}

fn after(length: Duration, now: Now) -> u64 {
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    now.unix_millis.saturating_add(millis)
}

/// For how long something is kept of a key that is over at a moment.
fn remembered(until: u64, now: Now) -> Nanos {
    let end = until.saturating_add(REMEMBERED_MILLIS);
    end.saturating_sub(now.unix_millis)
        .saturating_mul(NANOS_PER_MILLI)
}
