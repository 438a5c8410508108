//! Which texts are about a person or secret: they are kept as keyed hashes, so that records of one can be joined and
//! nobody is found.
//!
//! An id of an application looks like none of these. What looks like one may be one: then it is masked all the same, and
//! a search for it finds it, as the search masks it too. ASVS v5.0.0-16.2.5, OWASP Logging Cheat Sheet (data to exclude).

use std::net::IpAddr;

/// From this length on, one run of letters and digits is taken for a token: ids of applications are shorter (a UUID has
/// 36 characters, with hyphens), and a session id, a CSRF token or an API key mostly is not.
const TOKEN_MIN: usize = 40;

/// What tokens of well-known services begin with.
const TOKEN_BEGINNINGS: [&str; 14] = [
    "eyJ",
    "sk_",
    "rk_",
    "pk_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "xox",
    "AKIA",
    "ASIA",
    "AIza",
    "glpat-",
];

/// Why a text is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Private {
    Email,
    Phone,
    Address,
    Card,
    Token,
    Text,
}

impl Private {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Card => "card",
            Self::Token => "token",
            Self::Text => "text",
        }
    }
}

/// What in a text must not be written, if there is anything.
pub(super) fn private(text: &str) -> Option<Private> {
    if text.contains('@') || text.to_ascii_lowercase().contains("%40") {
        return Some(Private::Email);
    }
    // Names and postal addresses have blanks or letters beyond ASCII; control characters have no business here at all.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(if digits_only(text) {
            numbers(text).unwrap_or(Private::Text)
        } else {
            Private::Text
        });
    }
    if is_uuid(text) {
        return None;
    }
    let parts = || text.split(['=', ',', ';', '|', '?', '&', '#', '"', '\'', '<', '>']);
    if is_address(text) || parts().any(is_address) {
        return Some(Private::Address);
    }
    if is_token(text) || parts().any(is_token) {
        return Some(Private::Token);
    }
    let finer = parts().flat_map(|part| part.split(':'));
    std::iter::once(text).chain(finer).find_map(numbers)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// An address of IPv4 or IPv6, also in brackets, with a port or with a length of a prefix.
fn is_address(text: &str) -> bool {
    let text = text.split('/').next().unwrap_or_default();
    let text = text.split('%').next().unwrap_or_default();
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => text,
    };
    let without_port = inner.rsplit_once(':').map_or(inner, |(host, _)| host);
    // `::` alone and `a::b` are addresses too; ids written like that are rare, and found again all the same.
    inner.parse::<IpAddr>().is_ok() || without_port.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_token(text: &str) -> bool {
    let bare = text.strip_prefix("Bearer").unwrap_or(text);
    let begins = TOKEN_BEGINNINGS.iter().any(|one| bare.starts_with(one));
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_+/=.-~".contains(&byte);
    let runs = bare.as_bytes().split(|byte| !is_letter(*byte));
    let longest = runs.map(<[u8]>::len).max().unwrap_or_default();
    // `pk_1` is an id: what begins like a token is one only when it is as long as any.
    (begins && bare.len() >= 16) || longest >= TOKEN_MIN
}

fn digits_only(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || b" +-.()/".contains(&byte))
}

/// Numbers of phones and cards.
fn numbers(text: &str) -> Option<Private> {
    if has_card(text) {
        return Some(Private::Card);
    }
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    // ITU-T E.164: at most 15 digits. A number of fewer than nine is an id as often as not.
    let lengths = match digits.first() {
        Some(b'0') => 9..=15,
        _ if text.starts_with('+') => 7..=15,
        _ => 10..=15,
    };
    (digits_only(text) && lengths.contains(&digits.len())).then_some(Private::Phone)
}

/// Whether a run of 13 to 19 digits, with blanks or hyphens between them at most one at a time, has the check digit of
/// ISO/IEC 7812-1.
fn has_card(text: &str) -> bool {
    let mut runs: Vec<Vec<u32>> = vec![Vec::new()];
    let mut after_gap = false;
    for character in text.chars() {
        match character.to_digit(10) {
            Some(digit) => {
                after_gap = false;
                if let Some(run) = runs.last_mut() {
                    run.push(digit);
                }
            }
            None if (character == ' ' || character == '-') && !after_gap => after_gap = true,
            None => {
                after_gap = false;
                runs.push(Vec::new());
            }
        }
    }
    runs.iter()
        .any(|run| (13..=19).contains(&run.len()) && luhn(run))
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 1 {
                doubled(*digit)
            } else {
                *digit
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_a_person_or_secret_is_known() {
        for (text, expected) in [
            ("alice@example.com", Private::Email),
            ("mailto:alice@example.com", Private::Email),
            ("alice%40example.com", Private::Email),
            ("a@evil@corp", Private::Email),
            ("+15551234567", Private::Phone),
            ("+49 30 123456", Private::Phone),
            ("030123456", Private::Phone),
            ("(555) 123-4567", Private::Phone),
            ("5551234567", Private::Phone),
            ("tel:+15551234567", Private::Phone),
            ("203.0.113.7", Private::Address),
            ("203.0.113.7:443", Private::Address),
            ("[2001:db8::1]:443", Private::Address),
            ("2001:db8::1", Private::Address),
            ("::ffff:203.0.113.7", Private::Address),
            ("10.0.0.1,203.0.113.7", Private::Address),
            ("fe80::1%eth0", Private::Address),
            ("4111111111111111", Private::Card),
            ("4111 1111 1111 1111", Private::Card),
            ("4111-1111-1111-1111", Private::Card),
            ("order-378282246310005", Private::Card),
            ("Bearer abcdefghijklmnop0123456789", Private::Text),
            ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", Private::Token),
            ("sk_live_51H8example0001", Private::Token),
            ("ghp_0123456789abcdef0123", Private::Token),
            (&"a1".repeat(20), Private::Token),
            (&"0f".repeat(32), Private::Token),
            ("Jane Doe", Private::Text),
            ("12 Main Street", Private::Text),
            ("Łukasz", Private::Text),
            ("a\r\nb", Private::Text),
            ("a\u{1b}[31m", Private::Text),
        ] {
            assert_eq!(private(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn ids_of_applications_stay_as_they_are() {
        for text in [
            "17",
            "123456789",
            "user_2NNEqL2nrIRdJ194ndJqAHwEfxC",
            "org_2abc",
            "550e8400-e29b-41d4-a716-446655440000",
            "12345678-1234-1234-1234-123456789012",
            "auth0|5f7c8ec7c33c6c004bbafe82",
            "google-oauth2|110169484474386276334",
            "clh3x2k9v0000qwer1234asdf",
            "jd7c0xq5h3m2n8p4r6s9t1v3w5x7y9z0",
            "V1StGXR8_Z5jdHi6B-myT",
            "INV-2027-01-31-0012",
            "2027-01-31",
            "a.b",
            "1.2.3",
            "pk_1",
            "",
        ] {
            assert_eq!(private(text), None, "{text}");
        }
    }
}
