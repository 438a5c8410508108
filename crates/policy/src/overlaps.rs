//! Refuses routes that answer the same request, or requests of which neither is the more specific.

use crate::faults::Faults;
use crate::policy_file::Draft;
use crate::{Malformed, Method, Route};

/// Two routes that answer the same request, or requests of which neither is the more specific.
pub(crate) fn check(draft: &Draft, faults: &mut Faults<'_>) {
    let routes = &draft.policy.routes;
    for (position, route) in routes.iter().enumerate() {
        for earlier in routes.iter().take(position) {
            if faults.is_full() {
                return;
            }
            if !route.methods.meets(earlier.methods) || !route.path.overlaps(&earlier.path) {
                continue;
            }
            if let Some(fault) = clash(route, earlier, routes) {
                faults.add_malformed(&route.place.span, fault);
            }
        }
    }
}

/// What is wrong with two routes that overlap, if anything.
fn clash(route: &Route, earlier: &Route, routes: &[Route]) -> Option<Malformed> {
    let line = earlier.place.line;
    if route.path.same_paths(&earlier.path) {
        let message = format!(
            "`{}` is already described by the route at line {line}",
            route.title()
        );
        return Some(Malformed::at(0..0, message));
    }
    if !route.path.crosses(&earlier.path) {
        return None;
    }
    let both = route.path.intersection(&earlier.path);
    let settled = both.as_ref().is_some_and(|both| {
        Method::ALL
            .iter()
            .filter(|method| route.methods.contains(**method) && earlier.methods.contains(**method))
            .all(|method| {
                routes
                    .iter()
                    .any(|one| one.methods.contains(*method) && one.path.same_paths(both))
            })
    });
    if settled {
        return None;
    }
    let message = format!(
        "`{}` and `{}` (line {line}) overlap and neither is more specific",
        route.path, earlier.path
    );
    let message = match both {
        Some(both) => format!("{message}: add a route for `{both}`"),
        None => message,
    };
    Some(Malformed::at(0..0, message))
}
