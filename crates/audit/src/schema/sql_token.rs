//! Cuts SQL of any dialect into tokens: PostgreSQL, MySQL, SQLite and SQL Server quoting.

use std::borrow::Cow;

/// A piece of SQL with its line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SqlToken<'a> {
    pub(crate) line: u32,
    pub(crate) part: Part<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A name in `"`, `` ` `` or `[ ]`.
    Quoted(Cow<'a, str>),
    /// A string; what it says is of no interest here.
    Text,
    /// What stands between `$$` and `$$`: the body of a function or of a `DO`.
    Body(&'a str),
    /// Anything else.
    Mark(char),
}

/// The tokens of a text. Comments are left out, unless they begin a part that undoes a migration: that part is left
/// out with them.
#[derive(Debug)]
pub(crate) struct SqlTokens<'a> {
    rest: &'a str,
    line: u32,
    /// MySQL escapes with a backslash where the standard has none.
    backslash_escapes: bool,
}

impl<'a> SqlTokens<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self::at(text, 1)
    }

    /// The tokens of a part of a file that begins in `line`.
    pub(crate) fn at(text: &'a str, line: u32) -> Self {
        Self {
            rest: text,
            line,
            backslash_escapes: text.contains('`'),
        }
    }

    /// Leaves out the lines of data that follow `COPY ... FROM stdin;`, up to `\.`.
    pub(crate) fn skip_copied_rows(&mut self) {
        let end = self
            .rest
            .find("\n\\.")
            .map_or(self.rest.len(), |at| at.saturating_add(3));
        self.take(end);
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        // Everything that is cut off was found with `find` or is a whole character, so this is a boundary.
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        let lines = taken.bytes().filter(|b| *b == b'\n').count();
        self.line = self
            .line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        taken
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn skip_line_comment(&mut self) {
        let comment = self.take_while(|c| c != '\n');
        if begins_undoing(comment) {
            let mut end = self.rest.len();
            let mut from = 0;
            for line in self.rest.split_inclusive('\n') {
                if begins_doing(line) {
                    end = from;
                    break;
                }
                from = from.saturating_add(line.len());
            }
            self.take(end);
        }
    }

    fn skip_block_comment(&mut self) {
        let end = self
            .rest
            .find("*/")
            .map_or(self.rest.len(), |at| at.saturating_add(2));
        self.take(end);
    }

    /// A string or name up to `close`; the closing mark twice stands for itself.
    fn quoted(&mut self, close: char, escapes: bool) -> Cow<'a, str> {
        let mut doubled = false;
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            if escapes && c == '\\' {
                chars.next();
            } else if c == close {
                if chars.next_if(|(_, next)| *next == close).is_none() {
                    end = at;
                    break;
                }
                doubled = true;
            }
        }
        let inside = self.take(end);
        if !self.rest.is_empty() {
            self.take(close.len_utf8());
        }
        if doubled {
            let twice = [close, close].iter().collect::<String>();
            return Cow::Owned(inside.replace(&twice, close.encode_utf8(&mut [0; 4])));
        }
        Cow::Borrowed(inside)
    }

    /// `$tag$ ... $tag$`; a lone `$` is a mark.
    fn dollar(&mut self) -> Part<'a> {
        let tag = self.rest.find('$').and_then(|at| self.rest.get(..at));
        let Some(tag) = tag.filter(|t| t.chars().all(|c| c.is_alphanumeric() || c == '_')) else {
            return Part::Mark('$');
        };
        let close = format!("${tag}$");
        self.take(tag.len().saturating_add(1));
        let end = self.rest.find(&close).unwrap_or(self.rest.len());
        let body = self.take(end);
        self.take(close.len());
        Part::Body(body)
    }

    /// `[name]` of SQL Server; `text[]`, `int[3]` and `ARRAY['a']` are not names.
    fn bracketed(&mut self) -> Part<'a> {
        let inside = self.rest.find(']').and_then(|at| self.rest.get(..at));
        let is_name = |t: &&str| {
            t.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && t.chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-'))
        };
        match inside.filter(is_name) {
            Some(name) => {
                self.take(name.len().saturating_add(1));
                Part::Quoted(Cow::Borrowed(name))
            }
            None => Part::Mark('['),
        }
    }

    fn part(&mut self, first: char) -> Option<Part<'a>> {
        let rest_before = self.rest;
        self.take(first.len_utf8());
        Some(match first {
            '-' if self.rest.starts_with('-') => {
                self.skip_line_comment();
                return None;
            }
            '#' if self.backslash_escapes => {
                self.skip_line_comment();
                return None;
            }
            '/' if self.rest.starts_with('*') => {
                self.skip_block_comment();
                return None;
            }
            '\'' => {
                self.quoted('\'', self.backslash_escapes);
                Part::Text
            }
            '"' => Part::Quoted(self.quoted('"', false)),
            '`' => Part::Quoted(self.quoted('`', false)),
            '[' => self.bracketed(),
            '$' => self.dollar(),
            c if c.is_alphanumeric() || c == '_' => {
                let more = self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
                let length = c.len_utf8().saturating_add(more.len());
                let word = rest_before.get(..length).unwrap_or_default();
                if word.eq_ignore_ascii_case("e") && self.rest.starts_with('\'') {
                    self.take(1);
                    self.quoted('\'', true);
                    return Some(Part::Text);
                }
                Part::Word(word)
            }
            c => Part::Mark(c),
        })
    }
}

