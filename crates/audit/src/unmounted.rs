//! Follows what clients send through handlers that no route leads to. What guards them nobody can say, so that nothing is asked of
//! them: only what does harm by itself is told, as likely as that somebody mounts them.

use portcullis_code::{
    body::{FunctionId, ModuleId},
    machine::Machine,
    project::Project,
    value::ValueId,
};
use portcullis_policy::Method;
use portcullis_report::{Class, Confidence};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    discover::unmounted::FRAMEWORK,
    input::Input,
    judge,
    options::Options,
    route::{Convention, Link, LinkRole, Route, Site},
    rule::{Check, Hit, RouteContext, Rule},
    rules::RULES,
    semantics::RequestPath,
    shared::Shared,
    sweep::{Entry, Sweep, entries},
};

/// Most handlers that are followed.
const HANDLERS_MAX: usize = 400;
/// Most functions that are run only to get at the handlers that they make.
const MAKERS_MAX: usize = 200;
/// Deepest nesting of such functions.
const NESTING_MAX: usize = 3;
/// Most parameters that one is given.
const PARAMETERS_MAX: usize = 4;

type Place = (ModuleId, FunctionId);

/// What the handlers do that no route entered.
pub(crate) fn follow(
    machine: &mut Machine<'_>,
    shared: &Shared<'_, '_>,
    options: &Options,
    sweep: &mut Sweep,
    serving: &FxHashSet<ModuleId>,
) -> Vec<(&'static Rule, Hit)> {
    let rules: Vec<&'static Rule> = RULES
        .iter()
        .filter(|rule| does_harm_by_itself(rule.class) && options.runs(rule.id))
        .copied()
        .collect();
    let mut waiting: FxHashMap<Place, Convention> = sweep.unmounted().into_iter().collect();
    if waiting.is_empty() || rules.is_empty() {
        return Vec::new();
    }
    if !serving.is_empty() {
        leave_what_nothing_loads(machine.project, serving, &mut waiting);
    }
    let mut inside: FxHashMap<Place, Vec<Place>> = FxHashMap::default();
    for place in waiting.keys() {
        let body = &machine.project.module(place.0).body;
        let parent = |function: FunctionId| body.function(function).parent;
        for outer in std::iter::successors(parent(place.1), |at| parent(*at)) {
            inside.entry((place.0, outer)).or_default().push(*place);
        }
    }
    let mut following = Following {
        shared,
        sweep,
        rules,
        waiting,
        inside,
        hits: Vec::new(),
        left: HANDLERS_MAX,
        makers: MAKERS_MAX,
    };
    // What the modules made when they were loaded.
    following.made(machine, 0);
    let mut modules: Vec<ModuleId> = following.waiting.keys().map(|place| place.0).collect();
    modules.sort_unstable();
    modules.dedup();
    for module in modules {
        for entry in entries(machine, module) {
            following.enter(machine, &entry);
        }
    }
    following.hits
}

/// Leaves handlers out that stand in files which no other file of the application names and which have no route of their own:
/// solutions of an exercise, what was left behind. Only a project of which no route was found may be one whose files somebody else loads; what runs in a cloud is loaded
/// from outside.
fn leave_what_nothing_loads(
    project: &Project,
    serving: &FxHashSet<ModuleId>,
    waiting: &mut FxHashMap<Place, Convention>,
) {
    let loaded: FxHashSet<ModuleId> = project
        .modules()
        .iter()
        .flat_map(|module| {
            let imports = project.dependencies(module.id).into_iter();
            imports.filter(move |imported| *imported != module.id)
        })
        .chain(serving.iter().copied())
        .collect();
    waiting
        .retain(|place, convention| *convention == Convention::Cloud || loaded.contains(&place.0));
}

/// Whether a fault of a class is one whatever stands before the code.
const fn does_harm_by_itself(class: Class) -> bool {
    matches!(
        class,
        Class::Sqli
            | Class::Nosqli
            | Class::CommandInjection
            | Class::CodeInjection
            | Class::Ssrf
            | Class::PathTraversal
            | Class::OpenRedirect
            | Class::Xss
            | Class::Ssti
            | Class::Redos
            | Class::InsecureDeserialization
            | Class::Xxe
            | Class::PrototypePollution
    )
}

struct Following<'f, 'a, 'p> {
    shared: &'f Shared<'a, 'p>,
    sweep: &'f mut Sweep,
    rules: Vec<&'static Rule>,
    waiting: FxHashMap<Place, Convention>,
    /// The handlers that stand in a function.
    inside: FxHashMap<Place, Vec<Place>>,
    hits: Vec<(&'static Rule, Hit)>,
    left: usize,
    makers: usize,
}

