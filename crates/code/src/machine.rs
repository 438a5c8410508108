//! A bounded abstract interpreter: runs function values on symbolic arguments and records what would happen, in order,
//! each happening with the facts that hold whenever it is reached.
//!
//! Project functions are entered (depth [`DEPTH_MAX`], [`STEPS_MAX`] steps an entry); a call of anything else is an
//! event and its result a symbolic value. What a call means is not known here: [`Semantics`] may say that it continues
//! a chain, calls back, never returns, or has a value. Bounds are counts, never clocks: a slow machine finds the same.

mod array;
mod attempt;
mod builtin;
mod call;
mod eval;
mod exec;
mod member;
mod module;
mod promise;
mod quiet;
mod state;
mod stated;
mod tracked;

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

use crate::{
    body::{Body, FunctionId, LocalId, ModuleId, Span, TypeOfText},
    project::Project,
    track::{Reads, Track, UnitId},
    value::{
        CallId, EnvId, FactsId, FrameId, NO_FACTS, ObjectData, ObjectId, Unknown, Value, ValueId,
        Values, ValuesMark,
    },
};

/// Deepest nesting of entered calls.
pub const DEPTH_MAX: usize = 8;
/// Most expressions and statements evaluated for one entry.
pub const STEPS_MAX: u32 = 20_000;
/// Most of them that one function may take before it is not entered again: a helper that is called over and over, and follows half
/// of the project each time, would leave nothing for what is called only once.
const SHARE_MAX: u32 = STEPS_MAX / 5;
/// Most expressions and statements evaluated for one module's top level.
const MODULE_STEPS_MAX: u32 = 100_000;

/// The name under which the value of a variable stands that nothing declares.
const ASSIGNED: &str = "=";
/// The place of what has none.
const NOWHERE: (ModuleId, Span) = (ModuleId(0), Span { start: 0, end: 0 });

/// What the embedder knows about calls that leave the project's code.
pub trait Semantics {
    /// What an opaque call does.
    fn call(&self, machine: &mut Machine<'_>, call: CallId) -> Effect;

    /// Whether a call of this value runs its code. Where not, the call stays one event, as a call of foreign code does.
    fn enters(&self, machine: &mut Machine<'_>, callee: ValueId) -> bool {
        let _unused = (machine, callee);
        true
    }

    /// Whether anything depends on a call of this foreign value, beyond its result. Where not, functions that do no more
    /// than such calls are not entered for nothing.
    fn matters(&self, machine: &mut Machine<'_>, callee: ValueId) -> bool {
        let _unused = (machine, callee);
        true
    }

    /// Whether the result of an opaque call is surely an object, as an answer is that a helper makes. A helper that returns
    /// an answer or nothing is then understood by `if (answer) return answer`.
    fn gives_object(&self, machine: &Machine<'_>, call: CallId) -> bool {
        let _unused = (machine, call);
        false
    }

    /// Whether a value is an instance of a class, where the code does not say.
    fn instance_of(&self, machine: &Machine<'_>, value: ValueId, class: ValueId) -> Option<bool> {
        let _unused = (machine, value, class);
        None
    }

    /// Whether a method of something opaque that takes a function is what its name says of lists; a builder of queries may
    /// have one of the same name.
    fn is_of_list(&self, machine: &mut Machine<'_>, base: ValueId, name: Ustr) -> bool {
        let _unused = (machine, base, name);
        true
    }

    /// The value of a member of something opaque, where the embedder knows it.
    fn member(&self, machine: &mut Machine<'_>, base: ValueId, name: Ustr) -> Option<ValueId> {
        let _unused = (machine, base, name);
        None
    }
}

/// What an opaque call does.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Nothing that is known; its callbacks may run.
    Opaque,
    /// Nothing that is known; its callbacks do not run now.
    Inert,
    /// Has this value, and is no event.
    Value(ValueId),
    /// Never returns normally.
    Leaves,
    /// Goes on with the next link of a chain.
    Continues,
    /// Runs a function and gives its result.
    Runs {
        /// The function value.
        function: ValueId,
        /// Its arguments.
        args: Vec<ValueId>,
    },
    /// Nothing that is known of its result; a function runs sometime because of it, and nothing depends on how it ends.
    MayRun {
        /// The function value.
        function: ValueId,
        /// Its arguments.
        args: Vec<ValueId>,
    },
}

