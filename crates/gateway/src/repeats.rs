//! `Repeats`: of the same refusals within a second, the first is told at once and the others by their number.

use std::collections::HashMap;

use portcullis_guard::clock::Now;
use portcullis_guard::reason::Reason;

use crate::observer::{Happened, Observer, Same};

/// Refusals that are told apart within a second. Whoever makes more sorts of them than this has each told at once; the
/// writer of the events bounds what it takes.
const SORTS_MAX: usize = 4096;

/// One worker's refusals of this second.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    sorts: HashMap<Same, Repeat>,
    /// The sort that came last, which in a flood is the one that comes next, and how many came of it since.
    last: Option<(Same, Option<Box<str>>, u64)>,
}

#[derive(Debug)]
struct Repeat {
    reason: Reason,
    route: Option<Box<str>>,
    more: u64,
}

impl Repeats {
    /// Whether it is the first of its sort. The others are counted.
    pub(crate) fn is_first(&mut self, happened: &Happened<'_>, reason: Reason) -> bool {
        let same = happened.same();
        if let Some((last, route, more)) = &mut self.last
            && *last == same
            && route.as_deref() == happened.route()
        {
            *more += 1;
            return false;
        }
        self.settle();
        if let Some(repeat) = self.sorts.get_mut(&same) {
            // After a reload another route may stand where the one before stood in memory.
            let is_same = repeat.route.as_deref() == happened.route();
            if is_same {
                self.last = Some((same, happened.route().map(Into::into), 1));
            }
            return !is_same;
        }
        if self.sorts.len() < SORTS_MAX {
            let route = happened.route().map(Into::into);
            let repeat = Repeat {
                reason,
                route,
                more: 0,
            };
            self.sorts.insert(same, repeat);
        }
        true
    }

    /// Adds what came of the last sort to its number.
    fn settle(&mut self) {
        if let Some((same, _route, more)) = self.last.take()
            && let Some(repeat) = self.sorts.get_mut(&same)
        {
            repeat.more += more;
        }
    }

    /// Tells the numbers and begins anew.
    pub(crate) fn tell(&mut self, observer: &Observer, now: Now) {
        self.settle();
        for (same, repeat) in self.sorts.drain() {
            if repeat.more > 0 {
                let route = repeat.route.as_deref();
                observer.repeated(same, route, repeat.reason, repeat.more, now);
            }
        }
    }
}
