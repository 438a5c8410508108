//! `Track`: what a run reads of what was there before it, so that whoever keeps a result knows when it may be used again.
//!
//! What is there before a run was made while modules were loaded: objects, calls, activations, and what is stored in them.
//! Each belongs to the **unit** that made it: the top level of a module, or a function that was called as part of loading. A
//! run that looks at something of a unit depends on that unit, on all that the unit itself read, and on those that
//! stored something in what is the unit's. Text is counted by modules: [`crate::project::Project`] notes which were asked for.
//! Values that are equal wherever they arise (texts, imports, members of them) belong to nobody.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::{body::ModuleId, project::OuterTouched};

/// Who made something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(u32);

impl UnitId {
    /// Made after loading, by whoever looks for entries: it may depend on anything.
    pub const OTHER: Self = Self(0);
    /// Made by the run that is open; it is gone when the run ends.
    pub(crate) const RUN: Self = Self(u32::MAX);

    /// The unit of a module's top level.
    #[must_use]
    pub fn of_module(module: ModuleId) -> Self {
        Self(module.0.saturating_add(1))
    }

    /// The unit of a position.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX - 1))
    }

    /// Its position among all units.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a unit is called; the same in every project that has the same file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitName {
    /// [`UnitId::OTHER`].
    Other,
    /// The top level of a module.
    Module(ModuleId),
    /// The so-manieth call of a function at a place, as part of loading.
    Call(ModuleId, u32, u32),
    /// What is stored in members of a package's exports.
    Package(Ustr),
    /// The same of a name that nothing declares.
    Global(Ustr),
    /// The same of values that have no one root.
    Rest,
}

/// A unit.
#[derive(Debug)]
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// What it read.
    pub reads: Reads,
    /// The other units that stored something in what is its own.
    pub writers: BTreeSet<UnitId>,
    /// The modules of which it read something before their top level had run: with imports in a circle, who comes first matters.
    pub early: Vec<UnitId>,
    /// How many objects, calls and activations there were before it.
    starts: [usize; 3],
    is_done: bool,
}

impl Unit {
    const fn new(name: UnitName) -> Self {
        Self {
            name,
            reads: Reads {
                modules: Vec::new(),
                units: Vec::new(),
                asked: Vec::new(),
                whole: false,
            },
            writers: BTreeSet::new(),
            early: Vec::new(),
            starts: [0; 3],
            is_done: false,
        }
    }

    /// What orders units by when they began.
    #[must_use]
    pub const fn began(&self) -> usize {
        let [_, _, envs] = self.starts;
        envs
    }
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// The modules whose text or body was looked at.
    pub modules: Vec<ModuleId>,
    /// The units of which something was looked at.
    pub units: Vec<UnitId>,
    /// The questions about the whole project that were asked, by number: see [`crate::project::Project::asking`].
    pub asked: Vec<u32>,
    /// Whether it was asked for all modules.
    pub whole: bool,
}

/// A frame of reading: what is read until it is closed.
#[derive(Debug)]
#[must_use]
pub struct Reading {
    pub(crate) units: Outer<UnitId>,
    pub(crate) touched: OuterTouched,
}

/// What was noted before a frame was opened, with the frame's number then.
#[derive(Debug)]
pub(crate) struct Outer<T> {
    pub(crate) frame: u64,
    pub(crate) list: Vec<(T, u64)>,
}

/// Notes what is read.
#[derive(Debug)]
pub(crate) struct Track {
    current: Cell<UnitId>,
    units: RefCell<Vec<Unit>>,
    groups: RefCell<FxHashMap<UnitName, UnitId>>,
    calls: RefCell<FxHashMap<(ModuleId, u32), u32>>,
    /// In which frame each unit was last noted.
    seen: RefCell<Vec<u64>>,
    /// What is noted in the present frame, each with the frame in which it was noted before.
    list: RefCell<Vec<(UnitId, u64)>>,
    frame: Cell<u64>,
    frames: Cell<u64>,
}

impl Default for Track {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Track {
    /// For a project of so many modules.
    pub(crate) fn new(modules: usize) -> Self {
        let mut units = vec![Unit::new(UnitName::Other)];
        let module = |index| Unit::new(UnitName::Module(ModuleId::at(index)));
        units.extend((0..modules).map(module));
        Self {
            current: Cell::new(UnitId::OTHER),
            seen: RefCell::new(vec![0; units.len()]),
            units: RefCell::new(units),
            groups: RefCell::default(),
            calls: RefCell::default(),
            list: RefCell::default(),
            frame: Cell::new(1),
            frames: Cell::new(1),
        }
    }

