//! Reads a JavaScript regular expression and writes the same language for a Rust engine.
//!
//! Only whether it matches is asked, never what was captured, so every group is written without a capture and a
//! back-reference makes the expression unparsable. Characters are written as sets of numbers: what `.`, `\s`, `\w` and
//! the flag `i` mean is decided here, by ECMA-262, and not by the engine.

use super::char_set::CharSet;
use super::{Match, PATH_BYTES_MAX, Unparsable};

/// Deepest nesting of groups that is read.
const DEPTH_MAX: usize = 40;
/// Most copies of anything that nested counted repeats may ask for.
const COPIES_MAX: usize = 5_000;
/// Longest count between braces, in characters; without a bound a row of open braces would be read once for each.
const COUNT_CHARS_MAX: usize = 32;
/// Longest source that is read, in bytes; generated sources are longer than the patterns they come from.
const SOURCE_BYTES_MAX: usize = 32 * 1024;
/// Steps back after which a search is given up.
const BACKTRACK_MAX: usize = 200_000;
/// Memory that one compiled part may take, in bytes.
const PROGRAM_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The flags of a regular expression literal that are modelled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    ignore_case: bool,
    multiline: bool,
    dot_all: bool,
}

impl Flags {
    pub(super) fn ignore_case() -> Self {
        Self {
            ignore_case: true,
            ..Self::default()
        }
    }

    pub(super) fn parse(flags: &str) -> Result<Self, Unparsable> {
        let mut parsed = Self::default();
        let mut seen = Vec::new();
        for flag in flags.chars() {
            if seen.contains(&flag) {
                return Err(Unparsable::new(format!(
                    "the flag `{flag}` stands there twice"
                )));
            }
            seen.push(flag);
            match flag {
                'i' => parsed.ignore_case = true,
                'm' => parsed.multiline = true,
                's' => parsed.dot_all = true,
                'd' => {}
                'g' | 'y' => {
                    return Err(Unparsable::new(format!(
                        "the flag `{flag}` keeps state between two tests"
                    )));
                }
                _ => {
                    return Err(Unparsable::new(format!(
                        "the flag `{flag}` is not modelled"
                    )));
                }
            }
        }
        Ok(parsed)
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) struct JsRegExp {
    regex: fancy_regex::Regex,
}

impl JsRegExp {
    pub(super) fn compile(source: &str, flags: Flags) -> Result<Self, Unparsable> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(Unparsable::new(format!(
                "its expression is longer than {SOURCE_BYTES_MAX} bytes"
            )));
        }
        let mut reader = Reader {
            rest: source.chars().collect(),
            flags,
            names: Vec::new(),
        };
        reader.rest.reverse();
        let whole = reader.disjunction(0)?;
        if reader.peek().is_some() {
            return Err(Unparsable::new("unmatched `)`"));
        }
        let regex = fancy_regex::RegexBuilder::new(&whole.text)
            .backtrack_limit(BACKTRACK_MAX)
            .delegate_size_limit(PROGRAM_BYTES_MAX)
            .max_prog_size(PROGRAM_BYTES_MAX)
            .build()
            .map_err(|error| Unparsable::new(format!("the engine refuses it: {error}")))?;
        Ok(Self { regex })
    }

    pub(super) fn is_match(&self, text: &str) -> Match {
        // Outside the basic plane JavaScript sees two units where Rust sees one character.
        if text.len() > PATH_BYTES_MAX || text.chars().any(|c| u32::from(c) > 0xFFFF) {
            return Match::Unknown;
        }
        match self.regex.is_match(text) {
            Ok(true) => Match::Yes,
            Ok(false) => Match::No,
            Err(_) => Match::Unknown,
        }
    }
}

/// Written text of a part, and how many copies its counted repeats come to.
struct Part {
    text: String,
    copies: usize,
}

impl Part {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            copies: 1,
        }
    }

    fn set(set: &CharSet, flags: Flags) -> Self {
        Self::new(if flags.ignore_case {
            set.ignoring_case().write()
        } else {
            set.write()
        })
    }
}

/// What a quantifier may do with the part before it.
enum Repeat {
    /// An atom.
    Allowed(Part),
    /// A look-ahead: repeating it says nothing new, but JavaScript lets it stand.
    Idle(Part),
    /// An anchor or a look-behind.
    Refused(Part),
}

