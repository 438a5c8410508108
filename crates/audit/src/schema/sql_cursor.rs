//! `Cursor`: walks over the tokens of one SQL statement.

use std::sync::Arc;

use super::sql_token::{Part, SqlToken};

/// What is left of a statement, or of one item of a list in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'t, 'a> {
    pub(crate) rest: &'t [SqlToken<'a>],
    pub(crate) file: &'t Arc<str>,
}

/// The keyword or bare name that a token is.
pub(crate) fn word<'a>(token: &SqlToken<'a>) -> Option<&'a str> {
    match token.part {
        Part::Word(word) => Some(word),
        Part::Quoted(_) | Part::Text | Part::Body(_) | Part::Mark(_) => None,
    }
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// The line of the next token.
    pub(crate) fn line(&self) -> u32 {
        self.rest.first().map_or(1, |token| token.line)
    }

    /// Whether the next token is this keyword.
    pub(crate) fn sees(&self, keyword: &str) -> bool {
        self.rest
            .first()
            .and_then(word)
            .is_some_and(|w| w.eq_ignore_ascii_case(keyword))
    }

    /// Whether the next token is one of these keywords.
    pub(crate) fn sees_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.sees(keyword))
    }

    pub(crate) fn eat(&mut self, keyword: &str) -> bool {
        let seen = self.sees(keyword);
        if seen {
            self.advance();
        }
        seen
    }

    /// Eats these keywords if all of them come next, else nothing.
    pub(crate) fn eat_all(&mut self, keywords: &[&str]) -> bool {
        let mut ahead = *self;
        let all = keywords.iter().all(|keyword| ahead.eat(keyword));
        if all {
            *self = ahead;
        }
        all
    }

    pub(crate) fn eat_mark(&mut self, mark: char) -> bool {
        let seen = self.sees_mark(mark);
        if seen {
            self.advance();
        }
        seen
    }

    pub(crate) fn sees_mark(&self, mark: char) -> bool {
        self.rest
            .first()
            .is_some_and(|token| token.part == Part::Mark(mark))
    }

    /// Goes past one token, or past everything up to the closing parenthesis.
    pub(crate) fn skip(&mut self) {
        if self.sees_mark('(') {
            self.list();
        } else {
            self.advance();
        }
    }

    /// A name, quoted or bare.
    pub(crate) fn name(&mut self) -> Option<String> {
        let name = match &self.rest.first()?.part {
            Part::Word(word) => (*word).to_owned(),
            Part::Quoted(name) => name.clone().into_owned(),
            Part::Text | Part::Body(_) | Part::Mark(_) => return None,
        };
        self.advance();
        Some(name)
    }

    /// A name with what stands before it: `public.users` is `users`, `auth.users` stays.
    pub(crate) fn table_name(&mut self) -> Option<String> {
        let mut name = self.name()?;
        while self.eat_mark('.') {
            let last = self.name()?;
            let usual = ["public", "dbo", "main"]
                .iter()
                .any(|s| name.eq_ignore_ascii_case(s));
            name = if usual {
                last
            } else {
                format!("{name}.{last}")
            };
        }
        Some(name)
    }

    /// The items of the parenthesized list that comes next.
    pub(crate) fn list(&mut self) -> Vec<Self> {
        if !self.eat_mark('(') {
            return Vec::new();
        }
        let mut depth = 1_u32;
        let end = self.rest.iter().position(|token| {
            match token.part {
                Part::Mark('(') => depth = depth.saturating_add(1),
                Part::Mark(')') => depth = depth.saturating_sub(1),
                Part::Word(_) | Part::Quoted(_) | Part::Text | Part::Body(_) | Part::Mark(_) => {}
            }
            depth == 0
        });
        let end = end.unwrap_or(self.rest.len());
        let (inside, after) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = after.get(1..).unwrap_or_default();
        Self {
            rest: inside,
            file: self.file,
        }
        .items()
    }

    /// What is left, cut at its commas.
    pub(crate) fn items(self) -> Vec<Self> {
        let mut depth = 0_u32;
        let parts = self.rest.split(|token| {
            match token.part {
                Part::Mark('(') => depth = depth.saturating_add(1),
                Part::Mark(')') => depth = depth.saturating_sub(1),
                Part::Word(_) | Part::Quoted(_) | Part::Text | Part::Body(_) | Part::Mark(_) => {}
            }
            depth == 0 && token.part == Part::Mark(',')
        });
        parts
            .filter(|part| !part.is_empty())
            .map(|rest| Self {
                rest,
                file: self.file,
            })
            .collect()
    }

    /// The columns of a parenthesized list, those in a function call or with a length too.
    pub(crate) fn names_in_parentheses(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for mut item in self.list() {
            let outer = item.name();
            let inner = item.list().first_mut().and_then(Self::column_name);
            names.extend(inner.or(outer));
        }
        names
    }

    fn column_name(&mut self) -> Option<String> {
        let is_number = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
        self.name().filter(|name| !is_number(name))
    }

    /// Whether this is only `true`, in however many parentheses.
    pub(crate) fn is_true(&self) -> bool {
        let inside: Vec<&SqlToken<'a>> = self
            .rest
            .iter()
            .filter(|t| !matches!(t.part, Part::Mark('(' | ')')))
            .collect();
        matches!(inside.as_slice(), [only] if word(only).is_some_and(|w| w.eq_ignore_ascii_case("true")))
    }

    fn advance(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }
}
