//! `Discovery`: all that is to be judged, whichever framework serves it.

use portcullis_code::machine::{Event, Machine};

use crate::{
    discover::{convex, express, nextjs},
    route::Route,
};

/// All that is to be judged.
pub(super) struct Discovery {
    /// The routes, then what only may be one: pages, and what answers for failing routes.
    pub(super) routes: Vec<Route>,
    /// How many of them are routes.
    own: usize,
    /// What Next.js serves: its middleware runs before routes.
    pub(super) nextjs: nextjs::Discovered,
    /// Folders that are served as they are.
    pub(super) folders: Vec<express::ServedFolder>,
    /// The functions that others run by reference.
    pub(super) functions: convex::Functions,
}

impl Discovery {
    /// Asks every framework. `events` are those of loading all of the project's modules.
    pub(super) fn of(machine: &mut Machine<'_>, events: &[Event]) -> Self {
        let nextjs = nextjs::discover(machine, events);
        let mut routes = nextjs.routes.clone();
        let express = express::discover(machine, events);
        routes.extend(express.routes);
        let (procedures, functions) = convex::discover(machine, events);
        routes.extend(procedures);
        let own = routes.len();
        routes.extend(nextjs.pages.iter().cloned());
        routes.extend(express::error_handlers(machine, events));
        Self {
            routes,
            own,
            nextjs,
            folders: express.folders,
            functions,
        }
    }

    /// Each with whether it is a route for certain.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Route, bool)> {
        let routes = self.routes.iter().enumerate();
        routes.map(|(number, route)| (route, number < self.own))
    }
}
