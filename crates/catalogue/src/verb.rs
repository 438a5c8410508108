//! `Verb`: which part of the program answers a requirement, or will.

use crate::word::words;

/// The part of the program whose business a requirement is. Not all of them are built; what is, an
/// [`Answer`](crate::Answer) names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads code.
    Audit,
    /// Stands in front of the application.
    Guard,
    /// Tries a running service from outside.
    Probe,
    /// Reads security events and raises alarms.
    Watch,
    /// Asks people, and keeps what they attest.
    Checklist,
    /// Looks at the environment that a service is started with.
    Env,
    /// Looks at dependencies.
    Deps,
    /// Looks at the history and the settings of a repository.
    Git,
    /// Makes, keeps and rotates secrets.
    Secrets,
}

words!(Verb, "verb", {
    Audit => "audit",
    Guard => "guard",
    Probe => "probe",
    Watch => "watch",
    Checklist => "checklist",
    Env => "env",
    Deps => "deps",
    Git => "git",
    Secrets => "secrets",
});
