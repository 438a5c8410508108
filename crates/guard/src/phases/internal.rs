//! Internal: what only the service itself calls is not there for anybody outside.

use super::{Case, Phase, Reads, Verdict, Work, always};
use crate::decision::Denial;
use crate::reason::Reason;

pub(crate) const PHASE: Phase = Phase {
    name: "internal",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
    let route = case.route()?;
    if route.is_closed_to(case.view.method()) {
        let mut denial = Denial::because(Reason::ROUTE_INTERNAL)
            .saying("an internal route, and the request comes from outside")
            .at(route);
        denial.line = route.line;
        return Err(denial.into());
    }
    case.not_needed(PHASE.name, "the route is for callers from outside");
    Ok(())
}
