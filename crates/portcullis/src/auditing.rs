//! What an audit in a team adds to one that is run alone: what is known, what changed, and whose policy counts.

pub(crate) mod base;
pub(crate) mod change;
pub(crate) mod known;

pub(crate) use base::Base;
