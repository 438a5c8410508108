//! `Inspection`: looks at one route after the other with every rule, and keeps what comes of it.

use portcullis_code::machine::{Event, Machine};
use portcullis_policy::Control;
use portcullis_report::{RouteRecord, Traces};

use super::{
    discovery::Discovery,
    route_record::route_record,
    trace::{self, Importers},
};
use crate::{
    cache::{Cache, Kept},
    discover::{express, nextjs::middleware::Reach, unmounted},
    judge::{Bench, JudgedQuery, Judgement, judge},
    loosened,
    mentions::Mentions,
    middleware::{self, Cover, Trials},
    options::Options,
    route::Route,
    rule::{Check, FileHit, Hit, PolicyHit, ProjectContext, RouteContext, Rule},
    rules::RULES,
    secrets::lets_in,
    served::{Page, Served},
    shared::Shared,
    summary::{Inventory, Summary, name_of},
    sweep::{Seen, Sweep},
    unmounted::follow,
};

/// The framework of pages, which are routes only where they write.
const PAGE: &str = "nextjs-page";

/// What was found so far.
pub(super) struct Inspection<'a, 'p> {
    shared: Shared<'a, 'p>,
    options: &'a Options,
    sweep: Sweep,
    trials: Trials,
    hits: Vec<(&'static Rule, Hit)>,
    of_files: Vec<(&'static Rule, FileHit)>,
    summaries: Vec<Summary>,
    routes: Vec<RouteRecord>,
    pages: Vec<RouteRecord>,
    /// Every page that runs code for a request.
    documents: Vec<Page>,
    traces: Traces,
    importers: Importers,
    cache: Option<Cache>,
    reused: usize,
}

/// What came of looking at every route.
pub(super) struct Inspected {
    pub(super) hits: Vec<(&'static Rule, Hit)>,
    pub(super) routes: Vec<RouteRecord>,
    /// Pages that write when they are opened.
    pub(super) pages: Vec<RouteRecord>,
    /// What is wrong with applications as a whole.
    pub(super) of_files: Vec<(&'static Rule, FileHit)>,
    /// What is wrong in the policy file.
    pub(super) of_policy: Vec<(&'static Rule, PolicyHit)>,
    /// What there is to know of lines of the policy.
    pub(super) told: Vec<(usize, String)>,
    /// What is answered beside routes.
    pub(super) served: Served,
    /// The files that each route leads through.
    pub(super) traces: Traces,
    /// How many routes an earlier run looked at.
    pub(super) reused: usize,
    /// Why the cache could not be written.
    pub(super) cache_fault: Option<String>,
}

impl<'a, 'p> Inspection<'a, 'p> {
    /// Begins with what happened while the modules were loaded.
    pub(super) fn new(
        shared: Shared<'a, 'p>,
        options: &'a Options,
        machine: &mut Machine<'_>,
        events: &[Event],
        discovery: &Discovery,
    ) -> Self {
        let knowledge = shared.knowledge;
        let handlers = unmounted::handlers(knowledge.project);
        let mut sweep = Sweep::new(knowledge.project, knowledge.library, options, handlers);
        sweep.loaded(machine, &shared, events);
        Self {
            shared,
            options,
            sweep,
            trials: Trials::default(),
            hits: Vec::new(),
            of_files: of_files(machine, &shared, options, events, discovery),
            summaries: Vec::new(),
            routes: Vec::new(),
            pages: Vec::new(),
            documents: Vec::new(),
            traces: Traces::default(),
            importers: Importers::default(),
            cache: None,
            reused: 0,
        }
    }

    /// Uses what earlier runs found.
    pub(super) fn use_cache(&mut self, cache: Option<Cache>) {
        self.cache = cache;
    }

    /// Judges a route and looks at it with every rule, unless an earlier run did and nothing changed that it depends on.
    pub(super) fn look(
        &mut self,
        machine: &mut Machine<'_>,
        discovery: &Discovery,
        route: &Route,
        is_own: bool,
    ) {
        let project = self.shared.knowledge.project;
        let reach = discovery.nextjs.reach(project, route);
        let key = self
            .cache
            .as_ref()
            .and_then(|cache| cache.key(machine, route, reach.as_ref(), is_own));
        let knowledge = self.shared.knowledge;
        let known = key.and_then(|key| self.cache.as_mut()?.find(machine, knowledge, &key));
        let kept = match known {
            Some(kept) => {
                self.reused += 1;
                kept
            }
            None => {
                let reading = key.map(|_key| machine.open_reading());
                let kept = self.judged(machine, reach.as_ref(), route, is_own);
                if let (Some(key), Some(reading)) = (key, reading) {
                    let reads = machine.close_reading(reading);
                    if let Some(cache) = &mut self.cache {
                        cache.keep(machine, knowledge, key, &reads, &kept);
                    }
                }
                kept
            }
        };
        self.add(route, kept, is_own);
    }

    /// Judges a route and looks at it with every rule.
    fn judged(
        &mut self,
        machine: &mut Machine<'_>,
        reach: Option<&Reach<'_>>,
        route: &Route,
        is_own: bool,
    ) -> Kept {
        let cover = self.cover(machine, reach, route);
        let shared = self.shared;
        shared.bench(|bench| {
            let (judgement, mark) = judge(machine, bench, route, cover.as_ref());
            let mut kept = Kept {
                hits: self.apply_rules(&RouteContext {
                    route,
                    judgement: &judgement,
                    cover: cover.as_ref(),
                    machine,
                    bench,
                }),
                ..Kept::default()
            };
            let judged = Some((route, &judgement));
            let seen = self.sweep.see(machine, bench, &judgement.events, judged);
            kept.of_calls = seen.hits;
            kept.entered = seen.entered;
            self.list(
                &mut kept,
                machine,
                route,
                &judgement,
                cover.as_ref(),
                is_own,
            );
            kept.trace = trace::modules(machine, route, &judgement, cover.as_ref())
                .into_iter()
                .collect();
            machine.end(&mark);
            kept
        })
    }

    /// Adds what came of a route to what is known.
    fn add(&mut self, route: &Route, kept: Kept, is_own: bool) {
        let project = self.shared.knowledge.project;
        self.hits.extend(kept.hits);
        self.sweep.add(Seen {
            hits: kept.of_calls,
            entered: kept.entered,
        });
        self.documents.extend(kept.page);
        self.summaries.extend(kept.summary);
        if is_own {
            self.routes.extend(kept.record);
        } else {
            self.pages.extend(kept.record);
        }
        let (traces, importers) = (&mut self.traces, &mut self.importers);
        trace::add(traces, importers, project, route, &kept.trace);
    }

    /// What the application's middleware does before the route.
    fn cover(
        &mut self,
        machine: &mut Machine<'_>,
        reach: Option<&Reach<'_>>,
        route: &Route,
    ) -> Option<Cover> {
        let shared = self.shared;
        let reach = reach?;
        // Whoever gets through to a page that does nothing gets nothing: its middleware need not be tried.
        let idle = !self.options.covers_pages
            && route.framework == PAGE
            && shared.bench(|bench| does_nothing(machine, bench, route));
        (!idle).then(|| {
            shared.bench(|bench| middleware::cover(machine, bench, &mut self.trials, reach, route))
        })
    }

    fn apply_rules(&self, context: &RouteContext<'_>) -> Vec<(&'static Rule, Hit)> {
        let mut hits = Vec::new();
        // What answers for failing routes guards nothing and does nothing: only its words are looked at.
        let only_words = context.route.framework == express::ERRORS;
        for rule in RULES {
            if let Check::Route(check) | Check::RouteThen(check, _) = rule.check
                && self.options.runs(rule.id)
                && (!only_words || rule.control == Control::ErrorHandling)
            {
                hits.extend(check(context).into_iter().map(|hit| {
                    let hit = if hit.route.is_none() {
                        hit.of(name_of(context.route))
                    } else {
                        hit
                    };
                    (*rule, hit)
                }));
            }
        }
        hits
    }

    /// Keeps a route for the report and for the rules about the whole. A page only if it does more than show: it writes.
    fn list(
        &self,
        kept: &mut Kept,
        machine: &Machine<'_>,
        route: &Route,
        judgement: &Judgement,
        cover: Option<&Cover>,
        is_own: bool,
    ) {
        let writes = |judged: &JudgedQuery| judged.query.op.writes();
        let is_writing_page = route.framework == PAGE && judgement.queries.iter().any(writes);
        let project = self.shared.knowledge.project;
        if route.framework == PAGE {
            kept.page = Some(Page {
                record: route_record(project, route, judgement, cover),
                site: route.site,
            });
        }
        if !is_own && !is_writing_page {
            return;
        }
        let schema = self.shared.schema;
        kept.summary = Some(Summary::of(
            route, project, machine, judgement, cover, schema,
        ));
        kept.record = Some(route_record(project, route, judgement, cover));
    }

    /// Ends with the rules about single calls and those about the whole.
    pub(super) fn finish(self, machine: &mut Machine<'_>, discovery: &Discovery) -> Inspected {
        let mut hits = self.hits;
        let mut sweep = self.sweep;
        let serving = self.summaries.iter().map(|it| it.site.module).collect();
        hits.extend(follow(
            machine,
            &self.shared,
            self.options,
            &mut sweep,
            &serving,
        ));
        hits.extend(sweep.finish(machine, &self.shared));
        let served = Served::of(
            self.shared.knowledge.project,
            &discovery.nextjs,
            &discovery.folders,
            &self.routes,
            self.documents,
        );
        let procedures = self
            .summaries
            .iter()
            .filter(|route| route.procedure)
            .map(|route| (route.path.as_str(), route.file.as_str()));
        let mentions = Mentions::of(self.shared.knowledge.project, procedures);
        let inventory = Inventory {
            routes: self.summaries,
            served,
            mentions,
            policy: self.options.policy.clone(),
        };
        for rule in RULES {
            if let Check::Inventory(check) = rule.check
                && self.options.runs(rule.id)
            {
                hits.extend(check(&inventory).into_iter().map(|hit| (*rule, hit)));
            }
        }
        let mut of_policy = Vec::new();
        for rule in RULES {
            if let Check::Policy(check) = rule.check
                && self.options.runs(rule.id)
            {
                of_policy.extend(check(&inventory).into_iter().map(|hit| (*rule, hit)));
            }
        }
        hits.retain(|(rule, hit)| match rule.check {
            Check::RouteThen(_, stands) => stands(&inventory, hit),
            Check::Call(_) => lets_in(&inventory, hit),
            _ => true,
        });
        Inspected {
            hits,
            of_files: self.of_files,
            routes: self.routes,
            pages: self.pages,
            of_policy,
            told: loosened::told(&inventory),
            served: inventory.served,
            traces: self.traces,
            reused: self.reused,
            cache_fault: self
                .cache
                .and_then(Cache::close)
                .map(|error| format!("the cache could not be written: {error}")),
        }
    }
}

/// What the rules about whole applications find, before any route runs.
fn of_files(
    machine: &Machine<'_>,
    shared: &Shared<'_, '_>,
    options: &Options,
    events: &[Event],
    discovery: &Discovery,
) -> Vec<(&'static Rule, FileHit)> {
    let mut found = Vec::new();
    shared.bench(|bench| {
        let context = ProjectContext {
            nextjs: &discovery.nextjs,
            events,
            machine,
            bench,
        };
        for rule in RULES {
            if let Check::Project(check) = rule.check
                && options.runs(rule.id)
            {
                found.extend(check(&context).into_iter().map(|hit| (*rule, hit)));
            }
        }
    });
    found
}

/// Whether a route neither asks the database nor acts.
fn does_nothing(machine: &mut Machine<'_>, bench: &Bench<'_, '_>, route: &Route) -> bool {
    let (judgement, mark) = judge(machine, bench, route, None);
    machine.end(&mark);
    judgement.queries.is_empty() && judgement.effects.is_empty()
}
