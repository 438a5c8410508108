//! Reads the structure of a JavaScript regular expression (alternatives, groups, anchors, repeats), writing as it goes.

use super::Unparsable;
use super::char_set::CharSet;
use super::js_regexp::Flags;

/// Deepest nesting of groups that is read.
const DEPTH_MAX: usize = 40;
/// Most copies of anything that nested counted repeats may ask for.
const COPIES_MAX: usize = 5_000;
/// Longest count between braces, in characters; without a bound a row of open braces would be read once for each.
const COUNT_CHARS_MAX: usize = 32;

/// Written text of a part, and how many copies its counted repeats come to.
pub(super) struct Part {
    pub(super) text: String,
    copies: usize,
}

impl Part {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            copies: 1,
        }
    }

    pub(super) fn set(set: &CharSet, flags: Flags) -> Self {
        Self::new(if flags.ignore_case {
            set.ignoring_case().write()
        } else {
            set.write()
        })
    }
}

/// What a quantifier may do with the part before it.
pub(super) enum Repeat {
    /// An atom.
    Allowed(Part),
    /// A look-ahead: repeating it says nothing new, but JavaScript lets it stand.
    Idle(Part),
    /// An anchor or a look-behind.
    Refused(Part),
}

pub(super) struct Reader {
    /// What is left to read, last character first.
    pub(super) rest: Vec<char>,
    pub(super) flags: Flags,
    names: Vec<String>,
}

impl Reader {
    pub(super) fn new(source: &str, flags: Flags) -> Self {
        Self {
            rest: source.chars().rev().collect(),
            flags,
            names: Vec::new(),
        }
    }

    /// Reads all of it, or refuses.
    pub(super) fn whole(mut self) -> Result<String, Unparsable> {
        let whole = self.disjunction(0)?;
        if self.peek().is_some() {
            return Err(Unparsable::new("unmatched `)`"));
        }
        Ok(whole.text)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.last().copied()
    }

    pub(super) fn eat(&mut self, wanted: &str) -> bool {
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

    pub(super) fn next(&mut self) -> Result<char, Unparsable> {
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

    pub(super) fn literal(&self, c: char) -> Result<Part, Unparsable> {
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

fn line_ends() -> String {
    CharSet::line_ends().write()
}

pub(super) fn in_plane(c: char) -> Result<char, Unparsable> {
    if u32::from(c) > 0xFFFF {
        return Err(Unparsable::new(
            "a character outside the basic plane is not modelled",
        ));
    }
    Ok(c)
}
