//! Route: path, host and method lead to one route. What matches none is refused.

use portcullis_policy::{Method, MethodSet};

use super::{Case, Phase, Reads, Stop, Verdict, Work, always};
use crate::answer::is_preflight;
use crate::decision::{Denial, Own};
use crate::reason::Reason;
use crate::route_table::Found;

pub(crate) const PHASE: Phase = Phase {
    name: "route",
    reads: Reads::Head,
    is_needed: always,
    work: Work::Judges(judge),
};

fn judge<'s>(case: &mut Case<'s, '_>) -> Verdict<'s, ()> {
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
    if let Some(methods) = preflight(case, path.as_str(), fits) {
        return Err(Stop::Own(Own::Preflight(methods)));
    }
    match plan.table.find(path.as_str(), method, fits) {
        Found::Route(number) => {
            let route = plan.routes.get(number);
            let route = route.ok_or_else(|| Stop::from(Reason::DECISION_CONFUSED))?;
            case.route = Some(route);
            case.passed(PHASE.name, route.line, || {
                format!("`{} {}`, a `{}`", route.methods, route.template, route.kind)
            });
            Ok(())
        }
        Found::Nothing => stray(case, Denial::because(Reason::ROUTE_UNKNOWN)),
        Found::OtherMethods(_) => other_methods(case, path.as_str(), fits),
    }
}

/// The methods that a page of another site asks for, where the policy says which may: the guard answers, also where the
/// application would. What is closed is not there.
fn preflight(case: &Case<'_, '_>, path: &str, fits: impl Fn(usize) -> bool) -> Option<MethodSet> {
    let plan = case.plan;
    if !plan.answer.has_cors() || !is_preflight(case.view) {
        return None;
    }
    let is_open = |number: usize| {
        let route = plan.routes.get(number);
        fits(number) && route.is_some_and(|route| !route.is_closed())
    };
    // Asked for all of them, only a route that has all of them answers.
    match plan.table.find(path, Method::Any, is_open) {
        Found::Route(_) => Some(MethodSet::NONE.with(Method::Any)),
        Found::OtherMethods(methods) => Some(methods),
        Found::Nothing => None,
    }
}

/// Answers for a path that is known with other methods. What is closed is not there, with other methods neither: not in
/// an `Allow`, and not for a guard that only watches.
fn other_methods<'s>(
    case: &mut Case<'s, '_>,
    path: &str,
    fits: impl Fn(usize) -> bool,
) -> Verdict<'s, ()> {
    let plan = case.plan;
    let method = case.view.method();
    let is_open = |number: usize| {
        let route = plan.routes.get(number);
        fits(number) && route.is_some_and(|route| !route.is_closed())
    };
    match plan.table.find(path, method, is_open) {
        // RFC 9110 §9.3.7: what a path can do is the guard's to say, as the guard decides it.
        Found::OtherMethods(methods) if method == Method::Options => {
            Err(Stop::Own(Own::Options(methods)))
        }
        Found::OtherMethods(methods) => {
            let mut denial = Denial::because(Reason::METHOD_NOT_ALLOWED);
            denial.allow = methods;
            stray(case, denial)
        }
        Found::Nothing | Found::Route(_) => {
            let denial = Denial::because(Reason::ROUTE_INTERNAL)
                .saying("an internal route with other methods, and the request comes from outside");
            Err(denial.into())
        }
    }
}

/// Refuses what belongs to no route, unless the whole guard only watches.
fn stray<'s>(case: &mut Case<'s, '_>, denial: Denial<'s>) -> Verdict<'s, ()> {
    let Some(stray) = &case.plan.stray else {
        return Err(denial.into());
    };
    case.route = Some(stray);
    case.watched(PHASE.name, denial.reason, 0);
    Ok(())
}
