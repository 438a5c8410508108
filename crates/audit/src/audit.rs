//! Reads, discovers, judges, runs the rules, and puts the report together.

use std::sync::Arc;

use portcullis_code::{
    machine::Machine,
    project::{self, Project},
};
use portcullis_policy::Control;
use portcullis_report::{
    Finding, Fix, GuardRecord, Location, Notice, Place, Reason, Report, RouteRecord, Skipped, Step,
    Suppressions, UnknownRecord, Unread, fingerprint,
};
use rustc_hash::FxHashMap;

use crate::{
    discover::{express, nextjs},
    excepts,
    guards::Guards,
    judge::{Bench, Judgement, judge},
    knowledge::Knowledge,
    library::Library,
    middleware::{self, Cover},
    options::{AuditError, Audited, Options, Progress},
    origin::OriginFinder,
    passes::Passes,
    route::{Convention, Route, Site},
    rule::{Check, Hit, RouteContext, Rule},
    rules::RULES,
    schema::Schema,
    semantics::Frameworks,
    summary::{Inventory, Summary, name_of},
    sweep::Sweep,
};

/// The machine recurses with the code that it follows; its thread's stack is only reserved, not used.
const STACK_BYTES: usize = 512 << 20;

/// Judges a project that is read already.
///
/// # Errors
/// When the built-in library cannot be read or no thread can be started: faults of this program.
pub fn audit_project(
    project: &Project,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Audited, AuditError> {
    let judged = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("audit".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || run(project, options, progress))
            .map_err(|source| AuditError::Thread { source })?
            .join()
            .map_err(|_panic| AuditError::Panicked)?
    })?;
    Ok(judged)
}

/// What all routes share.
struct Shared<'a, 'p> {
    knowledge: &'a Knowledge<'p>,
    frameworks: &'a Frameworks<'a, 'p>,
    schema: &'a Schema,
}

impl<'a, 'p> Shared<'a, 'p> {
    /// A bench for one run: what is remembered of it is forgotten with it.
    fn bench<T>(&self, work: impl FnOnce(&Bench<'_, 'p>) -> T) -> T {
        let origins = OriginFinder::new(self.knowledge);
        let passes = Passes::new(self.knowledge, &origins);
        work(&self.with(&origins, &passes))
    }

    fn with<'b>(
        &self,
        origins: &'b OriginFinder<'b, 'p>,
        passes: &'b Passes<'b, 'p>,
    ) -> Bench<'b, 'p>
    where
        'a: 'b,
    {
        Bench {
            knowledge: self.knowledge,
            frameworks: self.frameworks,
            schema: self.schema,
            origins,
            passes,
        }
    }
}

/// Whether a route neither asks the database nor acts.
fn does_nothing(machine: &mut Machine<'_>, bench: &Bench<'_, '_>, route: &Route) -> bool {
    let (judgement, mark) = judge(machine, bench, route, None);
    machine.end(&mark);
    judgement.queries.is_empty() && judgement.effects.is_empty()
}

