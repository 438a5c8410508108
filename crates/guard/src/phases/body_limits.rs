//! Body limits: limits by a field of the body, such as the address that a login is tried for.

use super::{Case, Phase, Verdict, limits};
use crate::store::{Answers, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "body limits",
    reads_body: true,
    ask,
    judge,
};

fn ask<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, Batch<'s>> {
    let limits = &case.route()?.body_limits;
    limits::ask(case, PHASE.name, limits)
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let limits = &case.route()?.body_limits;
    limits::judge(case, PHASE.name, limits, answers)
}
