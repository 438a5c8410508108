//! What the machine asks while it runs a route: what a call of library code does to the run.

mod asked_path;
mod passed_on;

use std::cell::{Cell, RefCell};

use portcullis_code::{
    body::Const,
    machine::{Effect, Machine, Semantics},
    value::{CallData, CallId, Entry, Value, ValueId, Values},
};
use portcullis_policy::Method;
use ustr::{Ustr, ustr};

use self::{
    asked_path::{collect_constants, is_request_url, pathname, try_path},
    passed_on::{hand_over, is_next, pass_middleware, set_on_request},
};
use crate::{
    discover::convex,
    input::Input,
    judge::add_to_context,
    knowledge::{Knowledge, Known},
    library::{GuardKind, Meaning, Root, Usage},
    matcher::Match,
    response::of_web,
};

/// Parameter numbers from here on name what a wrapper's row hands over, by position.
pub const HANDED_BY_ROW: u32 = 100;
/// Parameter numbers from here on name what a middleware's row sets on the request, by position.
pub const SET_BY_ROW: u32 = 200;

/// The semantics of the frameworks, for one route or one sample path at a time.
pub struct Frameworks<'k, 'p> {
    knowledge: &'k Knowledge<'p>,
    /// What is known of the request's path.
    path: RefCell<RequestPath>,
    /// The method that the route was declared for.
    method: Cell<Option<Method>>,
    /// Calls of makers that no row describes and whose handler was run all the same.
    unknown_wrappers: RefCell<Vec<CallId>>,
    /// The functions that others run by reference.
    functions: RefCell<convex::Functions>,
    /// The rules that rows have to pass in the present run.
    row_rules: RefCell<Vec<ValueId>>,
}

/// What is known of the path of the request that a run is about.
#[derive(Clone, Debug, Default)]
pub enum RequestPath {
    /// Nothing.
    #[default]
    Unknown,
    /// The very path, on which a middleware is tried.
    Sample(String),
    /// The template of the route that answers it: code that many routes share may treat some paths differently.
    Template(String),
}

impl std::fmt::Debug for Frameworks<'_, '_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Frameworks").finish_non_exhaustive()
    }
}

impl<'k, 'p> Frameworks<'k, 'p> {
    /// Semantics over what is known of a project.
    #[must_use]
    pub fn new(knowledge: &'k Knowledge<'p>) -> Self {
        Self {
            knowledge,
            path: RefCell::default(),
            method: Cell::default(),
            unknown_wrappers: RefCell::default(),
            functions: RefCell::default(),
            row_rules: RefCell::default(),
        }
    }

    /// Fixes the request's path and method for the next run.
    pub fn fix(&self, path: RequestPath, method: Option<Method>) {
        self.knowledge.forget();
        *self.path.borrow_mut() = path;
        self.method.set(method);
        self.unknown_wrappers.borrow_mut().clear();
        self.row_rules.borrow_mut().clear();
    }

    /// Whether rules decide in this run which rows of a table are shown and taken.
    pub(crate) fn has_row_rules(&self, values: &Values, table: Ustr) -> bool {
        self.row_rules
            .borrow()
            .iter()
            .any(|rules| names_table(values, *rules, table, 0))
    }

    /// Says which functions others run by reference.
    pub(crate) fn know_functions(&self, functions: convex::Functions) {
        *self.functions.borrow_mut() = functions;
    }

    /// A call that runs a function by its reference: now, or later and for nobody.
    fn runs_by_reference(&self, machine: &mut Machine<'_>, data: &CallData) -> Option<Effect> {
        let called = convex::called(&machine.values, data)?;
        let known = self.functions.borrow();
        let function = known.find(machine.project, &called)?.clone();
        drop(known);
        let context = if called.is_later || function.is_of_component {
            convex::context_without_caller(&mut machine.values)
        } else {
            called.context
        };
        let mut args = vec![context];
        args.extend(called.given);
        let handler = function.handler;
        if called.is_later {
            return Some(Effect::MayRun {
                function: handler,
                args,
            });
        }
        for (layer, convention) in function.layers {
            let Some(given) = machine.call_in_place(layer, &args, data.module, data.span) else {
                return Some(Effect::Value(context));
            };
            add_to_context(machine, convention, context, given);
        }
        Some(Effect::Runs {
            function: handler,
            args,
        })
    }

