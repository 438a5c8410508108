//! Host: the request is for a host of the policy's, whoever leads to this address (DNS rebinding, CVE-2026-42559).

use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::reason::Reason;

pub(crate) const PHASE: Phase = Phase {
    name: "host",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let host = case.view.host();
    if !case.plan.knows(host) {
        return Err(Reason::HOST_UNKNOWN.into());
    }
    case.passed(PHASE.name, None, || {
        format!("`{host}` is a host of the policy")
    });
    Ok(())
}
