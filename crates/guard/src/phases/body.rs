//! Body: where the policy asks about it, the body is strict JSON.

use smallvec::SmallVec;

use super::{Case, Phase, Verdict, asks_nothing};
use crate::canon::{JsonBody, RawBody};
use crate::decision::Denial;
use crate::reason::Reason;
use crate::store::Batch;

pub(crate) const PHASE: Phase = Phase {
    name: "body",
    reads_body: true,
    ask,
    judge: asks_nothing,
};

fn ask<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, Batch<'s>> {
    if !case.route()?.buffered {
        case.not_needed(
            PHASE.name,
            "nothing is asked of the body, so it is passed on as it comes",
        );
        return Ok(SmallVec::new());
    }
    let Some(bytes) = &case.body else {
        case.not_needed(PHASE.name, "the request has no body");
        return Ok(SmallVec::new());
    };
    let Ok(body) = RawBody::new(bytes, bounded(case.route()?.body_max)) else {
        return Err(Reason::BODY_TOO_LARGE.into());
    };
    match JsonBody::read(body) {
        Ok(json) => case.json = Some(json),
        Err(fault) => {
            let denial = Denial::because(Reason::BODY_MALFORMED).saying(fault.reason());
            return Err(denial.into());
        }
    }
    case.passed(PHASE.name, None, || "the body is strict JSON".to_owned());
    Ok(SmallVec::new())
}

/// A bound of 64 bits as one of memory.
fn bounded(bytes_max: u64) -> usize {
    usize::try_from(bytes_max).unwrap_or(usize::MAX)
}
