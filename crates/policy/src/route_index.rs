//! `RouteIndex`: finds the routes whose paths overlap a template, without comparing it with every one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::positions::{Chosen, Positions};
use crate::{HostPattern, Method, PathTemplate, Route, Segment};

/// How many texts or partly fixed segments may be near one in a column before the column is not asked: the paths that
/// are left are compared as a whole anyway.
const NEAR_MAX: usize = 256;

/// Routes by what each segment of their paths can be, by method and by host. A question costs a few words for each
/// segment and 64 routes, however the templates lie to each other; what was asked for is told by its position in the
/// list of routes.
#[derive(Debug)]
pub(crate) struct RouteIndex<'r> {
    routes: Vec<&'r Route>,
    columns: Vec<Column<'r>>,
    /// By the number of segments before a catch-all, or before the end.
    lengths: Vec<Length>,
    by_method: BTreeMap<Method, Chosen>,
    by_host: BTreeMap<&'r HostPattern, Positions>,
    of_all_hosts: Positions,
}

/// The routes with so many segments.
#[derive(Debug)]
struct Length {
    /// Whose paths have as many, or can have.
    fitting: Chosen,
    /// Whose paths have more, or can have.
    longer: Chosen,
}

/// What one segment can be.
#[derive(Debug)]
struct Column<'r> {
    fixed: BTreeMap<&'r str, Positions>,
    /// The same from their ends on.
    fixed_ends: BTreeSet<Ending<'r>>,
    /// By beginning and end. Thousands of them, of which none has the beginning or the end of another, are found
    /// without looking at each.
    open: BTreeMap<&'r str, BTreeMap<Ending<'r>, (&'r Segment, Positions)>>,
    /// A parameter, or within a catch-all.
    free: Chosen,
}

impl<'r> RouteIndex<'r> {
    pub(crate) fn new(routes: impl Iterator<Item = &'r Route>) -> Self {
        let routes: Vec<&Route> = routes.collect();
        let longest = routes.iter().map(|route| split(&route.path).0.len()).max();
        let longest = longest.unwrap_or_default();
        let none = Chosen::none(routes.len());
        let mut index = Self {
            columns: (0..longest).map(|_| Column::new(&none)).collect(),
            lengths: lengths(&routes, longest),
            by_method: BTreeMap::new(),
            by_host: BTreeMap::new(),
            of_all_hosts: Positions::default(),
            routes: Vec::new(),
        };
        let mut by_method: BTreeMap<Method, Positions> = BTreeMap::new();
        let mut endless = vec![Positions::default(); longest + 1];
        for (position, route) in routes.iter().enumerate() {
            let (segments, is_endless) = split(&route.path);
            for (column, segment) in index.columns.iter_mut().zip(segments) {
                column.insert(segment, position);
            }
            if is_endless && let Some(begun) = endless.get_mut(segments.len()) {
                begun.push(position);
            }
            for method in Method::ALL {
                if route.methods.names(*method) || route.methods.names(Method::Any) {
                    by_method.entry(*method).or_default().push(position);
                }
            }
            if route.hosts.is_empty() {
                index.of_all_hosts.push(position);
            }
            for host in &route.hosts {
                index.by_host.entry(host).or_default().push(position);
            }
        }
        let mut begun = none.clone();
        for (column, here) in index.columns.iter_mut().zip(&endless) {
            begun.add(here);
            column.free.add_chosen(&begun);
        }
        let dense = by_method.into_iter().map(|(method, positions)| {
            let mut chosen = none.clone();
            chosen.add(&positions);
            (method, chosen)
        });
        index.by_method = dense.collect();
        index.routes = routes;
        index
    }

    /// The routes that have a path in common with a template, in order.
    pub(crate) fn overlapping(&self, path: &PathTemplate) -> Vec<usize> {
        self.overlapping_of(path, None)
    }

    /// Those of them that write a method, or `ANY`.
    pub(crate) fn overlapping_by(&self, path: &PathTemplate, method: Method) -> Vec<usize> {
        let Some(of_method) = self.by_method.get(&method) else {
            return Vec::new();
        };
        self.overlapping_of(path, Some(of_method))
    }

