//! `ApiKeyRecord`: what the store keeps of a key, in bytes that every adapter keeps alike.

use std::fmt;

use crate::keys::is_equal;
use crate::packed::{TEXT_BYTES_MAX, read_text, take, write_text};
use crate::session::is_subject;
use crate::store::Value;

/// How many scopes a key has at most.
pub const SCOPES_MAX: usize = 32;

/// How many secrets a key has at most: one, and while it is changed the one before.
const SECRETS_MAX: usize = 2;

/// The version of the encoding, which is its first byte; a tombstone is this byte alone.
const LIVE: u8 = 1;
const REVOKED: u8 = 0;

/// One secret of a key, as its digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeySecret {
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// Since when it is accepted, in milliseconds since 1970-01-01.
    pub since: u64,
    /// Until when it is accepted, in milliseconds since 1970-01-01. None is accepted for ever.
    pub until: u64,
}

/// The digest is none of a log's business.
impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySecret")
            .field("since", &self.since)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// A key that was not revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Who calls by it, as the application calls them.
    pub user: String,
    /// Their tenant, if the application has any.
    pub tenant: Option<String>,
    /// What it is called by who made it.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// When it was made, in milliseconds since 1970-01-01.
    pub created: u64,
    /// Its secret.
    pub secret: KeySecret,
    /// The secret before, while it is changed.
    pub before: Option<KeySecret>,
}

/// What a digest that was shown is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It is that of a secret which is accepted.
    Good,
    /// It is that of a secret which was accepted once.
    Over,
    /// It is of no secret of this key.
    Other,
}

/// What the store has under the entry of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredKey {
    /// A key.
    Live(Box<ApiKeyRecord>),
    /// The tombstone of one that was revoked.
    Revoked,
}

/// The bytes are no record: nobody can say what they were, so nobody calls by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of an API key cannot be read")]
pub struct CorruptKey;

impl ApiKeyRecord {
    /// When it is over, in milliseconds since 1970-01-01.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.secret.until
    }

    /// What a digest is worth at a moment. All are compared, each in constant time (ASVS v5.0.0-11.2.4).
    #[must_use]
    pub fn judge(&self, digest: &[u8; 32], unix_millis: u64) -> Worth {
        let mut worth = Worth::Other;
        for secret in [Some(self.secret), self.before].into_iter().flatten() {
            if is_equal(&secret.digest, digest) {
                worth = if unix_millis < secret.until {
                    Worth::Good
                } else {
                    Worth::Over
                };
            }
        }
        worth
    }

    /// Whether it is good for something.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|one| one == scope)
    }

    /// Whether its names and their number are within the bounds: one that is not cannot be kept.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        is_subject(&self.user)
            && self.tenant.as_deref().is_none_or(is_subject)
            && is_subject(&self.name)
            && self.scopes.len() <= SCOPES_MAX
            && self.scopes.iter().all(|scope| is_scope(scope))
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Value {
        let mut out = Value::new();
        out.push(LIVE);
        out.extend_from_slice(&self.created.to_be_bytes());
        out.push(1 + u8::from(self.before.is_some()));
        for secret in [Some(self.secret), self.before].into_iter().flatten() {
            out.extend_from_slice(&secret.digest);
            out.extend_from_slice(&secret.since.to_be_bytes());
            out.extend_from_slice(&secret.until.to_be_bytes());
        }
        write_text(&mut out, &self.user);
        // A tenant has a name, so none is the empty one.
        write_text(&mut out, self.tenant.as_deref().unwrap_or_default());
        write_text(&mut out, &self.name);
        // Their number stands before them, so that a key that is cut off is none, and no key for less.
        out.push(u8::try_from(self.scopes.len()).unwrap_or(u8::MAX));
        for scope in &self.scopes {
            write_text(&mut out, scope);
        }
        out
    }

    /// The bytes of a tombstone.
    #[must_use]
    pub fn tombstone() -> Value {
        Value::from_slice(&[REVOKED])
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let created = u64::from_be_bytes(*take(&mut rest)?);
        let [count] = *take::<1>(&mut rest)?;
        if !(1..=SECRETS_MAX).contains(&usize::from(count)) {
            return None;
        }
        let mut secret = || {
            Some(KeySecret {
                digest: *take(&mut rest)?,
                since: u64::from_be_bytes(*take(&mut rest)?),
                until: u64::from_be_bytes(*take(&mut rest)?),
            })
        };
        let newest = secret()?;
        let before = if count > 1 { Some(secret()?) } else { None };
        let user = read_text(&mut rest)?;
        let tenant = Some(read_text(&mut rest)?).filter(|tenant| !tenant.is_empty());
        let name = read_text(&mut rest)?;
        let [scopes] = *take::<1>(&mut rest)?;
        let scopes = (0..scopes)
            .map(|_| read_text(&mut rest))
            .collect::<Option<Vec<_>>>()?;
        let record = Self {
            user,
            tenant,
            name,
            scopes,
            created,
            secret: newest,
            before,
        };
        (rest.is_empty() && record.is_valid()).then_some(record)
    }
}

