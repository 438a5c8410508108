//! Refuses routes that answer the same request, of which neither is the more specific, or that no request can reach.

use std::collections::BTreeSet;

use crate::faults::Faults;
use crate::policy_file::Draft;
use crate::route_index::RouteIndex;
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
            .index
            .near(route)
            .into_iter()
            .filter(|other| *other < position)
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
        let near = all.index.overlapping(&wide.path);
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
    index: RouteIndex<'p>,
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
            index: RouteIndex::new(policy.all_routes()),
            hosts,
        }
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
            let near = self.index.overlapping_by(&narrow.path, *written);
            self.at(&near).any(|other| {
                other.methods.contains(open)
                    && other.path.covers(&narrow.path)
                    && other.path.specificity(&wide.path).is_lt()
            })
        });
        (!is_answered).then_some(open)
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
            let settling = self.index.same_paths(both);
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
        let inner: Vec<(&Route, Filling)> = self
            .index
            .inside(route)
            .into_iter()
            .filter_map(|one| Some((one, Filling::of(&route.path, &one.path)?)))
            .collect();
        // Without methods and hosts first: that settles nearly all of them.
        is_filled(inner.iter().map(|(_, filling)| *filling))
            && self.shared(route, route).all(|(method, host)| {
                let answering = inner
                    .iter()
                    .filter(|(one, _)| one.methods.contains(method) && answers(one, host));
                is_filled(answering.map(|(_, filling)| *filling))
            })
    }
}

const fn is_open(segment: &Segment) -> bool {
    matches!(segment, Segment::Parameter(_) | Segment::CatchAll(_))
}

fn answers(route: &Route, host: Option<&HostPattern>) -> bool {
    route.hosts.is_empty() || host.is_some_and(|host| route.hosts.contains(host))
}

/// What of a catch-all a more specific template has all of: so many segments, whatever they are, and then what comes
/// after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Filling {
    /// Nothing.
    Exactly(usize),
    /// A slash.
    WithSlash(usize),
    /// Anything, one segment at least.
    More(usize),
}

impl Filling {
    /// `inner` is a part of `outer`, which ends in a catch-all.
    fn of(outer: &PathTemplate, inner: &PathTemplate) -> Option<Self> {
        let (_, before) = outer.segments().split_last()?;
        let (same, filling) = inner.segments().split_at_checked(before.len())?;
        let is_same = same
            .iter()
            .zip(before)
            .all(|(one, other)| one.covers(other));
        let (last, open) = filling.split_last()?;
        if !is_same || !open.iter().all(is_open) {
            return None;
        }
        match last {
            Segment::Parameter(_) => Some(Self::Exactly(open.len() + 1)),
            Segment::Literal(text) if text.is_empty() => Some(Self::WithSlash(open.len())),
            Segment::CatchAll(_) => Some(Self::More(open.len())),
            Segment::Literal(_) | Segment::Affixed { .. } => None,
        }
    }
}

/// Whether these together have all that a catch-all stands for: from some number of segments on one has everything, and
/// up to there each number is had, with a slash after it and without.
fn is_filled(fillings: impl Iterator<Item = Filling>) -> bool {
    let all: BTreeSet<Filling> = fillings.collect();
    let mut more = all.iter().filter_map(|filling| match filling {
        Filling::More(count) => Some(*count),
        _ => None,
    });
    more.next().is_some_and(|from| {
        (1..=from).all(|count| {
            all.contains(&Filling::Exactly(count)) && all.contains(&Filling::WithSlash(count))
        })
    })
}
