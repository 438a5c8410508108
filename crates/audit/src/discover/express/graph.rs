//! `Graph`: the applications and routers of a project, each with what is registered on it in order.

use portcullis_code::{
    body::{Const, ExprKind, ModuleId, Span},
    machine::{Event, EventKind, Machine},
    value::{CallData, CallId, Entry, FactsId, Unknown as Unclear, Value, ValueId},
};
use portcullis_policy::Method;
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

use super::{
    folder,
    maker::{Maker, containers, maker_of, route_object, verb},
    route_path::{Paths, is_path},
};
use crate::route::Site;

/// Most events that are read: those of loading and of what is called because of them.
const EVENTS_MAX: usize = 400_000;
/// Deepest nesting of calls around a required value.
const LOADED_DEPTH: u32 = 6;
/// Deepest nesting of handler lists.
const LISTS_MAX: u32 = 8;

/// Everything that was registered.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Applications and routers, in the order they were made.
    pub(super) containers: Vec<Container>,
    /// Where something was registered in a way that cannot be followed.
    pub(super) not_followed: Option<Site>,
    by_value: FxHashMap<ValueId, usize>,
    route_objects: FxHashMap<CallId, (usize, usize)>,
    callbacks: Vec<(CallId, usize)>,
}

/// An application or a router.
#[derive(Debug)]
pub(super) struct Container {
    /// What made it.
    pub(super) maker: &'static Maker,
    /// What holds where it is made and where it listens.
    pub(super) facts: Vec<FactsId>,
    /// What is registered, in order.
    pub(super) layers: Vec<Layer>,
    /// Functions that run for a parameter of a path.
    pub(super) params: Vec<(Ustr, Attached)>,
    /// Whether another container mounts it.
    pub(super) is_mounted: bool,
}

/// One registration.
#[derive(Debug)]
pub(super) struct Layer {
    /// Where.
    pub(super) site: Site,
    /// What holds there.
    pub(super) facts: FactsId,
    /// Under which paths.
    pub(super) paths: Paths,
    /// What.
    pub(super) what: What,
}

/// What is registered.
#[derive(Debug)]
pub(super) enum What {
    /// By `use`: what runs for everything under the path.
    Use(Vec<Used>),
    /// By a verb, or by `route(...)` and verbs on it.
    Route(Vec<Verb>),
}

/// An argument of `use`.
#[derive(Debug)]
pub(super) enum Used {
    /// A function, or the opaque value that a library made.
    Function(Attached),
    /// A router or application, and under which assumption.
    Container(usize, Option<String>),
}

/// The functions of one verb.
#[derive(Debug)]
pub(super) struct Verb {
    /// Which.
    pub(super) method: Method,
    /// Where.
    pub(super) site: Site,
    /// What holds there.
    pub(super) facts: FactsId,
    /// In order.
    pub(super) functions: Vec<Attached>,
    /// What could not be known.
    pub(super) unknown: Option<&'static str>,
}

/// A function and where it was attached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attached {
    /// The function.
    pub(super) value: ValueId,
    /// Where.
    pub(super) site: Site,
}

impl Graph {
    /// Reads what was registered while the modules loaded, and runs what the project's own start would run later.
    pub(super) fn read(machine: &mut Machine<'_>, events: &[Event]) -> Self {
        let mut graph = Self::default();
        graph.read_events(machine, events);
        graph.run_callbacks(machine);
        if !graph.containers.iter().any(|it| it.maker.makes_app) {
            graph.run_factories(machine);
        }
        graph
    }

    fn read_events(&mut self, machine: &mut Machine<'_>, events: &[Event]) {
        for event in events.iter().take(EVENTS_MAX) {
            if let EventKind::Call(call) = event.kind {
                self.read_call(machine, call, event);
            }
        }
    }

    fn read_call(&mut self, machine: &mut Machine<'_>, call: CallId, event: &Event) {
        let data = machine.values.call(call).clone();
        let site = Site {
            module: event.module,
            span: event.span,
        };
        if let Some(maker) = maker_of(&machine.values, data.callee) {
            let value = machine.values.make(Value::Call(call));
            self.by_value.insert(value, self.containers.len());
            self.containers.push(Container {
                maker,
                facts: vec![event.facts],
                layers: Vec::new(),
                params: Vec::new(),
                is_mounted: false,
            });
            return;
        }
        match *machine.values.value(data.callee) {
            Value::Member(base, name) => {
                if let Some(route) = route_object(&machine.values, base) {
                    self.add_to_route(machine, route, name, &data, event.facts, site);
                    return;
                }
                let on = self.ids(machine, base);
                if !on.is_empty() {
                    for container in on {
                        self.register(machine, container, name, call, &data, event.facts, site);
                    }
                    return;
                }
            }
            // `app[method](path, handler)`
            Value::Index(base, _) => {
                for container in self.ids(machine, base) {
                    let unknown = Some("the method is computed");
                    self.add_verb(
                        machine,
                        container,
                        Method::Any,
                        &data,
                        event.facts,
                        site,
                        unknown,
                    );
                }
            }
            _ => {}
        }
        self.other_call(machine, call, &data, event.facts, site);
    }

