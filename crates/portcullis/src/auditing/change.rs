//! `--changed-since`: the whole project is read, and what does not touch the change is not told.

use portcullis_audit::Audited;
use portcullis_report::Changed;

use crate::args::AuditArgs;
use crate::failure::Failure;
use crate::git::Repository;

const OPTION: &str = "--changed-since";

/// What changed, and since when.
#[derive(Debug)]
pub(crate) struct Change {
    changed: Changed,
    since: String,
}

/// What changed, if that was asked for.
pub(crate) fn read(args: &AuditArgs) -> Result<Option<Change>, Failure> {
    let Some(since) = &args.changed_since else {
        return Ok(None);
    };
    let repository = Repository::at(&args.reading.dir, since, OPTION)?;
    Ok(Some(Change {
        changed: repository.changed(OPTION)?,
        since: since.clone(),
    }))
}

impl Change {
    /// Leaves in the report what the change touches, and says how much else there is.
    pub(crate) fn keep(&self, audited: &mut Audited) {
        let report = &mut audited.report;
        let left_out = self.changed.keep(report, &audited.traces);
        let since = &self.since;
        let note = if self.changed.is_of_every_route() {
            format!(
                "the change since `{since}` touches the tables of the database: it may matter at every route, and everything is told"
            )
        } else {
            format!(
                "only what the change since `{since}` touches is told; {left_out} findings elsewhere are left out"
            )
        };
        report.notes.push(note);
    }
}