    /// The routes that have a path, a written method and a host in common with one.
    pub(crate) fn near(&self, route: &Route) -> Vec<usize> {
        let mut of_methods = Chosen::none(self.routes.len());
        let any = route.methods.names(Method::Any);
        for (method, chosen) in &self.by_method {
            if any || route.methods.names(*method) {
                of_methods.add_chosen(chosen);
            }
        }
        if let Some(of_hosts) = self.of_hosts(route) {
            of_methods.keep(&of_hosts);
        }
        self.overlapping_of(&route.path, Some(&of_methods))
    }

    /// The routes that answer for a host of one which ends in a catch-all, and only for paths of it, whatever can stand
    /// where the catch-all begins; without those that have all of its paths.
    pub(crate) fn inside(&self, route: &Route) -> Vec<&'r Route> {
        let (before, is_endless) = split(&route.path);
        let Some(column) = self.columns.get(before.len()).filter(|_| is_endless) else {
            return Vec::new();
        };
        let mut chosen = column.free.clone();
        for (column, segment) in self.columns.iter().zip(before) {
            if let Segment::Literal(text) = segment {
                let mut same = Chosen::none(self.routes.len());
                if let Some(positions) = column.fixed.get(text.as_str()) {
                    same.add(positions);
                }
                chosen.keep(&same);
            }
        }
        if let Some(of_hosts) = self.of_hosts(route) {
            chosen.keep(&of_hosts);
        }
        let is_inside =
            |one: &&Route| route.path.covers(&one.path) && !one.path.covers(&route.path);
        let routes = chosen.iter().filter_map(|at| self.routes.get(at).copied());
        routes.filter(is_inside).collect()
    }

    /// The routes that have the same paths as a template.
    pub(crate) fn same_paths(&self, path: &PathTemplate) -> Vec<usize> {
        let mut same = self.overlapping(path);
        same.retain(|position| {
            let route = self.routes.get(*position);
            route.is_some_and(|route| route.path.same_paths(path))
        });
        same
    }

    /// The routes that answer for a host of one; `None` where that is every route.
    fn of_hosts(&self, route: &Route) -> Option<Chosen> {
        if route.hosts.is_empty() {
            return None;
        }
        let mut of_hosts = Chosen::none(self.routes.len());
        of_hosts.add(&self.of_all_hosts);
        for positions in route.hosts.iter().filter_map(|host| self.by_host.get(host)) {
            of_hosts.add(positions);
        }
        Some(of_hosts)
    }

    fn overlapping_of(&self, path: &PathTemplate, among: Option<&Chosen>) -> Vec<usize> {
        let (segments, is_endless) = split(path);
        let mut chosen = self.of_length(segments.len(), is_endless);
        if among.is_some_and(|among| !chosen.keep(among)) {
            return Vec::new();
        }
        // What is fixed leaves the least, and nearly all that is written stands for a parameter.
        let fixed = |segment: &&Segment| matches!(segment, Segment::Literal(_));
        let partly = |segment: &&Segment| matches!(segment, Segment::Affixed { .. });
        let columns = || self.columns.iter().zip(segments);
        let in_turn = columns()
            .filter(|(_, segment)| fixed(segment))
            .chain(columns().filter(|(_, segment)| partly(segment)));
        for (column, segment) in in_turn {
            if let Some(overlapping) = column.overlapping(segment)
                && !chosen.keep(&overlapping)
            {
                return Vec::new();
            }
        }
        let is_overlapping = |position: &usize| {
            let route = self.routes.get(*position);
            route.is_some_and(|route| route.path.overlaps(path))
        };
        chosen.iter().filter(is_overlapping).collect()
    }

    /// The routes whose paths can have as many segments as a template's.
    fn of_length(&self, count: usize, is_endless: bool) -> Chosen {
        let Some(length) = self.lengths.get(count).or(self.lengths.last()) else {
            return Chosen::none(self.routes.len());
        };
        if is_endless {
            length.longer.clone()
        } else {
            length.fitting.clone()
        }
    }
}

/// For each number of segments up to one more than the longest path has, which routes can have as many.
fn lengths(routes: &[&Route], longest: usize) -> Vec<Length> {
    let none = Chosen::none(routes.len());
    (0..=longest + 1)
        .map(|count| {
            let (mut fitting, mut longer) = (Positions::default(), Positions::default());
            for (position, route) in routes.iter().enumerate() {
                let (segments, is_endless) = split(&route.path);
                if segments.len() == count || (is_endless && segments.len() < count) {
                    fitting.push(position);
                }
                if is_endless || segments.len() > count {
                    longer.push(position);
                }
            }
            let dense = |positions: &Positions| {
                let mut chosen = none.clone();
                chosen.add(positions);
                chosen
            };
            Length {
                fitting: dense(&fitting),
                longer: dense(&longer),
            }
        })
        .collect()
}

