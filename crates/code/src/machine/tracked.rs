//! What a run reads of what was there before it, and what it stores there: see [`crate::track`].

use super::{Env, Machine, Slot};
use crate::{
    body::ModuleId,
    track::{Reading, Reads, Unit, UnitId, UnitName},
    value::{CallId, EnvId, ObjectId, Value, ValueId},
};

impl Machine<'_> {
    /// Begins to note what is read.
    pub fn open_reading(&self) -> Reading {
        Reading {
            units: self.values.track().open(),
            touched: self.project.touched().open(),
        }
    }

    /// What was read since. It counts as read by whoever noted before, too.
    pub fn close_reading(&self, reading: Reading) -> Reads {
        let units = self.values.track().close(reading.units);
        let looked = self.project.touched().close(reading.touched);
        Reads {
            modules: looked.modules,
            units,
            asked: looked.asked,
            whole: looked.whole,
        }
    }

    /// What was read to find something out that is used again.
    pub fn read_again(&self, reads: &Reads) {
        for unit in &reads.units {
            self.values.track().read(*unit);
        }
        for module in &reads.modules {
            self.project.touched().one(*module);
        }
        for question in &reads.asked {
            self.project.touched().asked(*question);
        }
        if reads.whole {
            self.project.touched().all();
        }
    }

    /// Every unit, by its number.
    #[must_use]
    pub fn units(&self) -> std::cell::Ref<'_, Vec<Unit>> {
        self.values.track().units()
    }

    /// Who made an object, and the how-manieth it was; none for what may depend on anything.
    #[must_use]
    pub fn object_name(&self, id: ObjectId) -> Option<(UnitId, usize)> {
        self.named(self.values.unit_of_object(id), id.index(), 0)
    }

    /// Who made a call, and the how-manieth it was.
    #[must_use]
    pub fn call_name(&self, id: CallId) -> Option<(UnitId, usize)> {
        self.named(self.values.unit_of_call(id), id.index(), 1)
    }

    /// Who made an activation, and the how-manieth it was.
    #[must_use]
    pub fn env_name(&self, id: EnvId) -> Option<(UnitId, usize)> {
        self.named(self.env_unit(id), id.index(), 2)
    }

    fn named(&self, unit: UnitId, index: usize, kind: usize) -> Option<(UnitId, usize)> {
        if unit == UnitId::OTHER || unit == UnitId::RUN {
            return None;
        }
        let starts = self.values.track().starts(unit)?;
        Some((unit, index.checked_sub(*starts.get(kind)?)?))
    }

    fn env_unit(&self, env: EnvId) -> UnitId {
        self.env_units
            .get(env.index())
            .copied()
            .unwrap_or(UnitId::RUN)
    }

    pub(super) fn push_env(&mut self, env: Env) -> EnvId {
        let id = EnvId::at(self.envs.len());
        self.envs.push(env);
        self.env_units.push(self.values.track().current());
        id
    }

    /// An activation, read.
    pub(super) fn env(&self, env: EnvId) -> Option<&Env> {
        self.values.track().read(self.env_unit(env));
        self.envs.get(env.index())
    }

    /// What is stored in a slot, read: that nothing is stored there is an answer too.
    pub(super) fn stored(&self, slot: &Slot) -> Option<ValueId> {
        self.values.track().read(self.owner(slot));
        self.heap.get(slot).copied()
    }

    /// Something is stored in a slot.
    pub(super) fn stores(&self, slot: &Slot) {
        if self.values.track().current() != UnitId::RUN {
            self.values.track().write(self.owner(slot));
        }
    }

    /// Whose a slot is.
    fn owner(&self, slot: &Slot) -> UnitId {
        let mut at = match *slot {
            Slot::Local(env, _) => return self.env_unit(env),
            Slot::Field(base, _) => base,
        };
        let group = |name: UnitName| self.values.track().group(name);
        loop {
            at = match *self.values.value(at) {
                Value::Object(object)
                | Value::Array(object)
                | Value::Instance(object)
                | Value::Markup(_, object, _) => return self.values.unit_of_object(object),
                Value::Call(call) | Value::Handed(call, ..) => {
                    return self.values.unit_of_call(call);
                }
                Value::Function { env, .. } | Value::Class { env, .. } => {
                    return self.env_unit(env);
                }
                Value::Namespace(module) => return UnitId::of_module(module),
                Value::External(package, _) => return group(UnitName::Package(package)),
                Value::Global(name) => return group(UnitName::Global(name)),
                Value::Member(base, _)
                | Value::Index(base, _)
                | Value::Element(base)
                | Value::Kept(base, _)
                | Value::Rest(base, _)
                | Value::Promise(base) => base,
                _ => return group(UnitName::Rest),
            };
        }
    }

    /// Runs what loads a unit: what it reads and makes is the unit's.
    pub(super) fn as_unit<T>(&mut self, unit: UnitId, work: impl FnOnce(&mut Self) -> T) -> T {
        let [objects, calls] = self.values.sizes();
        let starts = [objects, calls, self.envs.len()];
        let reading = self.open_reading();
        let outer = self.values.track().enter(unit);
        let made = work(self);
        let _unit = self.values.track().enter(outer);
        let reads = self.close_reading(reading);
        self.values.track().made(unit, starts, reads);
        made
    }

    /// A unit for a call that is part of loading.
    pub(super) fn unit_of_call_at(&self, module: ModuleId, at: u32) -> UnitId {
        self.values.track().call_unit(module, at)
    }
}
