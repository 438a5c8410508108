//! Conjunctions of facts: chains in an arena, each point the one before and one fact more.
//!
//! A chain may be thousands of facts long and is asked at every branch, so each point also has a pointer far back (the
//! skew-binary jumps of Myers, "An applicative random-access stack", 1983) and a filter over what lies between: looking
//! for a fact that is not there, and finding where two chains part, take steps in the logarithm of their length.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::value::{CallId, FactsId, ValueId};

/// Something known at a point of execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The value was tested and held, or did not.
    Test(ValueId, bool),
    /// The call returned normally.
    Returned(CallId),
    /// The try statement of this number caught something.
    Caught(u32),
    /// One of several conjunctions holds: the number of a join, see [`crate::value::Values::joined`].
    OneOf(u32),
}

impl Fact {
    /// Its bit in a filter. Both outcomes of a test have the same one, so that either is found by asking once.
    const fn bit(self) -> u128 {
        let (kind, number) = match self {
            Self::Test(value, _) => (0, value.0),
            Self::Returned(call) => (1, call.0),
            Self::Caught(number) => (2, number),
            Self::OneOf(number) => (3, number),
        };
        // Fibonacci hashing; the top seven bits choose among 128.
        let mixed = ((number as u64) << 2 | kind).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        1 << (mixed >> 57)
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    fact: Option<Fact>,
    parent: FactsId,
    depth: u32,
    /// A point further back.
    jump: FactsId,
    /// The newest point that adds to this one, and the next older one that adds to the same parent; 0 for none.
    child: u32,
    sibling: u32,
    /// The bits of the facts from here to the jump, that one not included.
    between: u128,
}

/// No facts at all.
pub const NO_FACTS: FactsId = FactsId(0);

/// The arena.
#[derive(Debug)]
pub(crate) struct Facts {
    nodes: Vec<Node>,
    /// The points right after no facts at all: the one place where very many chains begin.
    first: FxHashMap<Fact, FactsId>,
    joins: Vec<Rc<[FactsId]>>,
    join_numbers: FxHashMap<Rc<[FactsId]>, u32>,
}

/// How large the arena was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactsMark {
    nodes: usize,
    joins: usize,
}

impl Default for Facts {
    fn default() -> Self {
        let root = Node {
            fact: None,
            parent: NO_FACTS,
            depth: 0,
            jump: NO_FACTS,
            child: 0,
            sibling: 0,
            between: 0,
        };
        Self {
            nodes: vec![root],
            first: FxHashMap::default(),
            joins: Vec::new(),
            join_numbers: FxHashMap::default(),
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "ids are made only by pushing into these arenas"
)]
impl Facts {
    fn node(&self, id: FactsId) -> &Node {
        &self.nodes[id.index()]
    }

    fn depth(&self, id: FactsId) -> u32 {
        self.node(id).depth
    }

    /// The facts and one more.
    pub(crate) fn with(&mut self, facts: FactsId, fact: Fact) -> FactsId {
        if let Some(known) = self.child(facts, fact) {
            return known;
        }
        let parent = *self.node(facts);
        let id = FactsId::at(self.nodes.len());
        let back = *self.node(parent.jump);
        let (jump, between) = if parent.depth - back.depth == back.depth - self.depth(back.jump) {
            (back.jump, parent.between | back.between)
        } else {
            (facts, 0)
        };
        self.nodes.push(Node {
            fact: Some(fact),
            parent: facts,
            depth: parent.depth + 1,
            jump,
            child: 0,
            sibling: parent.child,
            between: between | fact.bit(),
        });
        if facts == NO_FACTS {
            self.first.insert(fact, id);
        } else {
            self.nodes[facts.index()].child = id.0;
        }
        id
    }

    fn child(&self, facts: FactsId, fact: Fact) -> Option<FactsId> {
        if facts == NO_FACTS {
            return self.first.get(&fact).copied();
        }
        let mut child = self.node(facts).child;
        while child != 0 {
            let node = self.node(FactsId(child));
            if node.fact == Some(fact) {
                return Some(FactsId(child));
            }
            child = node.sibling;
        }
        None
    }

    /// Every fact, the newest first.
    pub(crate) fn iter(&self, facts: FactsId) -> impl Iterator<Item = Fact> + '_ {
        let mut at = facts;
        std::iter::from_fn(move || {
            let node = self.node(at);
            at = node.parent;
            node.fact
        })
    }

