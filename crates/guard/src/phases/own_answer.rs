//! Own answer: a CSRF token is given to the session that asks for it, whichever way that is known.

use super::reserved::Endpoint;
use super::session::holder;
use super::{Case, Phase, Reads, Stop, Verdict, Work, bearer};
use crate::decision::{Own, TokenGrant};
use crate::identity_plan::SourcePlan;

pub(crate) const PHASE: Phase = Phase {
    name: "own answer",
    reads: Reads::Token(wants_token),
    is_needed: |plan| plan.identity.csrf.is_some(),
    work: Work::Judges(judge),
};

/// Only where the session is a claim of a token it has to be known before.
fn wants_token(case: &Case<'_, '_>) -> bool {
    let session = case.plan.identity.session.as_ref();
    let is_claim = session.is_some_and(|one| matches!(one.source, SourcePlan::Claim(_)));
    is_claim && case.endpoint == Some(Endpoint::Token)
}

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    if case.endpoint != Some(Endpoint::Token) {
        return Ok(());
    }
    if wants_token(case) {
        bearer::judge(case)?;
    }
    Err(Stop::Own(Own::Token(TokenGrant {
        binding: holder(case, case.caller.as_deref()),
        forgets: case.oldest_tokens(),
    })))
}