impl<'a> Iterator for SqlTokens<'a> {
    type Item = SqlToken<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.take_while(char::is_whitespace);
            let line = self.line;
            let first = self.rest.chars().next()?;
            if let Some(part) = self.part(first) {
                return Some(SqlToken { line, part });
            }
        }
    }
}

/// The marks of goose, sql-migrate and dbmate for the part that undoes a migration.
fn begins_undoing(comment: &str) -> bool {
    let words = comment.trim_start_matches('-').trim().to_ascii_lowercase();
    ["+goose down", "+migrate down", "migrate:down"]
        .iter()
        .any(|mark| words.starts_with(mark))
}

fn begins_doing(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("--") && {
        let words = line.trim_start_matches('-').trim().to_ascii_lowercase();
        ["+goose up", "+migrate up", "migrate:up"]
            .iter()
            .any(|mark| words.starts_with(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let parts = SqlTokens::new(text).map(|token| match token.part {
            Part::Word(word) => word.to_owned(),
            Part::Quoted(name) => format!("<{name}>"),
            Part::Text => "TEXT".to_owned(),
            Part::Body(body) => format!("BODY({body})"),
            Part::Mark(mark) => mark.to_string(),
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_quoting_is_read() {
        for (text, expected) in [
            ("a \"b\"\"c\" `d` [e f]", "a <b\"c> <d> <e f>"),
            ("'it''s' x", "TEXT x"),
            (r"'a\' x", "TEXT x"),
            (r"`t` 'a\'b' x", "<t> TEXT x"),
            (r"E'a\'b' x", "TEXT x"),
            (
                "text[] int[3] ARRAY['a']",
                "text [ ] int [ 3 ] ARRAY [ TEXT ]",
            ),
            ("$$ a; $$ $x$ $$ $x$ $1", "BODY( a; ) BODY( $$ ) $ 1"),
            ("a -- b\n/* c ; */ d", "a d"),
            ("'open", "TEXT"),
            ("\"open", "<open>"),
            ("a -- +goose Down\nb\n-- +goose Up\nc", "a c"),
            ("a\n-- migrate:down\nb", "a"),
            ("é ü$x", "é ü$x"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let last = SqlTokens::new("'\n\n' /*\n*/ --\n $$\n$$ x").last();
        assert_eq!(last.map(|token| token.line), Some(6));
    }
}