/// A way in which a run ends.
#[derive(Clone, Debug)]
pub struct Exit {
    /// What holds then.
    pub facts: FactsId,
    /// The value returned or thrown.
    pub value: ValueId,
    /// Where it leaves.
    pub module: ModuleId,
    /// Where it leaves.
    pub span: Span,
    changes: Vec<(Slot, ValueId)>,
}

/// How a run of an entry can end.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By returning.
    pub returns: Vec<Exit>,
    /// By throwing.
    pub throws: Vec<Exit>,
    /// By going on with the next link of a chain.
    pub continues: Vec<Exit>,
    /// What stands after it returned, whichever way: with what the functions that it made can still see.
    pub after: Option<Exit>,
    /// Whether the step budget ran out.
    pub out_of_steps: bool,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// What holds whenever it happens.
    pub facts: FactsId,
    /// Where.
    pub module: ModuleId,
    /// Where.
    pub span: Span,
    /// The activation it happens in.
    pub frame: Option<FrameId>,
}

/// What happens.
#[derive(Clone, Copy, Debug)]
pub enum EventKind {
    /// An opaque call.
    Call(CallId),
    /// A store into a member of something opaque.
    Store(ValueId, Ustr, ValueId),
    /// A function returns; the first flag says whether it is the entry itself.
    Return(bool, ValueId),
    /// Something is thrown.
    Throw(ValueId),
    /// A try statement ends: its number, the index of its first event, and whether its handler goes on after it.
    Handled {
        /// The number that [`Fact::Caught`] names.
        number: u32,
        /// The index of the first event of its body.
        first: usize,
        /// The index one past the last event of its body.
        end: usize,
        /// Whether execution goes on after the handler.
        goes_on: bool,
        /// The handler's place.
        handler: Span,
    },
    /// A markup element is made.
    Markup(ValueId),
    /// Two values are compared for being equal, and neither is a constant.
    Equal(ValueId, ValueId),
}

/// An entered activation.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The activation it was called from.
    pub parent: Option<FrameId>,
    /// The function.
    pub module: ModuleId,
    /// The function.
    pub function: FunctionId,
    /// Where the call stands.
    pub call_module: ModuleId,
    /// Where the call stands.
    pub call_span: Span,
}

#[derive(Clone, Copy, Debug)]
struct Env {
    parent: Option<EnvId>,
    module: ModuleId,
    function: Option<FunctionId>,
    this: Option<ValueId>,
    class: Option<ValueId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Slot {
    Local(EnvId, LocalId),
    Field(ValueId, Ustr),
}

/// A promise whose executor runs: `new Promise((resolve, reject) => ..)`.
#[derive(Debug)]
struct Pending {
    resolve: ValueId,
    reject: ValueId,
    mark: usize,
    resolved: Vec<Exit>,
    rejected: Vec<Exit>,
}

#[derive(Debug, Default)]
struct Landing {
    mark: usize,
    exits: Vec<Exit>,
}

/// The interpreter.
pub struct Machine<'p> {
    /// The project whose code runs.
    pub project: &'p Project,
    /// The arenas.
    pub values: Values,
    /// What happened since [`Machine::begin`].
    pub events: Vec<Event>,
    semantics: &'p dyn Semantics,
    facts: FactsId,
    alive: bool,
    heap: FxHashMap<Slot, ValueId>,
    undo: Vec<(Slot, Option<ValueId>)>,
    envs: Vec<Env>,
    /// Who made each activation.
    env_units: Vec<UnitId>,
    frames: Vec<Frame>,
    frame: Option<FrameId>,
    returns: Vec<Landing>,
    breaks: Vec<Landing>,
    tries: Vec<Landing>,
    pending: Vec<Pending>,
    uncaught: Vec<Exit>,
    continues: Vec<Exit>,
    chain_mark: usize,
    depth: usize,
    nesting: u32,
    steps: u32,
    /// How many steps each function took since the run began, with all that it calls.
    taken: FxHashMap<(ModuleId, FunctionId), u32>,
    /// The variables that nothing declares and that were assigned in a run.
    assigned: FxHashSet<Ustr>,
    out_of_steps: bool,
    last_called_async: bool,
    /// What types state of values of the present run; none where they state two things.
    stated: FxHashMap<ValueId, Option<TypeOfText>>,
    /// Whether nobody uses what the next call gives.
    unused: bool,
    /// Functions that were looked at, and whether they only compute.
    quiet: FxHashMap<quiet::Closure, (bool, Rc<Reads>)>,
    try_number: u32,
    /// How many closures were made: a call that makes none leaves nothing that can see its variables.
    closures: u32,
    /// Whether callbacks of unknown calls run: in entries, not while modules load.
    in_entry: bool,
    module_env: Vec<Option<EnvId>>,
    loading: FxHashSet<ModuleId>,
    exports: FxHashMap<(ModuleId, Ustr), (ValueId, Rc<Reads>)>,
}

