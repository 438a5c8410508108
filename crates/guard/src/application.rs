//! `ApplicationPlan`: how the guard tells the application who is calling, and how it knows the application's own words.
//!
//! `Portcullis-Identity` is a signed token (RFC 7515, EdDSA of RFC 8037) for this application, this request and at most
//! [`IDENTITY_SECONDS`]: who gets hold of one can use it for nothing else. The application looks at the signature by the keys
//! at `/.portcullis/jwks.json`, and does not have to trust whoever reaches its port.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use crate::base64url;
use crate::clock::Now;
use crate::principal::Principal;

/// The field by which the application is told.
pub const IDENTITY_FIELD: &str = "Portcullis-Identity";

/// How many bytes the claims have most often, beside those that are in every token and the path.
const CLAIMS_BYTES: usize = 320;

/// A signature of Ed25519 (RFC 8032 §5.1.6).
const SIGNATURE_BYTES: usize = 64;

/// How long a token for the application is good, in seconds.
pub const IDENTITY_SECONDS: u64 = 60;

/// How the guard and the application speak of who is calling.
#[derive(Debug)]
pub struct ApplicationPlan {
    /// The keys that the guard signs with: the first that is accepted signs, all of them are published.
    pub signers: Vec<Arc<IdentitySigner>>,
    /// The secrets that the application signs with.
    pub secrets: Vec<Arc<ApplicationSecret>>,
    /// How the claims begin, which is the same in each: who says so, and to whom.
    claims: Box<str>,
    /// Whether each request says who is calling; it does unless [`untold`](Self::untold).
    pub tells: bool,
}

/// A key that the guard signs with.
pub struct IdentitySigner {
    key_id: String,
    header: String,
    pair: Ed25519KeyPair,
    last_day: Option<u64>,
}

/// A secret that the application signs with.
pub struct ApplicationSecret {
    bytes: Box<[u8]>,
    last_day: Option<u64>,
}

/// A seed of which no key can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no signing key can be made of the secret")]
pub struct NoSigner;

/// The request that a token or a word is of, and of no other.
#[derive(Clone, Copy, Debug)]
pub struct OneRequest<'r> {
    /// Its id, as `X-Request-Id` has it.
    pub id: &'r str,
    /// Its method.
    pub method: &'r str,
    /// Its path as it is forwarded, without the query.
    pub path: &'r str,
}

impl IdentitySigner {
    /// A key of its name and its seed (RFC 8032 §5.1.5), accepted until the end of a day counted from 1970-01-01 in UTC.
    ///
    /// # Errors
    ///
    /// [`NoSigner`] when the library takes the seed for none.
    pub fn new(key_id: String, seed: &[u8; 32], last_day: Option<u64>) -> Result<Self, NoSigner> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_rejected| NoSigner)?;
        let header =
            format!(r#"{{"alg":"EdDSA","typ":"portcullis-identity+jwt","kid":"{key_id}"}}"#);
        Ok(Self {
            header: base64url::text(header.as_bytes()),
            key_id,
            pair,
            last_day,
        })
    }

    fn is_accepted(&self, now: Now) -> bool {
        self.last_day.is_none_or(|last| now.unix_day() <= last)
    }
}

impl ApplicationSecret {
    /// A secret of its bytes, accepted until the end of a day counted from 1970-01-01 in UTC.
    #[must_use]
    pub fn new(bytes: &[u8], last_day: Option<u64>) -> Self {
        Self {
            bytes: bytes.into(),
            last_day,
        }
    }
}

impl ApplicationPlan {
    /// Keys and secrets, with the origin of `public_url`, which says so, and the audience, to whom it is said.
    #[must_use]
    pub fn new(
        signers: Vec<Arc<IdentitySigner>>,
        secrets: Vec<Arc<ApplicationSecret>>,
        issuer: &str,
        audience: &str,
    ) -> Self {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        Self {
            signers,
            secrets,
            claims: format!(
                r#"{{"iss":{},"aud":{},"sub":"#,
                text(issuer),
                text(audience)
            )
            .into(),
            tells: true,
        }
    }

    /// The same, where no request says who is calling.
    #[must_use]
    pub fn untold(mut self) -> Self {
        self.tells = false;
        self
    }

    /// The secrets that are accepted at a moment.
    pub fn accepted(&self, now: Now) -> impl Iterator<Item = &[u8]> {
        let accepted = move |one: &&Arc<ApplicationSecret>| {
            one.last_day.is_none_or(|last| now.unix_day() <= last)
        };
        self.secrets.iter().filter(accepted).map(|one| &*one.bytes)
    }

    /// The token that says who is calling: `sub` is what the application calls them, or with `idp` what that issuer does.
    /// Nothing where no key is accepted any more: then nobody can be said to call.
    #[must_use]
    pub fn identity(
        &self,
        caller: Principal<'_>,
        request: OneRequest<'_>,
        now: Now,
    ) -> Option<String> {
        let signer = self.signers.iter().find(|one| one.is_accepted(now))?;
        let claims = self.claims_of(caller, request, now)?;
        let room = signer.header.len() + 2 + (claims.len() + SIGNATURE_BYTES) / 3 * 4 + 8;
        let mut token = Vec::with_capacity(room);
        token.extend_from_slice(signer.header.as_bytes());
        token.push(b'.');
        base64url::write(&mut token, &claims);
        let signature = signer.pair.sign(&token);
        token.push(b'.');
        base64url::write(&mut token, signature.as_ref());
        String::from_utf8(token).ok()
    }

