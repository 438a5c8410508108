//! Reads Prisma schemas, over any number of files, however broken they are.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{Column, Kind, Relation, Source, Table};

/// Every model and view; a type may be declared in another file than the model that uses it.
pub(crate) fn read(files: &[(Arc<str>, Arc<str>)]) -> Vec<Table> {
    let blocks: Vec<Block> = files
        .iter()
        .flat_map(|(file, text)| Block::all(file, text))
        .collect();
    let of = |keywords: &[&str]| -> FxHashSet<&str> {
        let named = blocks
            .iter()
            .filter(|b| keywords.contains(&b.keyword.as_str()));
        named.map(|b| b.name.as_str()).collect()
    };
    let types = Types {
        models: of(&["model", "view"]),
        enums: of(&["enum"]),
        parts: of(&["type"]),
    };
    let models = blocks
        .iter()
        .filter(|b| matches!(b.keyword.as_str(), "model" | "view"));
    models.map(|block| block.table(&types)).collect()
}

struct Types<'a> {
    models: FxHashSet<&'a str>,
    enums: FxHashSet<&'a str>,
    parts: FxHashSet<&'a str>,
}

/// `model User { ... }`, its lines as tokens.
struct Block {
    keyword: String,
    name: String,
    file: Arc<str>,
    line: u32,
    lines: Vec<(u32, Vec<Token>)>,
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
    LineEnd,
}

impl Block {
    fn all(file: &Arc<str>, text: &str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut tokens = Lexer::new(text).peekable();
        while let Some((line, token)) = tokens.next() {
            let Token::Word(keyword) = token else {
                continue;
            };
            let Some((_, Token::Word(name))) = tokens.next_if(|(_, t)| matches!(t, Token::Word(_)))
            else {
                continue;
            };
            if tokens.next_if(|(_, t)| *t == Token::Mark('{')).is_some() {
                let lines = Self::lines(&mut tokens);
                blocks.push(Self {
                    keyword,
                    name,
                    file: Arc::clone(file),
                    line,
                    lines,
                });
            }
        }
        blocks
    }

    /// The lines up to `}`. Only brackets carry a line over its end, and `}` always closes the block, so that a
    /// bracket left open does not swallow the models after it.
    fn lines(tokens: &mut Peekable<Lexer<'_>>) -> Vec<(u32, Vec<Token>)> {
        let mut lines = Vec::new();
        let mut current = Vec::new();
        let mut started = 0;
        let mut depth = 0_u32;
        for (line, token) in tokens {
            match token {
                Token::Mark('}') => break,
                Token::LineEnd if depth == 0 => {
                    if !current.is_empty() {
                        lines.push((started, std::mem::take(&mut current)));
                    }
                    continue;
                }
                Token::LineEnd => continue,
                Token::Mark('(' | '[') => depth = depth.saturating_add(1),
                Token::Mark(')' | ']') => depth = depth.saturating_sub(1),
                Token::Word(_) | Token::Text(_) | Token::Mark(_) => {}
            }
            if current.is_empty() {
                started = line;
            }
            current.push(token);
        }
        if !current.is_empty() {
            lines.push((started, current));
        }
        lines
    }

    fn table(&self, types: &Types<'_>) -> Table {
        let mut table = Table::new(self.name.clone(), Source::Prisma, &self.file, self.line);
        for (line, tokens) in &self.lines {
            if let [Token::Mark('@'), Token::Mark('@'), ..] = tokens.as_slice() {
                continue;
            }
            self.field(*line, tokens, types, &mut table);
        }
        for (_, tokens) in &self.lines {
            if let [Token::Mark('@'), Token::Mark('@'), rest @ ..] = tokens.as_slice() {
                block_attribute(rest, &mut table);
            }
        }
        table
    }

    fn field(&self, line: u32, tokens: &[Token], types: &Types<'_>, table: &mut Table) {
        let [Token::Word(name), Token::Word(kind), rest @ ..] = tokens else {
            return;
        };
        let many = matches!(rest, [Token::Mark('['), ..]);
        if types.models.contains(kind.as_str()) {
            let columns = attribute(rest, "relation").map(|a| list_after(a, Some("fields")));
            table.relations.push(Relation {
                name: name.clone(),
                target: kind.clone(),
                columns: columns.unwrap_or_default(),
                many,
            });
            return;
        }
        let mut column = Column::new(name.clone(), types.kind(kind), &self.file, line);
        column.id = attribute(rest, "id").is_some();
        column.unique = column.id || attribute(rest, "unique").is_some();
        column.stored = attribute(rest, "map").and_then(first_text);
        table.columns.push(column);
    }
}

