//! Scopes: the key or the token is good for what the route asks for, all of it. A session is the user, and good for all that is theirs.

use super::{Case, Phase, Reads, Verdict, Work};
use crate::decision::{Challenge, Denial};
use crate::reason::Reason;

pub(crate) const PHASE: Phase = Phase {
    name: "scopes",
    reads: Reads::Head,
    is_needed: |plan| plan.routes.iter().any(|route| !route.scopes.is_empty()),
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let route = case.route()?;
    if route.scopes.is_empty() {
        return Ok(());
    }
    let Some(principal) = case.principal() else {
        // Where somebody has to be known, the phase before has refused.
        case.not_needed(PHASE.name, "nobody is calling who could be held to a scope");
        return Ok(());
    };
    let missing = route.scopes.iter().find(|scope| !principal.may(scope));
    let Some(missing) = missing else {
        case.passed(PHASE.name, route.line, || {
            format!("good for `{}`", route.scopes.join("`, `"))
        });
        return Ok(());
    };
    let mut denial = Denial::because(Reason::SCOPE_MISSING)
        .saying(format!("the key or the token is not good for `{missing}`"));
    denial.line = route.line;
    denial.challenge = Challenge {
        insufficient_scope: true,
        ..Challenge::default()
    };
    case.refuse(PHASE.name, Box::new(denial))
}
