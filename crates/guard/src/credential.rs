//! `Shown`: what a request shows to say who is calling, before anybody looks whether it is true.
//!
//! A token comes in `Authorization` (RFC 6750 §2.1), or in the cookie that the policy names for its issuer; never in the query
//! (§5.3) and never in the form. Where both are there, `Authorization` counts: a browser sends cookies by itself, and a field
//! only because the page wants it.

use crate::canon::{Cookies, HeaderSet};
use crate::identity_plan::TokensPlan;

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
    /// Something that two readers could read differently (GHSA-gv94-wp4h-vv8p).
    Malformed,
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
    pub(crate) fn of(plan: &TokensPlan, fields: HeaderSet<'r>) -> Self {
        match fields.one("authorization") {
            Err(_repeated) => Self::Malformed,
            Ok(Some(value)) => match bearer(value) {
                Bearer::Token(text) => Self::Token {
                    text,
                    place: Place::Header,
                },
                Bearer::Malformed => Self::Malformed,
                Bearer::OtherScheme => Self::of_cookies(plan, fields),
            },
            Ok(None) => Self::of_cookies(plan, fields),
        }
    }

    fn of_cookies(plan: &TokensPlan, fields: HeaderSet<'r>) -> Self {
        let cookies = Cookies::of(fields);
        for name in &plan.cookies {
            match cookies.one(name.as_bytes()) {
                Err(_repeated) => return Self::Malformed,
                Ok(Some(value)) if !value.is_empty() => {
                    return match str::from_utf8(value) {
                        Ok(text) => Self::Token {
                            text,
                            place: Place::Cookie,
                        },
                        Err(_not_text) => Self::Malformed,
                    };
                }
                Ok(_) => {}
            }
        }
        Self::Nothing
    }
}

/// Whether the one `Authorization` field has what could be read as a token, by whoever comes behind the guard: it must not be
/// forwarded where it is not believed. What has no dots is no signed token (RFC 7515 §7.1), and may be the application's own.
pub(crate) fn could_be_believed(fields: HeaderSet<'_>) -> bool {
    fields
        .all("authorization")
        .any(|value| starts_as_bearer(value) && value.contains(&b'.'))
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

fn is_token68(token: &[u8]) -> bool {
    let is_of_it = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let length = token.iter().take_while(|byte| is_of_it(**byte)).count();
    let padding = token.get(length..).unwrap_or_default();
    length > 0 && padding.iter().all(|byte| *byte == b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

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