    /// What a call says of who calls where nobody does: a scheduled function has no identity.
    fn without_caller(&self, machine: &mut Machine<'_>, call: CallId) -> Option<Effect> {
        let data = machine.values.call(call);
        let values = &machine.values;
        let asks = |value| match *values.value(value) {
            Value::Member(base, _) => match *values.value(base) {
                Value::Member(context, name) => {
                    name == "auth" && convex::has_no_caller(values, context)
                }
                _ => false,
            },
            _ => false,
        };
        let is_told = data
            .args
            .iter()
            .any(|arg| convex::has_no_caller(values, arg.0));
        if !asks(data.callee) && !is_told {
            return None;
        }
        let rows = self.knowledge.of_call(values, call);
        rows.iter().find_map(|known| match &known.row.meaning {
            Meaning::Caller(_) => Some(Effect::Value(values.find(&Value::Const(Const::Null))?)),
            Meaning::Guard(guard) if guard.guard == GuardKind::Authentication => {
                Some(Effect::Leaves)
            }
            _ => None,
        })
    }

    fn sample(&self) -> Option<String> {
        match &*self.path.borrow() {
            RequestPath::Sample(path) => Some(path.clone()),
            RequestPath::Unknown | RequestPath::Template(_) => None,
        }
    }

    /// The wrappers that were seen through without knowing them.
    #[must_use]
    pub fn unknown_wrappers(&self) -> Vec<CallId> {
        self.unknown_wrappers.borrow().clone()
    }

    /// A call of what another call made: a wrapped handler, a middleware, a matcher.
    fn of_made(&self, machine: &mut Machine<'_>, data: &CallData, made: CallId) -> Option<Effect> {
        let rows = self.knowledge.of_call(&machine.values, made);
        for known in &rows {
            if let Meaning::Matcher(matcher) = &known.row.meaning {
                return self.try_matcher(machine, known, &matcher.patterns);
            }
            if let Usage::Wrapper { handler } = &known.row.usage {
                let function = self.knowledge.place(&machine.values, known, handler)?;
                // `withRole("admin")(handler)`: only the second call has the handler.
                if is_option(&machine.values, function) {
                    continue;
                }
                let args = hand_over(machine, known, made, data);
                return Some(Effect::Runs { function, args });
            }
        }
        if let Some(known) = rows
            .iter()
            .find(|known| known.row.usage == Usage::Middleware)
        {
            // A path on the guard's list of exceptions, or perhaps on it, gets through unseen.
            if self.is_excepted(machine, known) != Some(false) && self.sample().is_some() {
                return Some(Effect::Value(machine.truth_value(true)?));
            }
            return Some(pass_middleware(machine, known, made, data));
        }
        // A maker that no row describes: if it was given a function, the request reaches that one.
        if takes_request(&machine.values, data) {
            let maker = machine.values.call(made).clone();
            let function = maker.args.iter().map(|arg| arg.0).rfind(|&arg| {
                matches!(
                    machine.values.value(arg),
                    Value::Function { .. } | Value::Call(_) | Value::Choice(_)
                )
            });
            if let Some(function) =
                function.filter(|&function| is_function(&machine.values, function))
            {
                if rows.is_empty() {
                    self.unknown_wrappers.borrow_mut().push(made);
                }
                let args = data.args.iter().map(|arg| arg.0).collect();
                return Some(Effect::Runs { function, args });
            }
        }
        None
    }

    /// Whether a value is what a builder hands to its pieces.
    fn is_of_chain(&self, machine: &Machine<'_>, value: ValueId) -> bool {
        let Value::Handed(call, ..) = *machine.values.value(value) else {
            return false;
        };
        self.knowledge
            .of_call(&machine.values, call)
            .iter()
            .any(|known| matches!(known.row.meaning, Meaning::Chain(_)))
    }

