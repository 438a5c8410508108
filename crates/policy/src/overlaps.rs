//! Refuses routes that answer the same request, of which neither is the more specific, or that no request can reach.

use crate::faults::Faults;
use crate::policy_file::Draft;
use crate::route_tree::RouteTree;
use crate::{HostPattern, Malformed, Method, PathTemplate, Policy, Route, Segment};

/// Checks every route and entry of `static` against those before it. Pairs that have no path in common are not looked
/// at one by one.
pub(crate) fn check(draft: &Draft, faults: &mut Faults<'_>) {
    let all = All::new(&draft.policy);
    for (position, route) in all.routes.iter().enumerate() {
        let near = all.tree.overlapping(&route.path);
        let mut met: Vec<usize> = near
            .iter()
            .copied()
            .filter(|other| *other < position)
            .filter(|other| all.at(&[*other]).any(|earlier| meets(route, earlier)))
            .collect();
        met.sort_unstable();
        for earlier in all.at(&met) {
            if faults.is_full() {
                return;
            }
            if let Some(fault) = all.clash(route, earlier) {
                faults.add_malformed(&route.place.span, fault);
            }
        }
        if all.is_unreachable(route, &near) {
            let message = format!(
                "no request reaches `{}`: more specific routes answer all its paths",
                route.title()
            );
            faults.add(&route.place.span, message);
        }
    }
}

/// All routes of a policy, those of `static` last.
struct All<'p> {
    routes: Vec<&'p Route>,
    tree: RouteTree<'p>,
    /// One that stands for any where the policy names none.
    hosts: Vec<Option<HostPattern>>,
}

impl<'p> All<'p> {
    fn new(policy: &'p Policy) -> Self {
        let mut hosts: Vec<Option<HostPattern>> = policy.hosts().into_iter().map(Some).collect();
        if hosts.is_empty() {
            hosts.push(None);
        }
        Self {
            routes: policy.all_routes().collect(),
            tree: RouteTree::new(policy.all_routes()),
            hosts,
        }
    }

    /// Every method and host for which both routes answer.
    fn shared<'s>(
        &'s self,
        one: &'s Route,
        other: &'s Route,
    ) -> impl Iterator<Item = (Method, Option<&'s HostPattern>)> {
        let methods = Method::ALL.iter().filter(|method| {
            **method != Method::Any
                && one.methods.contains(**method)
                && other.methods.contains(**method)
        });
        methods.flat_map(move |method| {
            let hosts = self.hosts.iter().map(Option::as_ref);
            hosts
                .filter(|host| answers(one, *host) && answers(other, *host))
                .map(|host| (*method, host))
        })
    }

    fn at(&self, positions: &[usize]) -> impl Iterator<Item = &'p Route> {
        positions
            .iter()
            .filter_map(|position| self.routes.get(*position).copied())
    }

    /// What is wrong with two routes that overlap, if anything.
    fn clash(&self, route: &Route, earlier: &Route) -> Option<Malformed> {
        let line = earlier.place.line;
        if route.path.same_paths(&earlier.path) {
            let message = format!(
                "`{}` is already described by the route at line {line}",
                route.title()
            );
            return Some(Malformed::at(0..0, message));
        }
        // Of two entries of `static` it does not matter which one answers.
        if !route.path.crosses(&earlier.path) || (route.is_static && earlier.is_static) {
            return None;
        }
        let both = route.path.intersection(&earlier.path);
        let settled = both.as_ref().is_some_and(|both| {
            let settling = self.tree.same_paths(both);
            !settling.is_empty()
                && self.shared(route, earlier).all(|(method, host)| {
                    self.at(&settling)
                        .any(|one| one.methods.contains(method) && answers(one, host))
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

    /// Whether every request for a route goes to a more specific one. That can only be where it ends in a catch-all:
    /// any other template stands for texts that no finite number of more specific ones has all of.
    fn is_unreachable(&self, route: &Route, near: &[usize]) -> bool {
        if !matches!(route.path.segments().last(), Some(Segment::CatchAll(_))) {
            return false;
        }
        let inner: Vec<&Route> = self
            .at(near)
            .filter(|one| route.path.covers(&one.path) && !one.path.covers(&route.path))
            .collect();
        let longest = inner.iter().map(|one| one.path.segments().len()).max();
        let Some(longest) = longest else {
            return false;
        };
        // Without methods and hosts first: that settles nearly all of them.
        is_filled(&route.path, &inner, longest)
            && self.shared(route, route).all(|(method, host)| {
                let answering: Vec<&Route> = inner
                    .iter()
                    .copied()
                    .filter(|one| one.methods.contains(method) && answers(one, host))
                    .collect();
                is_filled(&route.path, &answering, longest)
            })
    }
}

/// Whether some request could be for either, were it not for its path.
fn meets(route: &Route, other: &Route) -> bool {
    route.methods.meets(other.methods) && route.shares_host(other)
}

fn answers(route: &Route, host: Option<&HostPattern>) -> bool {
    route.hosts.is_empty() || host.is_some_and(|host| route.hosts.contains(host))
}

/// Whether all paths of a template that ends in a catch-all belong to some of the routes. What stands for one segment,
/// for one with a slash after it, and for more than that is looked at one by one.
fn is_filled(path: &PathTemplate, inner: &[&Route], longest: usize) -> bool {
    path.segments().len() <= longest
        && path.parts_of_catch_all().is_some_and(|parts| {
            parts.iter().all(|part| {
                inner.iter().any(|one| one.path.covers(part)) || is_filled(part, inner, longest)
            })
        })
}
