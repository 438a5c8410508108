//! `RouteTable`: finds the route of a request, the most specific template first.
//!
//! A tree by segments. Each of its nodes stands for one beginning of templates and is looked at once at most, so a
//! look-up costs no more than the tree has nodes on the way, however the path is made.

use std::collections::BTreeMap;

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
    literals: BTreeMap<Box<str>, usize>,
    /// Partly fixed segments, the most specific first.
    affixed: Vec<Affixed>,
    parameter: Option<usize>,
    /// The routes whose template ends here.
    here: Vec<Entry>,
    /// The routes that take this segment and all that follow.
    rest: Vec<Entry>,
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
                Segment::Literal(text) => {
                    *node.literals.entry(text.as_str().into()).or_insert(fresh)
                }
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
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        if let Some(next) = node.literals.get(segment)
            && let Some(route) = self.below(*next, after)
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
