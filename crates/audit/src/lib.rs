//! Judges code before merge: finds every route, decides its type, checks it against the matrix.

pub mod classify;
pub mod discover;
pub mod input;
pub mod judge;
pub mod knowledge;
pub mod library;
pub mod matcher;
pub mod middleware;
mod options;
pub mod origin;
pub mod passes;
pub mod query;
pub mod response;
pub mod route;
mod rule;
pub mod schema;
pub mod semantics;

use std::path::Path;

pub use options::{AuditError, Audited, Options, Progress};
pub use rule::{RULES, Rule};

/// Reads the folder `root` and judges it.
///
/// # Errors
/// When there is no such folder. A file that cannot be read is no error: the report says so.
pub fn audit(
    root: &Path,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<Audited, AuditError> {
    let metadata = std::fs::metadata(root).map_err(|source| AuditError::Root {
        path: root.to_owned(),
        source,
    })?;
    if !metadata.is_dir() {
        return Err(AuditError::NotAFolder {
            path: root.to_owned(),
        });
    }
    progress(Progress::Reading { files: 0 });
    let mut audited = Audited::default();
    audited.report.commit.clone_from(&options.commit);
    audited
        .report
        .policy_digest
        .clone_from(&options.policy_digest);
    audited.report.settle();
    Ok(audited)
}
