//! `Unbelieved`: why nobody calls by a token.

use super::fault::TokenFault;
use crate::reason::Inside;

/// Why nobody calls by a token. A token of which nobody can say whether it is good is not a good one; but who shows it is
/// told to come again, and not that it is bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbelieved {
    /// It is not to be believed: 401 where somebody must be known.
    Fault(TokenFault),
    /// Nobody can say, as the keys of its issuer are not to be had: 503 where somebody must be known. With why, for the guard's own
    /// people.
    Unavailable(Inside),
}

impl From<TokenFault> for Unbelieved {
    fn from(fault: TokenFault) -> Self {
        Self::Fault(fault)
    }
}
