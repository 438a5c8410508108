//! The state of a run: every store can be undone, every branch starts from the same state and is joined with the others.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{EventKind, Exit, Machine, Slot};
use crate::{
    body::{ModuleId, Span},
    value::{Alternative, Fact, FactsId, ValueId},
};

impl Machine<'_> {
    pub(super) fn set(&mut self, slot: Slot, value: ValueId) {
        self.stores(&slot);
        let before = self.heap.insert(slot, value);
        self.undo.push((slot, before));
    }

    pub(super) fn rollback(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some((slot, Some(before))) => {
                    self.heap.insert(slot, before);
                }
                Some((slot, None)) => {
                    self.heap.remove(&slot);
                }
                None => return,
            }
        }
    }

    pub(super) fn changes(&self, mark: usize) -> Vec<(Slot, ValueId)> {
        let mut seen = FxHashSet::default();
        let mut changes = Vec::new();
        for (slot, _) in self.undo.iter().skip(mark) {
            if seen.insert(*slot)
                && let Some(&value) = self.heap.get(slot)
            {
                changes.push((*slot, value));
            }
        }
        changes
    }

    pub(super) fn exit(&self, mark: usize, value: ValueId, module: ModuleId, span: Span) -> Exit {
        Exit {
            facts: self.facts,
            value,
            module,
            span,
            changes: self.changes(mark),
        }
    }

    /// The state after any of several ends. None at all: nothing comes after.
    pub(super) fn join(&mut self, mut exits: Vec<Exit>) -> ValueId {
        if exits.len() <= 1 {
            let Some(exit) = exits.pop() else {
                self.alive = false;
                return self.undefined();
            };
            self.facts = exit.facts;
            for (slot, value) in exit.changes {
                self.set(slot, value);
            }
            self.alive = true;
            return exit.value;
        }
        let mut slots: Vec<Slot> = Vec::new();
        let mut seen = FxHashSet::default();
        for exit in &exits {
            for (slot, _) in &exit.changes {
                if seen.insert(*slot) {
                    slots.push(*slot);
                }
            }
        }
        let undefined = self.undefined();
        let changed: Vec<FxHashMap<Slot, ValueId>> = exits
            .iter()
            .map(|exit| exit.changes.iter().copied().collect())
            .collect();
        for slot in slots {
            let before = self.stored(&slot);
            let mut alternatives = Vec::with_capacity(exits.len());
            for (exit, changed) in exits.iter().zip(&changed) {
                match changed.get(&slot).copied().or(before) {
                    Some(value) => alternatives.push(Alternative {
                        facts: exit.facts,
                        value,
                    }),
                    // A member that was not stored on this way is what it was; a variable does not exist yet.
                    None => match slot {
                        Slot::Field(base, name) => {
                            let value = self.member_before(base, name).unwrap_or(undefined);
                            alternatives.push(Alternative {
                                facts: exit.facts,
                                value,
                            });
                        }
                        Slot::Local(..) => {}
                    },
                }
            }
            let value = self.values.choice(alternatives);
            if before != Some(value) {
                self.set(slot, value);
            }
        }
        let alternatives = exits
            .iter()
            .map(|exit| Alternative {
                facts: exit.facts,
                value: exit.value,
            })
            .collect();
        let several: Vec<FactsId> = exits.iter().map(|exit| exit.facts).collect();
        self.facts = self.values.join(&several);
        self.alive = true;
        self.values.choice(alternatives)
    }

    /// Runs two ways from the same state, each under its own assumption, and joins them.
    pub(super) fn branch(
        &mut self,
        test: ValueId,
        module: ModuleId,
        span: Span,
        yes: impl FnOnce(&mut Self) -> ValueId,
        no: impl FnOnce(&mut Self) -> ValueId,
    ) -> ValueId {
        match self.values.truth(self.facts, test) {
            Some(true) => return yes(self),
            Some(false) => return no(self),
            None => {}
        }
        let start = self.facts;
        let mark = self.undo.len();
        let mut exits = Vec::with_capacity(2);
        self.facts = self.values.assume(start, test, true);
        let value = yes(self);
        if self.alive {
            exits.push(self.exit(mark, value, module, span));
        }
        self.rollback(mark);
        self.alive = true;
        self.facts = self.values.assume(start, test, false);
        let value = no(self);
        if self.alive {
            exits.push(self.exit(mark, value, module, span));
        }
        self.rollback(mark);
        self.join(exits)
    }

    /// Leaves with an exception: to the innermost try statement, or out of the entry.
    pub(super) fn throw(&mut self, value: ValueId, module: ModuleId, span: Span) {
        self.event(EventKind::Throw(value), module, span);
        match self.tries.last() {
            Some(landing) => {
                let exit = self.exit(landing.mark, value, module, span);
                if let Some(landing) = self.tries.last_mut() {
                    landing.exits.push(exit);
                }
            }
            None => {
                let exit = self.exit(self.chain_mark, value, module, span);
                self.uncaught.push(exit);
            }
        }
        self.alive = false;
    }

    pub(super) fn learn(&mut self, fact: Fact) {
        self.facts = self.values.with(self.facts, fact);
    }
}
