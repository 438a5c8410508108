//! `IssueFault`: why no token is given out.

use std::fmt;

/// What of a request is wrong, and how. It holds nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IssueFault {
    /// The name of the member; `body` for all of it.
    pub member: &'static str,
    /// What is wrong.
    pub wrong: IssueWrong,
}

/// What is wrong with a request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueWrong {
    /// It is no strict JSON object, or too long.
    Malformed,
    /// A name twice, or nearly.
    Repeated,
    /// A member that nobody reads.
    Unknown,
    /// It must be there and is not.
    Missing,
    /// It is of another type, or not of the form that it has.
    Type,
    /// The policy does not admit it, or the parent token does not.
    Refused,
    /// The parent token ends before a child could begin.
    Over,
}

impl IssueFault {
    pub(super) const fn new(member: &'static str, wrong: IssueWrong) -> Self {
        Self { member, wrong }
    }

    /// Whether it is well formed, and not admitted.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        matches!(self.wrong, IssueWrong::Refused | IssueWrong::Over)
    }
}

impl fmt::Display for IssueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = self.member;
        match self.wrong {
            IssueWrong::Malformed => write!(f, "`{member}` is no strict JSON object"),
            IssueWrong::Repeated => write!(f, "`{member}` is there twice, or nearly"),
            IssueWrong::Unknown => write!(f, "`{member}` has something that nobody reads"),
            IssueWrong::Missing => write!(f, "`{member}` is missing"),
            IssueWrong::Type => write!(f, "`{member}` is of another type or form than it has"),
            IssueWrong::Refused => write!(f, "`{member}` is not admitted"),
            IssueWrong::Over => write!(f, "`{member}` has ended"),
        }
    }
}

impl std::error::Error for IssueFault {}