    /// A call that adds nothing to the function it is given, and gives back its result: a transaction, a context.
    fn runs_callback(
        &self,
        machine: &mut Machine<'_>,
        known: &Known<'_>,
        call: CallId,
    ) -> Option<Effect> {
        let runs = known.row.runs.as_ref()?;
        let through = match &known.row.meaning {
            // What a guard that calls back runs, it runs only for those who passed.
            Meaning::Transparent | Meaning::Guard(_) => true,
            Meaning::Db(db) => db.op == Some(crate::library::DbOp::Transaction),
            _ => false,
        };
        let Root::Argument(argument) = runs.root else {
            return None;
        };
        let function = self.knowledge.place(&machine.values, known, runs)?;
        if !through || !matches!(machine.values.value(function), Value::Function { .. }) {
            return None;
        }
        let argument = u32::try_from(argument).ok()?;
        let args = (0..4)
            .map(|param| machine.values.make(Value::Handed(call, argument, param)))
            .collect();
        Some(Effect::Runs { function, args })
    }

    /// Whether the request's path is one for which a guard refuses nothing.
    fn is_excepted(&self, machine: &Machine<'_>, known: &Known<'_>) -> Option<bool> {
        let Meaning::Guard(guard) = &known.row.meaning else {
            return Some(false);
        };
        let path = self.sample()?;
        let mut sources = Vec::new();
        for place in &guard.except {
            for value in self.knowledge.places(&machine.values, known, place) {
                collect_constants(&machine.values, value, &mut sources)?;
            }
        }
        match try_path(&sources, &path) {
            Match::Yes => Some(true),
            Match::No => Some(false),
            Match::Unknown => None,
        }
    }

    fn try_matcher(
        &self,
        machine: &Machine<'_>,
        known: &Known<'_>,
        patterns: &crate::library::Place,
    ) -> Option<Effect> {
        let path = self.sample()?;
        let values = &machine.values;
        let mut sources = Vec::new();
        for value in self.knowledge.places(values, known, patterns) {
            collect_constants(values, value, &mut sources)?;
        }
        match try_path(&sources, &path) {
            Match::Yes => Some(Effect::Value(constant(machine, true)?)),
            Match::No => Some(Effect::Value(constant(machine, false)?)),
            Match::Unknown => None,
        }
    }
}

/// The id of a truth value; both are made before any run.
fn constant(machine: &Machine<'_>, truth: bool) -> Option<ValueId> {
    machine.truth_value(truth)
}

/// Whether rules speak of a table.
fn names_table(values: &Values, rules: ValueId, table: Ustr, depth: u32) -> bool {
    let inside = |rules| depth < 4 && names_table(values, rules, table, depth + 1);
    match values.value(rules) {
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .any(|entry| match *entry {
                Entry::Named(name, _) => name == table,
                Entry::Spread(more) => inside(more),
                Entry::Computed(..) | Entry::Item(_) | Entry::Each(_) => false,
            }),
        Value::Promise(rules) => inside(*rules),
        Value::Choice(alternatives) => {
            !alternatives.is_empty() && alternatives.iter().all(|each| inside(each.value))
        }
        _ => false,
    }
}

fn is_object(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::Global(name) if name == "Object")
}

/// Puts the parts of a request that another value has in their places.
fn assign(machine: &mut Machine<'_>, data: &CallData) -> Option<ValueId> {
    let (&(request, _), &(source, _)) = (data.args.first()?, data.args.get(1)?);
    let is_request = matches!(machine.values.value(request), Value::Input(tag)
        if matches!(Input::of(*tag), Input::NodeRequest | Input::PagesRequest));
    if !is_request || matches!(machine.values.value(source), Value::Object(_)) {
        return None;
    }
    for part in ["body", "query", "params"] {
        let value = machine.member(source, ustr(part));
        machine.put(request, ustr(part), value);
    }
    Some(request)
}

fn is_function(values: &Values, value: ValueId) -> bool {
    match values.value(value) {
        Value::Function { .. } => true,
        Value::Call(call) => values
            .call(*call)
            .args
            .iter()
            .any(|arg| is_function(values, arg.0)),
        Value::Choice(alternatives) => alternatives
            .iter()
            .any(|each| is_function(values, each.value)),
        _ => false,
    }
}

