//! `Shown`: what a request shows to say who is calling, before anybody looks whether it is true.
//!
//! A key comes in `Authorization`, or in the field that the policy names for keys. What begins as keys do is a key and never a
//! token. A key together with another credential that is shown on purpose is neither: RFC 6750 §2 has one way for each request.
//!
//! A token comes in `Authorization` (RFC 6750 §2.1), or in the cookie that the policy names for its issuer; never in the query
//! (§5.3) and never in the form. Where both are there, `Authorization` counts: a browser sends cookies by itself, and a field
//! only because the page wants it.

use crate::api_key::{ApiKeyFault, ShownKey};
use crate::canon::cookies::CookieRepeated;
use crate::canon::{Cookies, HeaderSet};
use crate::identity_plan::{ApiKeysPlan, IdentityPlan, TokensPlan};

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown<'r> {
    /// Nothing that an issuer of the policy could have made.
    Nothing,
    /// A token.
    Token {
        /// As it stands there.
        text: &'r str,
        /// Where it stands.
        place: Place,
    },
    /// A key of the guard's own.
    Key(ShownKey),
    /// Something that begins as a key and is none.
    BrokenKey(ApiKeyFault),
    /// Something there that two readers could read differently (GHSA-gv94-wp4h-vv8p).
    Malformed(Place),
}

/// Where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In `Authorization`.
    Header,
    /// In a cookie.
    Cookie,
}

impl<'r> Shown<'r> {
    /// What a head shows to a policy.
    pub(crate) fn of(plan: &IdentityPlan, fields: HeaderSet<'r>) -> Self {
        let keys = plan.api_keys.as_ref();
        let header = keys.and_then(|keys| keys.header.as_deref());
        let alone = match header.map(|name| fields.one(name)) {
            Some(Err(_repeated)) => return Self::Malformed(Place::Header),
            Some(Ok(value)) => value,
            None => None,
        };
        let shown = match fields.one("authorization").map(|value| value.map(bearer)) {
            Err(_repeated) => return Self::Malformed(Place::Header),
            Ok(Some(Bearer::Malformed)) => return Self::Malformed(Place::Header),
            Ok(Some(Bearer::Token(text))) => Some(text),
            Ok(Some(Bearer::OtherScheme) | None) => None,
        };
        match (keys, alone, shown) {
            (_, Some(_), Some(_)) => Self::Malformed(Place::Header),
            (Some(keys), Some(value), None) => Self::of_key(keys, value),
            (Some(keys), None, Some(text)) if keys.is_meant(text.as_bytes()) => {
                Self::of_key(keys, text.as_bytes())
            }
            (_, _, Some(text)) if plan.tokens.is_some() => Self::Token {
                text,
                place: Place::Header,
            },
            (_, _, None) => match &plan.tokens {
                Some(tokens) => Self::of_cookies(tokens, fields),
                None => Self::Nothing,
            },
            // Without issuers a token is the application's own business.
            (_, _, Some(_)) => Self::Nothing,
        }
    }

    fn of_key(keys: &ApiKeysPlan, value: &[u8]) -> Self {
        match keys.read(value) {
            Ok(key) => Self::Key(key),
            Err(fault) => Self::BrokenKey(fault),
        }
    }

    fn of_cookies(plan: &TokensPlan, fields: HeaderSet<'r>) -> Self {
        match cookie_shown(plan, fields) {
            Err(CookieRepeated) => Self::Malformed(Place::Cookie),
            Ok(None) => Self::Nothing,
            Ok(Some(value)) => match str::from_utf8(value) {
                Ok(text) => Self::Token {
                    text,
                    place: Place::Cookie,
                },
                Err(_not_text) => Self::Malformed(Place::Cookie),
            },
        }
    }
}

