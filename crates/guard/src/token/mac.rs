//! Tokens under a secret that the guard shares with the application behind it. No client's token is verified by one.

use aws_lc_rs::hmac;

use super::fault::TokenFault;
use super::jws::Jws;
use super::verify::Verified;

/// The shortest secret (RFC 7518 §3.2: as long as the hash).
pub const MAC_KEY_BYTES_MIN: usize = 32;

/// Verifies a token of the application: `HS256` and nothing else, `typ` as it was agreed, byte by byte. The tag is compared in
/// constant time. A `kid` is not looked at: the caller has the key.
///
/// # Errors
///
/// Where the secret is under 32 bytes, the token is not well formed, its `alg` is not `HS256`, its `typ` another one, or the
/// tag does not hold.
pub fn verify_mac(compact: &str, key: &[u8], media_type: &str) -> Result<Verified, TokenFault> {
    if key.len() < MAC_KEY_BYTES_MIN {
        return Err(TokenFault::SecretTooShort);
    }
    let token = Jws::read(compact)?;
    if token.header.algorithm() != "HS256" {
        return Err(TokenFault::AlgorithmRefused);
    }
    // RFC 8725 §3.11: what the application says of a session is no token for anything else.
    if token.header.media_type() != Some(media_type) {
        return Err(TokenFault::TypeRefused);
    }
    if !is_tag(key, token.signed, &token.signature) {
        return Err(TokenFault::SignatureWrong);
    }
    Ok(Verified::new(token))
}

/// Whether bytes are the whole tag of a message.
pub(super) fn is_tag(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, message, tag).is_ok()
}
