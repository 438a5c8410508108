//! `fingerprint`: what makes a finding itself when lines move.

use sha2::{Digest as _, Sha256};

/// Twenty hexadecimal digits: eighty bits are beyond chance, and still fit a table.
const DIGITS: usize = 20;
/// How much of a snippet counts.
const SNIPPET_CHARS: usize = 200;

/// The fingerprint of what `rule` found in `route_or_symbol` at `snippet`.
///
/// It has no line numbers, and takes no notice of what a formatter changes: white space, the sort of quotes, semicolons, a
/// comma before a closing bracket. Moving or reformatting code keeps it. It looks at the beginning of the snippet, so that what
/// stands at a whole handler is not another finding with each line of it. [`crate::Report::settle`] numbers those that are the same.
#[must_use]
pub fn fingerprint(rule: &str, route_or_symbol: &str, snippet: &str) -> String {
    let mut hash = Sha256::new();
    for part in [rule, route_or_symbol] {
        hash.update(part.as_bytes());
        // A separator that no part contains keeps ("a", "bc") and ("ab", "c") apart.
        hash.update([0]);
    }
    let mut buffer = [0; 4];
    for character in unformatted(snippet).take(SNIPPET_CHARS) {
        hash.update(character.encode_utf8(&mut buffer).as_bytes());
    }
    let mut digits: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.truncate(DIGITS);
    digits
}

/// The characters that no formatter adds, takes away or exchanges.
fn unformatted(snippet: &str) -> impl Iterator<Item = char> + '_ {
    let mut rest = snippet
        .chars()
        .filter(|character| !character.is_whitespace() && *character != ';')
        .peekable();
    std::iter::from_fn(move || {
        let mut character = rest.next()?;
        while character == ',' && matches!(rest.peek(), Some(')' | ']' | '}')) {
            character = rest.next()?;
        }
        Some(if character == '\'' { '"' } else { character })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formatter_does_not_matter_and_everything_else_does() {
        let base = fingerprint("sqli", "GET /a", "query(`x` + y)");
        assert_eq!(base.len(), DIGITS);
        assert_eq!(
            base,
            fingerprint("sqli", "GET /a", "  query(`x`\n\t+   y)\n")
        );
        assert_eq!(
            fingerprint("sqli", "GET /a", "call('a', {b: 1})"),
            fingerprint("sqli", "GET /a", "call(\n  \"a\",\n  { b: 1, },\n);")
        );
        let long = |end: &str| format!("{}{end}", "x ".repeat(200));
        assert_eq!(
            fingerprint("sqli", "GET /a", &long("y")),
            fingerprint("sqli", "GET /a", &long("z"))
        );
        assert_ne!(base, fingerprint("xss", "GET /a", "query(`x` + y)"));
        assert_ne!(base, fingerprint("sqli", "GET /b", "query(`x` + y)"));
        assert_ne!(base, fingerprint("sqli", "GET /a", "query(`x` + z)"));
        assert_ne!(fingerprint("ab", "c", ""), fingerprint("a", "bc", ""));
    }
}
