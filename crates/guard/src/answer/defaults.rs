//! The security fields and their values where the policy says nothing (OWASP HTTP Headers, Secure Headers; ASVS 5.0 3.4).

use portcullis_policy::Profile as Strictness;

/// What becomes of a field that the application sends as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wins {
    /// Ours, as there is no stricter value.
    Guard,
    /// The application's, as only the application knows what it needs.
    Application,
    /// The application's, where it lasts as long as ours.
    Longer,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Default {
    /// Its name, as it is written.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) value: &'static str,
    /// Whose stands.
    pub(super) wins: Wins,
}

/// The fields beside the Content-Security-Policy, whose value depends on the media type.
pub(super) const FIELDS: [Default; 7] = [
    // No guessing of media types (Fetch §3.6).
    of("X-Content-Type-Options", "nosniff", Wins::Guard),
    // For browsers that know no `frame-ancestors`.
    of("X-Frame-Options", "DENY", Wins::Guard),
    // The filters that it turned on let pages be read by other sites; it is off.
    of("X-XSS-Protection", "0", Wins::Guard),
    // No hold on windows of other sites.
    of("Cross-Origin-Opener-Policy", "same-origin", Wins::Guard),
    // Not to be embedded by other sites. What `[cors]` lets them read is asked for in another way, and not meant.
    of("Cross-Origin-Resource-Policy", "same-origin", Wins::Guard),
    // No paths and queries to other sites, and what tells them does not stand. Without the origin, Django's own check of where a form comes from fails.
    of(
        "Referrer-Policy",
        "strict-origin-when-cross-origin",
        Wins::Application,
    ),
    of(
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), usb=()",
        Wins::Application,
    ),
];

const fn of(name: &'static str, value: &'static str, wins: Wins) -> Default {
    Default { name, value, wins }
}

/// `Strict-Transport-Security`, only where the client came by TLS (RFC 6797 §7.2).
///
/// A year (ASVS 5.0 3.4.1). Other hosts below the domain are bound only by the strict profile: this policy does not know
/// them, and what a browser has been told cannot be taken back for a year.
pub(super) const fn transport_security(strictness: Strictness) -> Default {
    let value = match strictness {
        Strictness::Standard => "max-age=31536000",
        Strictness::Strict => "max-age=31536000; includeSubDomains",
    };
    of("Strict-Transport-Security", value, Wins::Longer)
}

/// The shortest `max-age` of an application's own `Strict-Transport-Security` that stands, in seconds: a year.
const LASTING_SECONDS: u64 = 31_536_000;

/// Whether an application's `Strict-Transport-Security` (RFC 6797 §6.1) holds for a year at least. What is not written as
/// the standard has it holds for no time.
pub(super) fn is_lasting(value: &[u8]) -> bool {
    let mut ages = value.split(|byte| *byte == b';').filter_map(|directive| {
        let directive = directive.trim_ascii();
        let (name, age) = directive.split_at_checked(b"max-age".len())?;
        name.eq_ignore_ascii_case(b"max-age")
            .then(|| age.trim_ascii())
    });
    // A directive that is there twice makes the whole field void.
    let (Some(age), None) = (ages.next(), ages.next()) else {
        return false;
    };
    let digits = age.strip_prefix(b"=").map(<[u8]>::trim_ascii);
    let bare = digits.map(|digits| {
        let inner = digits
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        inner.unwrap_or(digits)
    });
    let is_number = |digits: &&[u8]| digits.iter().all(u8::is_ascii_digit);
    let text = bare
        .filter(is_number)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    text.and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|seconds| seconds >= LASTING_SECONDS)
}

/// Whether an application's own `Referrer-Policy` tells other sites no paths and queries (ASVS 5.0 3.4.5). Of several words
/// browsers take the last that they know (Referrer Policy §8.1); of none, their own default, which is ours.
pub(super) fn keeps_paths(value: &[u8]) -> bool {
    const KEEP: [&str; 6] = [
        "no-referrer",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    ];
    const TELL: [&str; 2] = ["no-referrer-when-downgrade", "unsafe-url"];
    let is_among = |words: &[&str], word: &[u8]| {
        words
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one.as_bytes()))
    };
    let mut words = value.rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let last = words.find(|word| is_among(&KEEP, word) || is_among(&TELL, word));
    last.is_some_and(|word| is_among(&KEEP, word))
}

/// The built-in Content-Security-Policy of pages: what harms hardly any page. ASVS 5.0 3.4.3 asks for the first and the
/// last, 3.4.6 for the other.
pub(super) const PAGE: [&str; 2] = ["base-uri 'none'", "object-src 'none'"];

/// That of what no browser shows as a page.
pub(super) const DATA: [&str; 3] = [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
];

/// That of drawings: they may have styles, and images and fonts inside.
pub(super) const DRAWING: [&str; 6] = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    "base-uri 'none'",
    "form-action 'none'",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_paths_to_other_sites() {
        for (value, keeps) in [
            ("no-referrer", true),
            ("Same-Origin", true),
            ("unsafe-url, no-referrer", true),
            ("no-referrer, whimsy", true),
            ("no-referrer,", true),
            ("no-referrer, unsafe-url", false),
            ("no-referrer-when-downgrade", false),
            ("whimsy", false),
            ("", false),
        ] {
            assert_eq!(keeps_paths(value.as_bytes()), keeps, "{value}");
        }
    }

    #[test]
    fn how_long_is_a_year() {
        for (value, lasts) in [
            ("max-age=31536000", true),
            ("max-age=31535999", false),
            ("max-age=63072000; includeSubDomains; preload", true),
            ("includeSubDomains; Max-Age = \"31536000\"", true),
            ("max-age=0", false),
            ("max-age=0; max-age=31536000", false),
            ("max-age=-31536000", false),
            ("max-age=+31536000", false),
            ("max-age=31536000x", false),
            ("max-age=99999999999999999999999", false),
            ("max-age31536000", false),
            ("max-agee=31536000", false),
            ("max-age=", false),
            ("includeSubDomains", false),
            ("", false),
        ] {
            assert_eq!(is_lasting(value.as_bytes()), lasts, "{value}");
        }
    }
}