/// The segments before a catch-all, and whether there is one.
fn split(path: &PathTemplate) -> (&[Segment], bool) {
    match path.segments().split_last() {
        Some((Segment::CatchAll(_), before)) => (before, true),
        _ => (path.segments(), false),
    }
}

fn affixes(segment: &Segment) -> (&str, &str) {
    match segment {
        Segment::Affixed { prefix, suffix, .. } => (prefix, suffix),
        _ => ("", ""),
    }
}

/// The end of a segment, ordered from its last byte on: those that end alike stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ending<'r>(&'r str);

impl Ord for Ending<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.bytes().rev().cmp(other.0.bytes().rev())
    }
}

impl PartialOrd for Ending<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Every beginning of a text, the empty one and the whole too.
fn starts(text: &str) -> impl Iterator<Item = &str> {
    (0..=text.len()).filter_map(|end| text.get(..end))
}

/// Every end of a text, the whole and the empty one too.
fn ends_of(text: &str) -> impl Iterator<Item = &str> {
    (0..=text.len()).filter_map(|start| text.get(start..))
}

impl<'r> Column<'r> {
    fn new(none: &Chosen) -> Self {
        Self {
            fixed: BTreeMap::new(),
            fixed_ends: BTreeSet::new(),
            open: BTreeMap::new(),
            free: none.clone(),
        }
    }

    fn insert(&mut self, segment: &'r Segment, position: usize) {
        match segment {
            Segment::Literal(text) => {
                self.fixed_ends.insert(Ending(text));
                self.fixed.entry(text).or_default().push(position);
            }
            Segment::Affixed { prefix, suffix, .. } => {
                let ends = self.open.entry(prefix).or_default();
                let (_, positions) = ends
                    .entry(Ending(suffix))
                    .or_insert_with(|| (segment, Positions::default()));
                positions.push(position);
            }
            Segment::Parameter(_) | Segment::CatchAll(_) => {
                let mut one = Positions::default();
                one.push(position);
                self.free.add(&one);
            }
        }
    }

    /// The routes whose segment here has a text in common with one that is fixed somewhere; `None` where it is near so
    /// many that this would rule out too little.
    fn overlapping(&self, segment: &Segment) -> Option<Chosen> {
        let mut chosen = self.free.clone();
        let near_fixed = match segment {
            Segment::Literal(text) => vec![text.as_str()],
            open => self.near_fixed(open)?,
        };
        for text in near_fixed {
            if let Some(positions) = self.fixed.get(text).filter(|_| segment.matches(text)) {
                chosen.add(positions);
            }
        }
        for (open, positions) in self.near_open(segment)? {
            if segment.overlaps(open) {
                chosen.add(positions);
            }
        }
        Some(chosen)
    }

    /// The fixed segments that an open one may stand for: those that begin as it does or those that end so, whichever are
    /// fewer. To find out which, both are counted up in turns. `None` where both are many.
    fn near_fixed<'s>(&'s self, open: &'s Segment) -> Option<Vec<&'s str>> {
        let (prefix, suffix) = affixes(open);
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let mut begin_so = self
            .fixed
            .range::<str, _>(from)
            .map(|(text, _)| *text)
            .take_while(|text| text.starts_with(prefix));
        let mut end_so = self
            .fixed_ends
            .range(Ending(suffix)..)
            .map(|end| end.0)
            .take_while(|text| text.ends_with(suffix));
        let (mut beginning, mut ending) = (Vec::new(), Vec::new());
        for _ in 0..=NEAR_MAX {
            match begin_so.next() {
                Some(text) => beginning.push(text),
                None => return Some(beginning),
            }
            match end_so.next() {
                Some(text) => ending.push(text),
                None => return Some(ending),
            }
        }
        None
    }

