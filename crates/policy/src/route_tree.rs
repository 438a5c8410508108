//! `RouteTree`: finds the routes whose paths overlap a template, without comparing it with every one.

use std::collections::BTreeMap;

use crate::{PathTemplate, Route, Segment};

/// Routes by the segments of their paths. Found ones are told by their position in the list it was made of.
#[derive(Debug, Default)]
pub(crate) struct RouteTree<'r> {
    root: Level<'r>,
}

/// What can follow some segments.
#[derive(Debug, Default)]
struct Level<'r> {
    fixed: BTreeMap<&'r str, Self>,
    /// By beginning and end; a parameter has neither.
    open: BTreeMap<(&'r str, &'r str), (&'r Segment, Self)>,
    /// Routes that end here.
    ends: Vec<usize>,
    /// Routes whose next segment is a catch-all.
    rests: Vec<usize>,
}

impl<'r> RouteTree<'r> {
    pub(crate) fn new(routes: impl IntoIterator<Item = &'r Route>) -> Self {
        let mut tree = Self::default();
        for (position, route) in routes.into_iter().enumerate() {
            tree.root.insert(route.path.segments(), position);
        }
        tree
    }

    /// The routes that have a path in common with a template, in the order of the list.
    pub(crate) fn overlapping(&self, path: &PathTemplate) -> Vec<usize> {
        let mut found = Vec::new();
        self.root.find(path.segments(), &mut found);
        found.sort_unstable();
        found
    }

    /// The routes that have the same paths as a template.
    pub(crate) fn same_paths(&self, path: &PathTemplate) -> Vec<usize> {
        let mut level = &self.root;
        for segment in path.segments() {
            let next = match segment {
                Segment::CatchAll(_) => return level.rests.clone(),
                Segment::Literal(text) => level.fixed.get(text.as_str()),
                open => level.open.get(&affixes(open)).map(|(_, next)| next),
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

/// The recursion is as deep as a path has segments, at most [`SEGMENTS_MAX`](crate::bounds::SEGMENTS_MAX).
impl<'r> Level<'r> {
    fn insert(&mut self, segments: &'r [Segment], position: usize) {
        match segments.split_first() {
            None => self.ends.push(position),
            Some((Segment::CatchAll(_), _)) => self.rests.push(position),
            Some((Segment::Literal(text), rest)) => {
                self.fixed.entry(text).or_default().insert(rest, position);
            }
            Some((open, rest)) => {
                let (_, next) = self
                    .open
                    .entry(affixes(open))
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
                let open = self.open.values().map(|(_, next)| next);
                for next in fixed.map(|(_, next)| next).chain(open) {
                    next.find_all(found);
                }
                return;
            }
            Segment::Literal(text) => {
                if let Some(next) = self.fixed.get(text.as_str()) {
                    next.find(rest, found);
                }
            }
            open => {
                for (_, next) in self.fixed.iter().filter(|(text, _)| open.matches(text)) {
                    next.find(rest, found);
                }
            }
        }
        for (_, next) in self
            .open
            .values()
            .filter(|(open, _)| segment.overlaps(open))
        {
            next.find(rest, found);
        }
    }

    fn find_all(&self, found: &mut Vec<usize>) {
        found.extend(&self.ends);
        found.extend(&self.rests);
        let open = self.open.values().map(|(_, next)| next);
        for next in self.fixed.values().chain(open) {
            next.find_all(found);
        }
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
            let tree = RouteTree::new(&routes);
            for one in &routes {
                let by = |is: fn(&PathTemplate, &PathTemplate) -> bool| -> Vec<usize> {
                    let positions = routes.iter().enumerate();
                    positions.filter(|(_, other)| is(&one.path, &other.path)).map(|(at, _)| at).collect()
                };
                prop_assert_eq!(tree.overlapping(&one.path), by(PathTemplate::overlaps));
                prop_assert_eq!(tree.same_paths(&one.path), by(PathTemplate::same_paths));
            }
        }
    }
}
