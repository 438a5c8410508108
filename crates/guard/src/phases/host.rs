//! Host: the request is for a host of the policy's, whoever leads to this address (DNS rebinding, CVE-2026-42559).

use smallvec::SmallVec;

use super::{Case, Phase, Verdict, asks_nothing};
use crate::reason::Reason;
use crate::store::Batch;

pub(crate) const PHASE: Phase = Phase {
    name: "host",
    reads_body: false,
    ask,
    judge: asks_nothing,
};

fn ask<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, Batch<'s>> {
    let host = case.view.host();
    if !case.plan.knows(host) {
        return Err(Reason::HOST_UNKNOWN.into());
    }
    case.passed(PHASE.name, None, || {
        format!("`{host}` is a host of the policy")
    });
    Ok(SmallVec::new())
}
