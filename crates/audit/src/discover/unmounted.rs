//! Functions that answer requests although nothing is seen to mount them: handlers that a framework finds by its own ways, that
//! a list is made of, or that another project mounts. They are known by what they do with what they are given, not by their names.
//!
//! Of such a function nobody can say what stands before it; what it does with a request can be followed all the same.

mod shape;

use portcullis_code::{
    body::{FunctionId, ModuleId},
    project::Project,
};
use rustc_hash::FxHashMap;

use crate::route::Convention;

/// What they are called; they are no routes.
pub const FRAMEWORK: &str = "handler";

/// The functions of a project that have the shape of a handler, and how each is called.
pub type Handlers = FxHashMap<(ModuleId, FunctionId), Convention>;

/// Every function of a project that has the shape of a handler, mounted or not.
#[must_use]
pub fn handlers(project: &Project) -> Handlers {
    let mut found = Handlers::default();
    for module in project.modules() {
        for (function, convention) in shape::of(&module.body) {
            found.insert((module.id, function), convention);
        }
    }
    found
}
