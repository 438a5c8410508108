//! The room for secrets: reads those that the policy names, refuses weak ones, and makes keys for each purpose of them.
//!
//! 1. [`SecretReader`] reads the keys of a secret from where the policy says they are kept. A key is hex, base64url or base64,
//!    at least 32 bytes when it is decoded, drawn and not written, on no public list, and the same as no other.
//! 2. [`Secret::keys`] derives a key for each [`Purpose`] by HKDF-SHA-256 (RFC 5869), so that what was made for one purpose
//!    is worth nothing for another.
//! 3. [`MacKeys`] signs by the first key that is accepted on the day, and verifies by all of them: a key is changed by adding
//!    a new one before it and giving the old one a `not_after`, and nobody is logged out.
//!
//! No error, warning or `Debug` repeats anything of a secret. What is read, decoded or derived is overwritten when it is dropped;
//! a value that is moved may leave its bytes behind, as the language promises no more.
//!
//! Sources: NIST SP 800-108 (a key for each use), RFC 2104 and RFC 4231 (HMAC), the OWASP Cheat Sheets on Secrets Management
//! and Key Management; ASVS v5.0.0-11.2.2 (keys can be changed), 11.2.4 (compared in constant time), 11.5.1 (random, not guessable),
//! 13.3.1 (kept outside of code and configuration), 13.3.4 (expire and rotate).
//!
//! ```
//! use portcullis_guard::clock::Now;
//! use portcullis_policy::SecretKey;
//! use portcullis_state::keys::{Purpose, SecretReader};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // As the policy names it: `[identity.session] secret = "env:SESSION_SECRET"`.
//! let session = [SecretKey {
//!     kid: None,
//!     key: "env:SESSION_SECRET".parse()?,
//!     not_after: None,
//! }];
//! # let drawn = "1051c4b9c0887e41f0c30fc60fa896af195672afb531c4f33129e1957da6193c";
//! // The binary alone reads the environment.
//! let environment = |name: &str| (name == "SESSION_SECRET").then(|| drawn.into());
//! let now = Now { monotonic: 0, unix_millis: 1_800_000_000_000 };
//!
//! let mut reader = SecretReader::new(&environment);
//! let secret = reader.read("identity.session.secret", &session, now)?;
//! assert!(reader.warnings().is_empty());
//!
//! let keys = secret.keys(Purpose::SessionCookie)?;
//! let signed = keys.sign(now, &[b"the id of a session", b"1800000000"])?;
//! let cookie = (signed.key.to_string(), signed.tag.as_bytes().to_vec());
//!
//! let (key, tag) = (cookie.0.parse()?, cookie.1);
//! keys.verify(now, key, &[b"the id of a session", b"1800000000"], &tag)?;
//! assert!(keys.verify(now, key, &[b"the id of a session1", b"800000000"], &tag).is_err());
//! # Ok(())
//! # }
//! ```

mod encoding;
mod fault;
mod kept;
mod secret;
mod secret_reader;
#[cfg(test)]
mod tests;
mod weakness;

pub use fault::{SecretError, SecretFault, SecretPlace, SecretWarning, SecretWarningKind};
pub use portcullis_guard::keys::{
    KeyId, MacFault, MacKey, MacKeys, NoKeyId, Purpose, Signed, Tag, is_equal,
};
pub use secret::Secret;
pub use secret_reader::{SecretReader, SecretsDigest};
pub use weakness::Weakness;

use zeroize::Zeroizing;

/// The fewest bytes of a key when it is decoded: as many as HMAC-SHA-256 gives (RFC 2104 §3), and as the seeds ask for.
pub const KEY_BYTES_MIN: usize = 32;

/// The most bytes of a secret as it is kept.
pub const SECRET_BYTES_MAX: usize = 4_096;

/// The bytes of a credential that somebody shows, written as a secret is: hex, base64url or base64. None of what is longer than
/// [`SECRET_BYTES_MAX`] or written otherwise.
#[must_use]
pub fn shown(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = Some(text).filter(|text| text.len() <= SECRET_BYTES_MAX)?;
    encoding::decoded(text).map(|(_encoding, bytes)| bytes)
}
