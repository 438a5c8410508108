//! `RouteTable`: finds the route of a request, the most specific template first.
//!
//! A tree by segments. Each of its nodes stands for one beginning of templates and is looked at once at most, so a
//! look-up costs no more than the tree has nodes on the way, however the path is made.

use std::cmp::Ordering;

use portcullis_policy::{Method, MethodSet, PathTemplate, Segment};

/// What a path and a method lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The route with this number.
    Route(usize),
    /// The path is known and the method is not; these methods are.
    OtherMethods(MethodSet),
    /// Nothing.
    Nothing,
}

/// The tree.
#[derive(Debug, Default)]
pub struct RouteTable {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Fixed segments, the shortest first: most are told apart by their length, without a look at their bytes.
    literals: Vec<Literal>,
    /// Partly fixed segments, the most specific first.
    affixed: Vec<Affixed>,
    parameter: Option<usize>,
    /// The routes whose template ends here.
    here: Vec<Entry>,
    /// The routes that take this segment and all that follow.
    rest: Vec<Entry>,
}

#[derive(Debug)]
struct Literal {
    text: Box<str>,
    node: usize,
}

#[derive(Debug)]
struct Affixed {
    segment: Segment,
    /// The bytes that are fixed.
    fixed: usize,
    node: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    methods: MethodSet,
    route: usize,
}

impl RouteTable {
    /// The table of some routes, each with its number.
    #[must_use]
    pub fn of<'a>(routes: impl Iterator<Item = (usize, &'a PathTemplate, MethodSet)>) -> Self {
        let mut table = Self {
            nodes: vec![Node::default()],
        };
        for (route, path, methods) in routes {
            table.add(path, Entry { methods, route });
        }
        table
    }

    fn add(&mut self, path: &PathTemplate, entry: Entry) {
        let mut at = 0;
        for segment in path.segments() {
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = match segment {
                Segment::CatchAll(_) => {
                    node.rest.push(entry);
                    return;
                }
                Segment::Literal(text) => node.literal(text.as_str(), fresh),
                Segment::Parameter(_) => *node.parameter.get_or_insert(fresh),
                Segment::Affixed { prefix, suffix, .. } => {
                    node.affixed(segment, prefix.len() + suffix.len(), fresh)
                }
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.here.push(entry);
        }
    }

    /// The route of a request. `path` is canonical; `fits` says whether a route answers on the request's host.
    #[must_use]
    pub fn find(&self, path: &str, method: Method, fits: impl Fn(usize) -> bool) -> Found {
        let mut search = Search {
            table: self,
            method,
            fits,
            others: MethodSet::NONE,
        };
        let rest = path.strip_prefix('/').unwrap_or(path);
        match search.below(0, Some(rest)) {
            Some(route) => Found::Route(route),
            None if search.others.is_empty() => Found::Nothing,
            None => Found::OtherMethods(search.others),
        }
    }
}

impl Node {
    /// The node below a fixed segment, which is `fresh` where there was none.
    fn literal(&mut self, text: &str, fresh: usize) -> usize {
        match self.literals.binary_search_by(|one| one.beside(text)) {
            Ok(place) => self.literals.get(place).map_or(fresh, |one| one.node),
            Err(place) => {
                let one = Literal {
                    text: text.into(),
                    node: fresh,
                };
                self.literals.insert(place, one);
                fresh
            }
        }
    }

    /// The node below the fixed segment that is exactly this.
    fn exactly(&self, segment: &str) -> Option<usize> {
        let place = self.literals.binary_search_by(|one| one.beside(segment));
        Some(self.literals.get(place.ok()?)?.node)
    }

    fn affixed(&mut self, segment: &Segment, fixed: usize, fresh: usize) -> usize {
        if let Some(one) = self.affixed.iter().find(|one| one.is_like(segment)) {
            return one.node;
        }
        // Where as much is fixed, both orders are right: a policy in which they meet is refused at load.
        let place = self.affixed.partition_point(|one| one.fixed >= fixed);
        let one = Affixed {
            segment: segment.clone(),
            fixed,
            node: fresh,
        };
        self.affixed.insert(place, one);
        fresh
    }
}

