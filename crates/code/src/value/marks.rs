//! `ValuesMark`: what the arenas were at one moment, so that a run can be forgotten with all that it made and changed.

use super::Values;
use crate::facts::FactsMark;

/// How large the arenas were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValuesMark {
    values: usize,
    objects: usize,
    calls: usize,
    saved: usize,
    facts: FactsMark,
    marked: usize,
    before: usize,
}

#[expect(
    clippy::indexing_slicing,
    reason = "ids are made only by pushing into these arenas"
)]
impl Values {
    /// What the arenas are now.
    pub(crate) fn mark(&mut self) -> ValuesMark {
        let mark = ValuesMark {
            values: self.values.len(),
            objects: self.objects.len(),
            calls: self.calls.len(),
            saved: self.saved.len(),
            facts: self.facts.mark(),
            marked: self.marked,
            before: self.before.len(),
        };
        self.marked = mark.objects;
        self.changed.clear();
        mark
    }

    /// Forgets everything made since the mark.
    pub(crate) fn rewind(&mut self, mark: ValuesMark) {
        for value in self.values.drain(mark.values..) {
            self.ids.remove(&value);
        }
        for (id, before) in self.saved.drain(mark.saved..).rev() {
            self.saved_ids.remove(&id);
            self.calls[id.index()] = before;
        }
        self.objects.truncate(mark.objects);
        for (id, before) in self.before.drain(mark.before..).rev() {
            self.objects[id.index()] = before;
        }
        self.marked = mark.marked;
        self.changed = self.before.iter().map(|(id, _)| *id).collect();
        self.object_units.truncate(mark.objects);
        self.calls.truncate(mark.calls);
        self.call_units.truncate(mark.calls);
        self.call_points.truncate(mark.calls);
        self.facts.rewind(mark.facts);
        self.assumed.clear();
    }
}
