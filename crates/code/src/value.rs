//! Symbolic values: what an expression may be, as far as the source tells; hash-consed, so that equal values have equal ids.

mod kept;
mod marks;

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

pub use crate::facts::{Fact, NO_FACTS};
use crate::{
    body::{BinaryOp, ClassId, Const, FunctionId, ModuleId, Span},
    facts::Facts,
    track::{Track, UnitId},
};
pub(crate) use marks::ValuesMark;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);
        impl $name {
            pub(crate) const fn index(self) -> usize { self.0 as usize }
            pub(crate) fn at(index: usize) -> Self { Self(u32::try_from(index).unwrap_or(u32::MAX)) }
        }
    };
}
index!(
    /// A value.
    ValueId
);
index!(
    /// One happening of a call whose callee is not project code.
    CallId
);
index!(
    /// A conjunction of facts.
    FactsId
);
index!(
    /// An activation of a function, a module, or a class's field initialisers.
    EnvId
);
index!(
    /// An object, list or instance that the code makes.
    ObjectId
);
index!(
    /// One inlined activation, for explaining where an event happened.
    FrameId
);

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A constant.
    Const(Const),
    /// An opaque parameter of an entry; the number is the caller's own tag.
    Input(u32),
    /// An export of a package: the specifier as imported, and the export's name, empty for the namespace.
    External(Ustr, Ustr),
    /// A name that nothing declares.
    Global(Ustr),
    /// The namespace of a project module.
    Namespace(ModuleId),
    /// A closure.
    Function {
        /// Where it is written.
        module: ModuleId,
        /// Which function.
        function: FunctionId,
        /// The activation it was made in.
        env: EnvId,
        /// The receiver it is bound to.
        this: Option<ValueId>,
    },
    /// A class.
    Class {
        /// Where it is written.
        module: ModuleId,
        /// Which class.
        class: ClassId,
        /// The activation it was made in.
        env: EnvId,
    },
    /// An object literal.
    Object(ObjectId),
    /// A list literal.
    Array(ObjectId),
    /// What `new` made of a project class or function.
    Instance(ObjectId),
    /// A member of something opaque.
    Member(ValueId, Ustr),
    /// A computed member of something opaque.
    Index(ValueId, ValueId),
    /// Any one element of something opaque.
    Element(ValueId),
    /// The elements of a list for which a test, here of any of them, holds.
    Kept(ValueId, ValueId),
    /// What is left of an object without some members.
    Rest(ValueId, Rc<[Ustr]>),
    /// The result of an opaque call.
    Call(CallId),
    /// A parameter that an opaque call hands to a callback: the call, the argument that is the callback, the parameter.
    Handed(CallId, u32, u32),
    /// What was caught by the try statement of this number.
    Caught(u32),
    /// A promise of a value, from a project function.
    Promise(ValueId),
    /// A comparison or computation.
    Binary(BinaryOp, ValueId, ValueId),
    /// Negation.
    Not(ValueId),
    /// `typeof`.
    TypeOf(ValueId),
    /// A string built from parts.
    Template(Rc<[ValueId]>),
    /// Computed from others in a way that was not followed.
    Derived(Rc<[ValueId]>),
    /// One of several, each with the facts under which it arises.
    Choice(Rc<[Alternative]>),
    /// A markup element: tag, properties, children.
    Markup(ValueId, ObjectId, Rc<[ValueId]>),
    /// Not known, and why.
    Unknown(Unknown),
}

/// One of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// The facts under which it arises.
    pub facts: FactsId,
    /// The value.
    pub value: ValueId,
}

/// Why a value is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unknown {
    /// A binding whose module was still being evaluated.
    Cycle,
    /// Calls nested too deep, or a function calling itself.
    Depth,
    /// The step budget of the entry ran out.
    Budget,
    /// An import that leads nowhere.
    Unresolved,
    /// Something that is not lowered.
    Opaque,
    /// More alternatives than are kept.
    Alternatives,
}

