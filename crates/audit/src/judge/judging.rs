//! `Judging`: one route being judged, and what every step asks of it.

use portcullis_code::{
    machine::{Event, Machine},
    value::{FactsId, ValueId},
};

use super::Bench;
use crate::{origin::Origins, passes::Proof, route::Route};

/// One route being judged.
pub(crate) struct Judging<'j, 'm, 'p, 'a> {
    pub(crate) machine: &'j mut Machine<'m>,
    pub(crate) bench: &'j Bench<'a, 'p>,
    pub(crate) route: &'j Route,
    pub(crate) events: &'j [Event],
    pub(crate) link_starts: &'j [usize],
}

impl Judging<'_, '_, '_, '_> {
    pub(crate) fn origins(&self, value: ValueId) -> Origins {
        self.bench.origins.of(&self.machine.values, value)
    }

    pub(crate) fn has(&self, facts: FactsId, kind: Proof) -> bool {
        self.bench.passes.has(&self.machine.values, facts, kind)
    }

    pub(crate) fn identified(&self, facts: FactsId) -> bool {
        self.bench.passes.identified(&self.machine.values, facts)
    }

    /// The link of the chain in which an event happened.
    pub(crate) fn link_of(&self, event: usize) -> usize {
        self.link_starts
            .iter()
            .rposition(|start| *start <= event)
            .unwrap_or(0)
    }
}
