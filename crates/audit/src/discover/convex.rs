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
mod http;
mod library_function;
mod reference;

use portcullis_code::machine::{Event, Machine};

use crate::route::Route;
use backend::Backend;
pub(crate) use reference::called;

/// What its functions are called.
pub const FUNCTIONS: &str = "convex";
/// What the routes of its HTTP routers are called.
pub const HTTP: &str = "convex-http";

/// Finds the functions and routes. `events` are those of loading all of the project's modules.
pub fn discover(machine: &mut Machine<'_>, events: &[Event]) -> Vec<Route> {
    let mut routes = Vec::new();
    for backend in Backend::all(machine) {
        for file in &backend.files {
            function::routes(machine, &backend, file, &mut routes);
        }
        // A component's own router is mounted by the application, under a prefix that stands there.
        if !backend.is_component {
            http::routes(machine, events, &backend, &mut routes);
        }
    }
    routes
}