/// A member of an object, or an element of a list, in source order.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// Key and value.
    Named(Ustr, ValueId),
    /// Computed key and value.
    Computed(ValueId, ValueId),
    /// All members or elements of another.
    Spread(ValueId),
    /// One element.
    Item(ValueId),
    /// Any number of elements like this one.
    Each(ValueId),
}

/// An object, list or instance that the code makes.
#[derive(Clone, Debug)]
pub struct ObjectData {
    /// Its members or elements as written; later stores are in the heap.
    pub entries: Vec<Entry>,
    /// Names that were stored later, in order.
    pub added: Vec<Ustr>,
    /// The class or function that `new` was applied to.
    pub made_by: Option<ValueId>,
    /// Where it is written.
    pub module: ModuleId,
    /// Where it is written.
    pub span: Span,
}

/// One happening of an opaque call.
#[derive(Clone, Debug)]
pub struct CallData {
    /// What is called.
    pub callee: ValueId,
    /// With what; the flag marks a spread argument.
    pub args: Vec<(ValueId, bool)>,
    /// Whether it constructs.
    pub new: bool,
    /// Whether its result is surely an object, and so passes every test of whether it is there.
    pub gives_object: bool,
    /// Whether its promise was waited for.
    pub awaited: bool,
    /// Why a project function was not followed, if the callee is one.
    pub cut: Option<Unknown>,
    /// Where.
    pub module: ModuleId,
    /// Where.
    pub span: Span,
}

/// The arenas of values, objects, calls and facts.
#[derive(Debug, Default)]
pub struct Values {
    values: Vec<Value>,
    ids: FxHashMap<Value, ValueId>,
    objects: Vec<ObjectData>,
    calls: Vec<CallData>,
    facts: Facts,
    /// Who made each object, and each call.
    object_units: Vec<UnitId>,
    call_units: Vec<UnitId>,
    /// The first point that can be later than each call.
    call_points: Vec<FactsId>,
    track: Track,
    /// Calls as they were before a run changed them.
    saved: Vec<(CallId, CallData)>,
    saved_ids: FxHashSet<CallId>,
    /// What assuming a choice came to: choices are made of choices, and each is asked again and again.
    assumed: FxHashMap<(FactsId, ValueId, bool, u32), FactsId>,
    /// How many objects there were at the last mark.
    marked: usize,
    /// Objects from before a mark as they were there, for those that were changed since.
    before: Vec<(ObjectId, ObjectData)>,
    /// Which of them were changed since the last mark.
    changed: FxHashSet<ObjectId>,
}

/// Most alternatives of a choice.
const ALTERNATIVES_MAX: usize = 12;
/// Most alternatives that one question about a value's truth looks at.
const TRUTHS_MAX: u32 = 200;