impl StoredKey {
    /// Reads what the store has.
    ///
    /// # Errors
    ///
    /// [`CorruptKey`]: a byte too few, too many, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, CorruptKey> {
        match bytes {
            [REVOKED] => Ok(Self::Revoked),
            [LIVE, rest @ ..] => ApiKeyRecord::decode(rest)
                .map(Box::new)
                .map(Self::Live)
                .ok_or(CorruptKey),
            _ => Err(CorruptKey),
        }
    }
}

/// Whether a text can be a scope (RFC 6749 §3.3) that a policy can name too: no blank and no quotation mark is in it.
fn is_scope(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && text.parse::<portcullis_policy::Name>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(byte: u8, since: u64, until: u64) -> KeySecret {
        KeySecret {
            digest: [byte; 32],
            since,
            until,
        }
    }

    fn record() -> ApiKeyRecord {
        ApiKeyRecord {
            user: "user_2".to_owned(),
            tenant: Some("acme".to_owned()),
            name: "nightly export".to_owned(),
            scopes: vec!["read:items".to_owned(), "write:items".to_owned()],
            created: 1,
            secret: secret(1, 50, 100),
            before: Some(secret(2, 1, 60)),
        }
    }

    #[test]
    fn what_is_kept_is_read_and_nothing_else() {
        for record in [
            record(),
            ApiKeyRecord {
                tenant: None,
                before: None,
                scopes: Vec::new(),
                ..record()
            },
        ] {
            let bytes = record.encode();
            assert_eq!(
                StoredKey::decode(&bytes),
                Ok(StoredKey::Live(Box::new(record)))
            );
            for cut in 0..bytes.len() {
                assert_eq!(StoredKey::decode(&bytes[..cut]), Err(CorruptKey), "{cut}");
            }
            let longer = [bytes.as_slice(), b"\0"].concat();
            assert_eq!(StoredKey::decode(&longer), Err(CorruptKey));
        }
        for bytes in [&b""[..], &[2], &[0, 0], &[9; 40]] {
            assert_eq!(StoredKey::decode(bytes), Err(CorruptKey));
        }
        let tombstone = ApiKeyRecord::tombstone();
        assert_eq!(StoredKey::decode(&tombstone), Ok(StoredKey::Revoked));
    }

    #[test]
    fn each_secret_is_good_until_its_own_end() {
        let record = record();
        for (byte, at, worth) in [
            (1, 0, Worth::Good),
            (1, 99, Worth::Good),
            (1, 100, Worth::Over),
            (2, 59, Worth::Good),
            (2, 60, Worth::Over),
            (2, 99, Worth::Over),
            (3, 0, Worth::Other),
            (0, 0, Worth::Other),
        ] {
            assert_eq!(record.judge(&[byte; 32], at), worth, "{byte} at {at}");
        }
        let alone = ApiKeyRecord {
            before: None,
            ..record
        };
        assert_eq!(alone.judge(&[2; 32], 0), Worth::Other);
    }

    #[test]
    fn what_is_beyond_a_bound_is_not_kept() {
        let valid = record();
        assert!(valid.is_valid());
        let many = |count: usize| vec!["a".to_owned(); count];
        for (record, holds) in [
            (
                ApiKeyRecord {
                    scopes: many(32),
                    ..valid.clone()
                },
                true,
            ),
            (
                ApiKeyRecord {
                    scopes: many(33),
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    scopes: vec!["a b".to_owned()],
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    scopes: vec!["\"".to_owned()],
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    scopes: vec![String::new()],
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    user: String::new(),
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    user: "x".repeat(255),
                    ..valid.clone()
                },
                true,
            ),
            (
                ApiKeyRecord {
                    user: "x".repeat(256),
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    tenant: Some(String::new()),
                    ..valid.clone()
                },
                false,
            ),
            (
                ApiKeyRecord {
                    name: "a\nb".to_owned(),
                    ..valid
                },
                false,
            ),
        ] {
            assert_eq!(record.is_valid(), holds, "{record:?}");
        }
    }

    proptest! {
        #[test]
        fn every_valid_record_is_read_back(
            user in "[^\\p{Cc}]{1,40}",
            tenant in proptest::option::of("[^\\p{Cc}]{1,40}"),
            name in "[^\\p{Cc}]{1,40}",
            scopes in proptest::collection::vec("[a-z:.]{1,9}", 0..5),
            created: u64,
            digests: [[u8; 32]; 2],
            ends: [u64; 4],
            is_changed: bool,
        ) {
            let [since, until, since_before, until_before] = ends;
            let record = ApiKeyRecord {
                user, tenant, name, scopes, created,
                secret: KeySecret { digest: digests[0], since, until },
                before: is_changed.then_some(KeySecret {
                    digest: digests[1], since: since_before, until: until_before,
                }),
            };
            prop_assert_eq!(StoredKey::decode(&record.encode()), Ok(StoredKey::Live(Box::new(record))));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            drop(StoredKey::decode(&bytes));
        }
    }
}