/// A place to come back to with [`Machine::end`].
#[derive(Debug)]
pub struct Mark {
    unit: UnitId,
    values: ValuesMark,
    undo: usize,
    envs: usize,
    frames: usize,
}

impl std::fmt::Debug for Machine<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Machine")
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

impl<'p> Machine<'p> {
    /// A machine on which nothing has run yet.
    #[must_use]
    pub fn new(project: &'p Project, semantics: &'p dyn Semantics) -> Self {
        let mut values = Values::default();
        *values.track_mut() = Track::new(project.module_count());
        for truth in [true, false] {
            values.constant(crate::body::Const::Bool(truth));
        }
        Self {
            project,
            values,
            events: Vec::new(),
            semantics,
            facts: NO_FACTS,
            alive: true,
            heap: FxHashMap::default(),
            undo: Vec::new(),
            envs: Vec::new(),
            env_units: Vec::new(),
            frames: Vec::new(),
            frame: None,
            returns: Vec::new(),
            breaks: Vec::new(),
            tries: Vec::new(),
            pending: Vec::new(),
            uncaught: Vec::new(),
            continues: Vec::new(),
            chain_mark: 0,
            depth: 0,
            nesting: 0,
            steps: 0,
            taken: FxHashMap::default(),
            assigned: FxHashSet::default(),
            out_of_steps: false,
            last_called_async: false,
            stated: FxHashMap::default(),
            unused: false,
            quiet: FxHashMap::default(),
            try_number: 0,
            closures: 0,
            in_entry: false,
            module_env: vec![None; project.module_count()],
            loading: FxHashSet::default(),
            exports: FxHashMap::default(),
        }
    }

    /// Starts a chain of runs.
    pub fn begin(&mut self) -> Mark {
        self.events.clear();
        self.stated.clear();
        self.facts = NO_FACTS;
        self.alive = true;
        self.frame = None;
        self.steps = STEPS_MAX;
        self.taken.clear();
        self.assigned.clear();
        self.out_of_steps = false;
        self.try_number = 0;
        self.in_entry = true;
        let unit = self.values.track().enter(UnitId::RUN);
        Mark {
            unit,
            values: self.values.mark(),
            undo: self.undo.len(),
            envs: self.envs.len(),
            frames: self.frames.len(),
        }
    }

    /// Ends a chain of runs and forgets all that it made.
    pub fn end(&mut self, mark: &Mark) {
        self.rollback(mark.undo);
        self.values.rewind(mark.values);
        self.envs.truncate(mark.envs);
        self.env_units.truncate(mark.envs);
        self.quiet.retain(|(_, _, env), _| env.index() < mark.envs);
        self.frames.truncate(mark.frames);
        self.events.clear();
        self.stated.clear();
        self.facts = NO_FACTS;
        self.alive = true;
        self.frame = None;
        self.in_entry = false;
        let _run = self.values.track().enter(mark.unit);
    }

    /// Gives what is run next at least so many steps, whatever those before it took.
    pub fn allow_steps(&mut self, least: u32) {
        self.taken.clear();
        if self.steps < least {
            self.steps = least;
            self.out_of_steps = false;
        }
    }

    /// Runs a function value from the state that stands. The state afterwards is the one before: see [`Machine::resume`].
    pub fn run(&mut self, function: ValueId, args: &[ValueId]) -> Outcome {
        self.run_from(NOWHERE, function, args)
    }

