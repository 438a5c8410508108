//! Standing: a route that may be without a control only until a day is refused from the day after.
//!
//! The policy was valid when it was loaded; a guard that runs on past the last day of an exception must not go on as if
//! there were one.

use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::decision::Denial;
use crate::reason::Reason;

pub(crate) const PHASE: Phase = Phase {
    name: "standing",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let method = case.view.method();
    let mut exceptions = case
        .route()?
        .standing
        .iter()
        .filter(|standing| standing.methods.contains(method))
        .peekable();
    let Some(first) = exceptions.peek().map(|standing| standing.line) else {
        case.not_needed(PHASE.name, "the route stands on no exception");
        return Ok(());
    };
    let today = case.now.unix_day();
    if let Some(expired) = exceptions.find(|standing| today > standing.until) {
        let mut denial = Denial::because(Reason::EXCEPTION_EXPIRED)
            .saying("the last day of an exception that this route stands on is over");
        denial.line = Some(expired.line);
        return Err(denial.into());
    }
    case.passed(PHASE.name, Some(first), || {
        "the route lacks a control, by an exception that still holds".to_owned()
    });
    Ok(())
}
