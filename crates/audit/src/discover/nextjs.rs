//! The routes of Next.js applications: route handlers, server actions, page routes, pages, and what runs before them.
//!
//! In this order:
//! 1. the applications of the project and what their configuration changes about paths;
//! 2. `app/**/route.*`, one route for each exported method;
//! 3. `pages/api/**`, one route for each method that the handler tells apart;
//! 4. server actions: files and functions that say `use server`;
//! 5. pages, kept apart: they are routes only where they write;
//! 6. the one middleware (`proxy` since release 16) of each application.

mod actions;
mod app;
mod application;
mod config;
mod hono;
mod library_router;
mod methods;
pub mod middleware;
mod next_connect;
mod pages;
mod uploadthing;

use portcullis_code::{
    body::{ModuleId, Span},
    machine::{Event, Machine},
    project::Project,
    value::{Value, ValueId, Values},
};
use portcullis_policy::Method;
use ustr::Ustr;

pub use application::{Application, RouterFile};
pub use config::{Config, Rewrite};
pub use middleware::{Middleware, Reach, Try};

use crate::route::{Convention, Link, LinkRole, Route, Site};

/// What Next.js serves.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// The applications, sorted by folder.
    pub applications: Vec<Application>,
    /// The routes.
    pub routes: Vec<Route>,
    /// The pages that run code for a request: routes only where they write.
    pub pages: Vec<Route>,
    /// What runs before routes: at most one for each application.
    pub middlewares: Vec<Middleware>,
}

/// Finds what Next.js serves. `events` are those of loading all of the project's modules.
pub fn discover(machine: &mut Machine<'_>, events: &[Event]) -> Discovered {
    let applications = application::find(machine);
    let mut found = Discovered::default();
    for application in &applications {
        app::routes(machine, events, application, &mut found);
        pages::routes(machine, events, application, &mut found);
        found
            .middlewares
            .extend(middleware::find(machine, application));
    }
    if !applications.is_empty() {
        actions::routes(machine, &mut found.routes);
    }
    found.applications = applications;
    found
}

impl Discovered {
    /// The application that a file belongs to: the innermost whose folder holds it.
    #[must_use]
    pub fn application_of(&self, file: &str) -> Option<&Application> {
        self.applications
            .iter()
            .filter(|application| application.within(file).is_some())
            .max_by_key(|application| application.dir.len())
    }

    /// The middleware in front of a route, and the paths on which it runs.
    #[must_use]
    pub fn reach(&self, project: &Project, route: &Route) -> Option<Reach<'_>> {
        // Another server of the same project has nothing to do with it.
        if !route.framework.starts_with("nextjs") {
            return None;
        }
        let file = &project.module(route.site.module).file;
        // An action in a shared package is called through the application that uses it: with one there is no doubt.
        let application = self
            .application_of(file)
            .or(match self.applications.as_slice() {
                [only] => Some(only),
                _ => None,
            })?;
        let middleware = self
            .middlewares
            .iter()
            .find(|middleware| middleware.dir == application.dir)?;
        Some(middleware.reach(project, route, application, &self.pages))
    }
}

/// A route whose only link is its handler.
fn route(
    framework: &'static str,
    method: Method,
    path: String,
    site: Site,
    handler: (ValueId, Convention),
) -> Route {
    let (value, convention) = handler;
    let link = Link {
        value,
        convention,
        role: LinkRole::Handler,
        site,
    };
    Route {
        framework,
        method,
        operation: None,
        path,
        site,
        chain: vec![link],
        conditions: Vec::new(),
        unknowns: Vec::new(),
        mega: None,
        origin_checked: false,
        pathname: None,
    }
}

/// The names that a module exports, each once. An own export wins over one that `export *` hands on, and it is the later
/// of the two where both are listed.
pub(super) fn exports(machine: &Machine<'_>, module: ModuleId) -> Vec<(Ustr, Span)> {
    let mut names: Vec<(Ustr, Span)> = Vec::new();
    for (name, span) in machine.export_names(module) {
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = span,
            None => names.push((name, span)),
        }
    }
    names
}

/// The calls among events, each with the base and the name of the member that is called.
fn member_calls<'e>(
    values: &'e Values,
    events: &'e [Event],
) -> impl Iterator<Item = (ValueId, Ustr, ValueId, &'e portcullis_code::value::CallData)> + 'e {
    use portcullis_code::machine::EventKind;
    events.iter().filter_map(move |event| {
        let EventKind::Call(call) = event.kind else {
            return None;
        };
        let data = values.call(call);
        match *values.value(data.callee) {
            Value::Member(base, name) => Some((base, name, data.callee, data)),
            _ => None,
        }
    })
}
