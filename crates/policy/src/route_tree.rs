//! `RouteTree`: finds the routes whose paths overlap a template, without comparing it with every one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::{Method, PathTemplate, Route, Segment};

/// Routes by the segments of their paths. Found ones are told by their position in the list it was made of.
#[derive(Debug, Default)]
pub(crate) struct RouteTree<'r> {
    root: Level<'r>,
}

/// What can follow some segments.
#[derive(Debug, Default)]
struct Level<'r> {
    fixed: BTreeMap<&'r str, Self>,
    /// The same from their ends on.
    fixed_ends: BTreeSet<Ending<'r>>,
    /// By beginning and end; a parameter has neither. Thousands of them, of which none has the beginning or the end of
    /// another, are found without looking at each.
    open: BTreeMap<&'r str, BTreeMap<Ending<'r>, (&'r Segment, Self)>>,
    /// Routes that end here.
    ends: Vec<usize>,
    /// Routes whose next segment is a catch-all.
    rests: Vec<usize>,
}

impl<'r> RouteTree<'r> {
    /// Of the routes that write a method, or `ANY`, which is every one.
    pub(crate) fn of_method(routes: impl Iterator<Item = &'r Route>, method: Method) -> Self {
        let mut tree = Self::default();
        for (position, route) in routes.enumerate() {
            if route.methods.names(method) || route.methods.names(Method::Any) {
                tree.root.insert(route.path.segments(), position);
            }
        }
        tree
    }

    /// The routes that have a path in common with a template, in no order.
    pub(crate) fn overlapping(&self, path: &PathTemplate) -> Vec<usize> {
        let mut found = Vec::new();
        self.root.find(path.segments(), &mut found);
        found
    }

    /// The routes that have the same paths as a template.
    pub(crate) fn same_paths(&self, path: &PathTemplate) -> Vec<usize> {
        let mut level = &self.root;
        for segment in path.segments() {
            let next = match segment {
                Segment::CatchAll(_) => return level.rests.clone(),
                Segment::Literal(text) => level.fixed.get(text.as_str()),
                open => {
                    let (prefix, suffix) = affixes(open);
                    let ends = level.open.get(prefix);
                    ends.and_then(|ends| ends.get(&Ending(suffix)))
                        .map(|(_, next)| next)
                }
            };
            match next {
                Some(next) => level = next,
                None => return Vec::new(),
            }
        }
        level.ends.clone()
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

/// The recursion is as deep as a path has segments, at most [`SEGMENTS_MAX`](crate::bounds::SEGMENTS_MAX).
impl<'r> Level<'r> {
    fn insert(&mut self, segments: &'r [Segment], position: usize) {
        match segments.split_first() {
            None => self.ends.push(position),
            Some((Segment::CatchAll(_), _)) => self.rests.push(position),
            Some((Segment::Literal(text), rest)) => {
                self.fixed_ends.insert(Ending(text));
                self.fixed.entry(text).or_default().insert(rest, position);
            }
            Some((open, rest)) => {
                let (prefix, suffix) = affixes(open);
                let (_, next) = self
                    .open
                    .entry(prefix)
                    .or_default()
                    .entry(Ending(suffix))
                    .or_insert_with(|| (open, Self::default()));
                next.insert(rest, position);
            }
        }
    }

    fn find(&self, segments: &[Segment], found: &mut Vec<usize>) {
        let Some((segment, rest)) = segments.split_first() else {
            found.extend(&self.ends);
            return;
        };
        if segment.can_be_filled() {
            found.extend(&self.rests);
        }
        match segment {
            Segment::CatchAll(_) => {
                let fixed = self.fixed.iter().filter(|(text, _)| !text.is_empty());
                for next in fixed.map(|(_, next)| next).chain(self.all_open()) {
                    next.find_all(found);
                }
                return;
            }
            Segment::Literal(text) => {
                if let Some(next) = self.fixed.get(text.as_str()) {
                    next.find(rest, found);
                }
            }
            Segment::Parameter(_) => {
                for (_, next) in self.fixed.iter().filter(|(text, _)| !text.is_empty()) {
                    next.find(rest, found);
                }
            }
            open @ Segment::Affixed { .. } => {
                for text in self.near_fixed(open) {
                    if let Some(next) = self.fixed.get(text).filter(|_| open.matches(text)) {
                        next.find(rest, found);
                    }
                }
            }
        }
        for (open, next) in self.near_open(segment) {
            if segment.overlaps(open) {
                next.find(rest, found);
            }
        }
    }

    /// The fixed segments that an open one may stand for: those that begin as it does or those that end so, whichever are
    /// fewer. To find out which, both are counted up in turns.
    fn near_fixed<'s>(&'s self, open: &'s Segment) -> Vec<&'s str> {
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
        loop {
            match begin_so.next() {
                Some(text) => beginning.push(text),
                None => return beginning,
            }
            match end_so.next() {
                Some(text) => ending.push(text),
                None => return ending,
            }
        }
    }

    /// The open segments whose beginning and end do not rule out that they overlap with one.
    fn near_open<'s>(&'s self, segment: &'s Segment) -> Vec<(&'s Segment, &'s Level<'s>)> {
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
        let mut near = Vec::new();
        for ends in shorter.chain(longer) {
            // Few ends are looked at one by one, and many by what they could be.
            if ends.len() <= suffix.len() {
                near.extend(ends.values().map(|(open, next)| (*open, next)));
                continue;
            }
            let shorter = ends_of(suffix).filter_map(|end| ends.get(&Ending(end)));
            let from = (Bound::Excluded(Ending(suffix)), Bound::Unbounded);
            let longer = ends.range(from);
            let longer = longer
                .take_while(|(other, _)| may_be_longer && other.0.ends_with(suffix))
                .map(|(_, open)| open);
            near.extend(shorter.chain(longer).map(|(open, next)| (*open, next)));
        }
        near
    }

    fn find_all(&self, found: &mut Vec<usize>) {
        found.extend(&self.ends);
        found.extend(&self.rests);
        for next in self.fixed.values().chain(self.all_open()) {
            next.find_all(found);
        }
    }

    fn all_open(&self) -> impl Iterator<Item = &Self> {
        let ends = self.open.values().flat_map(BTreeMap::values);
        ends.map(|(_, next)| next)
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

    proptest! {
        /// The tree finds what comparing every pair finds.
        #[test]
        fn nothing_is_missed(
            paths in prop::collection::vec("(/(a|b|ab|\\{x\\}|a\\{x\\}|\\{x\\}b|a\\{x\\}b)){0,1}(/(a|\\{y\\}|\\{y\\}b)){0,1}(/(a|\\{z\\}|\\{z\\}b)){0,1}(/|/\\{\\*r\\})?", 1..12),
        ) {
            let routes: Vec<Route> = paths
                .iter()
                .filter(|path| path.starts_with('/'))
                .map(|path| route(path))
                .collect();
            let tree = RouteTree::of_method(routes.iter(), Method::Get);
            for one in &routes {
                let by = |is: fn(&PathTemplate, &PathTemplate) -> bool| -> Vec<usize> {
                    let positions = routes.iter().enumerate();
                    positions.filter(|(_, other)| is(&one.path, &other.path)).map(|(at, _)| at).collect()
                };
                let mut overlapping = tree.overlapping(&one.path);
                overlapping.sort_unstable();
                prop_assert_eq!(overlapping, by(PathTemplate::overlaps));
                prop_assert_eq!(tree.same_paths(&one.path), by(PathTemplate::same_paths));
            }
        }
    }
}
