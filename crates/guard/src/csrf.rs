//! CSRF tokens: 32 random bytes that are good once, for one session.
//!
//! The store knows a tag over session and token: that a tag is there says that the token was given out, to this session, and was not
//! used. Whoever reads the store has no token, and whoever has a token of another session has a tag that is not there.
//!
//! Sources: OWASP Cross-Site Request Forgery Prevention Cheat Sheet; ASVS v5.0.0-3.5.1 to 3.5.3.

mod field;
mod origin;
mod token;

pub use field::{FieldFault, field_token};
pub use origin::{OriginFault, check_origin};
pub use token::{COOKIE_NAME, COOKIE_PREFIX, Token, TokenName};

use smallvec::SmallVec;

use crate::clock::Now;
use crate::keys::{MacFault, MacKeys};
use crate::session::Binding;
use crate::store::{Key, Space};

/// The header field that a token comes in.
pub const HEADER: &str = "x-csrf-token";

/// The field of a form that a token comes in.
pub const FIELD: &str = "_csrf";

/// How many tokens of one session can be used at a time.
pub const LIVE_MAX: usize = 32;

/// How many cookies with tokens a browser is given.
pub const COOKIES_MAX: usize = 8;

/// How many cookies with tokens one answer takes back at most.
pub const FORGOTTEN_MAX: usize = 4;

/// The cookies with tokens that an answer takes back.
pub type Forgotten = [Option<TokenName>; FORGOTTEN_MAX];

/// The entry of a token under each key that is accepted: which of them signed is not said by a token.
pub fn keys_of(keys: &MacKeys, now: Now, binding: &Binding, token: &Token) -> SmallVec<[Key; 2]> {
    let bound = binding.bytes();
    let signed: [&[u8]; 2] = [&bound, token.as_bytes()];
    let tags = keys.tags(now, &signed);
    tags.map(|tag| entry(binding, tag.as_bytes())).collect()
}

/// The entry of a new token.
///
/// # Errors
///
/// When no key is accepted any more.
pub fn key_of_new(
    keys: &MacKeys,
    now: Now,
    binding: &Binding,
    token: &Token,
) -> Result<Key, MacFault> {
    let bound = binding.bytes();
    let signed = keys.sign(now, &[&bound, token.as_bytes()])?;
    Ok(entry(binding, signed.tag.as_bytes()))
}

/// The ring that the tokens of one session are counted in.
#[must_use]
pub fn ring_of(binding: &Binding) -> Key {
    Key::new(Space::Csrf, &[&binding.together()[..], b"ring"].concat())
}

fn entry(binding: &Binding, tag: &[u8; 32]) -> Key {
    let mut bytes = [0; 48];
    let (together, rest) = bytes.split_at_mut(16);
    together.copy_from_slice(&binding.together());
    rest.copy_from_slice(tag);
    Key::new(Space::Csrf, &bytes)
}