fn run(
    project: &Project,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<Audited, AuditError> {
    let mut library = Library::builtin().map_err(|error| AuditError::Library {
        message: error.to_string(),
    })?;
    let (guards, rows, mut told) = Guards::of(project, &options.policy, &options.policy_file);
    library.extend(rows);
    let knowledge = Knowledge::new(project, &library, &options.policy).with_guards(guards);
    let frameworks = Frameworks::new(&knowledge);
    let schema = Schema::of(project);
    let mut machine = Machine::new(project, &frameworks);
    machine.load_all();
    told.extend(knowledge.guards().settle(&mut machine));
    let events = machine.take_events();
    let discovered = nextjs::discover(&mut machine, &events);
    let mut routes: Vec<Route> = discovered.routes.clone();
    routes.extend(express::discover(&mut machine, &events));
    let mut sweep = Sweep::new(project, &library, options);
    let origins = OriginFinder::new(&knowledge);
    let passes = Passes::new(&knowledge, &origins);
    let shared = Shared {
        knowledge: &knowledge,
        frameworks: &frameworks,
        schema: &schema,
    };
    let outside = shared.with(&origins, &passes);
    sweep.loaded(&mut machine, &outside, &events);
    let error_handlers = express::error_handlers(&machine, &events);
    drop(events);
    let pages = discovered.pages.clone();
    let own = routes.len();
    routes.extend(pages);
    routes.extend(error_handlers);
    progress(Progress::Judging {
        routes: routes.len(),
    });

    let mut report = Report::default();
    let mut hits: Vec<(&'static Rule, Hit)> = Vec::new();
    let mut summaries = Vec::new();
    let mut trials = middleware::Trials::default();
    for (number, route) in routes.iter().enumerate() {
        // Whoever gets through to a page that does nothing gets nothing: its middleware need not be tried.
        let idle = route.framework == "nextjs-page"
            && shared.bench(|bench| does_nothing(&mut machine, bench, route));
        let cover = discovered
            .reach(project, route)
            .filter(|_| !idle)
            .map(|reach| {
                shared.bench(|bench| {
                    middleware::cover(&mut machine, bench, &mut trials, &reach, route)
                })
            });
        let origins = OriginFinder::new(&knowledge);
        let passes = Passes::new(&knowledge, &origins);
        let bench = shared.with(&origins, &passes);
        let (judgement, mark) = judge(&mut machine, &bench, route, cover.as_ref());
        // A page is listed only if it does more than show: it writes, or acts outside.
        let listed = number < own
            || judgement
                .queries
                .iter()
                .any(|judged| judged.query.op.writes())
                && route.framework == "nextjs-page";
        // What answers for failing routes guards nothing and does nothing: only its words are looked at.
        let only_words = route.framework == express::ERRORS;
        {
            let context = RouteContext {
                route,
                judgement: &judgement,
                cover: cover.as_ref(),
                machine: &machine,
                bench: &bench,
            };
            for rule in RULES {
                if let Check::Route(check) | Check::RouteThen(check, _) = rule.check
                    && options.runs(rule.id)
                    && (!only_words || rule.control == Control::ErrorHandling)
                {
                    hits.extend(check(&context).into_iter().map(|hit| {
                        let hit = if hit.route.is_none() {
                            hit.of(name_of(route))
                        } else {
                            hit
                        };
                        (*rule, hit)
                    }));
                }
            }
            sweep.look(
                &mut machine,
                &bench,
                &judgement.events,
                Some((route, &judgement)),
            );
        }
        if listed {
            summaries.push(Summary::of(
                route,
                project,
                &machine,
                &judgement,
                cover.as_ref(),
                &schema,
            ));
            if number < own {
                report
                    .routes
                    .push(record(project, route, &judgement, cover.as_ref()));
            }
        }
        machine.end(&mark);
    }
    hits.extend(sweep.finish(&mut machine, &outside));
    let inventory = Inventory {
        routes: summaries,
        policy: options.policy.clone(),
    };
    for rule in RULES {
        if let Check::Inventory(check) = rule.check
            && options.runs(rule.id)
        {
            hits.extend(check(&inventory).into_iter().map(|hit| (*rule, hit)));
        }
    }
    hits.retain(|(rule, hit)| match rule.check {
        Check::RouteThen(_, stands) => stands(&inventory, hit),
        Check::Route(_) | Check::Call(_) | Check::Inventory(_) => true,
    });
    report.findings = findings(project, hits);
    report
        .notices
        .extend(told.into_iter().map(|(line, text)| Notice {
            file: options.policy_file.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            text,
        }));
    excepts::apply(&mut report, options, routes.iter().map(name_of));
    Ok(finish(project, options, report))
}

fn finish(project: &Project, options: &Options, mut report: Report) -> Audited {
    report.files_read = project.modules().len();
    report.unread = project
        .unread()
        .iter()
        .map(|unread| Unread {
            file: unread.file.clone(),
            reason: unread.reason.clone(),
        })
        .collect();
    report.skipped = project
        .skipped()
        .iter()
        .map(|skipped| Skipped {
            kind: skipped.kind.as_str().to_owned(),
            count: skipped.count,
        })
        .collect();
    report.commit.clone_from(&options.commit);
    report.policy_digest.clone_from(&options.policy_digest);
    if options.ignore_comments {
        let mut suppressions = Suppressions::default();
        for module in project.modules() {
            suppressions.read(&module.file, &module.text);
        }
        let standing = |rule: &str| {
            if !RULES.iter().any(|known| known.id == rule) {
                portcullis_report::Standing::Unknown
            } else if options.runs(rule) {
                portcullis_report::Standing::Ran
            } else {
                portcullis_report::Standing::NotRun
            }
        };
        suppressions.apply(&mut report, options.today, &standing);
    }
    report.settle();
    let sources = project
        .modules()
        .iter()
        .map(|module| (module.file.to_string(), Arc::clone(&module.text)))
        .collect();
    Audited { report, sources }
}

/// The place of a site, as reports write it.
fn location(project: &Project, site: Site) -> Location {
    let module = project.module(site.module);
    Location::in_text(
        module.file.to_string(),
        &module.text,
        site.span.start as usize..site.span.end as usize,
    )
}

fn snippet(project: &Project, site: Site) -> String {
    let text = &project.module(site.module).text;
    let shown = text
        .get(site.span.start as usize..site.span.end as usize)
        .unwrap_or_default();
    shown.chars().take(200).collect()
}

/// Hits become findings: those of one rule at one place are one finding, and those of a rule about the whole are one.
fn findings(project: &Project, hits: Vec<(&'static Rule, Hit)>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut of_key: FxHashMap<(&'static str, Option<Site>, String), usize> = FxHashMap::default();
    for (rule, hit) in hits {
        let grouped = matches!(rule.check, Check::Inventory(_));
        let site = location(project, hit.site);
        let symbol = hit.route.clone().unwrap_or_else(|| site.file.clone());
        let print = fingerprint(rule.id, &symbol, &snippet(project, hit.site));
        let place = Place {
            location: site.clone(),
            route: hit.route.clone(),
            fingerprint: print.clone(),
        };
        let severity = hit.severity.unwrap_or(rule.severity);
        let key = (
            rule.id,
            (!grouped).then_some(hit.site),
            format!(
                "{severity:?}{}",
                if grouped { hit.message.as_str() } else { "" }
            ),
        );
        if let Some(&at) = of_key.get(&key) {
            if let Some(finding) = found.get_mut(at)
                && !finding.places.contains(&place)
            {
                finding.places.push(place);
            }
            continue;
        }
        of_key.insert(key, found.len());
        let why = hit
            .why
            .iter()
            .map(|(at, text)| Step {
                location: at.map(|at| location(project, at)),
                text: text.clone(),
            })
            .collect();
        found.push(Finding {
            rule: rule.id,
            class: rule.class,
            control: rule.control,
            basis: hit.basis.unwrap_or(rule.basis),
            severity,
            confidence: hit.confidence.unwrap_or(rule.confidence),
            location: site,
            route: hit.route,
            places: vec![place],
            message: hit.message,
            why,
            fix: hit.fix.map(|description| Fix {
                description,
                edits: Vec::new(),
            }),
            fingerprint: print,
            suppressed: None,
        });
    }
    found
}

fn record(
    project: &Project,
    route: &Route,
    judgement: &Judgement,
    cover: Option<&Cover>,
) -> RouteRecord {
    let guards = judgement
        .guards
        .iter()
        .map(|guard| GuardRecord {
            what: guard.kind.control(),
            on_fail: guard.on_fail.to_owned(),
            via: via(route, guard.link).to_owned(),
            location: location(project, guard.site),
            source: guard.source.clone(),
        })
        .chain(
            cover
                .filter(|cover| cover.auth == portcullis_report::Auth::Required)
                .map(|cover| GuardRecord {
                    what: Control::Authentication,
                    on_fail: "answers".to_owned(),
                    via: "middleware".to_owned(),
                    location: location(project, cover.site),
                    source: "the application's middleware".to_owned(),
                }),
        )
        .collect();
    RouteRecord {
        framework: route.framework.to_owned(),
        method: route.method.into(),
        path: route.path.clone(),
        location: location(project, route.site),
        auth: judgement.auth,
        auth_where: judgement.auth_where,
        csrf: judgement.csrf,
        rate_limit: judgement.rate_limit,
        validated: judgement.validated,
        ownership: judgement.ownership,
        route_type: judgement.route_type,
        type_reason: judgement.type_reason.clone(),
        conditions: judgement.conditions.clone(),
        guards,
        reasons: judgement
            .reasons
            .iter()
            .map(|(attribute, text, site)| Reason {
                attribute: (*attribute).to_owned(),
                text: text.clone(),
                location: site.map(|site| location(project, site)),
            })
            .collect(),
        unknowns: judgement
            .unknowns
            .iter()
            .map(|unknown| UnknownRecord {
                code: unknown.code.to_owned(),
                location: unknown.site.map(|site| location(project, site)),
                reason: unknown.reason.clone(),
            })
            .collect(),
    }
}

fn via(route: &Route, link: usize) -> &'static str {
    match route
        .chain
        .get(link)
        .map(|link| (link.role, link.convention))
    {
        Some((crate::route::LinkRole::Handler, Convention::Web | Convention::Pages)) => "call",
        Some((crate::route::LinkRole::Handler, _)) => "handler",
        Some((crate::route::LinkRole::RouteMiddleware, _)) => "route middleware",
        _ => "middleware",
    }
}

/// Opens a folder and judges it.
pub(crate) fn audit_folder(
    root: &std::path::Path,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Audited, AuditError> {
    let settings = project::Options {
        include_tests: options.include_tests,
        ignore: options
            .policy
            .audit()
            .ignore
            .iter()
            .map(|glob| glob.as_str().to_owned())
            .collect(),
        ..project::Options::default()
    };
    let opened = Project::open(root, &settings, &|files, _total| {
        progress(Progress::Reading { files })
    });
    match opened {
        Ok(project) => audit_project(&project, options, progress),
        Err(project::ProjectError::Empty { .. }) => {
            let mut audited = Audited::default();
            audited.report.commit.clone_from(&options.commit);
            audited
                .report
                .policy_digest
                .clone_from(&options.policy_digest);
            audited.report.settle();
            Ok(audited)
        }
        Err(error) => Err(error.into()),
    }
}
