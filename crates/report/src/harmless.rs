//! `harmless`: text of others, made safe to print.
//!
//! A repository can carry terminal escapes in file names and code, and text whose order on the screen is not its order
//! in the file (CVE-2021-42574). What could do either is printed as its code point.

use std::borrow::Cow;

/// The text with every character that a terminal would act on written out as `\u{1b}`. Line breaks and tabs stay.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        push_harmless(&mut safe, character);
    }
    Cow::Owned(safe)
}

/// The same on one line: line breaks and tabs become spaces.
#[must_use]
pub fn harmless_line(text: &str) -> Cow<'_, str> {
    match harmless(text) {
        safe if safe.contains(['\n', '\t']) => Cow::Owned(safe.replace(['\n', '\t'], " ")),
        safe => safe,
    }
}

/// Adds one character in the form in which it is safe to print.
pub(crate) fn push_harmless(safe: &mut String, character: char) {
    if is_harmless(character) {
        safe.push(character);
    } else {
        safe.extend(character.escape_unicode());
    }
}

/// Whether a terminal prints the character and does nothing else.
fn is_harmless(character: char) -> bool {
    if matches!(character, '\n' | '\t') {
        return true;
    }
    // C0, DEL and C1; then what reorders, hides or joins text without a mark of its own (UAX #9, UTS #39).
    !(character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_reordering_are_written_out() {
        assert_eq!(harmless("\u{1b}[2Jx\u{202e}y"), "\\u{1b}[2Jx\\u{202e}y");
        assert_eq!(harmless("a\r\u{9b}31m"), "a\\u{d}\\u{9b}31m");
        assert_eq!(harmless_line("a\nb\tc"), "a b c");
        assert!(matches!(harmless("größe 名前\n"), Cow::Borrowed(_)));
    }
}
