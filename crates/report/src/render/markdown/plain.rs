//! Text of others as Markdown that shows it and does nothing else.
//!
//! A repository chooses its paths, names and reasons. On a page that renders Markdown they could open a link, notify people
//! (`@name`), refer to issues (`#1`), draw a formula, run on into the next line, or begin a heading of their own. CommonMark 0.31 §2.4 lets any
//! ASCII punctuation be escaped; what is no punctuation of CommonMark but of the sites that show it stands in code, where neither looks.

use crate::{Location, harmless_line};

/// The text as code. Longer runs of backticks around it than in it: CommonMark 0.31 §6.1.
pub(super) fn code(text: &str) -> String {
    let text = harmless_line(text);
    let text = text.trim();
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.saturating_add(1));
    // A backtick at an end would join the fence; one space on each side is taken off again.
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A sentence of ours that quotes others between backticks: the quotes stay code, and nothing in the rest is markup.
pub(super) fn sentence(text: &str) -> String {
    let text = harmless_line(text);
    let pieces: Vec<&str> = text.split('`').collect();
    // A backtick that nothing closes is a character like any other.
    let closed = pieces.len() % 2 == 1;
    let last = pieces.len().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (number, piece) in pieces.iter().enumerate() {
        let is_quote = number % 2 == 1 && (closed || number < last);
        if is_quote {
            out.push_str(&code(piece));
        } else {
            if number % 2 == 1 {
                out.push_str("\\`");
            }
            escape(&mut out, piece);
        }
    }
    out
}

/// `file:line` as code.
pub(super) fn place(location: &Location) -> String {
    code(&format!("{}:{}", location.file, location.line))
}

fn escape(out: &mut String, text: &str) {
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention and a reference are found in what was rendered, where an escape is gone.
            '@' | '#' => {
                out.push('`');
                out.push(character);
                out.push('`');
            }
            // `https://` and `www.` become links by themselves.
            ':' if rest.peek() == Some(&'/') => out.push_str("\\:"),
            '.' if before.eq_ignore_ascii_case(&'w') => out.push_str("\\."),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '$' | '!' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
        before = character;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_whatever_it_is_given() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("a\n# b"), "`a # b`");
        assert_eq!(code(" \n"), "(empty)");
    }

    #[test]
    fn a_sentence_keeps_its_quotes_and_loses_its_markup() {
        assert_eq!(sentence("`a*b` is *not*"), "`a*b` is \\*not\\*");
        assert_eq!(
            sentence("see [x](https://e.example) @all #1"),
            "see \\[x\\](https\\://e.example) `@`all `#`1"
        );
        assert_eq!(sentence("one ` alone <b>"), "one \\` alone &lt;b&gt;");
        assert_eq!(sentence("www.e.example"), "www\\.e.example");
    }
}
