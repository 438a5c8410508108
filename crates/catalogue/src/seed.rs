//! `Seed`: the five documents that the requirements are of.

use crate::word::words;

/// One of the five documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the number is the name")]
pub enum Seed {
    Seed000,
    Seed001,
    Seed002,
    Seed003,
    Seed004,
}

words!(Seed, "seed", {
    Seed000 => "000",
    Seed001 => "001",
    Seed002 => "002",
    Seed003 => "003",
    Seed004 => "004",
});

impl Seed {
    /// How many requirements it has.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Seed000 => 273,
            Self::Seed001 => 132,
            Self::Seed002 => 91,
            Self::Seed003 => 78,
            Self::Seed004 => 166,
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Seed000 => "Operating and deploying a web application",
            Self::Seed001 => "Reviewing the security of an API",
            Self::Seed002 => "Auditing applications on Convex",
            Self::Seed003 => "Bringing Clerk into production",
            Self::Seed004 => {
                "Security across services: tokens, secrets, containers, input, cryptography"
            }
        }
    }

    /// What the ids of its requirements begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Seed000 => "S0-",
            Self::Seed001 => "S1-",
            Self::Seed002 => "S2-",
            Self::Seed003 => "S3-",
            Self::Seed004 => "S4-",
        }
    }

    /// The name of its file, for messages.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Seed000 => "seed-000.toml",
            Self::Seed001 => "seed-001.toml",
            Self::Seed002 => "seed-002.toml",
            Self::Seed003 => "seed-003.toml",
            Self::Seed004 => "seed-004.toml",
        }
    }
}
