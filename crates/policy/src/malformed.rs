//! `Malformed`: why one written value is not what it should be, and where inside it.

use std::fmt;
use std::ops::Range;

use crate::likely_secret::without_secrets;
use crate::suggestion::{closest, or_list};

/// The longest piece of input a message repeats.
const QUOTE_CHARS_MAX: usize = 80;

/// A value that cannot be read: the place inside it, what is wrong, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The bytes of the value that are wrong.
    pub at: Range<usize>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to write instead of the whole value.
    pub suggestion: Option<String>,
}

impl Malformed {
    /// The whole of `text` is wrong.
    pub(crate) fn whole(text: &str, message: impl Into<String>) -> Self {
        Self::at(0..text.len(), message)
    }

    /// Some bytes are wrong.
    pub(crate) fn at(at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            suggestion: None,
        }
    }

    /// Says what to write instead.
    #[must_use]
    pub(crate) fn instead(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Says what to write instead, where that is known.
    #[must_use]
    pub(crate) fn perhaps(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// `text` is none of the words that are known here. The words are listed only when none of them is near.
    pub(crate) fn unknown_word(noun: &str, text: &str, words: &[&str]) -> Self {
        let near = closest(text, words.iter().copied());
        let message = match near {
            Some(_) => format!("unknown {noun} {}", quoted(text)),
            None => format!("unknown {noun} {}: use {}", quoted(text), or_list(words)),
        };
        Self::whole(text, message).perhaps(near.map(str::to_owned))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " (did you mean `{suggestion}`?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Malformed {}

/// User input as a message may repeat it: in backticks, short, with nothing that looks like a secret, and with no character that
/// could steer a terminal.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", harmless(text))
}

/// The same without backticks.
pub(crate) fn harmless(text: &str) -> String {
    harmless_up_to(text, QUOTE_CHARS_MAX)
}

/// The same with another length, for messages that are not ours and repeat input somewhere.
pub(crate) fn harmless_up_to(text: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    for (count, character) in without_secrets(text).chars().enumerate() {
        if count == chars_max {
            shown.push('…');
            break;
        }
        if character.is_control() || is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Characters that reorder or hide the text around them ("Trojan Source", CVE-2021-42574).
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_steer_a_terminal() {
        assert_eq!(quoted("a\u{1b}[2Jb"), r"`a\u{1b}[2Jb`");
        assert_eq!(quoted("a\u{202e}b"), r"`a\u{202e}b`");
    }

    #[test]
    fn long_input_is_cut() {
        assert_eq!(harmless(&"é".repeat(200)).chars().count(), 81);
    }
}
