//! Head limits: limits by address, route and header.

use super::limits::{self, Applying};
use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::store::{Answers, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "head limits",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    let limits = Applying::of(&case.route()?.head_limits, case.view.method());
    limits::ask(case, PHASE.name, limits, batch)
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let limits = Applying::of(&case.route()?.head_limits, case.view.method());
    limits::judge(case, PHASE.name, limits, answers)
}