impl Types<'_> {
    fn kind(&self, name: &str) -> Kind {
        match name {
            "String" => Kind::Text,
            "Int" | "BigInt" | "Float" | "Decimal" => Kind::Number,
            "Boolean" => Kind::Boolean,
            "DateTime" => Kind::Time,
            "Json" => Kind::Json,
            "Bytes" => Kind::Binary,
            _ if self.enums.contains(name) => Kind::Enum,
            _ if self.parts.contains(name) => Kind::Json,
            _ => Kind::Other,
        }
    }
}

fn block_attribute(tokens: &[Token], table: &mut Table) {
    let [Token::Word(name), rest @ ..] = tokens else {
        return;
    };
    match name.as_str() {
        "map" => table.aliases.extend(first_text(rest)),
        "id" => {
            let columns = list_after(rest, None);
            let alone = columns.len() == 1;
            for column in &columns {
                if let Some(column) = table.column_mut(column) {
                    column.id = true;
                    column.unique |= alone;
                }
            }
        }
        "unique" => {
            if let [only] = list_after(rest, None).as_slice()
                && let Some(column) = table.column_mut(only)
            {
                column.unique = true;
            }
        }
        _ => {}
    }
}

/// What follows `@name`, up to the next attribute.
fn attribute<'t>(tokens: &'t [Token], name: &str) -> Option<&'t [Token]> {
    let mut rest = tokens;
    let mut depth = 0_u32;
    while let [token, tail @ ..] = rest {
        match token {
            Token::Mark('(') => depth = depth.saturating_add(1),
            Token::Mark(')') => depth = depth.saturating_sub(1),
            Token::Mark('@') if depth == 0 => {
                if let [Token::Word(word), arguments @ ..] = tail
                    && word == name
                {
                    let end = arguments.iter().position(|t| *t == Token::Mark('@'));
                    return end.map_or(Some(arguments), |end| arguments.get(..end));
                }
            }
            Token::Mark(_) | Token::Word(_) | Token::Text(_) | Token::LineEnd => {}
        }
        rest = tail;
    }
    None
}

fn first_text(tokens: &[Token]) -> Option<String> {
    tokens.iter().find_map(|token| match token {
        Token::Text(text) => Some(text.clone()),
        Token::Word(_) | Token::Mark(_) | Token::LineEnd => None,
    })
}

/// The names in the list that follows `label:`, or in the first list. A name may have arguments: `slug(sort: Desc)`.
fn list_after(tokens: &[Token], label: Option<&str>) -> Vec<String> {
    let is_label = |t: &Token| matches!((t, label), (Token::Word(w), Some(l)) if w == l);
    let from_label = tokens
        .iter()
        .skip_while(|t| label.is_some() && !is_label(t));
    let list = from_label.skip_while(|t| **t != Token::Mark('[')).skip(1);
    let mut names = Vec::new();
    let mut depth = 0_u32;
    for token in list {
        match token {
            Token::Mark(']') => break,
            Token::Mark('(') => depth = depth.saturating_add(1),
            Token::Mark(')') => depth = depth.saturating_sub(1),
            Token::Word(name) if depth == 0 => names.push(name.clone()),
            Token::Word(_) | Token::Text(_) | Token::Mark(_) | Token::LineEnd => {}
        }
    }
    names
}

/// Tokens with their lines; comments and spaces are gone, a string ends at the end of its line at the latest.
struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    line: u32,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            chars: text.chars().peekable(),
            line: 1,
        }
    }

    fn skip_comment(&mut self) {
        if self.chars.next_if_eq(&'*').is_some() {
            let mut before = ' ';
            for c in self.chars.by_ref() {
                self.line = self.line.saturating_add(u32::from(c == '\n'));
                if before == '*' && c == '/' {
                    break;
                }
                before = c;
            }
        } else if self.chars.next_if_eq(&'/').is_some() {
            while self.chars.next_if(|c| *c != '\n').is_some() {}
        }
    }

    fn text(&mut self) -> Token {
        let mut text = String::new();
        while let Some(c) = self.chars.next_if(|c| *c != '\n') {
            match c {
                '"' => break,
                '\\' => text.extend(self.chars.next_if(|c| *c != '\n')),
                _ => text.push(c),
            }
        }
        Token::Text(text)
    }

    fn word(&mut self, first: char) -> Token {
        let mut word = String::from(first);
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
        Token::Word(word)
    }
}

impl Iterator for Lexer<'_> {
    type Item = (u32, Token);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line;
            match self.chars.next()? {
                '\n' => {
                    self.line = self.line.saturating_add(1);
                    return Some((line, Token::LineEnd));
                }
                '/' => self.skip_comment(),
                '"' => return Some((line, self.text())),
                c if c.is_alphanumeric() || c == '_' => return Some((line, self.word(c))),
                c if c.is_whitespace() => {}
                c => return Some((line, Token::Mark(c))),
            }
        }
    }
}
