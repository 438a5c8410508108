//! Tries an application's middleware on sample paths of a route: who gets through.

use portcullis_code::{machine::Machine, value::ValueId};
use portcullis_report::Auth;

use crate::{
    judge::Bench,
    matcher::{Coverage, SampleKind, samples},
    passes::Passes,
    response::{self, ResponseKind},
    route::{Convention, Route, Site, Unknown},
};

/// What a middleware does for a route.
#[derive(Clone, Debug)]
pub struct Cover {
    /// Whether anonymous requests are refused.
    pub auth: Auth,
    /// Where the middleware is.
    pub site: Site,
    /// Sample paths of the route that get through although the plain path does not.
    pub gaps: Vec<String>,
    /// Under which conditions.
    pub conditions: Vec<String>,
    /// What is not known.
    pub unknowns: Vec<Unknown>,
}

/// What a middleware is, for trying it.
#[derive(Clone, Debug)]
pub struct Tried<'m> {
    /// Its value.
    pub value: ValueId,
    /// Where.
    pub site: Site,
    /// Whether it runs on a path.
    pub covers: &'m dyn CoversPath,
}

/// Whether a middleware runs on a path.
pub trait CoversPath: std::fmt::Debug {
    /// By its matcher.
    fn covers(&self, path: &str) -> Coverage;
}

/// Tries a middleware on the samples of a route's path.
pub fn cover(machine: &mut Machine<'_>, bench: &Bench<'_, '_>, tried: &Tried<'_>, route: &Route) -> Cover {
    let mut cover = Cover { auth: Auth::None, site: tried.site, gaps: Vec::new(), conditions: Vec::new(), unknowns: Vec::new() };
    let path = if route.path.starts_with('/') { route.path.clone() } else { return cover };
    let mut plain = Auth::None;
    for sample in samples(&path) {
        // Next.js minds case and redirects trailing slashes: those are other routes.
        if matches!(sample.kind, SampleKind::UpperCase | SampleKind::TrailingSlash) {
            continue;
        }
        let auth = match tried.covers.covers(&sample.path) {
            Coverage::No => Auth::None,
            Coverage::Unknown => {
                let reason = "the middleware's matcher cannot be read".to_owned();
                cover.unknowns.push(Unknown { code: "U4", site: Some(tried.site), reason });
                Auth::Unknown
            }
            coverage => {
                if coverage == Coverage::Conditional {
                    cover.conditions.push("the middleware's matcher has conditions on headers, cookies or the query".to_owned());
                }
                try_path(machine, bench, tried, &sample.path, route)
            }
        };
        if sample.kind == SampleKind::Plain {
            plain = auth;
        } else if auth != Auth::Required && plain == Auth::Required {
            cover.gaps.push(sample.path);
        }
        if plain != Auth::Required {
            break;
        }
    }
    cover.auth = plain;
    cover
}

fn try_path(machine: &mut Machine<'_>, bench: &Bench<'_, '_>, tried: &Tried<'_>, path: &str, route: &Route) -> Auth {
    bench.frameworks.fix(Some(path.to_owned()), Some(route.method));
    let mark = machine.begin();
    let args: Vec<ValueId> = Convention::Web.inputs().into_iter().map(|input| input.value(&mut machine.values)).collect();
    let outcome = machine.run(tried.value, &args);
    let answers = response::responses(&machine.values, bench.knowledge, &[], &outcome.returns, &outcome.throws);
    let passes = Passes::new(bench.knowledge, bench.origins);
    let mut through = 0;
    let mut known = 0;
    for answer in &answers {
        let passes_on = answer.kind == ResponseKind::Continues || answer.kind == ResponseKind::Data && !answer.refuses() && answer.body.is_none_or(|body| response::is_constant(&machine.values, body) || is_nothing(machine, body));
        if answer.kind == ResponseKind::Redirect || answer.refuses() || !passes_on && answer.kind != ResponseKind::Data {
            continue;
        }
        through += 1;
        if passes.identified(&machine.values, answer.facts) {
            known += 1;
        }
    }
    machine.end(&mark);
    bench.frameworks.fix(None, Some(route.method));
    match (through, known) {
        (0, _) => Auth::Required,
        (through, known) if through == known => Auth::Required,
        (_, 0) => Auth::None,
        _ => Auth::Optional,
    }
}

fn is_nothing(machine: &Machine<'_>, value: ValueId) -> bool {
    machine.values.as_const(value).is_some()
}
