//! Judges code before merge: finds every route, decides its type, checks it against the matrix.

mod asked;
mod audit;
mod body_stream;
mod cache;
mod chained;
pub mod classify;
mod cookie;
mod decoded;
mod delivery;
pub mod discover;
mod excepts;
mod exposure;
pub mod flow;
pub mod guards;
pub mod input;
pub mod judge;
pub mod knowledge;
pub mod library;
mod loosened;
pub mod matcher;
pub mod mentions;
pub mod middleware;
pub mod opening;
mod options;
pub mod origin;
pub mod parts;
pub mod passes;
pub mod query;
pub(crate) mod raw_input;
pub mod response;
pub mod route;
pub mod rule;
pub mod rules;
pub mod schema;
mod secrets;
mod security_headers;
pub mod semantics;
pub mod served;
pub mod setting;
mod shared;
mod stage;
mod stated;
pub mod summary;
mod sweep;
mod template;
mod unmounted;
mod whole;

use std::path::Path;

pub use audit::audit_project;
pub use options::{AuditError, Audited, CacheFolder, Options, Progress};
pub use rule::Rule;
pub use rules::RULES;
pub use template::{is_partly_unknown, template_of};

/// Reads the folder `root` and judges it.
///
/// # Errors
/// When there is no such folder. A file that cannot be read is no error: the report says so.
pub fn audit(
    root: &Path,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Audited, AuditError> {
    audit::audit_folder(root, options, progress)
}