    /// The same for what is named at a place: what happens is told there if the value itself has no place, as a constant.
    pub fn run_from(
        &mut self,
        named_at: (ModuleId, Span),
        function: ValueId,
        args: &[ValueId],
    ) -> Outcome {
        let facts = self.facts;
        let mark = self.undo.len();
        self.alive = true;
        self.uncaught.clear();
        self.continues.clear();
        self.chain_mark = mark;
        let args = args.iter().map(|&arg| (arg, false)).collect();
        let (module, span) = self.written_at(function).unwrap_or(named_at);
        let first = self.events.len();
        let value = self.call_value(function, None, args, false, module, span);
        let mut outcome = Outcome {
            out_of_steps: self.out_of_steps,
            ..Outcome::default()
        };
        // The entry's own returns, one by one, stand in the events; joined they are one exit.
        for event in self.events.iter().skip(first) {
            if let EventKind::Return(true, value) = event.kind {
                let changes = Vec::new();
                outcome.returns.push(Exit {
                    facts: event.facts,
                    value,
                    module: event.module,
                    span: event.span,
                    changes,
                });
            }
        }
        if self.alive {
            let changes = self.changes(mark);
            let after = Exit {
                facts: self.facts,
                value,
                module,
                span,
                changes,
            };
            if outcome.returns.is_empty() {
                outcome.returns.push(after.clone());
            }
            outcome.after = Some(after);
        }
        outcome.throws = std::mem::take(&mut self.uncaught);
        outcome.continues = std::mem::take(&mut self.continues);
        self.rollback(mark);
        self.facts = facts;
        self.alive = true;
        outcome
    }

    /// Goes on from the join of some exits of a run, as the next link of a chain does.
    pub fn resume(&mut self, exits: Vec<Exit>) {
        let _value = self.join(exits);
        self.alive = true;
    }

    /// Calls a function in the course of another call, as the embedder knows that this call does. Nothing comes back where
    /// it always throws.
    pub fn call_in_place(
        &mut self,
        function: ValueId,
        args: &[ValueId],
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let args = args.iter().map(|&arg| (arg, false)).collect();
        let value = self.call_value(function, None, args, false, module, span);
        self.alive.then_some(value)
    }

    /// What holds now.
    #[must_use]
    pub const fn facts(&self) -> FactsId {
        self.facts
    }

    /// Adds what is known from elsewhere, for example that a middleware already ran.
    pub fn assume(&mut self, value: ValueId, truth: bool) {
        self.facts = self.values.assume(self.facts, value, truth);
    }

    /// Stores a member, as the embedder knows that a call does.
    pub fn put(&mut self, base: ValueId, name: Ustr, value: ValueId) {
        self.set(Slot::Field(base, name), value);
    }

    /// The id of a truth value.
    #[must_use]
    pub fn truth_value(&self, truth: bool) -> Option<ValueId> {
        self.values
            .find(&Value::Const(crate::body::Const::Bool(truth)))
    }

    /// An activation.
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Option<&Frame> {
        self.frames.get(id.index())
    }

    /// Where a value is written; for what has no place the beginning of the first module.
    #[must_use]
    pub fn place(&self, value: ValueId) -> (ModuleId, Span) {
        self.written_at(value).unwrap_or(NOWHERE)
    }

    fn written_at(&self, value: ValueId) -> Option<(ModuleId, Span)> {
        Some(match *self.values.value(value) {
            Value::Function {
                module, function, ..
            } => (module, self.body(module).function(function).span),
            Value::Class { module, class, .. } => (module, self.body(module).class(class).span),
            Value::Object(object) | Value::Array(object) | Value::Instance(object) => {
                let data = self.values.object(object);
                (data.module, data.span)
            }
            Value::Call(call) => {
                let data = self.values.call(call);
                (data.module, data.span)
            }
            Value::Member(base, _)
            | Value::Index(base, _)
            | Value::Not(base)
            | Value::Promise(base) => return self.written_at(base),
            _ => return None,
        })
    }

    fn body(&self, module: ModuleId) -> &'p Body {
        &self.project.module(module).body
    }

    /// One step of the budget; false when there is none left.
    fn step(&mut self) -> bool {
        if self.steps == 0 {
            self.out_of_steps = true;
            return false;
        }
        self.steps -= 1;
        true
    }

    fn unknown(&mut self, reason: Unknown) -> ValueId {
        self.values.make(Value::Unknown(reason))
    }

    fn undefined(&mut self) -> ValueId {
        self.values.constant(crate::body::Const::Undefined)
    }

    fn event(&mut self, kind: EventKind, module: ModuleId, span: Span) {
        self.events.push(Event {
            kind,
            facts: self.facts,
            module,
            span,
            frame: self.frame,
        });
    }

    fn object(&mut self, data: ObjectData) -> ObjectId {
        self.values.new_object(data)
    }
}
