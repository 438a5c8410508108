//! What the policy says of a route, found by the path as discovery writes it.

use portcullis_policy::{Method, Place, Policy, RouteType};

use crate::template_of;

/// What an entry of the policy says of a route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stated<'p> {
    /// The type.
    pub(crate) kind: RouteType,
    /// Where that is written.
    pub(crate) place: &'p Place,
}

/// The entry that speaks of a route, or of a function that has no path.
pub(crate) fn stated<'p>(policy: &'p Policy, method: Method, path: &str) -> Option<Stated<'p>> {
    if let Some(function) = policy.function(path) {
        return Some(Stated {
            kind: function.kind,
            place: &function.place,
        });
    }
    let template = template_of(path).ok()?;
    let route = policy.route_covering(method, &template)?;
    Some(Stated {
        kind: route.kind,
        place: &route.place,
    })
}
