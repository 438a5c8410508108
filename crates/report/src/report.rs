//! `Report`: what was found, in an order that depends on nothing but what was found.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::fmt;

use crate::{Finding, Place, RouteRecord, Severity};

/// Everything one audit has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The program that made it.
    pub tool: Tool,
    /// The commit that was read, if known.
    pub commit: Option<String>,
    /// The file of the policy that was applied, if there was one.
    pub policy_file: Option<String>,
    /// Its digest.
    pub policy_digest: Option<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Every route that was found.
    pub routes: Vec<RouteRecord>,
    /// Pages that write when they are opened: no routes of an interface, and yet a way to change something.
    pub pages: Vec<RouteRecord>,
    /// Files that ought to have been read and could not be.
    pub unread: Vec<Unread>,
    /// What was left out on purpose.
    pub skipped: Vec<Skipped>,
    /// How many files were read.
    pub files_read: usize,
    /// What the reader ought to know about the audit as a whole.
    pub notes: Vec<String>,
    /// What the reader ought to know about a place, without its being a fault.
    pub notices: Vec<Notice>,
}

impl Report {
    /// Puts everything into its order and makes the fingerprints unique.
    ///
    /// Whoever makes a report calls this last, whatever order the parts came in; doing it twice changes nothing.
    pub fn settle(&mut self) {
        for finding in &mut self.findings {
            finding.places.sort_by(|a, b| by(place_key, a, b));
        }
        self.findings.sort_by(|a, b| by(finding_key, a, b));
        self.routes.sort_by(|a, b| by(route_key, a, b));
        self.pages.sort_by(|a, b| by(route_key, a, b));
        self.unread.sort();
        self.skipped.sort();
        self.notices.sort();
        self.number_fingerprints();
    }

    /// The worst severity that is not suppressed.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.open().map(|finding| finding.severity).max()
    }

    /// The findings that are not suppressed.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.suppressed.is_none())
    }

    fn number_fingerprints(&mut self) {
        let mut of_findings = Ordinals::default();
        let mut of_places = Ordinals::default();
        for finding in &mut self.findings {
            of_findings.number(&mut finding.fingerprint);
            for Place { fingerprint, .. } in &mut finding.places {
                of_places.number(fingerprint);
            }
        }
    }
}

/// Worst first, then where it is, then which rule says so.
fn finding_key(finding: &Finding) -> impl Ord + '_ {
    (
        Reverse(finding.severity),
        &finding.location.file,
        finding.location.line,
        finding.rule,
        &finding.location,
        &finding.route,
        &finding.message,
        &finding.fingerprint,
    )
}

fn place_key(place: &Place) -> impl Ord + '_ {
    (&place.location, &place.route, &place.fingerprint)
}

fn route_key(route: &RouteRecord) -> impl Ord + '_ {
    (
        &route.location,
        &route.path,
        &route.method,
        &route.framework,
    )
}

/// By the key, and where that is the same by everything there is: what differs at all has one order.
fn by<'a, T: fmt::Debug, K: Ord>(key: fn(&'a T) -> K, a: &'a T, b: &'a T) -> Ordering {
    key(a)
        .cmp(&key(b))
        .then_with(|| format!("{a:?}").cmp(&format!("{b:?}")))
}

/// Gives the second of the same fingerprint the ending `-2`, and so on.
#[derive(Default)]
struct Ordinals(BTreeMap<String, usize>);

impl Ordinals {
    fn number(&mut self, fingerprint: &mut String) {
        let seen = self.0.entry(fingerprint.clone()).or_insert(0);
        *seen = seen.saturating_add(1);
        if *seen > 1 {
            fingerprint.push_str(&format!("-{seen}"));
        }
    }
}

/// The program that made a report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Tool {
    fn default() -> Self {
        Self {
            name: "portcullis".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// A file that ought to have been read and could not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Unread {
    /// The file, relative to the root.
    pub file: String,
    /// Why not.
    pub reason: String,
}

/// A sort of files that was left out on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Skipped {
    /// The sort: tests, stories, minified, generated, vendored, ignored.
    pub kind: String,
    /// How many files.
    pub count: usize,
}

/// Something to know about a place, without its being a fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Notice {
    /// The file, relative to the root.
    pub file: String,
    /// The line, counted from one.
    pub line: u32,
    /// What there is to know.
    pub text: String,
}
