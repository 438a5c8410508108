//! `Mapping`: where public catalogues of weaknesses and requirements speak of the same.

use crate::word::words;

/// The entries of public catalogues that name this weakness or this requirement. At least one is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// `CWE-352`.
    pub cwe: Option<String>,
    /// A requirement of OWASP ASVS 5.0.0: `5.0.0-3.5.1`.
    pub asvs: Option<String>,
    /// An entry of the OWASP API Security Top 10 2023 or the OWASP Top 10 2021: `API4:2023`, `A05:2021`.
    pub owasp: Option<String>,
    /// Who says so.
    pub by: MappedBy,
}

/// Who says that an entry of a public catalogue is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MappedBy {
    /// The seed names it.
    Seed,
    /// We do.
    Ours,
}

words!(MappedBy, "source of a mapping", {
    Seed => "seed",
    Ours => "ours",
});

/// `CWE-` and a number.
pub(crate) fn is_cwe(text: &str) -> bool {
    text.strip_prefix("CWE-").is_some_and(is_number)
}

/// `5.0.0-` and chapter, section, requirement.
pub(crate) fn is_asvs(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix("5.0.0-") else {
        return false;
    };
    numbers.split('.').count() == 3 && numbers.split('.').all(is_number)
}

/// `API1:2023` to `API10:2023`, `A01:2021` to `A10:2021`.
pub(crate) fn is_owasp(text: &str) -> bool {
    let number = match text.split_once(':') {
        Some((entry, "2023")) => entry.strip_prefix("API").filter(|number| is_number(number)),
        Some((entry, "2021")) => entry
            .strip_prefix('A')
            .filter(|number| is_two_digits(number)),
        _ => None,
    };
    number.is_some_and(|number| matches!(number.parse::<u8>(), Ok(1..=10)))
}

fn is_two_digits(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Decimal digits, no zero in front.
fn is_number(text: &str) -> bool {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && !text.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::{is_asvs, is_cwe, is_owasp};

    #[test]
    fn entries_have_one_spelling() {
        assert!(is_cwe("CWE-352") && is_asvs("5.0.0-3.5.1"));
        assert!(is_owasp("API10:2023") && is_owasp("A05:2021") && is_owasp("A10:2021"));
        for wrong in ["352", "CWE-", "CWE-0352", "cwe-352", "CWE-352 "] {
            assert!(!is_cwe(wrong), "{wrong}");
        }
        for wrong in [
            "3.5.1",
            "v5.0.0-3.5.1",
            "5.0.0-3.5",
            "5.0.0-3.5.1.2",
            "4.0.3-3.5.1",
            "5.0.0-3..1",
        ] {
            assert!(!is_asvs(wrong), "{wrong}");
        }
        for wrong in [
            "API0:2023",
            "API11:2023",
            "API01:2023",
            "A5:2021",
            "A11:2021",
            "A+1:2021",
            "A05",
            "A05:2023",
            "API4:2021",
        ] {
            assert!(!is_owasp(wrong), "{wrong}");
        }
    }
}