    /// Who makes things now.
    pub(crate) const fn current(&self) -> UnitId {
        self.current.get()
    }

    /// Says who makes things from now on; gives who did before.
    pub(crate) const fn enter(&self, unit: UnitId) -> UnitId {
        self.current.replace(unit)
    }

    /// A unit for a call of the function at a place.
    pub(crate) fn call_unit(&self, module: ModuleId, at: u32) -> UnitId {
        let mut calls = self.calls.borrow_mut();
        let count = calls.entry((module, at)).or_default();
        *count += 1;
        self.add(UnitName::Call(module, at, *count))
    }

    /// The unit of what is stored in values that belong to nobody.
    pub(crate) fn group(&self, name: UnitName) -> UnitId {
        if let Some(known) = self.groups.borrow().get(&name) {
            return *known;
        }
        let unit = self.add(name.clone());
        self.groups.borrow_mut().insert(name, unit);
        unit
    }

    fn add(&self, name: UnitName) -> UnitId {
        let mut units = self.units.borrow_mut();
        let unit = UnitId(u32::try_from(units.len()).unwrap_or(u32::MAX - 1));
        units.push(Unit::new(name));
        self.seen.borrow_mut().push(0);
        unit
    }

    /// Something of a unit is looked at.
    #[inline]
    pub(crate) fn read(&self, unit: UnitId) {
        if unit == UnitId::RUN || unit == self.current.get() {
            return;
        }
        self.read_first(unit);
    }

    fn read_first(&self, unit: UnitId) {
        let frame = self.frame.get();
        if let Some(seen) = self.seen.borrow_mut().get_mut(unit.index())
            && *seen != frame
        {
            let before = std::mem::replace(seen, frame);
            self.list.borrow_mut().push((unit, before));
        }
    }

    /// Something of a unit is changed.
    pub(crate) fn write(&self, unit: UnitId) {
        let current = self.current.get();
        if unit == current || unit == UnitId::RUN || current == UnitId::RUN {
            return;
        }
        if let Some(unit) = self.units.borrow_mut().get_mut(unit.index()) {
            unit.writers.insert(current);
        }
    }

    /// Begins to note anew.
    pub(crate) fn open(&self) -> Outer<UnitId> {
        let next = self.frames.get() + 1;
        self.frames.set(next);
        Outer {
            frame: self.frame.replace(next),
            list: std::mem::take(&mut *self.list.borrow_mut()),
        }
    }

    /// What was read since; what was noted before goes on to be noted, with this. It costs as much as was read since.
    pub(crate) fn close(&self, outer: Outer<UnitId>) -> Vec<UnitId> {
        self.frame.set(outer.frame);
        let inner = std::mem::replace(&mut *self.list.borrow_mut(), outer.list);
        let mut seen = self.seen.borrow_mut();
        for (unit, before) in &inner {
            if let Some(seen) = seen.get_mut(unit.index()) {
                *seen = *before;
            }
        }
        drop(seen);
        let list: Vec<UnitId> = inner.into_iter().map(|(unit, _)| unit).collect();
        for unit in &list {
            self.read_first(*unit);
        }
        list
    }

    /// Says what a unit found there and what it read.
    pub(crate) fn made(&self, unit: UnitId, starts: [usize; 3], reads: Reads) {
        let mut units = self.units.borrow_mut();
        let is_early = |other: &UnitId| {
            *other != unit
                && units.get(other.index()).is_some_and(|other| {
                    !other.is_done && matches!(other.name, UnitName::Module(_))
                })
        };
        let early = reads.units.iter().copied().filter(is_early).collect();
        if let Some(unit) = units.get_mut(unit.index()) {
            unit.early = early;
            unit.starts = starts;
            unit.reads = reads;
            unit.is_done = true;
        }
    }

    /// What a unit found there: what it made is numbered from here on.
    pub(crate) fn starts(&self, unit: UnitId) -> Option<[usize; 3]> {
        self.units.borrow().get(unit.index()).map(|it| it.starts)
    }

    /// Every unit, by its position.
    pub(crate) fn units(&self) -> std::cell::Ref<'_, Vec<Unit>> {
        self.units.borrow()
    }
}
