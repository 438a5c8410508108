//! `Form`: what can be written in a table, as data: the JSON Schema and the resolved policy are made of it.
//!
//! The readers ask for their keys themselves (`docs/decisions/own-policy-walk.md`); a test holds that each of them asks
//! for the keys of its form and for no other.

/// The keys of one table.
#[derive(Debug)]
pub(crate) struct Form {
    /// What the table is for: a sentence.
    pub(crate) says: &'static str,
    pub(crate) keys: &'static [Key],
    /// What holds between keys, each a JSON Schema of its own.
    pub(crate) rules: &'static [&'static str],
}

impl Form {
    pub(crate) const fn new(says: &'static str, keys: &'static [Key]) -> Self {
        Self {
            says,
            keys,
            rules: &[],
        }
    }

    pub(crate) const fn with_rules(mut self, rules: &'static [&'static str]) -> Self {
        self.rules = rules;
        self
    }
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether the table is none without it.
    pub(crate) is_needed: bool,
    /// What holds where it is left out, as JSON, where that is one value whatever else is written.
    pub(crate) default: Option<&'static str>,
    /// What it says: a sentence.
    pub(crate) says: &'static str,
}

/// A key that the table is none without.
pub(crate) const fn need(name: &'static str, kind: Kind, says: &'static str) -> Key {
    Key {
        name,
        kind,
        is_needed: true,
        default: None,
        says,
    }
}

/// A key that may be left out.
pub(crate) const fn may(name: &'static str, kind: Kind, says: &'static str) -> Key {
    Key {
        name,
        kind,
        is_needed: false,
        default: None,
        says,
    }
}

impl Key {
    /// What holds where it is left out, as JSON.
    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

/// What a value can be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text for people, or of a form that only its reader knows.
    Prose,
    /// A [`Name`](crate::Name).
    Name,
    /// A [`SecretRef`](crate::SecretRef).
    Secret,
    /// One or several keys of a secret.
    Secrets,
    /// Text that a regular expression describes, as far as one can.
    Pattern(&'static str),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number from the first to the second.
    Count(i64, i64),
    /// `true` or `false`.
    Truth,
    /// A day.
    Date,
    /// A length of time, in milliseconds too.
    Duration,
    /// A size.
    Size,
    /// A list, which may be empty.
    List(&'static Self),
    /// A list of one at least.
    Some(&'static Self),
    /// One alone, or a list of one at least.
    OneOrSome(&'static Self),
    /// A table.
    Table(&'static Form),
    /// `[[name]]`, so many at most.
    Tables(&'static Form, usize),
    /// A table whose keys are names that the author gives.
    Map(&'static Self),
    /// A table whose keys are fields of a header.
    Headers(&'static Self),
    /// One of several.
    Either(&'static [Self]),
}
