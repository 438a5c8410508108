//! `RehearsedKey`: who is asked about as a program that has an API key, where the policy knows its callers by keys alone.

use portcullis_guard::api_key::{ApiKeyId, ApiKeyRecord, KeySecret, SCOPES_MAX, write_key};
use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::digest::sha256;
use portcullis_guard::identity_plan::IdentityPlan;
use portcullis_guard::store::{Ask, Durability};
use portcullis_policy::Policy;

/// A key of a secret that everybody knows, good for all that the routes of the policy ask for.
pub(super) struct RehearsedKey {
    record: ApiKeyRecord,
    text: String,
}

const ID: ApiKeyId = ApiKeyId::new([1; 8]);
const SECRET: [u8; 32] = [1; 32];

impl RehearsedKey {
    /// That of a user; nothing where callers are known in another way too, or not by keys.
    pub(super) fn of(
        identity: &IdentityPlan,
        policy: &Policy,
        user: &str,
        now: Now,
    ) -> Result<Option<Self>, String> {
        let Some(keys) = &identity.api_keys else {
            return Ok(None);
        };
        if identity.has_own_sessions() || identity.tokens.is_some() {
            return Ok(None);
        }
        let record = ApiKeyRecord {
            user: user.to_owned(),
            tenant: None,
            name: "rehearsal".to_owned(),
            scopes: scopes(policy),
            created: now.unix_millis,
            secret: KeySecret {
                digest: sha256(&SECRET),
                since: now.unix_millis,
                until: u64::MAX,
            },
            before: None,
        };
        if !record.is_valid() {
            return Err(
                "`--as` is a name of at most 255 bytes, without control characters".to_owned(),
            );
        }
        let text = write_key(&keys.prefix, ID, &SECRET);
        Ok(Some(Self { record, text }))
    }

    /// What the store has of it.
    pub(super) fn entry(&self) -> Ask<'static> {
        Ask::PutIfAbsent {
            key: ID.key(),
            value: self.record.encode(),
            lives: 60 * SECOND,
            durability: Durability::Volatile,
        }
    }

    /// What it is sent in.
    pub(super) fn field(&self) -> (&'static str, String) {
        ("Authorization", format!("Bearer {}", self.text))
    }
}

/// All that a route of the policy asks for.
pub(super) fn scopes(policy: &Policy) -> Vec<String> {
    let asked = policy.all_routes().flat_map(|route| &route.scopes);
    let mut scopes: Vec<String> = asked.map(ToString::to_string).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes.truncate(SCOPES_MAX);
    scopes
}