    /// The claims (RFC 7519 §4). Written as they come: each request has some, and nothing of them is looked at again.
    fn claims_of(
        &self,
        caller: Principal<'_>,
        request: OneRequest<'_>,
        now: Now,
    ) -> Option<Vec<u8>> {
        let at = now.unix_seconds();
        let mut out = Vec::with_capacity(CLAIMS_BYTES + self.claims.len() + request.path.len());
        out.extend_from_slice(self.claims.as_bytes());
        json(&mut out, caller.subject())?;
        if let Some(tenant) = caller.tenant() {
            claim(&mut out, "tid", tenant)?;
        }
        claim(&mut out, "roles", caller.roles())?;
        match caller {
            Principal::Session(caller) => {
                claim(&mut out, "sid", &caller.session.shown())?;
                claim(
                    &mut out,
                    "auth_time",
                    &(caller.record.authenticated / 1_000),
                )?;
            }
            Principal::Key(caller) => {
                claim(&mut out, "key", &caller.id.to_string())?;
                claim(&mut out, "scope", &caller.record.scopes.join(" "))?;
            }
            Principal::Token(believed) => {
                let claims = believed.claims();
                claim(&mut out, "idp", claims.issuer())?;
                for (name, said) in [
                    ("sid", claims.session()),
                    ("user_id", claims.user_id()),
                    ("network", claims.network()),
                ] {
                    if let Some(said) = said {
                        claim(&mut out, name, said)?;
                    }
                }
                if let Some(limit) = claims.rate_limit() {
                    claim(&mut out, "rate_limit", &limit)?;
                }
                let scopes: Vec<&str> = claims.scopes().collect();
                if !scopes.is_empty() {
                    claim(&mut out, "scope", &scopes.join(" "))?;
                }
            }
        }
        claim(&mut out, "iat", &at)?;
        claim(&mut out, "exp", &at.saturating_add(IDENTITY_SECONDS))?;
        claim(&mut out, "jti", request.id)?;
        claim(&mut out, "htm", request.method)?;
        claim(&mut out, "htu", request.path)?;
        out.push(b'}');
        Some(out)
    }

    /// The public keys as a JWK set (RFC 7517 §5, RFC 8037 §2): those that are accepted at a moment, in the order of the policy.
    #[must_use]
    pub fn key_set(&self, now: Now) -> String {
        let accepted = self.signers.iter().filter(|one| one.is_accepted(now));
        let keys: Vec<serde_json::Value> = accepted
            .map(|one| {
                serde_json::json!({
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "alg": "EdDSA",
                    "use": "sig",
                    "kid": one.key_id,
                    "x": base64url::text(one.pair.public_key().as_ref()),
                })
            })
            .collect();
        serde_json::json!({ "keys": keys }).to_string()
    }
}

/// Writes one more claim, of a name that needs no escape.
fn claim<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, name: &str, value: &T) -> Option<()> {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    json(out, value)
}

/// Writes a value as JSON. Nothing where it cannot be.
fn json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Option<()> {
    serde_json::to_writer(out, value).ok()
}

impl fmt::Debug for IdentitySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentitySigner({})", self.key_id)
    }
}

impl fmt::Debug for ApplicationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApplicationSecret(..)")
    }
}

impl Drop for ApplicationSecret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::JwtAlgorithm;

    use super::*;
    use crate::session::{Caller, Record, SessionRef};
    use crate::token::{KeySet, KeyStrength, verify};

    #[test]
    fn the_application_can_verify_who_is_calling() {
        let signer = |name: &str, seed: u8, last_day| {
            Arc::new(IdentitySigner::new(name.to_owned(), &[seed; 32], last_day).unwrap())
        };
        let plan = ApplicationPlan::new(
            vec![signer("old", 1, Some(3)), signer("new", 2, None)],
            Vec::new(),
            "https://shop.example.com",
            "shop",
        );
        let caller = Caller {
            record: Record {
                user: "u\"1".to_owned(),
                tenant: Some("t".to_owned()),
                roles: vec!["admin".to_owned()],
                authenticated: 5_000,
                version: 1,
                idle_until: 0,
                absolute_until: 0,
            },
            session: SessionRef([3; 32]),
        };
        let request = OneRequest {
            id: "00ff",
            method: "GET",
            path: "/me",
        };
        for (day, kid, keys) in [(3, "old", 2), (4, "new", 1)] {
            let now = Now {
                monotonic: 0,
                unix_millis: day * 86_400_000,
            };
            let set = plan.key_set(now);
            let set = KeySet::read(set.as_bytes(), KeyStrength::Strict).unwrap();
            assert_eq!(set.key_ids().count(), keys);
            let token = plan
                .identity(Principal::Session(&caller), request, now)
                .unwrap();
            let verified = verify(&token, &set, &[JwtAlgorithm::EdDsa]).unwrap();
            let claims: serde_json::Value = serde_json::from_slice(verified.payload()).unwrap();
            assert_eq!(claims["sub"], "u\"1");
            assert_eq!(claims["aud"], "shop");
            assert_eq!(claims["jti"], "00ff");
            assert_eq!(claims["htu"], "/me");
            assert_eq!(claims["exp"], day * 86_400 + 60);
            let header = base64url::read(token.split('.').next().unwrap().as_bytes());
            let header: serde_json::Value = serde_json::from_slice(&header.unwrap()).unwrap();
            assert_eq!(header["kid"], kid);
        }
    }
}