/// Whether a value is surely no handler: a text, a number, a table of options.
fn is_option(values: &Values, value: ValueId) -> bool {
    matches!(
        values.value(value),
        Value::Const(_) | Value::Template(_) | Value::Array(_) | Value::Object(_)
    )
}

fn takes_request(values: &Values, data: &CallData) -> bool {
    data.args.iter().any(|(arg, _)| match values.value(*arg) {
        Value::Input(tag) => !matches!(Input::of(*tag), Input::Other),
        _ => false,
    })
}

impl Semantics for Frameworks<'_, '_> {
    fn enters(&self, machine: &mut Machine<'_>, callee: ValueId) -> bool {
        !self.knowledge.guards().is_one(machine, callee)
    }

    fn matters(&self, machine: &mut Machine<'_>, callee: ValueId) -> bool {
        let (knowledge, values) = (self.knowledge, &machine.values);
        if knowledge.reach(values, callee).is_none() {
            return true;
        }
        let rows = knowledge.of_called(values, callee);
        rows.iter().any(|known| !known.row.meaning.only_computes())
    }

    fn call(&self, machine: &mut Machine<'_>, call: CallId) -> Effect {
        let data = machine.values.call(call).clone();
        match machine.values.value(data.callee).clone() {
            Value::Input(tag) if Input::of(tag) == Input::Next => {
                let error = data.args.first().map(|arg| arg.0);
                let goes_on = error.is_none_or(|error| {
                    matches!(
                        machine.values.as_const(error),
                        Some(Const::Undefined | Const::Null | Const::Str(_))
                    )
                });
                return if goes_on {
                    Effect::Continues
                } else {
                    Effect::Leaves
                };
            }
            // What a schema gave back takes the place of what was sent: `Object.assign(req, value)`.
            Value::Member(base, name) if name == "assign" && is_object(&machine.values, base) => {
                if let Some(request) = assign(machine, &data) {
                    return Effect::Value(request);
                }
            }
            // A copy of the request says what the request says.
            Value::Member(base, name)
                if name == "clone"
                    && matches!(machine.values.value(base), Value::Input(tag) if Input::of(*tag) == Input::WebRequest) =>
            {
                return Effect::Value(base);
            }
            // A builder's middleware goes on with `next({ ctx })`, and what comes after it sees that context.
            Value::Member(base, name) if name == "next" && self.is_of_chain(machine, base) => {
                let context = data
                    .args
                    .first()
                    .map(|arg| machine.member(arg.0, ustr("ctx")));
                if let Some(context) =
                    context.filter(|context| machine.values.as_const(*context).is_none())
                {
                    machine.put(base, ustr("ctx"), context);
                }
                return Effect::Continues;
            }
            Value::Call(made)
                if self
                    .knowledge
                    .guards()
                    .name(&machine.values, data.callee)
                    .is_none() =>
            {
                if let Some(effect) = self.of_made(machine, &data, made) {
                    return effect;
                }
            }
            _ => {}
        }
        if let Some(effect) = self.runs_by_reference(machine, &data) {
            return effect;
        }
        if let Some(effect) = self.without_caller(machine, call) {
            return effect;
        }
        let goes_on = data
            .args
            .iter()
            .any(|(arg, _)| is_next(&machine.values, *arg));
        if goes_on {
            let rows = self.knowledge.of_value(&machine.values, data.callee);
            if let Some(known) = rows
                .iter()
                .find(|known| known.row.usage == Usage::Middleware)
            {
                set_on_request(machine, known, call, &data);
                return Effect::Continues;
            }
            // Something that no row describes is given `next`: it is taken to go on, and to guard nothing.
            return Effect::Continues;
        }
        for known in self.knowledge.of_call(&machine.values, call) {
            if matches!(known.row.meaning, Meaning::Leaves(_)) && known.row.usage == Usage::Plain {
                return Effect::Leaves;
            }
            // `requireUser(req, res, () => ..)`: what goes on is the project's own function, which may run or not.
            if known.row.usage == Usage::Middleware
                && data.args.len() > 2
                && data
                    .args
                    .iter()
                    .any(|(arg, _)| matches!(machine.values.value(*arg), Value::Function { .. }))
            {
                return Effect::Opaque;
            }
            if known.row.usage != Usage::Plain {
                return Effect::Inert;
            }
            // The same database, but for what its rules hold back.
            if let Meaning::RowRules(behind) = &known.row.meaning {
                let place = |place| self.knowledge.place(&machine.values, &known, place);
                if let (Some(database), Some(rules)) =
                    (place(&behind.database), place(&behind.rules))
                {
                    self.row_rules.borrow_mut().push(rules);
                    return Effect::Value(database);
                }
            }
            // A call that runs a function before it completes, and gives back what that gives.
            if let Some(effect) = self.runs_callback(machine, &known, call) {
                return effect;
            }
        }
        Effect::Opaque
    }

