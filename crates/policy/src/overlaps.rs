//! Refuses routes that answer the same request, of which neither is the more specific, or that no request can reach.

use std::collections::BTreeMap;

use crate::faults::Faults;
use crate::policy_file::Draft;
use crate::route_tree::RouteTree;
use crate::{
    Control, HostPattern, Malformed, Method, Need, Notice, PathTemplate, Policy, Route, RouteType,
    Segment, need,
};

/// Checks every route and entry of `static` against those before it. Pairs that have no path in common are not looked
/// at one by one.
pub(crate) fn check(draft: &Draft, faults: &mut Faults<'_>) {
    let all = All::new(&draft.policy);
    for (position, route) in all.routes.iter().enumerate() {
        let met: Vec<usize> = all
            .near(route)
            .into_iter()
            .filter(|other| *other < position)
            .filter(|other| all.at(&[*other]).any(|earlier| meets(route, earlier)))
            .collect();
        for earlier in all.at(&met) {
            if faults.is_full() {
                return;
            }
            if let Some(fault) = all.clash(route, earlier) {
                faults.add_malformed(&route.place.span, fault);
            }
        }
        if all.is_unreachable(route) {
            let message = format!(
                "no request reaches `{}`: more specific routes answer all its paths",
                route.title()
            );
            faults.add(&route.place.span, message);
        }
    }
}

/// Tells of public routes that also answer what another, protected one describes for other methods alone: with
/// `POST /admin` and `GET /{slug}`, a `GET /admin` is a page of anybody. One notice for each, and none for what ends in a
/// catch-all, which is written to answer all the rest.
pub(crate) fn notice_fallthrough(policy: &mut Policy) {
    let all = All::new(policy);
    let mut notices = Vec::new();
    let mut left = LOOKED_AT_MAX;
    for wide in policy.routes.iter().filter(|route| is_public_page(route)) {
        if left == 0 {
            break;
        }
        let near = all.everywhere(&wide.path);
        let looked_at = near.len().min(left);
        left -= looked_at;
        let fallen = near.into_iter().take(looked_at).filter_map(|position| {
            let narrow = all.routes.get(position)?;
            let method = all.falls_through(wide, narrow)?;
            Some((*narrow, method))
        });
        let fallen: Vec<(&Route, Method)> = fallen.collect();
        let Some((narrow, method)) = fallen.first() else {
            continue;
        };
        let more = match fallen.len() - 1 {
            0 => String::new(),
            more => format!(", and of {more} more like it"),
        };
        notices.push(Notice {
            place: wide.place.clone(),
            message: format!(
                "`{}`, which asks nobody who they are, also answers {method} of `{}` (line {}), which is written for {} alone{more}: add a route for it if that is not meant",
                wide.title(),
                narrow.path,
                narrow.place.line,
                narrow.methods
            ),
        });
    }
    policy.notices.append(&mut notices);
}

/// How many pairs of routes are looked at for notices: whoever has more of them has read the first.
const LOOKED_AT_MAX: usize = 10_000;

/// Whether anybody may read what it answers, and its path is open somewhere but at its end.
fn is_public_page(route: &Route) -> bool {
    let segments = route.path.segments();
    route.kind == RouteType::PublicRead
        && !matches!(segments.last(), Some(Segment::CatchAll(_)))
        && segments
            .iter()
            .any(|one| !matches!(one, Segment::Literal(_)))
}

/// All routes of a policy, those of `static` last.
struct All<'p> {
    routes: Vec<&'p Route>,
    /// Those that write a method, by it: two that write none in common never meet, and so are not compared at all. Those
    /// of `ANY` are in each.
    by_method: BTreeMap<Method, RouteTree<'p>>,
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
            by_method: Method::ALL
                .iter()
                .map(|method| (*method, RouteTree::of_method(policy.all_routes(), *method)))
                .collect(),
            hosts,
        }
    }

    /// The routes that have a path and a written method in common with one.
    fn near(&self, route: &Route) -> Vec<usize> {
        let any = route.methods.names(Method::Any);
        let written = self
            .by_method
            .iter()
            .filter(|(method, _)| any || route.methods.names(**method));
        let mut near: Vec<usize> = written
            .flat_map(|(_, tree)| tree.overlapping(&route.path))
            .collect();
        near.sort_unstable();
        near.dedup();
        near
    }

    /// The routes that have a path in common with a template, in the order of the list.
    fn everywhere(&self, path: &PathTemplate) -> Vec<usize> {
        let trees = self.by_method.values();
        let mut near: Vec<usize> = trees.flat_map(|tree| tree.overlapping(path)).collect();
        near.sort_unstable();
        near.dedup();
        near
    }

    /// The method by which requests for the paths of a narrow route, which asks who calls, come to a wide one.
    fn falls_through(&self, wide: &Route, narrow: &Route) -> Option<Method> {
        let is_protected = need(narrow.kind, Control::Authentication) == Need::Required;
        let is_inside = wide.path.covers(&narrow.path) && !narrow.path.covers(&wide.path);
        if !is_protected || !is_inside || !wide.shares_host(narrow) {
            return None;
        }
        let open = wide
            .methods
            .iter()
            .find(|method| *method != Method::Any && !narrow.methods.contains(*method))?;
        // Another that is as narrow, or between the two, answers instead.
        // `HEAD` may be answered by a `GET`.
        let is_answered = [open, Method::Get].iter().any(|written| {
            let near = self
                .by_method
                .get(written)
                .map(|tree| tree.overlapping(&narrow.path));
            self.at(&near.unwrap_or_default()).any(|other| {
                other.methods.contains(open)
                    && other.path.covers(&narrow.path)
                    && other.path.specificity(&wide.path).is_lt()
            })
        });
        (!is_answered).then_some(open)
    }

    /// The routes that have the same paths as a template.
    fn same_paths(&self, path: &PathTemplate) -> Vec<usize> {
        let trees = self.by_method.values();
        let mut same: Vec<usize> = trees.flat_map(|tree| tree.same_paths(path)).collect();
        same.sort_unstable();
        same.dedup();
        same
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
            let settling = self.same_paths(both);
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
    fn is_unreachable(&self, route: &Route) -> bool {
        let Some((Segment::CatchAll(_), before)) = route.path.segments().split_last() else {
            return false;
        };
        let last = before.len();
        let near = self.everywhere(&route.path);
        let inner: Vec<&Route> = self
            .at(&near)
            // Only what is open where the catch-all begins has all that can stand there.
            .filter(|one| one.path.segments().get(last).is_some_and(is_open))
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

const fn is_open(segment: &Segment) -> bool {
    matches!(segment, Segment::Parameter(_) | Segment::CatchAll(_))
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
