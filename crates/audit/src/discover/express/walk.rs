//! Walks from each application through what it mounts, the way a request would, and lists the routes on the way.

use std::{collections::BTreeSet, rc::Rc};

use portcullis_code::{body::ModuleId, machine::Machine, value::Values};
use portcullis_policy::Method;

use super::{
    Discovered, FRAMEWORK, ServedFolder,
    attached::{Attached, parameter_count},
    condition::{Test, describe, only_when, tests},
    container::{Container, Layer, Used, Verb, What},
    graph::Graph,
    route_path::RoutePath,
    scope::{Asked, Scope, sample},
    served_folder::served_folder,
};
use crate::{
    library::Version,
    matcher::Dialect,
    route::{Convention, Link, LinkRole, Route, Site, Unknown},
};

/// Deepest nesting of mounts.
const DEPTH_MAX: usize = 16;
/// Most routes of a project.
const ROUTES_MAX: usize = 20_000;

/// The routes of every application of the graph, and the folders that it serves.
pub(super) fn routes(machine: &mut Machine<'_>, graph: &Graph) -> Discovered {
    let mut walk = Walk {
        machine,
        graph,
        passed: Vec::new(),
        stack: Vec::new(),
        found: Vec::new(),
        folders: Vec::new(),
        answered: BTreeSet::new(),
        listed: BTreeSet::new(),
    };
    let has_app = graph.containers.iter().any(|it| it.maker.makes_app);
    for (id, container) in graph.containers.iter().enumerate() {
        if container.is_mounted
            || !(container.maker.makes_app || !has_app || graph.not_followed.is_some())
        {
            continue;
        }
        let mut given = Given {
            tests: always(&walk.machine.values, container),
            ..Given::default()
        };
        given.always = given.tests.len();
        if !container.maker.makes_app {
            let condition = "router is not mounted anywhere that was read";
            given.conditions.push(condition.to_owned());
            if let Some(site) = graph.not_followed {
                given.unknowns.push(Unknown {
                    code: "U3",
                    site: Some(site),
                    reason: "what is registered here cannot be followed: it may mount this router"
                        .to_owned(),
                });
            }
        }
        walk.passed.clear();
        walk.answered.clear();
        walk.enter(id, &RoutePath::default(), &given);
    }
    Discovered {
        routes: walk.found,
        folders: walk.folders,
    }
}

/// The tests that hold wherever an application runs at all: where it is made, and wherever it listens.
fn always(values: &Values, container: &Container) -> Vec<Test> {
    let mut always = tests(values, container.made);
    let mut listens = container.listens.iter().map(|facts| tests(values, *facts));
    if let Some(mut common) = listens.next() {
        for other in listens {
            common.retain(|test| other.contains(test));
        }
        add(&mut always, common);
    }
    always
}

struct Walk<'w, 'p> {
    machine: &'w mut Machine<'p>,
    graph: &'w Graph,
    /// What a request has met so far.
    passed: Vec<Passed>,
    stack: Vec<usize>,
    found: Vec<Route>,
    folders: Vec<ServedFolder>,
    /// The routes of the application that is walked: of a router mounted twice on one path, the first answers.
    answered: BTreeSet<(Method, String, Site)>,
    /// Every route by what a request for it meets: a factory may make the same application twice.
    listed: BTreeSet<(Method, String, Site, Vec<Site>)>,
}

/// A middleware that was met.
struct Passed {
    scope: Scope,
    tests: Rc<[Test]>,
    attached: Attached,
}

/// What mounts say about all that is below them.
#[derive(Clone, Default)]
struct Given {
    /// What holds there.
    tests: Vec<Test>,
    /// How many of the tests hold wherever the application runs at all.
    always: usize,
    conditions: Vec<String>,
    unknowns: Vec<Unknown>,
    params: Vec<Attached>,
}