    fn ids(&self, machine: &Machine<'_>, value: ValueId) -> Vec<usize> {
        containers(&machine.values, value)
            .into_iter()
            .filter_map(|value| self.by_value.get(&value).copied())
            .collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one registration")]
    fn register(
        &mut self,
        machine: &mut Machine<'_>,
        container: usize,
        name: Ustr,
        call: CallId,
        data: &CallData,
        facts: FactsId,
        site: Site,
    ) {
        match name.as_str() {
            "use" => self.add_use(machine, container, data, facts, site),
            "route" => {
                let Some(path) = data.args.first() else {
                    return;
                };
                let paths = Paths::read(&machine.values, path.0);
                let what = What::Route(Vec::new());
                let at = self.push(
                    container,
                    Layer {
                        site,
                        facts,
                        paths,
                        what,
                    },
                );
                self.route_objects.insert(call, (container, at));
            }
            "param" => self.add_param(machine, container, data, site),
            "listen" => {
                if let Some(container) = self.containers.get_mut(container) {
                    container.facts.push(facts);
                }
                self.remember_callbacks(machine, call, data);
            }
            name => {
                if let Some(method) = verb(name) {
                    self.add_verb(machine, container, method, data, facts, site, None);
                }
            }
        }
    }

    fn push(&mut self, container: usize, layer: Layer) -> usize {
        match self.containers.get_mut(container) {
            Some(container) => {
                container.layers.push(layer);
                container.layers.len() - 1
            }
            None => 0,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one registration")]
    fn add_verb(
        &mut self,
        machine: &mut Machine<'_>,
        container: usize,
        method: Method,
        data: &CallData,
        facts: FactsId,
        site: Site,
        unknown: Option<&'static str>,
    ) {
        let Some((path, functions)) = data.args.split_first() else {
            return;
        };
        let functions = self.functions(machine, functions, site);
        // `app.get("title")` reads a setting.
        if functions.is_empty() {
            return;
        }
        let paths = Paths::read(&machine.values, path.0);
        let verb = Verb {
            method,
            site,
            facts,
            functions,
            unknown,
        };
        let what = What::Route(vec![verb]);
        self.push(
            container,
            Layer {
                site,
                facts,
                paths,
                what,
            },
        );
    }

    fn add_to_route(
        &mut self,
        machine: &mut Machine<'_>,
        route: CallId,
        name: Ustr,
        data: &CallData,
        facts: FactsId,
        site: Site,
    ) {
        let (Some(method), Some(&(container, at))) = (verb(&name), self.route_objects.get(&route))
        else {
            return;
        };
        let functions = self.functions(machine, &data.args, site);
        if functions.is_empty() {
            return;
        }
        let layer = self
            .containers
            .get_mut(container)
            .and_then(|container| container.layers.get_mut(at));
        if let Some(Layer {
            what: What::Route(verbs),
            ..
        }) = layer
        {
            verbs.push(Verb {
                method,
                site,
                facts,
                functions,
                unknown: None,
            });
        }
    }

    fn add_param(
        &mut self,
        machine: &mut Machine<'_>,
        container: usize,
        data: &CallData,
        site: Site,
    ) {
        let [(name, _), (function, _), ..] = data.args.as_slice() else {
            return;
        };
        let site = place(machine, *function, site);
        let names: Vec<Ustr> = Paths::read(&machine.values, *name)
            .paths
            .into_iter()
            .map(|path| Ustr::from(&path.text))
            .collect();
        if let Some(container) = self.containers.get_mut(container) {
            for name in names {
                container.params.push((
                    name,
                    Attached {
                        value: *function,
                        site,
                    },
                ));
            }
        }
    }

    fn add_use(
        &mut self,
        machine: &mut Machine<'_>,
        container: usize,
        data: &CallData,
        facts: FactsId,
        site: Site,
    ) {
        let Some((first, rest)) = data.args.split_first() else {
            return;
        };
        let names_path = !first.1 && !rest.is_empty() && is_path(&machine.values, first.0);
        let (paths, functions) = if names_path {
            (Paths::read(&machine.values, first.0), rest)
        } else {
            (Paths::root(), data.args.as_slice())
        };
        let mut used = Vec::new();
        for attached in self.functions(machine, functions, site) {
            self.add_used(machine, attached, site, &mut used);
        }
        if !used.is_empty() {
            let what = What::Use(used);
            self.push(
                container,
                Layer {
                    site,
                    facts,
                    paths,
                    what,
                },
            );
        }
    }

    fn add_used(
        &mut self,
        machine: &mut Machine<'_>,
        attached: Attached,
        site: Site,
        used: &mut Vec<Used>,
    ) {
        let value = attached.value;
        let mut mount = |graph: &mut Self, id: usize, assumed: Option<String>| {
            if let Some(container) = graph.containers.get_mut(id) {
                container.is_mounted = true;
                used.push(Used::Container(id, assumed));
            }
        };
        let direct = self.ids(machine, value);
        if !direct.is_empty() {
            for id in direct {
                mount(self, id, None);
            }
            return;
        }
        if folder::is_dynamic(machine, value) {
            let found = folder::loaded(machine, value, LOADED_DEPTH);
            let events = machine.take_events();
            self.read_events(machine, &events);
            let mut any = false;
            if let Some(found) = found {
                for export in found.exports {
                    for id in self.ids(machine, export) {
                        any = true;
                        let words = format!(
                            "assumed: every module of the folder `{}` is mounted",
                            found.folder
                        );
                        mount(self, id, Some(words));
                    }
                }
            }
            if !any {
                self.not_followed.get_or_insert(site);
            }
            return;
        }
        // `vhost("api.example.com", api)`: what a package makes of a router still leads to it.
        if let Value::Call(call) = *machine.values.value(value) {
            let args: Vec<ValueId> = machine
                .values
                .call(call)
                .args
                .iter()
                .map(|arg| arg.0)
                .collect();
            let inner: Vec<usize> = args
                .into_iter()
                .flat_map(|arg| self.ids(machine, arg))
                .collect();
            if !inner.is_empty() {
                let mut words = String::new();
                super::condition::write(&machine.values, value, LOADED_DEPTH, &mut words);
                for id in inner {
                    mount(
                        self,
                        id,
                        Some(format!("assumed: `{words}` passes every request on")),
                    );
                }
                return;
            }
        }
        if matches!(
            machine.values.value(value),
            Value::Unknown(Unclear::Depth | Unclear::Budget | Unclear::Cycle | Unclear::Unresolved)
        ) {
            self.not_followed.get_or_insert(site);
        }
        used.push(Used::Function(attached));
    }

    /// The functions among arguments, lists of lists flattened, without error handlers.
    fn functions(
        &mut self,
        machine: &Machine<'_>,
        args: &[(ValueId, bool)],
        site: Site,
    ) -> Vec<Attached> {
        let mut found = Vec::new();
        for &(value, _) in args {
            flatten(machine, value, LISTS_MAX, &mut found);
        }
        found
            .into_iter()
            .map(|value| Attached {
                value,
                site: place(machine, value, site),
            })
            .collect()
    }

    /// A call that registers nothing itself, but may lead to what does.
    fn other_call(
        &mut self,
        machine: &mut Machine<'_>,
        call: CallId,
        data: &CallData,
        facts: FactsId,
        site: Site,
    ) {
        let given: Vec<usize> = data
            .args
            .iter()
            .flat_map(|arg| self.ids(machine, arg.0))
            .collect();
        if !given.is_empty() {
            // `require(path.join(folder, file))(app)`
            if folder::is_dynamic(machine, data.callee) {
                let value = machine.values.make(Value::Call(call));
                let found = folder::loaded(machine, value, LOADED_DEPTH);
                let events = machine.take_events();
                let before = self.layer_count();
                self.read_events(machine, &events);
                if found.is_none() || self.layer_count() == before {
                    self.not_followed.get_or_insert(site);
                }
                return;
            }
            if data.cut.is_some() {
                self.not_followed.get_or_insert(site);
            }
            // `http.createServer(app)` listens.
            for id in given {
                if let Some(container) = self.containers.get_mut(id) {
                    container.facts.push(facts);
                }
            }
        }
        self.remember_callbacks(machine, call, data);
    }

    fn layer_count(&self) -> usize {
        self.containers.iter().map(|it| it.layers.len()).sum()
    }

    fn remember_callbacks(&mut self, machine: &Machine<'_>, call: CallId, data: &CallData) {
        for (number, &(value, _)) in data.args.iter().enumerate() {
            if registers(machine, value) {
                self.callbacks.push((call, number));
            }
        }
    }

    /// Runs what a package calls back once the program is up: `connect(url, () => { app.use(...); app.listen() })`.
    fn run_callbacks(&mut self, machine: &mut Machine<'_>) {
        let mut done = FxHashSet::default();
        while let Some(&(call, number)) = self.callbacks.first() {
            self.callbacks.remove(0);
            let Some(&(function, _)) = machine.values.call(call).args.get(number) else {
                continue;
            };
            if !done.insert(function) {
                continue;
            }
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let args: Vec<ValueId> = (0..4)
                .map(|param| machine.values.make(Value::Handed(call, number, param)))
                .collect();
            machine.load_call(function, &args);
            let events = machine.take_events();
            self.read_events(machine, &events);
        }
    }

    /// Where no module makes an application when it loads: calls the exported functions that would make one.
    fn run_factories(&mut self, machine: &mut Machine<'_>) {
        let modules: Vec<ModuleId> = machine.project.modules().iter().map(|it| it.id).collect();
        for module in modules {
            if !uses_express(machine, module) {
                continue;
            }
            let mut values: Vec<ValueId> = Vec::new();
            let mut names: Vec<Ustr> = machine
                .export_names(module)
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            names.push(Ustr::from("default"));
            for name in names {
                let value = machine.export(module, name, 0);
                let fields = machine.fields(value).unwrap_or_default();
                for value in fields.into_iter().map(|field| field.1).chain([value]) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
            for value in values {
                let callable = matches!(
                    machine.values.value(value),
                    Value::Function { .. } | Value::Class { .. }
                );
                if callable && machine.place(value).0 == module && registers(machine, value) {
                    let unknown = machine.values.make(Value::Unknown(Unclear::Opaque));
                    machine.load_call(value, &[unknown; 4]);
                    let events = machine.take_events();
                    self.read_events(machine, &events);
                }
            }
        }
        self.run_callbacks(machine);
    }
}

fn flatten(machine: &Machine<'_>, value: ValueId, depth: u32, found: &mut Vec<ValueId>) {
    match machine.values.value(value) {
        Value::Array(object) if depth > 0 => {
            for entry in &machine.values.object(*object).entries {
                match *entry {
                    Entry::Item(item) | Entry::Spread(item) | Entry::Each(item) => {
                        flatten(machine, item, depth - 1, found);
                    }
                    Entry::Named(..) | Entry::Computed(..) => {}
                }
            }
        }
        // `condition && middleware` that is known not to hold.
        Value::Const(Const::Null | Const::Undefined | Const::Bool(_)) => {}
        _ if parameter_count(machine, value) == Some(4) => {}
        _ => found.push(value),
    }
}

/// How many parameters a project function has; none where that is not known.
pub(super) fn parameter_count(machine: &Machine<'_>, value: ValueId) -> Option<usize> {
    let Value::Function {
        module, function, ..
    } = *machine.values.value(value)
    else {
        return None;
    };
    let function = machine.project.module(module).body.function(function);
    function.rest.is_none().then_some(function.params.len())
}

/// Where a value is written, else where it was attached.
fn place(machine: &Machine<'_>, value: ValueId, attached: Site) -> Site {
    let (module, span) = machine.place(value);
    if span == Span::default() {
        attached
    } else {
        Site { module, span }
    }
}

/// Whether a function's or class's text holds a call that could register something.
fn registers(machine: &Machine<'_>, value: ValueId) -> bool {
    if !matches!(
        machine.values.value(value),
        Value::Function { .. } | Value::Class { .. }
    ) {
        return false;
    }
    let (module, span) = machine.place(value);
    let body = &machine.project.module(module).body;
    body.exprs.iter().any(|expr| {
        let ExprKind::Call { callee, .. } = expr.kind else {
            return false;
        };
        expr.span.start >= span.start
            && expr.span.end <= span.end
            && match body.expr(callee).kind {
                ExprKind::Member { name, .. } => {
                    matches!(name.as_str(), "use" | "listen" | "route")
                }
                _ => false,
            }
    })
}

fn uses_express(machine: &Machine<'_>, module: ModuleId) -> bool {
    let body = &machine.project.module(module).body;
    body.imports
        .iter()
        .any(|import| import.specifier == "express")
        || body
            .exprs
            .iter()
            .any(|expr| matches!(expr.kind, ExprKind::Const(Const::Str(text)) if text == "express"))
}