impl Following<'_, '_, '_> {
    /// A function at the top of a module: a handler itself, or one that has handlers in it.
    fn enter(&mut self, machine: &mut Machine<'_>, entry: &Entry) {
        let is_handler = self.waiting.contains_key(&entry.function);
        let inside = self.waits_inside(entry.function);
        if !is_handler && !inside {
            return;
        }
        let mark = machine.begin();
        let first = machine.values.count();
        let inputs = nothing(machine);
        let function = entry.callable(machine, &inputs);
        if is_handler {
            self.handler(machine, entry.function, function);
        }
        if inside && self.waits_inside(entry.function) {
            self.maker(machine, entry.function, function, first, NESTING_MAX);
        }
        machine.end(&mark);
    }

    /// Runs a function for the sake of the handlers that it makes.
    fn maker(
        &mut self,
        machine: &mut Machine<'_>,
        place: Place,
        function: ValueId,
        first: usize,
        depth: usize,
    ) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if self.makers == 0 {
            return;
        }
        self.makers -= 1;
        self.shared.frameworks.fix(RequestPath::Unknown, None);
        let mark = machine.begin();
        let inputs = nothing(machine);
        let outcome = machine.run(function, &inputs);
        // One that starts a server and never ends makes them all the same.
        machine.resume(match outcome.after {
            Some(after) => vec![after],
            None => outcome.throws,
        });
        machine.events.clear();
        self.made(machine, first);
        // A function in it that it did not run itself.
        let mut others: Vec<(ValueId, Place)> = Vec::new();
        let mut known: FxHashSet<Place> = FxHashSet::default();
        for (value, module, function) in machine.values.functions(first) {
            let other = (module, function);
            if other != place && known.insert(other) {
                others.push((value, other));
            }
        }
        for (value, other) in others {
            if self.waits_inside(other) {
                self.maker(machine, other, value, first, depth);
            }
        }
        machine.end(&mark);
    }

    /// Follows the handlers among the functions that were made from a number of values on.
    fn made(&mut self, machine: &mut Machine<'_>, first: usize) {
        let mut found: Vec<(Place, ValueId)> = machine
            .values
            .functions(first)
            .map(|(value, module, function)| ((module, function), value))
            .filter(|(place, _)| self.waiting.contains_key(place))
            .collect();
        found.sort_unstable();
        for (place, value) in found {
            self.handler(machine, place, value);
        }
    }

    fn handler(&mut self, machine: &mut Machine<'_>, place: Place, function: ValueId) {
        let Some(convention) = self.waiting.remove(&place) else {
            return;
        };
        if self.left == 0 || self.sweep.has_entered(place) {
            return;
        }
        self.left -= 1;
        let route = route(machine, place, function, convention);
        self.shared.bench(|bench| {
            let (judgement, mark) = judge::follow(machine, bench, &route);
            let context = RouteContext {
                route: &route,
                judgement: &judgement,
                cover: None,
                machine,
                bench,
            };
            for rule in &self.rules {
                if let Check::Route(check) = rule.check {
                    let hits = check(&context).into_iter();
                    self.hits
                        .extend(hits.map(|hit| (*rule, likely(hit, &route))));
                }
            }
            self.sweep.look(machine, bench, &judgement.events, None);
            machine.end(&mark);
        });
    }

    /// Whether a handler that waits stands in a function.
    fn waits_inside(&self, function: Place) -> bool {
        let inside = self.inside.get(&function);
        inside.is_some_and(|inside| inside.iter().any(|place| self.waiting.contains_key(place)))
    }
}

/// Inputs that say nothing.
fn nothing(machine: &mut Machine<'_>) -> Vec<ValueId> {
    let value = Input::Other.value(&mut machine.values);
    vec![value; PARAMETERS_MAX]
}

fn route(
    machine: &Machine<'_>,
    (module, function): Place,
    value: ValueId,
    convention: Convention,
) -> Route {
    let span = machine.project.module(module).body.function(function).span;
    let site = Site { module, span };
    Route {
        framework: FRAMEWORK,
        method: Method::Any,
        operation: None,
        path: "/*".to_owned(),
        pathname: None,
        site,
        chain: vec![Link {
            value,
            convention,
            role: LinkRole::Handler,
            site,
        }],
        conditions: Vec::new(),
        unknowns: Vec::new(),
        mega: None,
        origin_checked: false,
    }
}

/// What is found in a handler that nothing mounts is likely at most.
fn likely(mut hit: Hit, route: &Route) -> Hit {
    let text = match route.chain.first().map(|link| link.convention) {
        Some(Convention::Cloud) => {
            "a function that is called from outside: what it is called with is taken for a client's"
        }
        _ => {
            "no route that was found leads here: it reads a request and answers, and is taken for a handler"
        }
    };
    hit.why.insert(0, (Some(route.site), text.to_owned()));
    hit.confidence = Some(match hit.confidence {
        Some(Confidence::Low) => Confidence::Low,
        _ => Confidence::Medium,
    });
    hit
}