/// What is in the first of the cookies that may hold a token; nothing where none of them is there, or it is empty.
///
/// # Errors
///
/// Where it is there more than once.
pub fn cookie_shown<'r>(
    plan: &TokensPlan,
    fields: HeaderSet<'r>,
) -> Result<Option<&'r [u8]>, CookieRepeated> {
    let cookies = Cookies::of(fields);
    for name in &plan.cookies {
        if let Some(value) = cookies.one(name.as_bytes())?
            && !value.is_empty()
        {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Whether an `Authorization` field has what could be read as a token, under whichever scheme and behind whatever: SDKs cut the
/// scheme off, or look behind commas. It must not be forwarded where it is not believed. What has no two dots between runs of
/// base64url is no signed token (RFC 7515 §7.1), and may be the application's own.
pub(crate) fn could_be_believed(fields: HeaderSet<'_>) -> bool {
    fields.all("authorization").any(has_signed_token)
}

/// The shortest part of a token that says anything: `{"a":1}` has ten letters.
const PART_MIN: usize = 8;

fn has_signed_token(value: &[u8]) -> bool {
    let is_of_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut runs = value.split(|byte| !is_of_part(byte) && *byte != b'.');
    runs.any(|run| {
        let mut parts = run.split(|byte| *byte == b'.').map(<[u8]>::len);
        let mut before = parts.next().unwrap_or_default();
        let mut of_two = 0;
        for part in parts {
            // Two parts of a length, and a dot behind the second.
            if of_two >= PART_MIN && before >= PART_MIN {
                return true;
            }
            (of_two, before) = (before, part);
        }
        false
    })
}

/// Whether a key, or what begins as one, stands in `Authorization`, in whichever scheme and however it is written: no log of the
/// application's shall have it.
pub(crate) fn could_be_a_key(keys: &ApiKeysPlan, fields: HeaderSet<'_>) -> bool {
    fields
        .all("authorization")
        .any(|value| has_key(keys, value))
}

/// A word that begins as keys do, or what has the form of one up to its secret behind whatever.
fn has_key(keys: &ApiKeysPlan, value: &[u8]) -> bool {
    const ID_DIGITS: usize = 16;
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    memchr::memmem::find_iter(value, keys.prefix.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        let rest = value.get(at + keys.prefix.len()..).unwrap_or_default();
        let Some(rest) = rest.strip_prefix(b"_") else {
            return false;
        };
        let id = rest.iter().take_while(|byte| byte.is_ascii_hexdigit());
        !before.is_some_and(is_of_word) || id.count() == ID_DIGITS
    })
}

/// What a value of `Authorization` is.
#[derive(Debug, PartialEq, Eq)]
enum Bearer<'v> {
    Token(&'v str),
    OtherScheme,
    Malformed,
}

const SCHEME: &[u8] = b"bearer";

fn starts_as_bearer(value: &[u8]) -> bool {
    value
        .get(..SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

/// The scheme in any case (RFC 9110 §11.1), one space and a token68 (§11.2). Other readers are laxer about what stands between
/// and behind, and each in its own way.
fn bearer(value: &[u8]) -> Bearer<'_> {
    if !starts_as_bearer(value) {
        return Bearer::OtherScheme;
    }
    let rest = value.get(SCHEME.len()..).unwrap_or_default();
    match rest {
        // `Bearerless x` is another scheme.
        [first, ..] if first.is_ascii_alphanumeric() => Bearer::OtherScheme,
        [b' ', token @ ..] if is_token68(token) => {
            str::from_utf8(token).map_or(Bearer::Malformed, Bearer::Token)
        }
        _ => Bearer::Malformed,
    }
}

/// Whether a byte may stand in a token68 before its padding (RFC 9110 §11.2). Without a branch, so that many are looked at at once.
const fn is_of_token68(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    let is_mark = matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    is_letter | is_digit | is_mark
}

fn is_token68(token: &[u8]) -> bool {
    // Tokens are long, and padding is rare: blocks are looked at whole, and what is behind the last good one byte by byte.
    let (blocks, _) = token.as_chunks::<32>();
    let is_good = |block: &&[u8; 32]| {
        block
            .iter()
            .fold(true, |all, byte| all & is_of_token68(*byte))
    };
    let good = blocks.iter().take_while(is_good).count() * 32;
    let rest = token.get(good..).unwrap_or_default();
    let more = rest.iter().take_while(|byte| is_of_token68(**byte)).count();
    let padding = rest.get(more..).unwrap_or_default();
    good + more > 0 && padding.iter().all(|byte| *byte == b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_seen_under_every_scheme() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
        for (value, has) in [
            (token.to_owned(), true),
            (format!("Bearer {token}"), true),
            (format!("Bearer\t{token}"), true),
            (format!("JWT {token}"), true),
            (format!("Basic dTpw, Bearer {token}"), true),
            (format!("Token token=\"{token}\""), true),
            (format!("x.{token}"), true),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.".to_owned(), true),
            ("Bearer opaque".to_owned(), false),
            ("Bearer a.b.c".to_owned(), false),
            ("Basic dTpw".to_owned(), false),
            ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7".to_owned(), false),
            ("Digest username=\"Mufasa\", uri=\"/dir/index.html\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"".to_owned(), false),
        ] {
            assert_eq!(has_signed_token(value.as_bytes()), has, "{value}");
        }
    }

    #[test]
    fn a_long_token_has_the_same_characters_everywhere() {
        let marks = b"-._~+/";
        for place in [0, 1, 31, 32, 33, 63, 64, 69] {
            for byte in 0..=255_u8 {
                let mut token = [b'a'; 70];
                token[place] = byte;
                let is_padding = byte == b'=' && place == 69;
                let expected = byte.is_ascii_alphanumeric() || marks.contains(&byte) || is_padding;
                assert_eq!(is_token68(&token), expected, "{byte} at {place}");
            }
        }
        let padded = [[b'a'; 40].as_slice(), &[b'='; 40]].concat();
        assert!(is_token68(&padded) && !is_token68(&padded[40..]));
        assert!(!is_token68(&[padded.as_slice(), b"a"].concat()));
    }

    #[test]
    fn one_spelling_of_bearer_is_read() {
        for (value, read) in [
            ("Bearer a.b.c", Bearer::Token("a.b.c")),
            ("bearer a", Bearer::Token("a")),
            ("BEARER a-._~+/=", Bearer::Token("a-._~+/=")),
            ("Basic dTpw", Bearer::OtherScheme),
            ("Bearerless a", Bearer::OtherScheme),
            ("Bear", Bearer::OtherScheme),
            ("", Bearer::OtherScheme),
            ("Bearer", Bearer::Malformed),
            ("Bearer ", Bearer::Malformed),
            ("Bearer  a", Bearer::Malformed),
            ("Bearer\ta", Bearer::Malformed),
            ("Bearer a b", Bearer::Malformed),
            ("Bearer a,Basic b", Bearer::Malformed),
            ("Bearer a, Bearer b", Bearer::Malformed),
            ("Bearer=a", Bearer::Malformed),
            ("Bearer =", Bearer::Malformed),
            ("Bearer a=b", Bearer::Malformed),
            ("Bearer \"a\"", Bearer::Malformed),
            ("Bearer ä", Bearer::Malformed),
        ] {
            assert_eq!(bearer(value.as_bytes()), read, "{value:?}");
        }
    }
}