    fn gives_object(&self, machine: &Machine<'_>, call: CallId) -> bool {
        let value = machine.values.find(&Value::Call(call));
        value.is_some_and(|value| of_web(&machine.values, self.knowledge, value).is_some())
    }

    fn instance_of(&self, machine: &Machine<'_>, value: ValueId, class: ValueId) -> Option<bool> {
        let of = |value| {
            let reach = self.knowledge.reach(&machine.values, value)?;
            match reach.steps.first() {
                Some(crate::knowledge::PathStep::Member(name)) => Some(*name),
                _ => None,
            }
        };
        let (value, class) = (of(value)?, of(class)?);
        let response = |name: Ustr| matches!(name.as_str(), "Response" | "NextResponse");
        (response(value) && response(class)).then_some(true)
    }

    fn is_of_list(&self, machine: &mut Machine<'_>, base: ValueId, name: Ustr) -> bool {
        // `ctx.db.query("notes").filter((q) => q.eq(..))`: the function is given a builder, not a row.
        // What was waited for is rows.
        let is_builder = matches!(machine.values.value(base), Value::Call(call)
            if !machine.values.call(*call).awaited);
        if name != "filter" || !is_builder {
            return true;
        }
        let callee = machine.values.make(Value::Member(base, name));
        let rows = self.knowledge.of_called(&machine.values, callee);
        !rows
            .iter()
            .any(|known| matches!(known.row.meaning, Meaning::Db(_)) && !known.row.hands.is_empty())
    }

    fn member(&self, machine: &mut Machine<'_>, base: ValueId, name: Ustr) -> Option<ValueId> {
        let request = |value: &Value| matches!(value, Value::Input(tag) if matches!(Input::of(*tag), Input::WebRequest | Input::PagesRequest | Input::NodeRequest));
        if name == "method" && request(machine.values.value(base)) {
            let method = self.method.get()?;
            return (method != Method::Any).then(|| machine.values.text(method.as_str()));
        }
        if name == "pathname"
            && let RequestPath::Template(template) = &*self.path.borrow()
        {
            return is_request_url(&machine.values, base)
                .then(|| pathname(machine, base, template));
        }
        let path = self.sample()?;
        match (machine.values.value(base).clone(), name.as_str()) {
            (value, "url") if request(&value) => Some(
                machine
                    .values
                    .text(&format!("https://sample.invalid{path}")),
            ),
            (Value::Member(inner, url), "pathname")
                if url == "nextUrl" && request(machine.values.value(inner)) =>
            {
                Some(machine.values.text(&path))
            }
            (Value::Member(inner, url), "href")
                if url == "nextUrl" && request(machine.values.value(inner)) =>
            {
                Some(
                    machine
                        .values
                        .text(&format!("https://sample.invalid{path}")),
                )
            }
            (Value::Call(call), "pathname") => {
                let data = machine.values.call(call);
                let is_url = matches!(machine.values.value(data.callee), Value::Global(global) if global == "URL");
                let given = data
                    .args
                    .first()
                    .and_then(|arg| machine.values.as_text(arg.0));
                (is_url && given.is_some_and(|given| given.starts_with("https://sample.invalid")))
                    .then(|| machine.values.text(&path))
            }
            _ => None,
        }
    }
}
