//! Escapes and classes of a JavaScript regular expression: the parts that stand for a set of characters.

use super::Unparsable;
use super::char_set::CharSet;
use super::js_reader::{Part, Reader, Repeat, in_plane};

impl Reader {
    /// An escape outside a class, behind its backslash.
    pub(super) fn escape(&mut self) -> Result<Repeat, Unparsable> {
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
    pub(super) fn class(&mut self) -> Result<Part, Unparsable> {
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
