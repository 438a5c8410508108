//! `Graph`: the applications and routers of a project, each with what is registered on it in order.

use portcullis_code::{
    body::Span,
    machine::{Event, EventKind, Machine},
    value::{CallData, CallId, FactsId, Unknown as Unclear, Value, ValueId},
};
use portcullis_policy::Method;
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::{
    attached::{Attached, functions as functions_of, place},
    container::{Container, Layer, Used, Verb, What},
    folder,
    maker::{containers, maker_of, route_object, verb},
    route_path::{Paths, is_path},
};
use crate::route::Site;

/// Most events that are read: those of loading and of what is called because of them.
const EVENTS_MAX: usize = 400_000;
/// Deepest nesting of calls around a required value.
const LOADED_DEPTH: u32 = 6;

/// Everything that was registered.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Applications and routers, in the order they were made.
    pub(super) containers: Vec<Container>,
    /// Where something was registered in a way that cannot be followed.
    pub(super) not_followed: Option<Site>,
    by_value: FxHashMap<ValueId, usize>,
    route_objects: FxHashMap<CallId, (usize, usize)>,
    /// Functions that are run once every module is loaded: the call that was given them, and which argument.
    pub(super) callbacks: Vec<(CallId, usize)>,
}

impl Graph {
    /// Reads what was registered while the modules loaded, and runs what the project's own start would run later.
    pub(super) fn read(machine: &mut Machine<'_>, events: &[Event]) -> Self {
        let mut graph = Self::default();
        // What is left over from other runs is nothing that was registered.
        drop(machine.take_events());
        graph.read_events(machine, events);
        graph.run_callbacks(machine);
        if !graph.containers.iter().any(|it| it.maker.makes_app) {
            graph.run_factories(machine);
        }
        graph
    }

    /// Reads further events.
    pub(super) fn read_events(&mut self, machine: &mut Machine<'_>, events: &[Event]) {
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
                made: event.facts,
                listens: Vec::new(),
                layers: Vec::new(),
                params: Vec::new(),
                is_mounted: false,
            });
            return;
        }
        match *machine.values.value(data.callee) {
            Value::Member(base, name) => {
                if let Some(route) = route_object(&machine.values, base) {
                    let site = behind(machine, base, site);
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
                    container.listens.push(facts);
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
        let functions = functions_of(machine, functions, site);
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
        let functions = functions_of(machine, &data.args, site);
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
        for attached in functions_of(machine, functions, site) {
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
            let creates_server = match machine.values.value(data.callee) {
                Value::External(_, name) | Value::Member(_, name) => name == "createServer",
                _ => false,
            };
            for id in given.into_iter().filter(|_| creates_server) {
                if let Some(container) = self.containers.get_mut(id) {
                    container.listens.push(facts);
                }
            }
        }
        self.remember_callbacks(machine, call, data);
    }

    fn layer_count(&self) -> usize {
        self.containers.iter().map(|it| it.layers.len()).sum()
    }
}

/// The part of a chained call that comes behind what it is chained to: `.get(handler)` of `app.route(p).get(handler)`.
fn behind(machine: &Machine<'_>, base: ValueId, site: Site) -> Site {
    let Value::Call(call) = *machine.values.value(base) else {
        return site;
    };
    let before = machine.values.call(call);
    let text = &machine.project.module(site.module).text;
    let part = text.get(before.span.end as usize..site.span.end as usize);
    match part {
        Some(part) if before.module == site.module && part.trim_start().starts_with('.') => {
            let length = u32::try_from(part.trim_start().len()).unwrap_or(0);
            let start = site.span.end.saturating_sub(length);
            let end = site.span.end;
            Site {
                module: site.module,
                span: Span { start, end },
            }
        }
        _ => site,
    }
}