struct Reader {
    /// What is left to read, last character first.
    rest: Vec<char>,
    flags: Flags,
    names: Vec<String>,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.rest.last().copied()
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self
            .rest
            .iter()
            .rev()
            .copied()
            .take(wanted.chars().count())
            .eq(wanted.chars());
        if found {
            self.rest.truncate(self.rest.len() - wanted.chars().count());
        }
        found
    }

    fn next(&mut self) -> Result<char, Unparsable> {
        self.rest
            .pop()
            .ok_or_else(|| Unparsable::new("it ends too early"))
    }

    fn disjunction(&mut self, depth: usize) -> Result<Part, Unparsable> {
        if depth > DEPTH_MAX {
            return Err(Unparsable::new(format!(
                "groups nest deeper than {DEPTH_MAX}"
            )));
        }
        let mut whole = Part {
            text: String::new(),
            copies: 0,
        };
        loop {
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.next()?;
                    whole.text.push('|');
                }
                Some(_) => {
                    let term = self.term(depth)?;
                    whole.text.push_str(&term.text);
                    whole.copies = whole.copies.saturating_add(term.copies);
                }
            }
        }
        Ok(whole)
    }

    fn term(&mut self, depth: usize) -> Result<Part, Unparsable> {
        let repeat = self.atom(depth)?;
        let Some(Quantifier { least, most, lazy }) = self.quantifier()? else {
            return Ok(match repeat {
                Repeat::Allowed(part) | Repeat::Idle(part) | Repeat::Refused(part) => part,
            });
        };
        match repeat {
            Repeat::Refused(_) => Err(Unparsable::new("nothing to repeat")),
            Repeat::Idle(_) if least == 0 => Ok(Part::new("(?:)")),
            Repeat::Idle(part) => Ok(part),
            Repeat::Allowed(part) => {
                let times = most.unwrap_or(least).max(1);
                let copies = part.copies.max(1).saturating_mul(times);
                if copies > COPIES_MAX {
                    return Err(Unparsable::new(format!(
                        "its repeats come to more than {COPIES_MAX} copies"
                    )));
                }
                let count = match (least, most) {
                    (0, None) => "*".to_owned(),
                    (1, None) => "+".to_owned(),
                    (0, Some(1)) => "?".to_owned(),
                    (least, None) => format!("{{{least},}}"),
                    (least, Some(most)) => format!("{{{least},{most}}}"),
                };
                Ok(Part {
                    text: format!("{}{count}{}", part.text, if lazy { "?" } else { "" }),
                    copies,
                })
            }
        }
    }

    fn atom(&mut self, depth: usize) -> Result<Repeat, Unparsable> {
        let c = self.next()?;
        Ok(match c {
            '^' if self.flags.multiline => {
                Repeat::Refused(Part::new(format!("(?:\\A|(?<={}))", line_ends())))
            }
            '^' => Repeat::Refused(Part::new("\\A")),
            '$' if self.flags.multiline => {
                Repeat::Refused(Part::new(format!("(?:\\z|(?={}))", line_ends())))
            }
            '$' => Repeat::Refused(Part::new("\\z")),
            '(' => self.group(depth)?,
            '.' if self.flags.dot_all => Repeat::Allowed(Part::new(CharSet::all().write())),
            '.' => Repeat::Allowed(Part::new(CharSet::line_ends().complement().write())),
            '[' => Repeat::Allowed(self.class()?),
            '\\' => self.escape()?,
            '*' | '+' | '?' => return Err(Unparsable::new("nothing to repeat")),
            '{' => {
                // Annex B: a brace that opens no count is itself.
                self.rest.push('{');
                if self.quantifier()?.is_some() {
                    return Err(Unparsable::new("nothing to repeat"));
                }
                self.next()?;
                Repeat::Allowed(self.literal('{')?)
            }
            _ => Repeat::Allowed(self.literal(c)?),
        })
    }

    fn literal(&self, c: char) -> Result<Part, Unparsable> {
        Ok(Part::set(&CharSet::one(in_plane(c)?), self.flags))
    }

    fn group(&mut self, depth: usize) -> Result<Repeat, Unparsable> {
        let opening = if self.eat("?:") {
            "(?:"
        } else if self.eat("?=") {
            "(?="
        } else if self.eat("?!") {
            "(?!"
        } else if self.eat("?<=") {
            "(?<="
        } else if self.eat("?<!") {
            "(?<!"
        } else if self.eat("?<") {
            self.group_name()?;
            "(?:"
        } else if self.peek() == Some('?') {
            return Err(Unparsable::new(
                "a group opens with `(?` and something unknown",
            ));
        } else {
            "(?:"
        };
        let inside = self.disjunction(depth + 1)?;
        if !self.eat(")") {
            return Err(Unparsable::new("unterminated group"));
        }
        let part = Part {
            text: format!("{opening}{})", inside.text),
            copies: inside.copies,
        };
        Ok(match opening {
            "(?:" => Repeat::Allowed(part),
            "(?=" | "(?!" => Repeat::Idle(part),
            _ => Repeat::Refused(part),
        })
    }

    fn group_name(&mut self) -> Result<(), Unparsable> {
        let mut name = String::new();
        loop {
            match self.next()? {
                '>' => break,
                c if c.is_ascii_alphabetic()
                    || c == '_'
                    || c == '$'
                    || (c.is_ascii_digit() && !name.is_empty()) =>
                {
                    name.push(c);
                }
                _ => return Err(Unparsable::new("the name of a group is not plain ASCII")),
            }
        }
        if name.is_empty() || self.names.contains(&name) {
            return Err(Unparsable::new(
                "the name of a group is missing or used twice",
            ));
        }
        self.names.push(name);
        Ok(())
    }

    fn escape(&mut self) -> Result<Repeat, Unparsable> {
        let Some(c) = self.peek() else {
            return Err(Unparsable::new("`\\` at the end"));
        };
        let inside = CharSet::word().write();
        match c {
            'b' | 'B' => {
                self.next()?;
                Ok(Repeat::Refused(Part::new(if c == 'b' {
                    format!("(?:(?<={inside})(?!{inside})|(?<!{inside})(?={inside}))")
                } else {
                    format!("(?:(?<={inside})(?={inside})|(?<!{inside})(?!{inside}))")
                })))
            }
            '1'..='9' => Err(Unparsable::new("a back-reference is not modelled")),
            'k' => Err(Unparsable::new("a named back-reference is not modelled")),
            _ => Ok(Repeat::Allowed(match self.character_set()? {
                Some(set) => Part::set(&set, self.flags),
                None => {
                    let unit = self.character_escape()?;
                    self.literal(unit)?
                }
            })),
        }
    }

    /// `\d` and its kin, behind the backslash.
    fn character_set(&mut self) -> Result<Option<CharSet>, Unparsable> {
        let Some(c) = self.peek() else {
            return Ok(None);
        };
        let set = match c.to_ascii_lowercase() {
            'd' => CharSet::digits(),
            'w' => CharSet::word(),
            's' => CharSet::space(),
            _ => return Ok(None),
        };
        self.next()?;
        Ok(Some(if c.is_ascii_uppercase() {
            set.complement()
        } else {
            set
        }))
    }

    /// One escaped character, behind the backslash.
    fn character_escape(&mut self) -> Result<char, Unparsable> {
        let c = self.next()?;
        Ok(match c {
            't' => '\t',
            'n' => '\n',
            'v' => '\u{B}',
            'f' => '\u{C}',
            'r' => '\r',
            '0'..='9' if c != '0' || self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                return Err(Unparsable::new("an octal escape is not modelled"));
            }
            '0' => '\0',
            'x' => self.hex(2)?.unwrap_or('x'),
            'u' => self.hex(4)?.unwrap_or('u'),
            'c' => match self.peek() {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.next()?;
                    char::from_u32(u32::from(letter) % 32).unwrap_or('\0')
                }
                _ => return Err(Unparsable::new("`\\c` without a letter is not modelled")),
            },
            _ => c,
        })
    }

    /// Exactly `digits` hexadecimal digits, or none of them.
    fn hex(&mut self, digits: usize) -> Result<Option<char>, Unparsable> {
        let text: String = self.rest.iter().rev().take(digits).collect();
        if text.chars().count() < digits || !text.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(None);
        }
        self.eat(&text);
        let value = u32::from_str_radix(&text, 16).ok();
        value
            .and_then(char::from_u32)
            .map(Some)
            .ok_or_else(|| Unparsable::new("a lone surrogate is not modelled"))
    }

    /// A class, behind its `[`.
    fn class(&mut self) -> Result<Part, Unparsable> {
        let negated = self.eat("^");
        let mut set = CharSet::default();
        loop {
            if self.eat("]") {
                break;
            }
            let first = self.class_atom()?;
            let ranged = self.peek() == Some('-')
                && self.rest.iter().rev().nth(1).is_some_and(|&c| c != ']');
            if !ranged {
                set.add(&first.set());
                continue;
            }
            self.next()?;
            let last = self.class_atom()?;
            match (first, last) {
                (ClassAtom::Unit(first), ClassAtom::Unit(last)) if first > last => {
                    return Err(Unparsable::new("a range in a class is out of order"));
                }
                (ClassAtom::Unit(first), ClassAtom::Unit(last)) => {
                    set.add(&CharSet::of(&[(u32::from(first), u32::from(last))]));
                }
                // Annex B: next to a set the dash is itself.
                (first, last) => {
                    set.add(&first.set());
                    set.add(&CharSet::one('-'));
                    set.add(&last.set());
                }
            }
        }
        if self.flags.ignore_case {
            set = set.ignoring_case();
        }
        Ok(Part::new(if negated {
            set.complement().write()
        } else {
            set.write()
        }))
    }

    fn class_atom(&mut self) -> Result<ClassAtom, Unparsable> {
        let Ok(c) = self.next() else {
            return Err(Unparsable::new("unterminated class"));
        };
        if c != '\\' {
            return Ok(ClassAtom::Unit(in_plane(c)?));
        }
        if let Some(set) = self.character_set()? {
            return Ok(ClassAtom::Set(set));
        }
        if self.eat("b") {
            return Ok(ClassAtom::Unit('\u{8}'));
        }
        Ok(ClassAtom::Unit(in_plane(self.character_escape()?)?))
    }

    fn quantifier(&mut self) -> Result<Option<Quantifier>, Unparsable> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.counted(),
            _ => return Ok(None),
        };
        self.next()?;
        Ok(Some(Quantifier {
            least,
            most,
            lazy: self.eat("?"),
        }))
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else that begins with a brace is left where it is.
    fn counted(&mut self) -> Result<Option<Quantifier>, Unparsable> {
        let inside: String = self
            .rest
            .iter()
            .rev()
            .skip(1)
            .take(COUNT_CHARS_MAX)
            .take_while(|&&c| c != '}')
            .collect();
        let closed = self.rest.iter().rev().nth(inside.chars().count() + 1) == Some(&'}');
        let (least, most) = match inside.split_once(',') {
            None => (inside.as_str(), Some(inside.as_str())),
            Some((least, "")) => (least, None),
            Some((least, most)) => (least, Some(most)),
        };
        let is_count =
            |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        if !closed || !is_count(least) || !most.is_none_or(is_count) {
            return Ok(None);
        }
        let count = |text: &str| match text.parse::<usize>() {
            Ok(count) if count <= COPIES_MAX => Ok(count),
            _ => Err(Unparsable::new(format!(
                "a repeat of more than {COPIES_MAX}"
            ))),
        };
        let (least, most) = (count(least)?, most.map(count).transpose()?);
        if most.is_some_and(|most| most < least) {
            return Err(Unparsable::new("numbers out of order in a repeat"));
        }
        self.eat(&format!("{{{inside}}}"));
        Ok(Some(Quantifier {
            least,
            most,
            lazy: self.eat("?"),
        }))
    }
}

struct Quantifier {
    least: usize,
    most: Option<usize>,
    lazy: bool,
}

enum ClassAtom {
    Unit(char),
    Set(CharSet),
}

impl ClassAtom {
    fn set(&self) -> CharSet {
        match self {
            Self::Unit(unit) => CharSet::one(*unit),
            Self::Set(set) => set.clone(),
        }
    }
}

fn line_ends() -> String {
    CharSet::line_ends().write()
}

fn in_plane(c: char) -> Result<char, Unparsable> {
    if u32::from(c) > 0xFFFF {
        return Err(Unparsable::new(
            "a character outside the basic plane is not modelled",
        ));
    }
    Ok(c)
}
