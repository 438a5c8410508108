//! `fingerprint`: what makes a finding itself when lines move.

use sha2::{Digest as _, Sha256};

/// Twenty hexadecimal digits: eighty bits are beyond chance, and still fit a table.
const DIGITS: usize = 20;

/// The fingerprint of what `rule` found in `route_or_symbol` at `snippet`.
///
/// It has no line numbers and takes every run of white space for one space, so moving or re-indenting code keeps it.
/// [`crate::Report::settle`] numbers those that are the same.
#[must_use]
pub fn fingerprint(rule: &str, route_or_symbol: &str, snippet: &str) -> String {
    let mut hash = Sha256::new();
    for part in [rule, route_or_symbol] {
        hash.update(part.as_bytes());
        // A separator that no part contains keeps ("a", "bc") and ("ab", "c") apart.
        hash.update([0]);
    }
    for word in snippet.split_whitespace() {
        hash.update(word.as_bytes());
        hash.update(b" ");
    }
    let mut digits: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.truncate(DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_matter_and_everything_else_does() {
        let base = fingerprint("sqli", "GET /a", "query(`x` + y)");
        assert_eq!(base.len(), DIGITS);
        assert_eq!(
            base,
            fingerprint("sqli", "GET /a", "  query(`x`\n\t+   y)\n")
        );
        assert_ne!(base, fingerprint("xss", "GET /a", "query(`x` + y)"));
        assert_ne!(base, fingerprint("sqli", "GET /b", "query(`x` + y)"));
        assert_ne!(base, fingerprint("sqli", "GET /a", "query(`x` + z)"));
        assert_ne!(fingerprint("ab", "c", ""), fingerprint("a", "bc", ""));
    }
}
