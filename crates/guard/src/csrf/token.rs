//! `Token`: a CSRF token as it is written: 64 digits of lower-case hex.

use std::fmt;

use crate::keys::is_equal;

/// How the names of cookies with tokens begin; behind it stand the first digits of the token.
pub const COOKIE_PREFIX: &str = "__Host-pc-csrf-";

/// Digits of a token that are in its cookie's name.
const NAMED: usize = 8;

/// How many bytes such a name has.
pub const COOKIE_NAME: usize = COOKIE_PREFIX.len() + NAMED;

/// A token. Its digits are in no error and no `Debug`.
#[derive(Clone, Copy)]
pub struct Token([u8; 64]);

/// By which digits a cookie with a token is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenName([u8; NAMED]);

impl Token {
    /// A token of random bytes.
    #[must_use]
    pub fn of(random: &[u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or(b'0');
        let mut text = [0; 64];
        let (pairs, _) = text.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(random) {
            *pair = [digit(byte >> 4), digit(*byte)];
        }
        Self(text)
    }

    /// Reads one: exactly 64 digits.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let text: &[u8; 64] = text.try_into().ok()?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.iter().all(is_digit).then_some(Self(*text))
    }

    /// Its digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Its digits as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// By what its cookie is named.
    #[must_use]
    pub fn name(&self) -> TokenName {
        let mut named = [0; NAMED];
        for (to, from) in named.iter_mut().zip(self.0) {
            *to = from;
        }
        TokenName(named)
    }

    /// Whether a cookie's value is this token, in a time that tells nothing of where they differ.
    #[must_use]
    pub fn is(&self, value: &[u8]) -> bool {
        is_equal(&self.0, value)
    }
}

impl TokenName {
    /// The name of the cookie, in its bytes.
    #[must_use]
    pub fn cookie(&self) -> [u8; COOKIE_NAME] {
        let mut name = [0; COOKIE_NAME];
        let (prefix, named) = name.split_at_mut(COOKIE_PREFIX.len());
        prefix.copy_from_slice(COOKIE_PREFIX.as_bytes());
        named.copy_from_slice(&self.0);
        name
    }

    /// That of a cookie's name, if the cookie is one with a token.
    #[must_use]
    pub fn of_cookie(name: &[u8]) -> Option<Self> {
        let named = name.strip_prefix(COOKIE_PREFIX.as_bytes())?;
        let named: &[u8; NAMED] = named.try_into().ok()?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        named.iter().all(is_digit).then_some(Self(*named))
    }
}

/// The name of the cookie.
impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = str::from_utf8(&self.0).unwrap_or_default();
        write!(f, "{COOKIE_PREFIX}{named}")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> &str {
        text.get(1..).unwrap()
    }

    #[test]
    fn tokens_have_one_spelling() {
        let mut random = [0xab; 32];
        random[0] = 0x01;
        random[31] = 0xf0;
        let token = Token::of(&random);
        assert_eq!(token.as_str().len(), 64);
        assert!(token.as_str().starts_with("01abab") && token.as_str().ends_with("abf0"));
        assert!(Token::read(token.as_bytes()).unwrap().is(token.as_bytes()));
        assert_eq!(token.name().to_string(), "__Host-pc-csrf-01ababab");
        assert_eq!(&token.name().cookie(), b"__Host-pc-csrf-01ababab");
        for text in [
            "",
            cut(token.as_str()),
            &format!("{}0", token.as_str()),
            &token.as_str().to_ascii_uppercase(),
            &format!(" {}", cut(token.as_str())),
            &"g".repeat(64),
        ] {
            assert!(Token::read(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn names_of_cookies_at_the_edges() {
        for (name, is_one) in [
            ("__Host-pc-csrf-01abcdef", true),
            ("__Host-pc-csrf-01ABCDEF", false),
            ("__Host-pc-csrf-01abcde", false),
            ("__Host-pc-csrf-01abcdef0", false),
            ("__host-pc-csrf-01abcdef", false),
            ("__Host-pc-csrf-", false),
            ("", false),
        ] {
            assert_eq!(
                TokenName::of_cookie(name.as_bytes()).is_some(),
                is_one,
                "{name}"
            );
        }
    }
}