#[expect(
    clippy::indexing_slicing,
    reason = "ids are made only by pushing into these arenas"
)]
impl Values {
    /// What a value is.
    #[must_use]
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// An object, list or instance.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> &ObjectData {
        self.track.read(self.object_units[id.index()]);
        &self.objects[id.index()]
    }

    /// An object to be changed. One from before the last mark is as it was when that is gone back to: what a run pushes into a
    /// list of a module does not outlive it.
    pub(crate) fn object_mut(&mut self, id: ObjectId) -> &mut ObjectData {
        let unit = self.object_units[id.index()];
        self.track.read(unit);
        self.track.write(unit);
        if id.index() < self.marked && self.changed.insert(id) {
            self.before.push((id, self.objects[id.index()].clone()));
        }
        &mut self.objects[id.index()]
    }

    /// An opaque call.
    #[must_use]
    pub fn call(&self, id: CallId) -> &CallData {
        self.track.read(self.call_units[id.index()]);
        &self.calls[id.index()]
    }

    pub(crate) fn call_mut(&mut self, id: CallId) -> &mut CallData {
        let unit = self.call_units[id.index()];
        self.track.read(unit);
        self.track.write(unit);
        if self.is_older(unit) && self.saved_ids.insert(id) {
            let before = self.calls[id.index()].clone();
            self.saved.push((id, before));
        }
        &mut self.calls[id.index()]
    }

    /// Whether a run is open that found it there: what the run changes of it is undone when the run ends.
    fn is_older(&self, unit: UnitId) -> bool {
        self.track.current() == UnitId::RUN && unit != UnitId::RUN
    }

    /// The id of a value.
    pub fn make(&mut self, value: Value) -> ValueId {
        if let Some(&id) = self.ids.get(&value) {
            return id;
        }
        let id = ValueId::at(self.values.len());
        self.values.push(value.clone());
        self.ids.insert(value, id);
        id
    }

    /// How many values there are; later ones have higher numbers.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.values.len()
    }

    /// The functions that were made of the project's code, from a number of values on.
    pub fn functions(
        &self,
        first: usize,
    ) -> impl Iterator<Item = (ValueId, ModuleId, FunctionId)> + '_ {
        let each = self.values.iter().enumerate().skip(first);
        each.filter_map(|(number, value)| match *value {
            Value::Function {
                module, function, ..
            } => Some((ValueId::at(number), module, function)),
            _ => None,
        })
    }

    /// The id of a value that was made before.
    #[must_use]
    pub fn find(&self, value: &Value) -> Option<ValueId> {
        self.ids.get(value).copied()
    }

    /// A constant.
    pub fn constant(&mut self, value: Const) -> ValueId {
        self.make(Value::Const(value))
    }

    /// A string.
    pub fn text(&mut self, text: &str) -> ValueId {
        self.constant(Const::Str(Ustr::from(text)))
    }

    /// The constant that a value is.
    #[must_use]
    pub fn as_const(&self, id: ValueId) -> Option<Const> {
        match self.value(id) {
            Value::Const(value) => Some(*value),
            _ => None,
        }
    }

    /// The string that a value is.
    #[must_use]
    pub fn as_text(&self, id: ValueId) -> Option<Ustr> {
        self.as_const(id).and_then(Const::as_str)
    }

    pub(crate) fn new_object(&mut self, data: ObjectData) -> ObjectId {
        let id = ObjectId::at(self.objects.len());
        self.objects.push(data);
        self.object_units.push(self.track.current());
        id
    }

    pub(crate) fn new_call(&mut self, data: CallData) -> CallId {
        let id = CallId::at(self.calls.len());
        self.calls.push(data);
        self.call_units.push(self.track.current());
        self.call_points.push(self.facts.next_point());
        id
    }

    pub(crate) const fn track(&self) -> &Track {
        &self.track
    }

    pub(crate) fn track_mut(&mut self) -> &mut Track {
        &mut self.track
    }

    /// Who made an object.
    #[must_use]
    pub fn unit_of_object(&self, id: ObjectId) -> UnitId {
        self.object_units[id.index()]
    }

    /// Who made a call.
    #[must_use]
    pub fn unit_of_call(&self, id: CallId) -> UnitId {
        self.call_units[id.index()]
    }

    pub(crate) const fn sizes(&self) -> [usize; 2] {
        [self.objects.len(), self.calls.len()]
    }

    /// Negation. A double one cancels out where that is the same value: `!!password` says no more than that there is one.
    pub fn not(&mut self, id: ValueId) -> ValueId {
        match *self.value(id) {
            Value::Not(inner) if matches!(self.value(inner), Value::Not(_) | Value::Binary(..)) => {
                inner
            }
            Value::Const(value) => self.constant(Const::Bool(!value.truthy())),
            _ => self.make(Value::Not(id)),
        }
    }

    /// One of several values.
    pub fn choice(&mut self, mut alternatives: Vec<Alternative>) -> ValueId {
        let mut seen = FxHashSet::default();
        alternatives.retain(|alternative| seen.insert(*alternative));
        let Some(first) = alternatives.first().copied() else {
            return self.constant(Const::Undefined);
        };
        if alternatives
            .iter()
            .all(|alternative| alternative.value == first.value)
        {
            return first.value;
        }
        if alternatives.len() > ALTERNATIVES_MAX {
            alternatives.truncate(ALTERNATIVES_MAX);
            let value = self.make(Value::Unknown(Unknown::Alternatives));
            alternatives.push(Alternative {
                facts: NO_FACTS,
                value,
            });
        }
        self.make(Value::Choice(alternatives.into()))
    }

    // ---- facts

    /// The facts and one more, nothing implied.
    pub(crate) fn with(&mut self, facts: FactsId, fact: Fact) -> FactsId {
        self.facts.with(facts, fact)
    }

    /// Whether a list was made of one by leaving elements out.
    #[must_use]
    pub fn is_filtered(&self, list: ValueId) -> bool {
        let mut all = self.values.iter();
        all.any(|value| matches!(value, Value::Kept(whole, _) if *whole == list))
    }

    /// Every fact, the newest first.
    pub fn facts(&self, facts: FactsId) -> impl Iterator<Item = Fact> + '_ {
        self.facts.iter(facts)
    }

    /// The facts before the newest one, and that one; none for no facts at all.
    #[must_use]
    pub fn newest(&self, facts: FactsId) -> Option<(FactsId, Fact)> {
        self.facts.newest(facts)
    }

    /// Of the points those that were there before a call say nothing of what it gave: they all come before this one.
    #[must_use]
    pub fn first_point_after(&self, call: CallId) -> FactsId {
        self.call_points[call.index()]
    }

    /// The first point that can be later than the last one which all ways to some points share; none for no points.
    #[must_use]
    pub fn first_point_apart(&self, points: impl IntoIterator<Item = FactsId>) -> Option<FactsId> {
        let shared = points
            .into_iter()
            .reduce(|shared, point| self.facts.ancestor(shared, point))?;
        Some(FactsId::at(shared.index() + 1))
    }

    /// Whether a fact is among them.
    #[must_use]
    pub fn holds(&self, facts: FactsId, fact: Fact) -> bool {
        self.facts.holds(facts, fact)
    }

    /// What a test of the value would give, as far as the facts alone say.
    #[must_use]
    pub fn tested(&self, facts: FactsId, value: ValueId) -> Option<bool> {
        self.facts.tested(facts, value)
    }

    /// The facts up to the last point that two chains share.
    pub(crate) fn before_both(&self, a: FactsId, b: FactsId) -> FactsId {
        self.facts.ancestor(a, b)
    }

    /// The facts that hold in all of several, and that one of them holds.
    pub(crate) fn join(&mut self, several: &[FactsId]) -> FactsId {
        self.facts.join(several)
    }

    /// The conjunctions of which one holds.
    #[must_use]
    pub fn joined(&self, number: u32) -> &[FactsId] {
        self.facts.joined(number)
    }

    /// Whether two sets of facts exclude each other.
    #[must_use]
    pub fn contradict(&self, a: FactsId, b: FactsId) -> bool {
        self.facts.contradict(a, b)
    }

    /// What a test of the value gives under the facts, if it is certain.
    #[must_use]
    pub fn truth(&self, facts: FactsId, id: ValueId) -> Option<bool> {
        self.truth_within(facts, id, &mut { TRUTHS_MAX })
    }

    /// The same, as long as so many alternatives are left to look at: choices are made of choices, and one that many
    /// share is looked at once for each way to it.
    fn truth_within(&self, facts: FactsId, id: ValueId, left: &mut u32) -> Option<bool> {
        match self.value(id) {
            Value::Const(value) => Some(value.truthy()),
            Value::Not(inner) => self.truth_within(facts, *inner, left).map(|truth| !truth),
            Value::Object(_)
            | Value::Array(_)
            | Value::Instance(_)
            | Value::Function { .. }
            | Value::Class { .. }
            | Value::Namespace(_)
            | Value::Promise(_)
            | Value::Markup(..) => Some(true),
            Value::Choice(alternatives) => {
                if let Some(known) = self.tested(facts, id) {
                    return Some(known);
                }
                let mut answer = None;
                for alternative in alternatives.iter() {
                    if self.contradict(facts, alternative.facts) {
                        continue;
                    }
                    *left = left.checked_sub(1)?;
                    // What is known here may decide, or what was known where the value arose.
                    let arose = self.truth_within(alternative.facts, alternative.value, left);
                    let truth = match arose {
                        Some(truth) => truth,
                        None => self.truth_within(facts, alternative.value, left)?,
                    };
                    if answer.is_some_and(|known| known != truth) {
                        return None;
                    }
                    answer = Some(truth);
                }
                answer
            }
            Value::Call(call) if self.call(*call).gives_object => Some(true),
            _ => self.tested(facts, id),
        }
    }

    /// The facts after a test of the value came out as `truth`, with all that this implies.
    pub fn assume(&mut self, facts: FactsId, id: ValueId, truth: bool) -> FactsId {
        self.assume_within(facts, id, truth, 6)
    }

    fn assume_within(&mut self, facts: FactsId, id: ValueId, truth: bool, depth: u32) -> FactsId {
        let value = self.value(id).clone();
        if let Value::Not(inner) = value {
            return self.assume_within(facts, inner, !truth, depth);
        }
        if matches!(value, Value::Const(_)) || self.tested(facts, id) == Some(truth) {
            return facts;
        }
        let mut result = self.with(facts, Fact::Test(id, truth));
        if depth == 0 {
            return result;
        }
        if let Some((test, held)) = self.implied_by_length(id, truth) {
            result = self.assume_within(result, test, held, depth - 1);
        }
        match value {
            // `x == null` did not hold: x is something. `x === "yes"` held: x holds.
            Value::Binary(BinaryOp::Equal, left, right) => {
                for (side, other) in [(left, right), (right, left)] {
                    let Some(constant) = self.as_const(other) else {
                        continue;
                    };
                    let side_truth = match (constant, truth) {
                        (Const::Null | Const::Undefined | Const::Bool(false), truth) => !truth,
                        (Const::Bool(true), truth) => truth,
                        (constant, true) if constant.truthy() => true,
                        (Const::Str(text), truth) if text == "undefined" => {
                            if let Value::TypeOf(inner) = *self.value(side) {
                                result = self.assume_within(result, inner, !truth, depth - 1);
                            }
                            continue;
                        }
                        _ => continue,
                    };
                    result = self.assume_within(result, side, side_truth, depth - 1);
                }
            }
            // One of several: what all that are still possible have in common.
            Value::Choice(alternatives) => {
                if let Some(&known) = self.assumed.get(&(facts, id, truth, depth)) {
                    return known;
                }
                let mut ways = Vec::new();
                for alternative in alternatives.iter() {
                    let known = self.truth(alternative.facts, alternative.value);
                    if known.is_some_and(|known| known != truth)
                        || self.facts.contradict(facts, alternative.facts)
                    {
                        continue;
                    }
                    let (under, value) = (alternative.facts, alternative.value);
                    ways.push(self.assume_within(under, value, truth, depth - 1));
                }
                result = self.one_of(facts, result, ways);
                self.assumed.insert((facts, id, truth, depth), result);
            }
            _ => {}
        }
        result
    }

    /// Adds to the result that one of several ways was taken, and what they have in common beyond the facts.
    fn one_of(&mut self, facts: FactsId, mut result: FactsId, ways: Vec<FactsId>) -> FactsId {
        let beyond = |arena: &Facts, way| arena.distance(way, arena.ancestor(way, facts));
        let Some(shortest) = ways
            .iter()
            .copied()
            .min_by_key(|&way| beyond(&self.facts, way))
        else {
            return result;
        };
        // What already holds here need not be looked at again.
        let candidates = self
            .facts
            .beyond(shortest, self.facts.ancestor(shortest, facts));
        if ways.len() > 1 {
            let number = self.facts.one_of(&ways);
            result = self.with(result, Fact::OneOf(number));
        }
        for fact in candidates {
            if !self.holds(result, fact)
                && ways
                    .iter()
                    .all(|&way| way == shortest || self.holds(way, fact))
            {
                result = self.with(result, fact);
            }
        }
        result
    }
}