impl Walk<'_, '_> {
    fn enter(&mut self, id: usize, base: &RoutePath, given: &Given) {
        let graph = self.graph;
        let Some(container) = graph.containers.get(id) else {
            return;
        };
        if self.stack.contains(&id) || self.stack.len() >= DEPTH_MAX {
            return;
        }
        self.stack.push(id);
        for layer in &container.layers {
            match &layer.what {
                What::Use(used) => self.pass_use(container, layer, used, base, given),
                What::Route(verbs) => self.pass_route(container, layer, verbs, base, given),
            }
        }
        self.stack.pop();
    }

    /// What holds at a layer, and what could not be known about its path.
    fn at(&self, layer: &Layer, given: &Given) -> Given {
        let mut given = given.clone();
        add(&mut given.tests, tests(&self.machine.values, layer.facts));
        if let Some(reason) = &layer.paths.unknown {
            given.unknowns.push(Unknown {
                code: "U2",
                site: Some(layer.site),
                reason: reason.clone(),
            });
        }
        given
    }

    fn pass_use(
        &mut self,
        container: &Container,
        layer: &Layer,
        used: &[Used],
        base: &RoutePath,
        given: &Given,
    ) {
        let given = self.at(layer, given);
        let dialect = self.dialect(layer.site.module);
        for used in used {
            match used {
                Used::Function(attached) => {
                    for path in &layer.paths.paths {
                        self.folders.extend(served_folder(
                            self.machine,
                            attached.value,
                            layer.site,
                            &path.below(base),
                            dialect,
                        ));
                        self.passed.push(Passed {
                            scope: Scope::under(base, path, dialect),
                            tests: given.tests.as_slice().into(),
                            attached: *attached,
                        });
                    }
                }
                Used::Container(id, assumed) => {
                    for path in &layer.paths.paths {
                        let mut given = given.clone();
                        given.conditions.extend(assumed.clone());
                        given.params.extend(params(container, path));
                        self.enter(*id, &path.below(base), &given);
                    }
                }
            }
        }
    }

    fn pass_route(
        &mut self,
        container: &Container,
        layer: &Layer,
        verbs: &[Verb],
        base: &RoutePath,
        given: &Given,
    ) {
        let given = self.at(layer, given);
        let dialect = self.dialect(layer.site.module);
        for path in &layer.paths.paths {
            let mut given = given.clone();
            given.params.extend(params(container, path));
            let path = path.below(base);
            for (number, verb) in verbs.iter().enumerate() {
                // `route(p).all(auth).get(handler)`: what runs for every verb runs before the later ones.
                let goes_on = |verb: &Verb| {
                    verb.method == Method::Any && self.may_go_on(container, &verb.functions)
                };
                if goes_on(verb) && number + 1 < verbs.len() {
                    continue;
                }
                let before: Vec<&Verb> =
                    verbs.iter().take(number).filter(|it| goes_on(it)).collect();
                let guards_later = path.has_wildcard() && goes_on(verb);
                if !guards_later {
                    self.add(container, &path, &before, verb, &given, dialect);
                }
                if path.has_wildcard() && self.may_go_on(container, &verb.functions) {
                    let mut tests_there = given.tests.clone();
                    add(&mut tests_there, tests(&self.machine.values, verb.facts));
                    for attached in &verb.functions {
                        self.passed.push(Passed {
                            scope: Scope::of_route(&path, verb.method, dialect),
                            tests: tests_there.as_slice().into(),
                            attached: *attached,
                        });
                    }
                }
            }
        }
    }

    /// Whether a request may get past all of the functions: each is given `next`, or is not known.
    fn may_go_on(&self, container: &Container, functions: &[Attached]) -> bool {
        container.maker.goes_on_by_promise
            || functions.iter().all(|attached| {
                parameter_count(self.machine, attached.value).is_none_or(|count| count > 2)
            })
    }