impl Literal {
    fn beside(&self, text: &str) -> Ordering {
        let by_length = self.text.len().cmp(&text.len());
        by_length.then_with(|| (*self.text).cmp(text))
    }
}

impl Affixed {
    /// Whether they stand for the same texts: they differ in the parameter's name at most.
    fn is_like(&self, segment: &Segment) -> bool {
        match (&self.segment, segment) {
            (
                Segment::Affixed { prefix, suffix, .. },
                Segment::Affixed {
                    prefix: p,
                    suffix: s,
                    ..
                },
            ) => prefix == p && suffix == s,
            _ => false,
        }
    }
}

struct Search<'t, F> {
    table: &'t RouteTable,
    method: Method,
    fits: F,
    others: MethodSet,
}

impl<F: Fn(usize) -> bool> Search<'_, F> {
    /// Looks below a node. `rest` is what is left of the path; nothing where it has ended. The depth is bounded by the
    /// segments of the longest template.
    fn below(&mut self, at: usize, rest: Option<&str>) -> Option<usize> {
        let node = self.table.nodes.get(at)?;
        let Some(rest) = rest else {
            return self.choose(&node.here);
        };
        let (segment, after) = first_of(rest);
        if let Some(next) = node.exactly(segment)
            && let Some(route) = self.below(next, after)
        {
            return Some(route);
        }
        if segment.is_empty() {
            return None;
        }
        for one in &node.affixed {
            if one.segment.matches(segment)
                && let Some(route) = self.below(one.node, after)
            {
                return Some(route);
            }
        }
        if let Some(next) = node.parameter
            && let Some(route) = self.below(next, after)
        {
            return Some(route);
        }
        self.choose(&node.rest)
    }

    /// Of the routes of one template, the one that takes the method; one that names it before one that only covers it.
    fn choose(&mut self, entries: &[Entry]) -> Option<usize> {
        let mut chosen: Option<Entry> = None;
        for entry in entries {
            if !(self.fits)(entry.route) {
                continue;
            }
            if !entry.methods.contains(self.method) {
                self.others = entry.methods.iter().fold(self.others, MethodSet::with);
                continue;
            }
            if chosen.is_none() || entry.methods.names(self.method) {
                chosen = Some(*entry);
            }
        }
        chosen.map(|entry| entry.route)
    }
}

/// The text before the first slash, and what follows it.
fn first_of(path: &str) -> (&str, Option<&str>) {
    let slash = memchr::memchr(b'/', path.as_bytes());
    slash
        .and_then(|at| path.split_at_checked(at))
        .map_or((path, None), |(segment, rest)| (segment, rest.get(1..)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_of_many_fixed_segments_is_found_and_nothing_else() {
        // Of all lengths, in another order than the table's, and each once.
        let texts: BTreeSet<String> = (0..400_u32)
            .map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761) >> (number % 29)))
            .collect();
        let paths: Vec<PathTemplate> = texts
            .iter()
            .map(|text| format!("/a/{text}/b").parse().unwrap())
            .collect();
        let get = MethodSet::NONE.with(Method::Get);
        let table = RouteTable::of(paths.iter().enumerate().map(|(at, path)| (at, path, get)));
        let find = |path: &str| table.find(path, Method::Get, |_| true);
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(
                find(&format!("/a/{text}/b")),
                Found::Route(number),
                "{text}"
            );
            for other in [
                format!("/a/{text}"),
                format!("/a/{text}/b/"),
                format!("/a/{text}-/b"),
                format!("/a//{text}/b"),
            ] {
                assert_eq!(find(&other), Found::Nothing, "{other}");
            }
        }
        for path in ["", "/", "/a", "/a/", "/a//b"] {
            assert_eq!(find(path), Found::Nothing, "{path}");
        }
    }
}
