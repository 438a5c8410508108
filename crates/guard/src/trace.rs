//! `TraceStep`: one step of a decision, written down for `explain request`.

use crate::reason::{Inside, Reason};

/// What a phase did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// The phase.
    pub phase: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, for a person.
    pub why: Inside,
    /// The line of the policy behind it.
    pub line: Option<usize>,
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It lets the request pass.
    Passed,
    /// It had nothing to ask.
    NotNeeded,
    /// It would have refused, and only watches.
    Watched(Reason),
    /// It refused.
    Refused(Reason),
    /// The guard answers itself.
    Own,
}