    /// The open segments whose beginning and end do not rule out that they overlap with one. `None` where these are many.
    fn near_open<'s>(&'s self, segment: &'s Segment) -> Option<Vec<(&'s Segment, &'s Positions)>> {
        let mut near = Vec::new();
        if self.open.is_empty() {
            return Some(near);
        }
        let (prefix, suffix, may_be_longer) = match segment {
            Segment::Literal(text) => (text.as_str(), text.as_str(), false),
            open => {
                let (prefix, suffix) = affixes(open);
                (prefix, suffix, true)
            }
        };
        let shorter = starts(prefix).filter_map(|start| self.open.get(start));
        let from = (Bound::Excluded(prefix), Bound::Unbounded);
        let longer = self.open.range::<str, _>(from);
        let longer = longer
            .take_while(|(other, _)| may_be_longer && other.starts_with(prefix))
            .map(|(_, ends)| ends);
        for ends in shorter.chain(longer) {
            if near.len() > NEAR_MAX {
                return None;
            }
            // Few ends are looked at one by one, and many by what they could be.
            if ends.len() <= suffix.len() {
                near.extend(ends.values().map(|(open, positions)| (*open, positions)));
                continue;
            }
            let shorter = ends_of(suffix).filter_map(|end| ends.get(&Ending(end)));
            let from = (Bound::Excluded(Ending(suffix)), Bound::Unbounded);
            let longer = ends.range(from);
            let longer = longer
                .take_while(|(other, _)| may_be_longer && other.0.ends_with(suffix))
                .map(|(_, open)| open);
            let both = shorter.chain(longer);
            near.extend(
                both.map(|(open, positions)| (*open, positions))
                    .take(NEAR_MAX + 1),
            );
        }
        (near.len() <= NEAR_MAX).then_some(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use proptest::prelude::*;

    fn route(path: &str) -> Route {
        Route::of_static(path.parse().expect(path), Place::default())
    }

    const PATH: &str = "(/(a|b|ab|\\{x\\}|a\\{x\\}|\\{x\\}b|a\\{x\\}b)){0,1}(/(a|\\{y\\}|\\{y\\}b)){0,1}(/(a|\\{z\\}|\\{z\\}b)){0,1}(/|/\\{\\*r\\})?";

    proptest! {
        /// The index finds what comparing every pair finds, also of a template that is none of its own.
        #[test]
        fn nothing_is_missed(paths in prop::collection::vec(PATH, 1..12), other in PATH) {
            let routes: Vec<Route> = paths
                .iter()
                .filter(|path| path.starts_with('/'))
                .map(|path| route(path))
                .collect();
            let index = RouteIndex::new(routes.iter());
            let other = other.starts_with('/').then(|| route(&other));
            for one in routes.iter().chain(&other) {
                let by = |is: fn(&PathTemplate, &PathTemplate) -> bool| -> Vec<usize> {
                    let positions = routes.iter().enumerate();
                    positions.filter(|(_, other)| is(&one.path, &other.path)).map(|(at, _)| at).collect()
                };
                prop_assert_eq!(index.overlapping(&one.path), by(PathTemplate::overlaps));
                prop_assert_eq!(index.near(one), by(PathTemplate::overlaps));
                prop_assert_eq!(index.overlapping_by(&one.path, Method::Get), by(PathTemplate::overlaps));
                prop_assert!(index.overlapping_by(&one.path, Method::Put).is_empty());
                prop_assert_eq!(index.same_paths(&one.path), by(PathTemplate::same_paths));
            }
        }

        /// Hosts and methods are told apart.
        #[test]
        fn near_is_what_meets(
            routes in prop::collection::vec((PATH, 0_usize..4, 0_usize..4), 1..12),
        ) {
            let hosts: [&[&str]; 4] = [&[], &["a"], &["b"], &["a", "b"]];
            let methods: [&[Method]; 4] = [&[Method::Get], &[Method::Any], &[Method::Post, Method::Get], &[Method::Head]];
            let routes: Vec<Route> = routes
                .iter()
                .filter(|(path, ..)| path.starts_with('/'))
                .map(|(path, host, method)| {
                    let mut one = route(path);
                    one.hosts = hosts[*host].iter().map(|host| host.parse().expect("a host")).collect();
                    one.methods = methods[*method].iter().copied().collect();
                    one
                })
                .collect();
            let index = RouteIndex::new(routes.iter());
            for one in &routes {
                let met = |other: &Route| {
                    one.path.overlaps(&other.path) && one.methods.meets(other.methods) && one.shares_host(other)
                };
                let expected: Vec<usize> = routes
                    .iter()
                    .enumerate()
                    .filter(|(_, other)| met(other))
                    .map(|(at, _)| at)
                    .collect();
                prop_assert_eq!(index.near(one), expected);
            }
        }
    }
}
