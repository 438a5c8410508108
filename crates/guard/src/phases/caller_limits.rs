//! Caller limits: limits by user, session and tenant.

use super::limits::{self, Applying};
use super::{Case, Phase, Reads, Verdict, Work, where_callers_are_known};
use crate::plan::Plan;
use crate::store::{Answers, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "caller limits",
    reads: Reads::Head,
    is_needed,
    work: Work::Asks { ask, judge },
};

fn is_needed(plan: &Plan) -> bool {
    where_callers_are_known(plan)
        || plan
            .routes
            .iter()
            .any(|route| !route.caller_limits.is_empty())
}

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
