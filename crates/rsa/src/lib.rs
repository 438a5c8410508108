//! Verifies RSA signatures of PKCS #1 v1.5 by a public key, on processors that multiply 52 bits at once (AVX-512 IFMA), where it
//! takes less than half of what the library takes. It knows public keys alone: nothing here is secret, so nothing has to take the
//! same time for every input. On another processor there is no [`PublicKey`], and the caller has the library.
//!
//! Why it is our own: `docs/decisions/rsa-signatures.md`.

mod encoding;
#[cfg_attr(not(target_arch = "x86_64"), path = "no_ifma.rs")]
mod ifma;
mod modulus;
mod number;
mod public_key;

pub use encoding::Hash;
pub use public_key::PublicKey;
