//! Tries an application's middleware on sample paths of a route: who gets through.

use std::collections::hash_map::Entry;

use portcullis_code::{machine::Machine, track::Reads, value::ValueId};
use portcullis_policy::Method;
use portcullis_report::Auth;
use rustc_hash::FxHashMap;

use crate::{
    discover::nextjs::middleware::Reach,
    judge::Bench,
    matcher::Coverage,
    opening::{self, Opening, Point},
    origin::OriginFinder,
    passes::{Passes, Proof},
    response::{self, ResponseKind},
    route::{Convention, Route, Site, Unknown},
    semantics::RequestPath,
};

/// What a middleware does for a route.
#[derive(Clone, Debug)]
pub struct Cover {
    /// Whether anonymous requests are refused.
    pub auth: Auth,
    /// Whether it runs on the plain path of the route, or may.
    pub covered: bool,
    /// Where the middleware is.
    pub site: Site,
    /// Sample paths of the route that get through although the plain path does not.
    pub gaps: Vec<String>,
    /// Under which conditions.
    pub conditions: Vec<String>,
    /// What is not known.
    pub unknowns: Vec<Unknown>,
    /// Whether whoever gets through has shown a role.
    pub authorized: bool,
    /// Guards of it that an error switches off.
    pub openings: Vec<Opening>,
}

/// What was found out about an application's middlewares: many routes share a path, and all actions those of the pages.
#[derive(Debug, Default)]
pub struct Trials {
    tried: FxHashMap<(Site, String, Method), Trial>,
}

/// What a middleware does on one path.
#[derive(Clone, Debug)]
struct Trial {
    auth: Auth,
    authorized: bool,
    openings: Vec<Opening>,
    /// What was read to find that out.
    reads: Reads,
}

/// Tries a middleware on the samples of a route's path.
pub fn cover(
    machine: &mut Machine<'_>,
    bench: &Bench<'_, '_>,
    trials: &mut Trials,
    reach: &Reach<'_>,
    route: &Route,
) -> Cover {
    let site = reach.middleware.site;
    let mut cover = Cover {
        auth: Auth::None,
        covered: reach
            .tries
            .first()
            .is_some_and(|attempt| attempt.coverage != Coverage::No),
        site,
        gaps: Vec::new(),
        conditions: Vec::new(),
        unknowns: reach.middleware.unknowns.clone(),
        authorized: false,
        openings: Vec::new(),
    };
    for (number, attempt) in reach.tries.iter().enumerate() {
        let auth = match attempt.coverage {
            Coverage::No => Auth::None,
            Coverage::Unknown => {
                if number == 0 {
                    let reason = "the middleware's matcher cannot be read".to_owned();
                    cover.unknowns.push(Unknown {
                        code: "U4",
                        site: Some(site),
                        reason,
                    });
                }
                Auth::Unknown
            }
            coverage => {
                if coverage == Coverage::Conditional && number == 0 {
                    cover.conditions.push(
                        "the middleware's matcher has conditions on headers, cookies or the query"
                            .to_owned(),
                    );
                }
                let key = (site, attempt.sample.path.clone(), route.method);
                let trial = match trials.tried.entry(key) {
                    Entry::Occupied(known) => {
                        machine.read_again(&known.get().reads);
                        known.into_mut()
                    }
                    Entry::Vacant(place) => {
                        let reading = machine.open_reading();
                        let (value, path) = (reach.middleware.value, &attempt.sample.path);
                        let mut trial = try_path(machine, bench, value, path, route);
                        trial.reads = machine.close_reading(reading);
                        place.insert(trial)
                    }
                };
                if number == 0 {
                    cover.openings.clone_from(&trial.openings);
                    cover.authorized = trial.authorized;
                }
                trial.auth
            }
        };
        if number == 0 {
            cover.auth = auth;
        } else if auth == Auth::None && cover.auth == Auth::Required {
            cover.gaps.push(attempt.sample.path.clone());
        }
        if cover.auth != Auth::Required {
            break;
        }
    }
    // A remote procedure answers on every page of the application: one that is open opens it.
    let procedure = route
        .chain
        .last()
        .is_some_and(|link| link.convention == Convention::Action);
    if procedure && !cover.gaps.is_empty() {
        cover.auth = Auth::None;
        cover.gaps.clear();
    }
    cover
}

fn try_path(
    machine: &mut Machine<'_>,
    bench: &Bench<'_, '_>,
    value: ValueId,
    path: &str,
    route: &Route,
) -> Trial {
    bench
        .frameworks
        .fix(RequestPath::Sample(path.to_owned()), Some(route.method));
    let mark = machine.begin();
    let args: Vec<ValueId> = Convention::Web
        .inputs()
        .into_iter()
        .map(|input| input.value(&mut machine.values))
        .collect();
    let outcome = machine.run(value, &args);
    let answers = response::responses(
        &machine.values,
        bench.knowledge,
        &[],
        &outcome.returns,
        &outcome.throws,
    );
    // What origins remember ends with the run that they speak of.
    let origins = OriginFinder::new(bench.knowledge);
    let passes = Passes::new(bench.knowledge, &origins);
    let mut points = Vec::new();
    let mut through = 0;
    let mut known = 0;
    for answer in &answers {
        let passes_on = answer.kind == ResponseKind::Continues
            || answer.kind == ResponseKind::Data
                && !answer.refuses()
                && answer.body.is_none_or(|body| {
                    response::is_constant(&machine.values, body) || is_nothing(machine, body)
                });
        if answer.kind == ResponseKind::Redirect
            || answer.refuses()
            || !passes_on && answer.kind != ResponseKind::Data
        {
            continue;
        }
        through += 1;
        points.push(Point {
            facts: answer.facts,
            event: None,
            site: answer.site,
            what: "the request goes on",
            shows: false,
            lets_through: true,
        });
        if passes.identified(&machine.values, answer.facts) {
            known += 1;
        }
    }
    let refusals: Vec<_> = answers.iter().filter(|answer| answer.refuses()).collect();
    let openings = opening::openings(
        &machine.values,
        &passes,
        &machine.events,
        &refusals,
        &points,
    );
    let authorized = !points.is_empty()
        && points
            .iter()
            .all(|point| passes.has(&machine.values, point.facts, Proof::Authorization));
    machine.end(&mark);
    bench
        .frameworks
        .fix(RequestPath::Unknown, Some(route.method));
    let auth = match (through, known) {
        (0, _) => Auth::Required,
        (through, known) if through == known => Auth::Required,
        (_, 0) => Auth::None,
        _ => Auth::Optional,
    };
    Trial {
        auth,
        authorized,
        openings,
        reads: Reads::default(),
    }
}

fn is_nothing(machine: &Machine<'_>, value: ValueId) -> bool {
    machine.values.as_const(value).is_some()
}
