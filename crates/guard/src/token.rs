//! The room for tokens: reads and verifies JSON Web Signatures in their compact form, by public keys.
//!
//! 1. `jws` reads the structure of a token, once: three parts, strict base64url, a strict header. Nothing of it is believed.
//! 2. [`KeySet`] holds the public keys of one issuer, parsed and ready. Weak ones are not taken.
//! 3. [`verify`] looks whether the signature is one that the policy accepts: the algorithm is on the issuer's list, the key has
//!    that `kid` and is of that algorithm's kind, the signature holds.
//! 4. [`TokenVerifier`] knows the issuers of a policy: whose a token is by its `iss`, by whose keys alone it may be verified, and
//!    whether its claims hold at a moment. What it claims is not to be had before.
//!
//! [`verify_mac`] is for one thing alone: what the application behind the guard tells it, under a secret of theirs. No token of
//! a client is verified by a shared secret.
//!
//! Sources: RFC 7515 (JWS), RFC 7517 (JWK), RFC 7518 (algorithms), RFC 8037 (Ed25519), RFC 8725 (best practices), seed 004;
//! ASVS v5.0.0-9.1.1 to 9.1.3 (signature, list of algorithms, keys of trusted issuers only).

mod claim_fault;
mod claims;
mod ec_key;
mod fault;
mod issuer_rules;
mod jwk;
mod jws;
mod key_set;
mod mac;
mod organisation;
pub mod revocation;
mod rsa_key;
mod signature_key;
mod signature_vectors;
pub(crate) mod strict_json;
mod texts;
mod unbelieved;
mod verifier;
mod verify;

pub use claim_fault::{ClaimFault, Wrong};
pub use claims::{Claims, TokenType};
pub use fault::TokenFault;
pub use issuer_rules::{IssuerRules, TokenUse};
pub use jwk::{KeyStrength, UnusableKey};
pub use jws::{Header, Jws, TOKEN_BYTES_MAX};
pub use key_set::{KeySet, KeySetFault};
pub use mac::{MAC_KEY_BYTES_MIN, verify_mac};
pub use unbelieved::Unbelieved;
pub use verifier::{Believed, Identity, IssuerIndex, TokenVerifier, Unverified};
pub use verify::{Verified, verify, verify_read};
