//! `Discovery`: all that is to be judged, whichever framework serves it.

use portcullis_code::{
    machine::{Event, Machine},
    value::ValueId,
};
use rustc_hash::FxHashMap;

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
}

impl Discovery {
    /// Asks every framework. `events` are those of loading all of the project's modules.
    pub(super) fn of(machine: &mut Machine<'_>, events: &[Event]) -> Self {
        let nextjs = nextjs::discover(machine, events);
        let mut routes = nextjs.routes.clone();
        let express = express::discover(machine, events);
        routes.extend(express.routes);
        routes.extend(convex::discover(machine, events));
        let own = routes.len();
        routes.extend(nextjs.pages.iter().cloned());
        routes.extend(express::error_handlers(machine, events));
        Self {
            routes,
            own,
            nextjs,
            folders: express.folders,
        }
    }

    /// The functions that others run by their names; not those of which one name stands for several, or that something
    /// else runs before.
    pub(super) fn functions(&self) -> FxHashMap<String, ValueId> {
        let mut found: FxHashMap<String, Option<ValueId>> = FxHashMap::default();
        for route in self.routes.iter().filter(|route| route.operation.is_some()) {
            let alone = match route.chain.as_slice() {
                [handler] if route.mega.is_none() => Some(handler.value),
                _ => None,
            };
            found
                .entry(route.path.clone())
                .and_modify(|known| *known = None)
                .or_insert(alone);
        }
        let each = found.into_iter();
        each.filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// Each with whether it is a route for certain.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Route, bool)> {
        let routes = self.routes.iter().enumerate();
        routes.map(|(number, route)| (route, number < self.own))
    }
}
