//! `BaselineEntry`: one line of a baseline.

use std::cmp::Ordering;

use crate::{Finding, Place, Severity, harmless_line};

/// One fingerprint that is known, with what a reader of the file wants to see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineEntry {
    /// The rule.
    pub rule: String,
    /// How bad it was.
    pub severity: Severity,
    /// The file, for whoever reads the baseline: a finding that moves keeps its fingerprint.
    pub file: String,
    /// The route, if it concerns one.
    pub route: Option<String>,
    /// How often it was found.
    pub count: u32,
    /// What makes it itself.
    pub fingerprint: String,
}

impl BaselineEntry {
    pub(super) fn of(finding: &Finding, place: &Place) -> Self {
        Self {
            rule: finding.rule.to_owned(),
            severity: finding.severity,
            file: place.location.file.clone(),
            route: place.route.clone(),
            count: 1,
            fingerprint: super::plain(&place.fingerprint).to_owned(),
        }
    }

    /// What there is to know when it is not found any more.
    pub(super) fn gone(&self, count: u32) -> String {
        let at = match &self.route {
            Some(route) => format!(
                "`{}` in `{}`",
                harmless_line(route),
                harmless_line(&self.file)
            ),
            None => format!("`{}`", harmless_line(&self.file)),
        };
        let times = if count == 1 {
            String::new()
        } else {
            format!(", {count} times")
        };
        format!(
            "`{}` at {at} is gone from the code{times}: take it out with `--write-baseline`",
            harmless_line(&self.rule)
        )
    }
}

/// By rule, then by file, as a reader looks for it.
impl Ord for BaselineEntry {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |entry: &Self| {
            (
                entry.rule.clone(),
                entry.file.clone(),
                entry.route.clone(),
                entry.fingerprint.clone(),
                entry.severity,
                entry.count,
            )
        };
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for BaselineEntry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
