//! What was found, and how it is told: findings, the route inventory, the report, and its renderers.

mod baseline;
mod changed;
mod class;
mod finding;
mod fingerprint;
mod harmless;
mod ignore_comment;
mod inventory;
mod location;
pub mod render;
mod report;
mod rule_card;
mod severity;
mod suppressions;

pub use baseline::{BASELINE_BYTES_MAX, BASELINE_SCHEMA, Baseline, BaselineEntry, BaselineError};
pub use changed::{Changed, Traces};
pub use class::{Class, UnknownClass};
pub use finding::{Edit, Finding, Fix, Place, Step, Suppression, SuppressionKind};
pub use fingerprint::fingerprint;
pub use harmless::{harmless, harmless_line};
pub use inventory::{
    Answer, Auth, AuthWhere, GuardRecord, Ownership, Reason, RouteMethod, RouteRecord,
    UnknownRecord,
};
pub use location::Location;
pub use report::{Notice, Report, Skipped, Tool, Unread};
pub use rule_card::{RULES_SCHEMA, RuleCard, rules_document};
pub use severity::{Basis, Confidence, Severity};
pub use suppressions::{BaseComments, IGNORE_MARK, Standing, Suppressions};

/// The word a plain enum has on the wire, so that text and JSON cannot drift apart.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}
