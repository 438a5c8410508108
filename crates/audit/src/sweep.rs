//! Runs the rules that look at single calls: on what happens while modules load, in routes, and in token code that no route enters.

use portcullis_code::{
    body::{ClassId, Const, ExprKind, FunctionId, ModuleId},
    machine::{Event, EventKind, Machine},
    project::{Module, Project},
    value::{Value, ValueId},
};
use portcullis_report::Severity;
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

use crate::{
    discover::unmounted::Handlers,
    input::Input,
    judge::{Bench, Judgement},
    knowledge::Known,
    library::{GuardKind, Library, Meaning},
    options::Options,
    route::{Convention, Route, Site},
    rule::{CallContext, Check, Hit, Rule},
    rules::RULES,
    semantics::RequestPath,
    shared::Shared,
};

/// Most functions that are run because no route enters them.
const FUNCTIONS_MAX: usize = 400;
/// Most closures of closures that are run: `requireRole("admin")(req, res, next)`.
const CURRIED_MAX: usize = 3;
/// Most parameters that such a function is given.
const PARAMETERS_MAX: u8 = 6;

/// The rules that look at single calls, and what was seen so far.
pub(crate) struct Sweep {
    rules: Vec<&'static Rule>,
    /// The modules that import what signs, verifies or decodes tokens, hashes, or is told a secret; true for the first.
    modules: FxHashMap<ModuleId, bool>,
    entered: FxHashSet<(ModuleId, FunctionId)>,
    /// Functions that have the shape of a handler: which of them nothing enters is asked when the routes are done.
    handlers: Handlers,
    hits: Vec<(&'static Rule, Hit)>,
}

impl Sweep {
    /// For one project; nothing was seen yet.
    pub(crate) fn new(
        project: &Project,
        library: &Library,
        options: &Options,
        handlers: Handlers,
    ) -> Self {
        let rules: Vec<&'static Rule> = RULES
            .iter()
            .filter(|rule| matches!(rule.check, Check::Call(_)) && options.runs(rule.id))
            .copied()
            .collect();
        let mut packages: FxHashMap<&str, bool> = FxHashMap::default();
        for row in library.all() {
            if let Some(tokens) = is_about_tokens(&row.meaning) {
                for name in &row.names {
                    *packages.entry(&*name.import).or_default() |= tokens;
                }
            }
        }
        // `require` is a call like any other: a constant that names such a package is taken for one.
        let imports = |module: &Module| {
            let imported = module.body.imports.iter().map(|import| import.specifier);
            let constants = module.body.exprs.iter().filter_map(|expr| match expr.kind {
                ExprKind::Const(Const::Str(text)) => Some(text),
                _ => None,
            });
            imported
                .chain(constants)
                .filter_map(|name| packages.get(name.as_str()).copied())
                .max()
        };
        let modules = if rules.is_empty() {
            FxHashMap::default()
        } else {
            project
                .modules()
                .iter()
                .filter_map(|module| imports(module).map(|tokens| (module.id, tokens)))
                .collect()
        };
        Self {
            rules,
            modules,
            entered: FxHashSet::default(),
            handlers,
            hits: Vec::new(),
        }
    }

    /// The handlers that no route entered, in order.
    pub(crate) fn unmounted(&self) -> Vec<((ModuleId, FunctionId), Convention)> {
        let mut found: Vec<_> = self
            .handlers
            .iter()
            .filter(|(function, _)| !self.entered.contains(function))
            .map(|(function, convention)| (*function, *convention))
            .collect();
        found.sort_unstable_by_key(|(function, _)| *function);
        found
    }

    /// Whether something that ran entered a function that has the shape of a handler, or deals with tokens.
    pub(crate) fn has_entered(&self, function: (ModuleId, FunctionId)) -> bool {
        self.entered.contains(&function)
    }

    /// Looks at what happened while modules were loaded.
    pub(crate) fn loaded(
        &mut self,
        machine: &mut Machine<'_>,
        shared: &Shared<'_, '_>,
        events: &[Event],
    ) {
        let mark = machine.begin();
        shared.bench(|bench| self.look(machine, bench, events, None));
        machine.end(&mark);
    }

