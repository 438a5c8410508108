//! Adds to a report what was read and what was not, and what the code's own comments suppress.

use std::sync::Arc;

use portcullis_code::project::Project;
use portcullis_report::{Report, Skipped, Suppressions, Traces, Unread};

use crate::{
    options::{Audited, Options},
    served::Served,
};

/// Makes a report whole and puts it into its order.
pub(super) fn finish(project: &Project, options: &Options, mut report: Report) -> Audited {
    report.files_read = project.modules().len();
    report.unread = project
        .unread()
        .iter()
        .map(|unread| Unread {
            file: unread.file.clone(),
            reason: unread.reason.clone(),
        })
        .collect();
    report.skipped = project
        .skipped()
        .iter()
        .map(|skipped| Skipped {
            kind: skipped.kind.as_str().to_owned(),
            count: skipped.count,
        })
        .collect();
    report.commit.clone_from(&options.commit);
    report.policy_digest.clone_from(&options.policy_digest);
    let is_applied = options.policy_digest.is_some();
    report.policy_file = is_applied.then(|| options.policy_file.clone());
    if options.ignore_comments {
        let mut suppressions = Suppressions::default();
        for module in project.modules() {
            suppressions.read(&module.file, &module.text);
        }
        if let Some(base) = &options.base_comments {
            suppressions.keep_those_of(base);
        }
        suppressions.apply(&mut report, options.today, &|rule| options.standing(rule));
    }
    report.settle();
    let sources = project
        .modules()
        .iter()
        .map(|module| (module.file.to_string(), Arc::clone(&module.text)))
        .collect();
    Audited {
        report,
        sources,
        served: Served::default(),
        traces: Traces::default(),
        reused: 0,
        cache_fault: None,
    }
}
