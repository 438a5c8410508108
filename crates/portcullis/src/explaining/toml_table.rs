//! `TomlTable`: reads a table of a TOML file key by key; what is wrong is collected with its line.

use std::ops::Range;

use portcullis_policy::{bounds, closest};
use portcullis_report::harmless_line;
use toml_edit::{Item, TableLike, Value};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// How many faults of one file are told.
const FAULTS_MAX: usize = 100;

/// The longest piece of a file that a message repeats, in characters.
const QUOTED_MAX: usize = 80;

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) struct TomlFaults {
    line_starts: Vec<usize>,
    faults: Vec<(usize, String)>,
    left_out: usize,
}

impl TomlFaults {
    pub(crate) fn of(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self {
            line_starts: std::iter::once(0).chain(breaks).collect(),
            faults: Vec::new(),
            left_out: 0,
        }
    }

    /// The line of a place, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    pub(crate) fn add(&mut self, span: &Range<usize>, message: impl Into<String>) {
        if self.faults.len() == FAULTS_MAX {
            self.left_out += 1;
            return;
        }
        self.faults.push((self.line(span.start), message.into()));
    }

    /// One line for each, by place, in the file with this name; nothing where nothing is wrong.
    pub(crate) fn told(mut self, name: &str) -> Option<String> {
        if self.faults.is_empty() {
            return None;
        }
        self.faults.sort();
        let mut lines: Vec<String> = self
            .faults
            .iter()
            .map(|(line, message)| format!("{name}:{line}: {message}"))
            .collect();
        if self.left_out > 0 {
            lines.push(format!("and {} more", self.left_out));
        }
        Some(lines.join("\n"))
    }
}

/// The first place that nests deeper than a policy may. The parser would recurse for it.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    let (mut brackets, mut dots) = (0_usize, 0_usize);
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
        if brackets > bounds::DEPTH_MAX || dots > bounds::DEPTH_MAX {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

/// A piece of the file, as a message may repeat it.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_MAX).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", harmless_line(&short))
}

/// A table that is read.
pub(crate) struct TomlTable<'r> {
    table: &'r dyn TableLike,
    span: Range<usize>,
    noun: &'static str,
    known: Vec<&'static str>,
}

impl<'r> TomlTable<'r> {
    /// `span` is where the table is announced, `noun` what messages call it.
    pub(crate) fn new(table: &'r dyn TableLike, span: Range<usize>, noun: &'static str) -> Self {
        Self {
            table,
            span,
            noun,
            known: Vec::new(),
        }
    }

    /// Where the table is announced.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Whether a key is there, of whatever kind.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|item| !item.is_none())
    }

    /// A key's value and where it is.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<(&'r Item, Range<usize>)> {
        self.known.push(key);
        let item = self.table.get(key).filter(|item| !item.is_none())?;
        let key = self.table.key(key).and_then(toml_edit::Key::span);
        let span = item.span().or(key).unwrap_or_else(|| self.span());
        Some((item, span))
    }

    /// A string.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        faults: &mut TomlFaults,
    ) -> Option<(&'r str, Range<usize>)> {
        let (item, span) = self.get(key)?;
        let Some(text) = item.as_str() else {
            faults.add(&span, format!("`{key}` is a string"));
            return None;
        };
        Some((text, span))
    }

    /// A whole number within bounds.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        within: Range<u32>,
        faults: &mut TomlFaults,
    ) -> Option<u32> {
        let (item, span) = self.get(key)?;
        let number = item.as_integer().and_then(|one| u32::try_from(one).ok());
        let number = number.filter(|number| within.contains(number));
        if number.is_none() {
            let (from, to) = (within.start, within.end - 1);
            faults.add(
                &span,
                format!("`{key}` is a whole number from {from} to {to}"),
            );
        }
        number
    }

    /// Refuses the keys that nobody asked for.
    pub(crate) fn finish(self, faults: &mut TomlFaults) {
        for (key, item) in self.table.iter() {
            if self.known.contains(&key) {
                continue;
            }
            let span = self.table.key(key).and_then(toml_edit::Key::span);
            let span = span.or_else(|| item.span()).unwrap_or_else(|| self.span());
            let absent = self
                .known
                .iter()
                .copied()
                .filter(|one| !self.table.contains_key(one));
            let (noun, shown) = (self.noun, quoted(key));
            let hint = match closest(key, absent) {
                Some(near) => format!(" (did you mean `{near}`?)"),
                None => format!(": use {}", listed(&self.known)),
            };
            faults.add(&span, format!("unknown key {shown} of {noun}{hint}"));
        }
    }
}

/// The strings of a value that is one, or a list of some.
pub(crate) fn strings(item: &Item) -> Option<Vec<String>> {
    if let Some(one) = item.as_str() {
        return Some(vec![one.to_owned()]);
    }
    item.as_array()?
        .iter()
        .map(|value| Value::as_str(value).map(str::to_owned))
        .collect()
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
