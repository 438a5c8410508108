//! `Notice`: something in a valid policy that its author may not have meant.

use std::fmt;

use crate::Place;

/// What is told and refuses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it is written.
    pub place: Place,
    /// What is told: lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, .. } = self.place;
        write!(f, "{line}:{column}: {}", self.message)
    }
}