    /// The facts before the newest one, and that one; none for no facts at all.
    pub(crate) fn newest(&self, facts: FactsId) -> Option<(FactsId, Fact)> {
        let node = self.node(facts);
        node.fact.map(|fact| (node.parent, fact))
    }

    /// The newest fact with a bit that answers, of those deeper than `floor`.
    fn find<T>(
        &self,
        facts: FactsId,
        bit: u128,
        floor: u32,
        answer: impl Fn(Fact) -> Option<T>,
    ) -> Option<T> {
        let mut at = facts;
        loop {
            let node = self.node(at);
            if node.depth <= floor {
                return None;
            }
            if node.between & bit == 0 {
                at = node.jump;
                continue;
            }
            if let Some(found) = node.fact.and_then(&answer) {
                return Some(found);
            }
            at = node.parent;
        }
    }

    fn holds_above(&self, facts: FactsId, fact: Fact, floor: u32) -> bool {
        self.find(facts, fact.bit(), floor, |known| {
            (known == fact).then_some(())
        })
        .is_some()
    }

    /// Whether a fact is among them.
    pub(crate) fn holds(&self, facts: FactsId, fact: Fact) -> bool {
        self.holds_above(facts, fact, 0)
    }

    /// What a test of the value gave.
    pub(crate) fn tested(&self, facts: FactsId, value: ValueId) -> Option<bool> {
        let bit = Fact::Test(value, true).bit();
        self.find(facts, bit, 0, |fact| match fact {
            Fact::Test(tested, truth) if tested == value => Some(truth),
            _ => None,
        })
    }

    /// The point that is made next.
    pub(crate) fn next_point(&self) -> FactsId {
        FactsId::at(self.nodes.len())
    }

    /// The last point that two chains share.
    pub(crate) fn ancestor(&self, mut a: FactsId, mut b: FactsId) -> FactsId {
        if self.depth(a) < self.depth(b) {
            std::mem::swap(&mut a, &mut b);
        }
        let level = self.depth(b);
        while self.depth(a) > level {
            let node = self.node(a);
            a = if self.depth(node.jump) >= level {
                node.jump
            } else {
                node.parent
            };
        }
        // Points of equal depth jump equally far.
        while a != b {
            let (left, right) = (self.node(a), self.node(b));
            (a, b) = if left.jump == right.jump {
                (left.parent, right.parent)
            } else {
                (left.jump, right.jump)
            };
        }
        a
    }

    /// How many facts more than the other.
    pub(crate) fn distance(&self, facts: FactsId, ancestor: FactsId) -> u32 {
        self.depth(facts).saturating_sub(self.depth(ancestor))
    }

    /// The facts after a point, the oldest first.
    pub(crate) fn beyond(&self, facts: FactsId, ancestor: FactsId) -> Vec<Fact> {
        let mut found = Vec::with_capacity(self.distance(facts, ancestor) as usize);
        let mut at = facts;
        while at != ancestor {
            let node = self.node(at);
            found.extend(node.fact);
            at = node.parent;
        }
        found.reverse();
        found
    }

    /// The facts that hold in all of several, and that one of them holds.
    pub(crate) fn join(&mut self, several: &[FactsId]) -> FactsId {
        let Some((&first, others)) = several.split_first() else {
            return NO_FACTS;
        };
        let ancestor = others
            .iter()
            .fold(first, |ancestor, &facts| self.ancestor(ancestor, facts));
        // Where one of them is what all have in common, it says nothing more that one holds.
        if several.contains(&ancestor) {
            return ancestor;
        }
        let floor = self.depth(ancestor);
        let shortest = several
            .iter()
            .copied()
            .min_by_key(|facts| self.depth(*facts))
            .unwrap_or(first);
        let mut common = ancestor;
        for fact in self.beyond(shortest, ancestor) {
            if several
                .iter()
                .all(|&facts| facts == shortest || self.holds_above(facts, fact, floor))
            {
                common = self.with(common, fact);
            }
        }
        if several.contains(&common) {
            return common;
        }
        let number = self.one_of(several);
        self.with(common, Fact::OneOf(number))
    }

    /// The number under which several conjunctions are known as those of which one holds.
    pub(crate) fn one_of(&mut self, several: &[FactsId]) -> u32 {
        if let Some(&number) = self.join_numbers.get(several) {
            return number;
        }
        let number = u32::try_from(self.joins.len()).unwrap_or(u32::MAX);
        let several: Rc<[FactsId]> = several.into();
        self.joins.push(Rc::clone(&several));
        self.join_numbers.insert(several, number);
        number
    }