    fn add(
        &mut self,
        container: &Container,
        path: &RoutePath,
        before: &[&Verb],
        verb: &Verb,
        given: &Given,
        dialect: Dialect,
    ) {
        let mut holds = given.tests.clone();
        add(&mut holds, tests(&self.machine.values, verb.facts));
        let mut conditions = given.conditions.clone();
        let always = holds.get(..given.always).unwrap_or_default();
        let own: Vec<Test> = holds
            .iter()
            .filter(|test| !always.contains(test))
            .copied()
            .collect();
        conditions.extend(describe(&self.machine.values, &own));
        let mut unknowns = given.unknowns.clone();
        if let Some(reason) = verb.unknown {
            unknowns.push(Unknown {
                code: "U3",
                site: Some(verb.site),
                reason: reason.to_owned(),
            });
        }
        for template in path.canonical(dialect) {
            if self.found.len() >= ROUTES_MAX
                || !self
                    .answered
                    .insert((verb.method, template.clone(), verb.site))
            {
                continue;
            }
            let asked = Asked {
                path,
                sample: &sample(&template),
                method: verb.method,
            };
            let mut chain = self.middlewares(asked, &holds);
            let link = |attached: &Attached, role| Link {
                value: attached.value,
                convention: Convention::Express,
                role,
                site: attached.site,
            };
            chain.extend(given.params.iter().map(|it| link(it, LinkRole::Middleware)));
            for verb in before {
                let functions = verb.functions.iter();
                chain.extend(functions.map(|it| link(it, LinkRole::RouteMiddleware)));
            }
            let functions = self.reachable(container, &verb.functions);
            for (number, attached) in functions.iter().enumerate() {
                let role = if number + 1 == functions.len() {
                    LinkRole::Handler
                } else {
                    LinkRole::RouteMiddleware
                };
                chain.push(link(attached, role));
            }
            let sites = chain.iter().map(|link| link.site).collect();
            if !self
                .listed
                .insert((verb.method, template.clone(), verb.site, sites))
            {
                continue;
            }
            self.found.push(Route {
                framework: FRAMEWORK,
                method: verb.method,
                operation: None,
                path: template,
                site: verb.site,
                chain,
                conditions: conditions.clone(),
                unknowns: unknowns.clone(),
                mega: None,
                origin_checked: false,
                pathname: None,
            });
        }
    }

    /// What a request for a route has met before it; what is attached under more conditions than the route may be
    /// missing.
    fn middlewares(&mut self, route: Asked<'_>, holds: &[Test]) -> Vec<Link> {
        let mut links = Vec::new();
        for passed in &self.passed {
            if !passed.scope.covers(route) {
                continue;
            }
            let more: Vec<Test> = passed
                .tests
                .iter()
                .filter(|test| !holds.contains(test))
                .copied()
                .collect();
            let value = passed.attached.value;
            let value = if more.is_empty() {
                value
            } else {
                only_when(&mut self.machine.values, &more, value)
            };
            links.push(Link {
                value,
                convention: Convention::Express,
                role: LinkRole::Middleware,
                site: passed.attached.site,
            });
        }
        links
    }

    /// The functions of a route up to the first that cannot go on: it is not given `next`.
    fn reachable<'f>(&self, container: &Container, functions: &'f [Attached]) -> &'f [Attached] {
        if container.maker.goes_on_by_promise {
            return functions;
        }
        let last = functions.iter().position(|attached| {
            parameter_count(self.machine, attached.value).is_some_and(|count| count < 3)
        });
        last.and_then(|last| functions.get(..=last))
            .unwrap_or(functions)
    }

    fn dialect(&self, module: ModuleId) -> Dialect {
        let file = &self.machine.project.module(module).file;
        let four = self
            .machine
            .project
            .requirement(file, "express")
            .and_then(Version::from_requirement)
            .zip(Version::parse("5.0.0"))
            .is_some_and(|(version, five)| version < five);
        if four {
            Dialect::Express4
        } else {
            Dialect::Express5
        }
    }
}

fn add(tests: &mut Vec<Test>, more: Vec<Test>) {
    for test in more {
        if !tests.contains(&test) {
            tests.push(test);
        }
    }
}

/// The functions that a container runs for the parameters of a path.
fn params(container: &Container, path: &RoutePath) -> Vec<Attached> {
    container
        .params
        .iter()
        .filter(|(name, _)| names(&path.text, name))
        .map(|(_, attached)| *attached)
        .collect()
}

/// Whether a path has a parameter of that name.
fn names(path: &str, parameter: &str) -> bool {
    path.split([':', '*']).skip(1).any(|part| {
        part.strip_prefix(parameter)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    })
}
