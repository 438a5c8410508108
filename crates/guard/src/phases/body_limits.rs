//! Body limits: limits by a field of the body, such as the address that a login is tried for.

use super::limits::{self, Applying};
use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::store::{Answers, Batch, StoreError};

pub(crate) const PHASE: Phase = Phase {
    name: "body limits",
    reads: Reads::Body,
    is_needed: always,
    work: Work::Asks { ask, judge },
};

fn ask<'s>(case: &mut Case<'s, '_>, batch: &mut Batch<'s>) -> Verdict<'s, ()> {
    let limits = Applying::of(&case.route()?.body_limits, case.view.method());
    limits::ask(case, PHASE.name, limits, batch)
}

fn judge<'s>(case: &mut Case<'s, '_>, answers: Result<Answers, StoreError>) -> Verdict<'s, ()> {
    let limits = Applying::of(&case.route()?.body_limits, case.view.method());
    limits::judge(case, PHASE.name, limits, answers)
}
