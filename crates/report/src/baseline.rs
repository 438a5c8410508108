//! `Baseline`: the findings that a team knows of, in a file of their own, so that a run tells what is new.
//!
//! The file has no line numbers and no dates: moving or reformatting code keeps it as it is, and two runs over the same code
//! write the same bytes. One line for each fingerprint, with how often it was found: one more of the same is new.

mod entry;
mod file;

use std::collections::BTreeMap;

pub use entry::BaselineEntry;
pub use file::{BASELINE_BYTES_MAX, BASELINE_SCHEMA, BaselineError};

use crate::{
    Finding, Location, Notice, Place, Report, Severity, Standing, Suppression, SuppressionKind,
};

/// What is known: nothing that is not in the code is held against it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<BaselineEntry>,
}

impl Baseline {
    /// Everything that a settled report has open. What a comment or the policy suppresses is not taken: their days may pass.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut entries: BTreeMap<(String, Severity), BaselineEntry> = BTreeMap::new();
        for finding in report.findings.iter().filter(|it| is_open(it)) {
            each_place(finding, |place| {
                let fingerprint = plain(&place.fingerprint).to_owned();
                entries
                    .entry((fingerprint, finding.severity))
                    .and_modify(|entry| entry.count = entry.count.saturating_add(1))
                    .or_insert_with(|| BaselineEntry::of(finding, place));
            });
        }
        let mut entries: Vec<BaselineEntry> = entries.into_values().collect();
        entries.sort();
        Self { entries }
    }

    /// Suppresses what is known, and tells of what is known and gone. `name` is what the report calls the file.
    ///
    /// What got worse is not known. The report has to be settled before and is settled afterwards.
    pub fn apply(&self, report: &mut Report, name: &str, standing: &dyn Fn(&str) -> Standing) {
        let mut left = Left::of(&self.entries);
        // What is suppressed already is still in the code.
        for finding in report.findings.iter().filter(|it| !is_open(it)) {
            each_place(finding, |place| {
                left.take(&place.fingerprint, finding.severity);
            });
        }
        let mut findings = Vec::with_capacity(report.findings.len());
        for finding in std::mem::take(&mut report.findings) {
            split(finding, name, &mut left, &mut findings);
        }
        report.findings = findings;
        for (index, count) in left.gone() {
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            if standing(&entry.rule) == Standing::NotRun {
                continue;
            }
            report.notices.push(Notice {
                file: name.to_owned(),
                line: file::line_of(index),
                text: entry.gone(count),
            });
        }
        report.settle();
    }
}

fn is_open(finding: &Finding) -> bool {
    !finding
        .suppressed
        .as_ref()
        .is_some_and(|suppressed| suppressed.kind != SuppressionKind::Baseline)
}

/// Hands over every place of a finding; its own where it has no others.
fn each_place(finding: &Finding, mut take: impl FnMut(&Place)) {
    if finding.places.is_empty() {
        take(&Place {
            location: finding.location.clone(),
            route: finding.route.clone(),
            fingerprint: finding.fingerprint.clone(),
        });
    }
    finding.places.iter().for_each(take);
}

/// A fingerprint without the number that settling gives to those that are the same.
fn plain(fingerprint: &str) -> &str {
    fingerprint
        .split_once('-')
        .map_or(fingerprint, |(plain, _)| plain)
}

/// Puts a finding into `out`: what of it is known, suppressed, and the rest.
fn split(mut finding: Finding, name: &str, left: &mut Left, out: &mut Vec<Finding>) {
    if finding.suppressed.is_some() {
        out.push(finding);
        return;
    }
    let severity = finding.severity;
    let known = |index: usize| Suppression {
        reason: "known by the baseline".to_owned(),
        until: None,
        location: Location {
            line: file::line_of(index),
            end_line: file::line_of(index),
            ..Location::of_file(name)
        },
        kind: SuppressionKind::Baseline,
    };
    if finding.places.is_empty() {
        finding.suppressed = left.take(&finding.fingerprint, severity).map(known);
        out.push(finding);
        return;
    }
    let mut first = None;
    let (covered, open) = finding.parted(|place| {
        let index = left.take(&place.fingerprint, severity)?;
        first.get_or_insert(index);
        Some(())
    });
    for (_, mut part) in covered {
        part.suppressed = first.map(known);
        out.push(part);
    }
    out.extend(open);
}

/// How many of each entry were not met yet.
struct Left {
    /// Of each fingerprint the entries, the mildest first.
    of_fingerprint: BTreeMap<String, Vec<(Severity, usize)>>,
    counts: Vec<u32>,
}

impl Left {
    fn of(entries: &[BaselineEntry]) -> Self {
        let mut of_fingerprint: BTreeMap<String, Vec<(Severity, usize)>> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let of_it = of_fingerprint.entry(entry.fingerprint.clone()).or_default();
            of_it.push((entry.severity, index));
            of_it.sort_unstable();
        }
        Self {
            of_fingerprint,
            counts: entries.iter().map(|entry| entry.count).collect(),
        }
    }

    /// Uses one up; gives which entry it was of.
    fn take(&mut self, fingerprint: &str, severity: Severity) -> Option<usize> {
        let of_it = self.of_fingerprint.get(plain(fingerprint))?;
        for (known, index) in of_it {
            if let Some(count) = self.counts.get_mut(*index)
                && *known >= severity
                && *count > 0
            {
                *count -= 1;
                return Some(*index);
            }
        }
        None
    }

    /// The entries that were not met often enough, and how often they are missing.
    fn gone(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let counts = self.counts.iter().copied().enumerate();
        counts.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests;
