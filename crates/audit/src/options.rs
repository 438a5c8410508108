//! `Options`: what an audit is told, and what it answers with.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_policy::{Date, Policy};
use portcullis_report::{BaseComments, Report, Standing, Traces};

use crate::{rules::RULES, served::Served};

/// What an audit is told besides the folder.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the user's own file says; empty when there is none.
    pub policy: Policy,
    /// The name of that file in the report, relative to the folder where it lies in it.
    pub policy_file: String,
    /// The digest of that file, for whoever joins the report with others.
    pub policy_digest: Option<String>,
    /// Whether tests, stories and examples are read as well.
    pub include_tests: bool,
    /// Whether `portcullis-ignore` comments count.
    pub ignore_comments: bool,
    /// The comments that count where not all do: those of another revision.
    pub base_comments: Option<BaseComments>,
    /// The only rules to run; empty means every rule.
    pub only_rules: Vec<String>,
    /// Rules not to run.
    pub skip_rules: Vec<String>,
    /// The day on which suppressions and exceptions are judged.
    pub today: Date,
    /// Whether it matters what the middleware does before pages that do nothing by themselves: for whoever describes
    /// pages, not for whoever looks for faults.
    pub covers_pages: bool,
    /// The commit that is read, if the caller knows it.
    pub commit: Option<String>,
    /// Where results of earlier runs lie, and those of this one are put; none keeps nothing.
    pub cache: Option<CacheFolder>,
}

/// A folder of caches. What it holds is believed only where it is this user's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheFolder {
    /// The folder.
    pub folder: PathBuf,
    /// What tells one audited folder from another: its path on this machine.
    pub root: PathBuf,
}

impl Options {
    /// Every rule, no policy, no tests, comments count.
    #[must_use]
    pub fn on(today: Date) -> Self {
        Self {
            policy: Policy::default(),
            policy_file: "portcullis.toml".to_owned(),
            policy_digest: None,
            include_tests: false,
            ignore_comments: true,
            base_comments: None,
            only_rules: Vec::new(),
            skip_rules: Vec::new(),
            today,
            covers_pages: false,
            commit: None,
            cache: None,
        }
    }

    /// Whether the rule is to be run.
    #[must_use]
    pub fn runs(&self, rule: &str) -> bool {
        (self.only_rules.is_empty() || self.only_rules.iter().any(|only| only == rule))
            && !self.skip_rules.iter().any(|skip| skip == rule)
    }

    /// What is known of a rule that a comment or a baseline names.
    #[must_use]
    pub fn standing(&self, rule: &str) -> Standing {
        if !RULES.iter().any(|known| known.id == rule) {
            Standing::Unknown
        } else if self.runs(rule) {
            Standing::Ran
        } else {
            Standing::NotRun
        }
    }
}

/// A report, and the text of the files it speaks of.
#[derive(Debug, Default)]
pub struct Audited {
    /// What was found, settled.
    pub report: Report,
    /// The text of every file that was read, by its path in the report.
    pub sources: BTreeMap<String, Arc<str>>,
    /// What is answered beside the routes.
    pub served: Served,
    /// The files that the run of each route leads through.
    pub traces: Traces,
    /// How many routes were not looked at again because of an earlier run; nothing else differs then.
    pub reused: usize,
    /// Why the cache that was asked for is not used, or could not be written.
    pub cache_fault: Option<String>,
}

impl Audited {
    /// The text of a file as it was read.
    #[must_use]
    pub fn source(&self, file: &str) -> Option<Arc<str>> {
        self.sources.get(file).cloned()
    }
}

/// How far an audit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// So many files were read.
    Reading {
        /// Files read by now.
        files: usize,
    },
    /// Routes and rules are being worked out.
    Judging {
        /// Routes found.
        routes: usize,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reading { files } => write!(f, "reading: {files} files"),
            Self::Judging { routes } => write!(f, "judging: {routes} routes"),
        }
    }
}

/// Why there is no report at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The folder cannot be read as a project.
    #[error(transparent)]
    Project(#[from] portcullis_code::project::ProjectError),
    /// The built-in library is broken.
    #[error("the built-in library cannot be read: {message}")]
    Library {
        /// What is wrong with it.
        message: String,
    },
    /// No thread could be started.
    #[error("no thread could be started")]
    Thread {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The audit itself failed.
    #[error("the audit failed; this is a fault of portcullis")]
    Panicked,
}
