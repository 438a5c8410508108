//! `Severity`: how bad a finding is, with its two companions: how sure we are, and on what ground.

use std::fmt;

use serde::Serialize;

/// How bad it is if the finding is true. Ordered: `Critical` is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth doing, nothing is open.
    Low,
    /// Helps an attacker who already has something else.
    Medium,
    /// One step from harm.
    High,
    /// Harm by one request from anybody.
    Critical,
}

impl Severity {
    /// Every severity, worst first.
    pub const WORST_FIRST: &'static [Self] = &[Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word as it stands in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure we are that the finding is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Worth a look.
    Low,
    /// Likely; something we could not see may change it.
    Medium,
    /// The code in view shows it.
    High,
}

impl Confidence {
    /// The word as it stands in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// On what ground a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The code is a bug by itself.
    Code,
    /// Only the decision matrix asks for it.
    Matrix,
}

impl Basis {
    /// The word as it stands in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Matrix => "matrix",
        }
    }
}
