//! `Rule`: a rule is a value: who it is, what it says, the page people read, and the function that looks.

use portcullis_code::{
    machine::{Event, Machine},
    value::{CallId, ValueId},
};
use portcullis_policy::{Control, Place};
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    discover::nextjs,
    judge::{Bench, Judgement},
    knowledge::Known,
    middleware::Cover,
    origin::Origins,
    parts::{names_of, tests},
    route::{Route, Site},
    summary::Inventory,
};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, names what is wrong, the same as the file's name.
    pub id: &'static str,
    /// What sort of fault it reports.
    pub class: Class,
    /// The control whose absence it reports.
    pub control: Control,
    /// How bad a finding is, unless the rule says otherwise of one.
    pub severity: Severity,
    /// How sure a finding is, unless the rule says otherwise of one.
    pub confidence: Confidence,
    /// Whether the code is a bug by itself.
    pub basis: Basis,
    /// `CWE-352`.
    pub cwe: &'static [&'static str],
    /// OWASP ASVS 5.0 requirements: `v5.0.0-3.5.1`.
    pub asvs: &'static [&'static str],
    /// OWASP Top 10 and API Top 10: `A01:2021`, `API1:2023`.
    pub owasp: &'static [&'static str],
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// The page people read, whose examples are the rule's tests.
    pub page: &'static str,
    /// What it looks at, and the function that looks.
    pub check: Check,
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Check {
    /// Called once for each route, while its run is open. One finding for each place, with every route that leads there.
    Route(fn(&RouteContext<'_>) -> Vec<Hit>),
    /// As `Route`, and what it found is looked at again when every route is judged: for what the other routes excuse.
    RouteThen(
        fn(&RouteContext<'_>) -> Vec<Hit>,
        fn(&Inventory, &Hit) -> bool,
    ),
    /// Called once, when every route is judged: for what only the whole shows. One finding for all places.
    Inventory(fn(&Inventory) -> Vec<Hit>),
    /// Called once, before any route is looked at: for what an application says or leaves out as a whole, also in files
    /// that are no code.
    Project(fn(&ProjectContext<'_>) -> Vec<FileHit>),
    /// The same, for what is wrong in the policy file.
    Policy(fn(&Inventory) -> Vec<PolicyHit>),
    /// Called for each opaque call that is seen: while modules load, in routes, and in functions that deal with tokens
    /// and that no route enters. One finding for each place, as severe as the worst that was seen there.
    Call(fn(&CallContext<'_>) -> Vec<Hit>),
}

/// What a rule sees of a call.
#[derive(Debug)]
pub struct CallContext<'c> {
    /// The call.
    pub call: CallId,
    /// Its event.
    pub event: &'c Event,
    /// The rows that describe it.
    pub rows: &'c [Known<'c>],
    /// The values of the key that a limiter's row names: what its function gives, where it is one.
    pub keys: &'c [ValueId],
    /// Everything that happens in the same run, in order.
    pub events: &'c [Event],
    /// The route, where the call is seen in one, and what was found out about it.
    pub route: Option<(&'c Route, &'c Judgement)>,
    /// The machine on which it ran.
    pub machine: &'c Machine<'c>,
    /// What values mean and where they come from.
    pub bench: &'c Bench<'c, 'c>,
}

impl CallContext<'_> {
    /// Where the call is written.
    #[must_use]
    pub const fn site(&self) -> Site {
        Site {
            module: self.event.module,
            span: self.event.span,
        }
    }

    /// Whether the call happens only where the environment says so: in development, as a rule, or in production.
    pub(crate) fn depends_on_environment(&self) -> bool {
        let values = &self.machine.values;
        tests(values, self.event.facts).into_iter().any(|tested| {
            self.bench
                .origins
                .of(values, tested)
                .any(Origins::ENVIRONMENT)
                // `app.get('env')`, `import.meta.env.DEV`, a constant of another package.
                || names_of(values, tested).iter().any(|name| {
                    let name = name.to_lowercase();
                    ["env", "node_env", "development", "production"].contains(&name.as_str())
                        || name.starts_with("isdev")
                        || name.starts_with("isprod")
                })
        })
    }
}

/// What a rule sees of a route. The values of the judgement belong to the machine.
#[derive(Debug)]
pub struct RouteContext<'c> {
    /// The route.
    pub route: &'c Route,
    /// What was found out about it.
    pub judgement: &'c Judgement,
    /// What the application's middleware does for it.
    pub cover: Option<&'c Cover>,
    /// The machine on which it ran; [`Machine::values`] holds the values.
    pub machine: &'c Machine<'c>,
    /// What values mean, where they come from, what facts prove, and the tables.
    pub bench: &'c Bench<'c, 'c>,
}

/// What a rule sees of a project that is loaded, and of which no route has run yet.
#[derive(Debug)]
pub struct ProjectContext<'c> {
    /// The Next.js applications.
    pub nextjs: &'c nextjs::Discovered,
    /// Everything that happened while the modules were loaded.
    pub events: &'c [Event],
    /// The machine on which it happened.
    pub machine: &'c Machine<'c>,
    /// What values mean.
    pub bench: &'c Bench<'c, 'c>,
}

/// A place in any file that a rule reports.
#[derive(Clone, Debug)]
pub struct FileHit {
    /// The file, relative to the root; a module or a text of the project.
    pub file: String,
    /// The bytes.
    pub bytes: std::ops::Range<usize>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// How that is known, step by step.
    pub why: Vec<String>,
    /// What to do about it.
    pub fix: String,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// Another confidence than the rule's.
    pub confidence: Option<Confidence>,
}

/// A line of the policy that a rule reports.
#[derive(Clone, Debug)]
pub struct PolicyHit {
    /// Where it is written.
    pub place: Place,
    /// The route, `POST /api/x`, as the policy has it.
    pub route: String,
    /// What is wrong, lower case, no full stop; the same for all lines of one finding.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// A place that a rule reports.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Where.
    pub site: Site,
    /// The route, `POST /api/x`; none where the fault is not one of a route.
    pub route: Option<String>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// How it comes about, step by step.
    pub why: Vec<(Option<Site>, String)>,
    /// What to write instead, in words.
    pub fix: Option<String>,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// Another confidence than the rule's.
    pub confidence: Option<Confidence>,
    /// Another basis than the rule's.
    pub basis: Option<Basis>,
    /// The table and the column by which other routes have to find rows for this to be a fault.
    pub found_by: Option<(Ustr, Ustr)>,
}

impl Hit {
    /// A place and what is wrong there.
    #[must_use]
    pub fn at(site: Site, message: impl Into<String>) -> Self {
        Self {
            site,
            route: None,
            message: message.into(),
            why: Vec::new(),
            fix: None,
            severity: None,
            confidence: None,
            basis: None,
            found_by: None,
        }
    }

    /// Of a route.
    #[must_use]
    pub fn of(mut self, route: impl Into<String>) -> Self {
        self.route = Some(route.into());
        self
    }

    /// With a step that explains it.
    #[must_use]
    pub fn because(mut self, site: Option<Site>, text: impl Into<String>) -> Self {
        self.why.push((site, text.into()));
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn fixed_by(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }
}
