//! The functions of Convex backends, which clients call by name, and the routes of their HTTP routers.
//!
//! In this order, for each backend of the project (a folder of functions, `convex/` as a rule):
//! 1. what each file exports that a builder registered, whatever wraps that builder;
//! 2. what the router serves that `http.ts` exports.

mod arguments;
mod auth_routes;
mod backend;
mod builder;
mod function;
mod functions;
mod http;
mod installed;
mod library_function;
mod reference;

use portcullis_code::machine::{Event, Machine};

use crate::route::Route;
use backend::Backend;
use installed::Installed;
pub(crate) use {
    functions::Functions,
    reference::{SERVER, SERVER_WITHOUT_CALLER, called, context_without_caller, has_no_caller},
};

/// What its functions are called.
pub const FUNCTIONS: &str = "convex";
/// What the routes of its HTTP routers are called.
pub const HTTP: &str = "convex-http";

/// Finds the functions and routes, and what functions are found by. `events` are those of loading all of the project's
/// modules.
pub(crate) fn discover(machine: &mut Machine<'_>, events: &[Event]) -> (Vec<Route>, Functions) {
    let mut routes = Vec::new();
    let backends = Backend::all(machine);
    let installed = Installed::all(machine, events, &backends);
    let mut functions = Functions::new(&backends, &installed);
    for backend in &backends {
        for file in &backend.files {
            function::routes(machine, backend, file, &mut routes, &mut functions);
        }
        for prefix in installed::prefixes(machine, events, backend, &installed) {
            http::routes(machine, events, backend, &prefix, &mut routes);
        }
    }
    (routes, functions)
}
