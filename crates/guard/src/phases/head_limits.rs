//! Head limits: limits by address, route and header.

use super::{Case, Phase, Verdict, limits};
use crate::store::{Answers, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "head limits",
    reads_body: false,
    ask,
    judge,
};

fn ask<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, Batch<'s>> {
    let limits = &case.route()?.head_limits;
    limits::ask(case, PHASE.name, limits)
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let limits = &case.route()?.head_limits;
    limits::judge(case, PHASE.name, limits, answers)
}
