//! Letter case as readers of keys ignore it, in whatever way they do.

/// Whether two texts are not the same, and are to somebody who does not look at letter case.
///
/// More is taken for the same than by any one reader: the simple case folding of Unicode (Go), upper case and then lower
/// case (Java), and full case mapping (Python).
pub(crate) fn differ_by_case(one: &str, other: &str) -> bool {
    // An ASCII letter is folded to one alone, whatever follows: nearly all pairs end here.
    if let (Some(first), Some(second)) = (one.as_bytes().first(), other.as_bytes().first())
        && first.is_ascii()
        && second.is_ascii()
        && !first.eq_ignore_ascii_case(second)
    {
        return false;
    }
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other) && one != other;
    }
    one != other && folded(one).eq(folded(other))
}

/// Which of the names that are known, all in small ASCII letters, is not this one, and is to somebody who does not look at letter case.
///
/// A name that is in small ASCII letters itself is one of them or none, so most names need one look and not one at each.
pub(crate) fn near<'k>(known: &[&'k str], name: &str) -> Option<&'k str> {
    if is_in_small_letters(name) {
        return None;
    }
    known.iter().copied().find(|one| differ_by_case(one, name))
}

/// Whether there is nothing in it that letter case could change, nor a letter beyond ASCII that folds to one of it.
pub(crate) fn is_in_small_letters(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

/// `K` (U+212A) is `k`, `ſ` is `s`, `ς` is `σ`, `ı` and `İ` are `i`.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .map(|letter| if letter == 'İ' { 'i' } else { letter })
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_what_differs_from_one_that_is_known() {
        let known = ["key", "id", "iss", "rate_limit"];
        for name in [
            "key",
            "KEY",
            "\u{212a}ey",
            "id",
            "\u{131}d",
            "Iss",
            "i\u{17f}s",
            "rate_limit",
            "Rate_Limit",
            "rate-limit",
            "",
            "x",
            "é",
        ] {
            let each = known.into_iter().find(|one| differ_by_case(one, name));
            assert_eq!(near(&known, name), each, "{name}");
        }
        assert_eq!(near(&known, "\u{212a}ey"), Some("key"));
    }

    #[test]
    fn what_differs_by_case_alone() {
        for (one, other) in [
            ("email", "EMAIL"),
            ("email", "eMail"),
            ("key", "\u{212a}ey"),
            ("user", "u\u{17f}er"),
            ("id", "\u{131}d"),
            ("id", "\u{130}D"),
            ("straße", "STRASSE"),
            ("straße", "STRA\u{1e9e}E"),
            ("σ", "ς"),
            ("é", "É"),
            ("\u{b5}", "\u{3bc}"),
            ("\u{212b}", "å"),
        ] {
            assert!(differ_by_case(one, other), "{one} {other}");
            assert!(differ_by_case(other, one), "{other} {one}");
        }
        for (one, other) in [
            ("email", "email"),
            ("é", "é"),
            ("email", "e-mail"),
            ("email", "emai"),
            ("e", "é"),
            ("", ""),
            ("", "a"),
        ] {
            assert!(!differ_by_case(one, other), "{one} {other}");
        }
    }
}
