//! `Issuer`: makes tokens with keys of its own, and publishes them in a file.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use portcullis_gateway::Live;
use portcullis_guard::base64url;
use portcullis_guard::token::KeyStrength;
use portcullis_policy::Policy;
use portcullis_state::SystemClock;
use portcullis_state::key_sets::Fetcher;
use portcullis_state::tokens::{CacheBounds, Tokens};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An issuer that signs by one key, and publishes some.
pub(crate) struct Issuer {
    pub(crate) name: &'static str,
    folder: TempDir,
}

/// The key of a name: another for each.
fn pair(key_id: &str) -> Ed25519KeyPair {
    let seed = portcullis_guard::digest::sha256(key_id.as_bytes());
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

pub(crate) fn now() -> u64 {
    SystemClock::start().now().unix_seconds()
}

impl Issuer {
    /// One that publishes keys of these names.
    pub(crate) fn new(name: &'static str, key_ids: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Self { name, folder };
        issuer.publish(key_ids);
        issuer
    }

    /// Publishes keys of these names and no others.
    pub(crate) fn publish(&self, key_ids: &[&str]) {
        // As a whole: who reads it meanwhile must not read half of it.
        let next = self.folder.path().join("next");
        std::fs::write(&next, key_set(key_ids)).unwrap();
        std::fs::rename(next, self.file()).unwrap();
    }

    fn file(&self) -> String {
        let path = self.folder.path().join("keys.json");
        path.to_str().unwrap().to_owned()
    }

    /// Its entry in a policy; more lines may follow. Its keys are in a file.
    pub(crate) fn entry(&self) -> String {
        self.entry_at(&format!("file:{}", self.file()))
    }

    /// The same, with its keys at another place.
    pub(crate) fn entry_at(&self, place: &str) -> String {
        let name = self.name;
        format!(
            "[[identity.issuer]]\nissuer = \"{name}\"\naudience = \"shop\"\nalgorithms = [\"EdDSA\"]\njwks = \"{place}\"\n"
        )
    }

    /// A token of a user, with more claims or other ones.
    pub(crate) fn token(&self, key_id: &str, user: &str, more: Value) -> String {
        let mut claims = json!({ "iss": self.name, "sub": user, "aud": "shop", "iat": now(), "exp": now() + 600 });
        let Value::Object(more) = more else {
            panic!("claims are an object")
        };
        claims.as_object_mut().unwrap().extend(more);
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": key_id });
        let signed = [header, claims]
            .map(|part| base64url::text(part.to_string().as_bytes()))
            .join(".");
        let signature = pair(key_id).sign(signed.as_bytes());
        format!("{signed}.{}", base64url::text(signature.as_ref()))
    }
}

/// Keys of these names as a JWK set (RFC 7517 §5).
pub(crate) fn key_set(key_ids: &[&str]) -> String {
    let keys: Vec<Value> = key_ids
        .iter()
        .map(|id| {
            let public = base64url::text(pair(id).public_key().as_ref());
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": id, "x": public })
        })
        .collect();
    json!({ "keys": keys }).to_string()
}

/// The tokens of a policy's issuers.
pub(crate) fn tokens(policy: &str) -> impl Fn(&mut Live) + Send + Sync + 'static {
    tokens_by(policy, &[])
}

/// The same, with certificates that are believed besides those of the system.
pub(crate) fn tokens_by(
    policy: &str,
    authorities: &[Vec<u8>],
) -> impl Fn(&mut Live) + Send + Sync + 'static + use<> {
    let fetcher = Fetcher::new(authorities).unwrap();
    let policy = Policy::parse(policy).unwrap_or_else(|errors| panic!("{errors}"));
    move |live| {
        let tokens = Tokens::new(
            policy.identity().unwrap(),
            KeyStrength::Standard,
            &fetcher,
            CacheBounds::default(),
            live.tokens.as_deref(),
        );
        live.tokens = Some(Arc::new(tokens.unwrap()));
    }
}
