//! `Symbol`: the access path from an import to the value that a row describes.

use std::fmt;
use std::sync::Arc;

/// One step of a path as code walks it: `new Stripe(key).webhooks.constructEvent(...)` is a call, two members, a call.
///
/// Awaiting is no step, and constructing is a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Segment<'a> {
    /// `.name`, also `["name"]` and a destructured `{ name }`.
    Member(&'a str),
    /// `(...)`, `new ...(...)`, or a tagged template.
    Call,
    /// An element by position or by a computed key.
    Index,
}

/// One step of a [`Symbol`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Exactly this member.
    Name(Box<str>),
    /// `*`: one member of any name, or one element by computed key.
    AnyName,
    /// `()`.
    Call,
    /// `[]`.
    Index,
    /// `**`: any number of steps, also none.
    Run,
}

/// An access path from an import, as rows write it: `auth.protect()`, `PrismaClient().*.update()`, `**.parse()`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Symbol {
    steps: Arc<[Step]>,
}

/// Why a text is no symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a symbol path: {why}")]
pub struct SymbolError {
    text: String,
    why: &'static str,
}

impl Symbol {
    /// Reads a path, the empty one being the import itself; refuses empty names and anything but `()` and `[]` after a name.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let refuse = |why| SymbolError {
            text: text.to_owned(),
            why,
        };
        let mut steps = Vec::new();
        if text.is_empty() {
            return Ok(Self {
                steps: Arc::default(),
            });
        }
        for (position, piece) in text.split('.').enumerate() {
            let name_ends = piece.find(['(', '[']).unwrap_or(piece.len());
            let (name, mut suffix) = piece.split_at_checked(name_ends).unwrap_or((piece, ""));
            match name {
                "" if position == 0 && !suffix.is_empty() => {}
                "" => return Err(refuse("a name is missing")),
                "*" => steps.push(Step::AnyName),
                "**" if suffix.is_empty() => steps.push(Step::Run),
                _ if name.contains(['*', ')', ']', ' ']) => {
                    return Err(refuse("a name has a sign that is no part of names"));
                }
                _ => steps.push(Step::Name(name.into())),
            }
            while !suffix.is_empty() {
                if let Some(rest) = suffix.strip_prefix("()") {
                    steps.push(Step::Call);
                    suffix = rest;
                } else if let Some(rest) = suffix.strip_prefix("[]") {
                    steps.push(Step::Index);
                    suffix = rest;
                } else {
                    return Err(refuse("only `()` and `[]` may follow a name"));
                }
            }
        }
        Ok(Self {
            steps: steps.into(),
        })
    }

    /// The steps, first one first.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the symbol describes a call, not the value itself.
    #[must_use]
    pub fn is_call(&self) -> bool {
        self.steps.last() == Some(&Step::Call)
    }

    /// The last name, which a path must end in to match; none where the end is a wildcard or the import itself.
    pub(super) fn last_name(&self) -> Option<&str> {
        match self
            .steps
            .iter()
            .rev()
            .find(|step| !matches!(step, Step::Call | Step::Index))
        {
            Some(Step::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// What each `*` stood for, if the path is one that this symbol describes.
    #[must_use]
    pub fn matches<'a>(&self, path: &[Segment<'a>]) -> Option<Vec<&'a str>> {
        let mut names = Vec::new();
        walk(&self.steps, path, &mut names).then_some(names)
    }
}

/// The last name that a path ends in, calls and elements aside.
pub(super) fn last_name<'a>(path: &[Segment<'a>]) -> Option<&'a str> {
    path.iter().rev().find_map(|segment| match segment {
        Segment::Member(name) => Some(Some(*name)),
        Segment::Call | Segment::Index => None,
    })?
}

fn walk<'a>(steps: &[Step], path: &[Segment<'a>], names: &mut Vec<&'a str>) -> bool {
    let Some((step, steps_after)) = steps.split_first() else {
        return path.is_empty();
    };
    if *step == Step::Run {
        let seen = names.len();
        let mut rest = path;
        loop {
            if walk(steps_after, rest, names) {
                return true;
            }
            names.truncate(seen);
            let Some((_, shorter)) = rest.split_first() else {
                return false;
            };
            rest = shorter;
        }
    }
    let Some((segment, path_after)) = path.split_first() else {
        return false;
    };
    match (step, segment) {
        (Step::Name(wanted), Segment::Member(name)) if **wanted == **name => {}
        (Step::AnyName, Segment::Member(name)) => names.push(name),
        // The name is not known, but its place in the order of the stars is.
        (Step::AnyName, Segment::Index) => names.push(""),
        (Step::Call, Segment::Call) | (Step::Index, Segment::Index) => {}
        _ => return false,
    }
    walk(steps_after, path_after, names)
}

impl fmt::Display for Symbol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            let (dot, text) = match step {
                Step::Name(name) => (true, &**name),
                Step::AnyName => (true, "*"),
                Step::Run => (true, "**"),
                Step::Call => (false, "()"),
                Step::Index => (false, "[]"),
            };
            if dot && position > 0 {
                out.write_str(".")?;
            }
            out.write_str(text)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Symbol({self})")
    }
}
