//! Refuses text that nests too deep, before a parser walks it.
//!
//! `toml_edit` bounds brackets but not dots: a key of half a million dots is half a million tables inside each other,
//! and dropping them overflows the stack, which no caller can catch.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use crate::bounds::DEPTH_MAX;

/// The first place that is deeper than [`DEPTH_MAX`], by the tokens that the parser itself will see.
pub(crate) fn check_depth(text: &str) -> Result<(), Range<usize>> {
    let mut brackets = 0_usize;
    let mut dots = 0_usize;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                brackets += 1;
                dots = 0;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                brackets = brackets.saturating_sub(1);
                dots = 0;
            }
            TokenKind::Dot => dots += 1,
            TokenKind::Equals | TokenKind::Comma | TokenKind::Newline => dots = 0,
            _ => {}
        }
        if brackets > DEPTH_MAX || dots > DEPTH_MAX {
            return Err(token.span().start()..token.span().end());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_dots_are_counted_and_text_is_not() {
        let deepest = format!("a = {}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert!(check_depth(&deepest).is_ok());
        assert!(check_depth(&format!("a = [{}", deepest.replace("a = ", ""))).is_err());
        assert!(check_depth(&format!("a{} = 1", ".a".repeat(DEPTH_MAX))).is_ok());
        assert!(check_depth(&format!("a{} = 1", ".a".repeat(DEPTH_MAX + 1))).is_err());
        assert!(check_depth(&format!("[a{}]", ".a".repeat(500_000))).is_err());
        assert!(check_depth(&format!("a = \"{}\"", "[.".repeat(100))).is_ok());
        assert!(check_depth(&format!("# {}", "[.".repeat(100))).is_ok());
        assert!(check_depth(&"a.b = 1\n".repeat(100)).is_ok());
    }
}
