//! Judges one route: runs its chain, asks what is proved where, and says what it has and what it lacks.

mod authentication;
mod bench;
mod binding;
mod by_address;
mod counted;
mod csrf;
mod effect;
mod judged_query;
mod judgement;
mod judging;
mod membership;
mod owner_guard;
mod ownership;
mod points;
mod rate_limit;
mod redeemed;
mod row_check;
mod row_table;
mod run;
mod secret_column;
mod seen_guard;
mod stored_secret;
mod taken_along;
mod validation;
mod vouched;

use portcullis_code::machine::{Machine, Mark};

pub use bench::Bench;
pub use binding::Binding;
pub use effect::Effect;
pub use judged_query::JudgedQuery;
pub use judgement::Judgement;
pub(crate) use judging::Judging;
pub use redeemed::Redeemed;
pub(crate) use redeemed::sent_id;
pub(crate) use secret_column::is_secret_column;
pub use seen_guard::SeenGuard;

use crate::{
    classify, flow,
    middleware::Cover,
    response,
    route::{Convention, Route},
    semantics::RequestPath,
};
use run::Run;
pub(crate) use run::add_to_context;

/// Runs and judges a route. The run stays open until [`Machine::end`] with the mark.
///
/// The order matters: what is found out in one step is asked by the later ones.
pub fn judge(
    machine: &mut Machine<'_>,
    bench: &Bench<'_, '_>,
    route: &Route,
    cover: Option<&Cover>,
) -> (Judgement, Mark) {
    let path = route.pathname.clone();
    let path = path.map_or(RequestPath::Unknown, RequestPath::Template);
    bench.frameworks.fix(path, Some(route.method));
    let mark = machine.begin();
    let run = Run::new(machine, bench, route);
    let events = std::mem::take(&mut machine.events);

    let mut judgement = Judgement::blank();
    judgement.conditions.clone_from(&route.conditions);
    judgement.unknowns = run.unknowns;
    judgement.responses = response::responses(
        &machine.values,
        bench.knowledge,
        &events,
        &run.returns,
        &run.throws,
    );
    let mut judging = Judging {
        machine,
        bench,
        route,
        events: &events,
        link_starts: &run.link_starts,
    };
    judgement.queries = judging.queries();
    judgement.effects = judging.effects();
    judgement.points = judging.points(&judgement);
    judgement.guards = judging.guards(&judgement);
    judging.authentication(&mut judgement, cover);
    judging.validation(&mut judgement);
    judging.rate_limit(&mut judgement);
    judging.csrf(&mut judgement);
    judging.ownership(&mut judgement);
    judgement.by_address = judging.is_by_address(&judgement);
    judgement.redeemed = judging.redeemed(&judgement);
    if bench.passes.by_setting() {
        judgement
            .conditions
            .push("a guard on the way depends on a setting of the environment".to_owned());
    }
    let (kind, reason) = classify::classify(&judging, &judgement);
    judgement.code_type = (kind, reason.clone());
    (judgement.route_type, judgement.type_reason) = match classify::stated_type(&judging) {
        Some(stated) => (stated, "the policy says so".to_owned()),
        None => (kind, reason),
    };
    if route
        .operation
        .is_some_and(|operation| operation.is_internal)
    {
        // What it returns goes to other functions: no client sees it.
        judgement.responses.clear();
    }
    judgement.sinks = flow::sinks(machine, bench, &events);
    judgement.events = events;
    judgement.link_starts = run.link_starts;
    (judgement, mark)
}

/// Runs a function that nothing mounts and finds the places of harm that it passes: of what guards it nothing can be said. The run
/// stays open as that of [`judge`].
pub(crate) fn follow(
    machine: &mut Machine<'_>,
    bench: &Bench<'_, '_>,
    route: &Route,
) -> (Judgement, Mark) {
    bench.frameworks.fix(RequestPath::Unknown, None);
    let mark = machine.begin();
    let run = Run::new(machine, bench, route);
    let events = std::mem::take(&mut machine.events);
    let mut judgement = Judgement::blank();
    judgement.sinks = flow::sinks(machine, bench, &events);
    if route
        .chain
        .last()
        .is_some_and(|link| link.convention == Convention::Cloud)
    {
        judgement.sinks.extend(flow::answers(machine, &run.returns));
    }
    judgement.events = events;
    judgement.link_starts = run.link_starts;
    (judgement, mark)
}
