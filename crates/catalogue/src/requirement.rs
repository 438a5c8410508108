//! `Requirement`: one thing that a seed asks for.

use crate::word::words;
use crate::{Answer, AppliesWhen, Level, Mapping, Seed, Verb};

/// One thing that a seed asks for, and what of the program answers it today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `S0-DG-RL-01`: the seed, the section, the number in it.
    pub id: String,
    /// The document.
    pub seed: Seed,
    /// The part of the document.
    pub section: String,
    /// What is to be done, in our words.
    pub title: String,
    /// How strongly it is asked for.
    pub level: Level,
    /// Which projects it concerns: those that have any of these.
    pub applies_when: Vec<AppliesWhen>,
    /// Whose business it is.
    pub verb: Verb,
    /// What answers the whole of it.
    pub answered_by: Vec<Answer>,
    /// What answers a part of it.
    pub partly_by: Vec<Answer>,
    /// Where public catalogues speak of the same.
    pub mapping: Option<Mapping>,
    /// What we do instead, and why, where the seed is at fault.
    pub instead: Option<String>,
    /// The line of its file on which it begins.
    pub line: usize,
}

impl Requirement {
    /// How much of it is answered.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        if !self.answered_by.is_empty() {
            Coverage::Answered
        } else if self.partly_by.is_empty() {
            Coverage::NotYet
        } else {
            Coverage::Partly
        }
    }

    /// All that answers it, or a part of it.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.answered_by.iter().chain(&self.partly_by)
    }
}

/// How much of a requirement is answered today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coverage {
    /// The whole sentence.
    Answered,
    /// A part of it.
    Partly,
    /// Nothing.
    NotYet,
}

words!(Coverage, "coverage", {
    Answered => "answered",
    Partly => "partly",
    NotYet => "not_yet",
});