    /// The conjunctions of which one holds.
    pub(crate) fn joined(&self, number: u32) -> &[FactsId] {
        self.joins
            .get(number as usize)
            .map_or(&[], |several| several)
    }

    /// Whether two conjunctions exclude each other: a test came out one way here and the other way there.
    pub(crate) fn contradict(&self, a: FactsId, b: FactsId) -> bool {
        let ancestor = self.ancestor(a, b);
        if ancestor == a || ancestor == b {
            return false;
        }
        let floor = self.depth(ancestor);
        let (short, long) = if self.depth(a) <= self.depth(b) {
            (a, b)
        } else {
            (b, a)
        };
        let mut at = short;
        while at != ancestor {
            let node = self.node(at);
            if let Some(Fact::Test(value, truth)) = node.fact
                && self.holds_above(long, Fact::Test(value, !truth), floor)
            {
                return true;
            }
            at = node.parent;
        }
        false
    }

    pub(crate) const fn mark(&self) -> FactsMark {
        FactsMark {
            nodes: self.nodes.len(),
            joins: self.joins.len(),
        }
    }

    /// Forgets everything made since the mark.
    pub(crate) fn rewind(&mut self, mark: FactsMark) {
        while self.nodes.len() > mark.nodes.max(1) {
            let Some(node) = self.nodes.pop() else { break };
            match node.fact {
                Some(fact) if node.parent == NO_FACTS => {
                    self.first.remove(&fact);
                }
                // The newest child of any point is the first to go.
                _ => self.nodes[node.parent.index()].child = node.sibling,
            }
        }
        for several in self.joins.drain(mark.joins.min(self.joins.len())..) {
            self.join_numbers.remove(&several);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chains that grow at random, against the plain definitions.
    #[test]
    fn answers_as_the_plain_chain_does() {
        let mut state = 7_u64;
        let mut random = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut facts = Facts::default();
        let mut points = vec![NO_FACTS];
        for _ in 0..3_000 {
            let number = u32::try_from(random(400)).unwrap();
            let fact = match random(4) {
                0 => Fact::Returned(CallId(number)),
                1 => Fact::Caught(number),
                _ => Fact::Test(ValueId(number), random(2) == 0),
            };
            // Mostly at the end of a chain, so that some are long.
            let near = points
                .len()
                .saturating_sub(if random(20) == 0 { 200 } else { 2 });
            let parent = points[near + random(points.len() - near)];
            let point = facts.with(parent, fact);
            assert_eq!(facts.with(parent, fact), point);
            points.push(point);
        }
        let chain = |facts: &Facts, point| -> Vec<Fact> { facts.iter(point).collect() };
        for _ in 0..2_000 {
            let a = points[random(points.len())];
            let b = points[random(points.len())];
            let (left, right) = (chain(&facts, a), chain(&facts, b));
            let shared = left
                .iter()
                .rev()
                .zip(right.iter().rev())
                .take_while(|(a, b)| a == b)
                .count();
            assert_eq!(facts.depth(facts.ancestor(a, b)) as usize, shared);
            let own = |all: &[Fact]| all[..all.len() - shared].to_vec();
            let (mine, yours) = (own(&left), own(&right));
            let against = mine.iter().any(|fact| match fact {
                Fact::Test(value, truth) => yours.contains(&Fact::Test(*value, !truth)),
                _ => false,
            });
            assert_eq!(facts.contradict(a, b), against);
            let number = u32::try_from(random(400)).unwrap();
            for fact in [
                Fact::Returned(CallId(number)),
                Fact::Caught(number),
                Fact::Test(ValueId(number), true),
            ] {
                assert_eq!(facts.holds(a, fact), left.contains(&fact));
            }
            let newest = left.iter().find_map(|fact| match fact {
                Fact::Test(value, truth) if value.0 == number => Some(*truth),
                _ => None,
            });
            assert_eq!(facts.tested(a, ValueId(number)), newest);
            let mark = facts.mark();
            let joined = facts.join(&[a, b]);
            for fact in chain(&facts, joined) {
                let both = left.contains(&fact) && right.contains(&fact);
                assert!(both || matches!(fact, Fact::OneOf(_)));
            }
            for fact in mine.iter().filter(|fact| yours.contains(fact)) {
                assert!(facts.holds(joined, *fact));
            }
            facts.rewind(mark);
        }
        let all = facts.nodes.len();
        facts.rewind(FactsMark { nodes: 1, joins: 0 });
        assert!(all > 2_000 && facts.nodes.len() == 1);
        assert!(facts.first.is_empty() && facts.nodes[0].child == 0);
    }
}
