//! Caller limits: limits by user, session and tenant.

use super::limits::{self, Applying};
use super::{Case, Phase, Reads, Verdict, Work};
use crate::store::{Answers, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "caller limits",
    reads: Reads::Head,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    let limits = Applying::of(&case.route()?.caller_limits, case.view.method());
    if case.route()?.caller_limits.is_empty() {
        case.nobody_is_known(PHASE.name, "the route has no such limit");
        return Ok(());
    }
    limits::ask(case, PHASE.name, limits, batch)
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let limits = Applying::of(&case.route()?.caller_limits, case.view.method());
    limits::judge(case, PHASE.name, limits, answers)
}
