//! Route: path, host and method lead to one route. What matches none is refused.

use smallvec::SmallVec;

use portcullis_policy::Method;

use super::{Case, Phase, Stop, Verdict, asks_nothing};
use crate::decision::{Denial, Own};
use crate::reason::Reason;
use crate::route_table::Found;
use crate::store::Batch;

pub(crate) const PHASE: Phase = Phase {
    name: "route",
    reads_body: false,
    ask,
    judge: asks_nothing,
};

fn ask<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, Batch<'s>> {
    let plan = case.plan;
    let host = case.view.host();
    let method = case.view.method();
    let fits = |number: usize| {
        plan.routes
            .get(number)
            .is_some_and(|route| route.answers_on(host))
    };
    let Some(path) = case.view.path() else {
        return Err(Reason::ROUTE_UNKNOWN.into());
    };
    match plan.table.find(path.as_str(), method, fits) {
        Found::Route(number) => {
            let route = plan.routes.get(number);
            let route = route.ok_or_else(|| Box::<Stop<'s>>::from(Reason::DECISION_CONFUSED))?;
            case.route = Some(route);
            case.passed(PHASE.name, route.line, || {
                format!("`{} {}`, a `{}`", route.methods, route.template, route.kind)
            });
            Ok(SmallVec::new())
        }
        Found::Nothing => stray(case, Denial::because(Reason::ROUTE_UNKNOWN)),
        // RFC 9110 §9.3.7: what a path can do is the guard's to say, as the guard decides it.
        Found::OtherMethods(methods) if method == Method::Options => {
            Err(Box::new(Stop::Own(Own::Options(methods))))
        }
        Found::OtherMethods(methods) => {
            let mut denial = Denial::because(Reason::METHOD_NOT_ALLOWED);
            denial.allow = methods;
            stray(case, denial)
        }
    }
}

/// Refuses what belongs to no route, unless the whole guard only watches.
fn stray<'s>(case: &mut Case<'s, '_>, denial: Denial<'s>) -> Verdict<'s, Batch<'s>> {
    let Some(stray) = &case.plan.stray else {
        return Err(denial.into());
    };
    case.route = Some(stray);
    case.watched(PHASE.name, denial.reason, 0);
    Ok(SmallVec::new())
}
