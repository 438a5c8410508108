//! Express 4 and 5: applications, routers and what is registered on them, in the order in which requests meet it.

mod attached;
mod condition;
mod container;
mod error_handler;
mod folder;
mod graph;
mod maker;
mod route_path;
mod scope;
mod served_folder;
mod start;
mod walk;

use portcullis_code::machine::{Event, Machine};

use crate::route::Route;
pub use error_handler::{FRAMEWORK as ERRORS, error_handlers};
use graph::Graph;
pub use served_folder::ServedFolder;

/// What routes of this framework are called.
pub const FRAMEWORK: &str = "express";

/// What Express applications serve.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// The routes.
    pub routes: Vec<Route>,
    /// Folders that are served as they are.
    pub folders: Vec<ServedFolder>,
}

/// Every route of the Express applications of a project. `events` are those of loading all of its modules.
///
/// A router that no application mounts gives no routes, unless the project has no application at all, or mounts
/// something in a way that cannot be followed: its routes are then listed with that condition.
pub fn discover(machine: &mut Machine<'_>, events: &[Event]) -> Discovered {
    let graph = Graph::read(machine, events);
    walk::routes(machine, &graph)
}