    /// Looks at what happened in a run that is still open.
    pub(crate) fn look(
        &mut self,
        machine: &mut Machine<'_>,
        bench: &Bench<'_, '_>,
        events: &[Event],
        route: Option<(&Route, &Judgement)>,
    ) {
        let seen = self.see(machine, bench, events, route);
        self.add(seen);
    }

    /// Adds what was seen in a run, in this one or an earlier.
    pub(crate) fn add(&mut self, seen: Seen) {
        self.entered.extend(seen.entered);
        self.hits.extend(seen.hits);
    }

    /// What happened in a run that is still open, as the rules see it.
    pub(crate) fn see(
        &self,
        machine: &mut Machine<'_>,
        bench: &Bench<'_, '_>,
        events: &[Event],
        route: Option<(&Route, &Judgement)>,
    ) -> Seen {
        let mut seen = Seen {
            entered: self.entered_by(machine, events),
            ..Seen::default()
        };
        if self.rules.is_empty() {
            return seen;
        }
        for event in events {
            let EventKind::Call(call) = event.kind else {
                continue;
            };
            let rows = bench.knowledge.of_call(&machine.values, call);
            let keys = keys(machine, bench, &rows);
            let context = CallContext {
                call,
                event,
                rows: &rows,
                keys: &keys,
                events,
                route,
                machine,
                bench,
            };
            for rule in &self.rules {
                if let Check::Call(check) = rule.check {
                    seen.hits
                        .extend(check(&context).into_iter().map(|hit| (*rule, hit)));
                }
            }
        }
        seen
    }

    /// Which functions of token modules, and which handlers, the events happened in, in order.
    fn entered_by(&self, machine: &Machine<'_>, events: &[Event]) -> Vec<(ModuleId, FunctionId)> {
        let mut entered = FxHashSet::default();
        for event in events {
            let mut at = event.frame;
            while let Some(frame) = at.and_then(|id| machine.frame(id)) {
                let function = (frame.module, frame.function);
                if self.modules.contains_key(&frame.module) || self.handlers.contains_key(&function)
                {
                    entered.insert(function);
                }
                at = frame.parent;
            }
        }
        let mut entered: Vec<_> = entered.into_iter().collect();
        entered.sort_unstable();
        entered
    }

