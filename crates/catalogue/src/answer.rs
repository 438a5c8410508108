//! `Answer`: what of the program answers a requirement.

use std::fmt;
use std::str::FromStr;

use portcullis_policy::Control;
use portcullis_policy::event::EventKind;

/// Something that the program has, written `kind:name`. A kind is added together with the part of the program that
/// brings it, so that nothing can be named before it is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// `rule:csrf-missing`: the audit finds its absence.
    Rule(String),
    /// `control:rate_limit`: the guard enforces it on each route that must have it.
    Control(Control),
    /// `event:excess_rate_limit_exceeded`: the guard writes down that it happened.
    Event(EventKind),
    /// `reason:route_unknown`: the guard refuses every request of the kind.
    Reason(String),
    /// `secret:missing`: the guard does not start by a policy of which a secret is so.
    Secret(String),
    /// `command:trail-query`: there is a command that does it, its words joined by hyphens.
    Command(String),
}

impl Answer {
    /// The word before the colon.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rule(_) => "rule",
            Self::Control(_) => "control",
            Self::Event(_) => "event",
            Self::Reason(_) => "reason",
            Self::Secret(_) => "secret",
            Self::Command(_) => "command",
        }
    }

    /// What stands behind the colon.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Rule(name) | Self::Reason(name) | Self::Secret(name) | Self::Command(name) => {
                name
            }
            Self::Control(control) => control.as_str(),
            Self::Event(kind) => kind.as_str(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.name())
    }
}

impl FromStr for Answer {
    type Err = MalformedAnswer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = || MalformedAnswer::Shape(text.to_owned());
        let (kind, name) = text.split_once(':').ok_or_else(shape)?;
        let word = |other: char| {
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == other;
            let named = !name.is_empty() && name.chars().all(is_word);
            named.then(|| name.to_owned()).ok_or_else(shape)
        };
        let unknown =
            |error: portcullis_policy::Malformed| MalformedAnswer::Name(error.to_string());
        match kind {
            "rule" => word('-').map(Self::Rule),
            "control" => name.parse().map(Self::Control).map_err(unknown),
            "event" => name.parse().map(Self::Event).map_err(unknown),
            "reason" => word('_').map(Self::Reason),
            "secret" => word('_').map(Self::Secret),
            "command" => word('-').map(Self::Command),
            _ => Err(shape()),
        }
    }
}

/// Why a text is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAnswer {
    /// It does not look like one.
    #[error(
        "`{0}` is no answer: write `rule:an-id`, `control:a_word`, `event:a_word`, `reason:a_code`, `secret:a_code` or `command:its-words`"
    )]
    Shape(String),
    /// There is no control or event of that name.
    #[error("{0}")]
    Name(String),
}
