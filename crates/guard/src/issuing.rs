//! The room for tokens that the guard gives out: what may be asked for, and what a token says then. Nothing is signed here.
//!
//! 1. A service asks for an access token or a parent token of a user ([`IssueRequest`]).
//! 2. Who has a parent exchanges it for a child ([`ExchangeRequest`]), which says no more than its parent, never outlives it, and
//!    falls with it.
//! 3. [`IssuePlan`] holds both to what the policy admits. A parent is for the exchange and for nothing else: its audience is one
//!    that nobody else has.
//!
//! The words are those of RFC 8693 where they fit, and of seed 004.

mod fault;
mod plan;
mod request;
mod revoke;

pub use fault::{IssueFault, IssueWrong};
pub use plan::{IssuePlan, NewToken};
pub use request::{
    ACCESS_TYPE, BODY_BYTES_MAX, ClaimValue, ExchangeRequest, GRANT_TYPE, IssueRequest, JWT_TYPE,
};
pub use revoke::RevokeRequest;
