//! `TrailKind`: what a record of the trail is about.

use std::fmt;
use std::str::FromStr;

/// What a record is about. The code of each is part of what is hashed and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrailKind {
    /// A guard opened the trail and goes on with it.
    Start,
    /// Something is about to be done; on the disk before it is.
    Intent,
    /// What became of an intent.
    Outcome,
    /// Something was done, and told afterwards.
    Note,
    /// A session began, changed or ended.
    Session,
    /// Somebody used the administration of the guard.
    Admin,
    /// Everything before it is signed.
    Checkpoint,
    /// The trail could not be written for a while.
    Gap,
}

impl TrailKind {
    /// Every kind, with its code and its word.
    const ALL: [(Self, u8, &'static str); 8] = [
        (Self::Start, 1, "start"),
        (Self::Intent, 2, "intent"),
        (Self::Outcome, 3, "outcome"),
        (Self::Note, 4, "note"),
        (Self::Session, 5, "session"),
        (Self::Admin, 6, "admin"),
        (Self::Checkpoint, 7, "checkpoint"),
        (Self::Gap, 8, "gap"),
    ];

    /// The words, in the same order.
    pub const WORDS: [&'static str; 8] = [
        "start",
        "intent",
        "outcome",
        "note",
        "session",
        "admin",
        "checkpoint",
        "gap",
    ];

    /// The number that is stored.
    #[must_use]
    pub fn code(self) -> u8 {
        let found = Self::ALL.iter().find(|(kind, ..)| *kind == self);
        found.map_or(0, |(_, code, _)| *code)
    }

    /// The kind of a stored number.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, one, _)| *one == code);
        found.map(|(kind, ..)| *kind)
    }

    /// The word that is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(kind, ..)| *kind == self);
        found.map_or("unknown", |(.., word)| *word)
    }
}

impl fmt::Display for TrailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TrailKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let found = Self::ALL.iter().find(|(.., one)| *one == word);
        found.map(|(kind, ..)| *kind).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_code_and_a_word_of_its_own() {
        for (kind, code, word) in TrailKind::ALL {
            assert_eq!(TrailKind::of_code(code), Some(kind));
            assert_eq!(word.parse(), Ok(kind));
            assert_eq!((kind.code(), kind.as_str()), (code, word));
        }
        assert_eq!(TrailKind::ALL.map(|(.., word)| word), TrailKind::WORDS);
        assert_eq!(TrailKind::of_code(0), None);
        assert_eq!("soon".parse::<TrailKind>(), Err(()));
    }
}
