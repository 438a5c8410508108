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

/// Whether a name is as names are written that are known in small ASCII letters: then it is one of them or none, and is none that
/// differs from one by case alone. One look at it instead of one at each that is known.
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