    /// Runs what no route entered of the modules that deal with tokens: each function once, on inputs that say nothing.
    /// Gives every hit there is, those of one rule at one place as severe as the worst of them.
    pub(crate) fn finish(
        mut self,
        machine: &mut Machine<'_>,
        shared: &Shared<'_, '_>,
    ) -> Vec<(&'static Rule, Hit)> {
        let mut modules: Vec<(bool, ModuleId)> = self
            .modules
            .iter()
            .map(|(module, tokens)| (!tokens, *module))
            .collect();
        modules.sort_unstable();
        let entries: Vec<Entry> = modules
            .into_iter()
            .flat_map(|(_, module)| entries(machine, module))
            .collect();
        let mut left = FUNCTIONS_MAX;
        for entry in entries {
            if left > 0 && !self.entered.contains(&entry.function) {
                left -= 1;
                self.run(machine, shared, &entry);
            }
        }
        let mut worst: FxHashMap<(&'static str, Site), Severity> = FxHashMap::default();
        for (rule, hit) in &self.hits {
            let severity = hit.severity.unwrap_or(rule.severity);
            worst
                .entry((rule.id, hit.site))
                .and_modify(|known| *known = severity.max(*known))
                .or_insert(severity);
        }
        for (rule, hit) in &mut self.hits {
            hit.severity = worst.get(&(rule.id, hit.site)).copied();
        }
        self.hits
    }

    fn run(&mut self, machine: &mut Machine<'_>, shared: &Shared<'_, '_>, entry: &Entry) {
        shared.frameworks.fix(RequestPath::Unknown, None);
        let mark = machine.begin();
        let inputs: Vec<ValueId> = (0..PARAMETERS_MAX)
            .map(|number| Input::Argument(number).value(&mut machine.values))
            .collect();
        let mut function = entry.callable(machine, &inputs);
        for _ in 0..CURRIED_MAX {
            let outcome = machine.run(function, &inputs);
            let inner = outcome
                .returns
                .iter()
                .map(|exit| exit.value)
                .find(|value| matches!(machine.values.value(*value), Value::Function { .. }));
            let Some(inner) = inner else { break };
            machine.resume(outcome.after.into_iter().collect());
            function = inner;
        }
        let events = std::mem::take(&mut machine.events);
        shared.bench(|bench| self.look(machine, bench, &events, None));
        machine.end(&mark);
    }
}

/// What was seen in one run.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) hits: Vec<(&'static Rule, Hit)>,
    pub(crate) entered: Vec<(ModuleId, FunctionId)>,
}

/// A function that can be run by itself.
pub(crate) struct Entry {
    pub(crate) function: (ModuleId, FunctionId),
    /// The function, or the class whose method it is.
    value: ValueId,
    method: Option<Ustr>,
    /// Whether the class itself has the method.
    of_class: bool,
}

impl Entry {
    /// What is called: of a method, that of an instance that is made first.
    pub(crate) fn callable(&self, machine: &mut Machine<'_>, inputs: &[ValueId]) -> ValueId {
        let Some(method) = self.method else {
            return self.value;
        };
        if self.of_class {
            return machine.member(self.value, method);
        }
        let Some(made) = machine.run(self.value, inputs).after else {
            return self.value;
        };
        let instance = made.value;
        machine.resume(vec![made]);
        machine.member(instance, method)
    }
}

/// The functions and methods that stand at the top of a module.
pub(crate) fn entries(machine: &mut Machine<'_>, module: ModuleId) -> Vec<Entry> {
    let Some(env) = machine.module_env(module) else {
        return Vec::new();
    };
    let body = &machine.project.module(module).body;
    let top = FunctionId(0);
    let at_top = |function: FunctionId| body.function(function).parent == Some(top);
    let mut found = Vec::new();
    let mut members = FxHashSet::default();
    for (number, data) in body.classes.iter().enumerate() {
        let class = ClassId::at(number);
        let value = machine.values.make(Value::Class { module, class, env });
        members.extend(data.constructor);
        members.extend(data.methods.iter().map(|method| method.what));
        if let Some(constructor) = data.constructor.filter(|function| at_top(*function)) {
            found.push(Entry {
                function: (module, constructor),
                value,
                method: None,
                of_class: false,
            });
        }
        for method in &data.methods {
            if at_top(method.what) && !method.getter {
                found.push(Entry {
                    function: (module, method.what),
                    value,
                    method: Some(method.name),
                    of_class: method.is_static,
                });
            }
        }
    }
    for number in 1..body.functions.len() {
        let function = FunctionId::at(number);
        if at_top(function) && !members.contains(&function) {
            let value = machine.values.make(Value::Function {
                module,
                function,
                env,
                this: None,
            });
            found.push(Entry {
                function: (module, function),
                value,
                method: None,
                of_class: false,
            });
        }
    }
    found
}

/// The values of the key of a limiter that a call makes or asks.
fn keys(machine: &mut Machine<'_>, bench: &Bench<'_, '_>, rows: &[Known<'_>]) -> Vec<ValueId> {
    let mut keys = Vec::new();
    for known in rows {
        let Meaning::Guard(guard) = &known.row.meaning else {
            continue;
        };
        let Some(place) = guard
            .key
            .as_ref()
            .filter(|_| guard.guard == GuardKind::RateLimit)
        else {
            continue;
        };
        for key in bench.knowledge.places(&machine.values, known, place) {
            if matches!(machine.values.value(key), Value::Function { .. }) {
                let inputs = [Input::NodeRequest, Input::Response]
                    .map(|input| input.value(&mut machine.values));
                let returns = machine.run(key, &inputs).returns;
                machine.events.clear();
                keys.extend(returns.iter().map(|exit| exit.value));
            } else {
                keys.push(key);
            }
        }
    }
    keys
}

/// Whether a row speaks of signing, verifying or decoding tokens, or else of hashing or of a secret; none where of neither.
fn is_about_tokens(meaning: &Meaning) -> Option<bool> {
    match meaning {
        Meaning::IssueToken(_) | Meaning::DecodeToken(_) => Some(true),
        Meaning::Guard(guard) if !guard.audience.is_empty() || !guard.algorithms.is_empty() => {
            Some(true)
        }
        Meaning::Session(_) | Meaning::Secret(_) => Some(false),
        Meaning::Derive(derive) if derive.key.is_some() => Some(false),
        _ => None,
    }
}
