//! `ClaimFault`: what is wrong with what a token claims.

use std::fmt;

/// Which claim is wrong, and how. It holds nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimFault {
    /// The name of the claim; `payload` for all of it.
    pub claim: &'static str,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// The payload is no strict JSON object (RFC 7519 §7.2).
    Malformed,
    /// A name twice, or nearly: `EXP` beside what we read as `exp`.
    Repeated,
    /// It must be there and is not.
    Missing,
    /// It is there as another type than its own: a date that is a string, negative or a fraction (CVE-2026-25537).
    Type,
    /// It has another value than the policy names: an issuer, an audience, a party, a sort of token.
    Refused,
    /// The token is expired.
    Expired,
    /// The token is not valid yet.
    NotYet,
    /// The token lives longer than its sort may.
    LivesTooLong,
    /// A parent token, which is good for an exchange and for nothing else.
    Parent,
}

impl ClaimFault {
    pub(super) const fn new(claim: &'static str, wrong: Wrong) -> Self {
        Self { claim, wrong }
    }

    /// The reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        self.wrong.reason()
    }
}

crate::codes::codes!(Wrong, {
    Malformed => "token_claims_malformed",
    Repeated => "token_claim_repeated",
    Missing => "token_claim_missing",
    Type => "token_claim_type",
    Refused => "token_claim_refused",
    Expired => "token_expired",
    NotYet => "token_not_yet_valid",
    LivesTooLong => "token_lives_too_long",
    Parent => "token_is_parent",
}, []);

impl fmt::Display for ClaimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", self.reason(), self.claim)
    }
}
