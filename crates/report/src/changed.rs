//! `Changed`: which lines of which files a change touches, and the findings that it touches with them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::{Finding, Location, Place, Report, Step};

/// Of each route the files that its run leads through, by its name.
pub type Traces = BTreeMap<String, BTreeSet<String>>;

/// What may decide about a route that it never enters.
const BEFORE_ROUTES: [&str; 2] = ["middleware", "proxy"];
/// What decides about every route: which tables and columns there are.
const OF_EVERY_ROUTE: [&str; 2] = [".prisma", ".sql"];

/// What a change touches. Paths are relative to the audited folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The lines as they are now; what was taken out counts as the lines around it.
    lines: BTreeMap<String, Vec<RangeInclusive<u32>>>,
    /// Files that are new as a whole.
    whole: BTreeSet<String>,
    /// Files that are not there any more.
    gone: BTreeSet<String>,
}

impl Changed {
    /// A file is new.
    pub fn add_whole(&mut self, file: String) {
        self.whole.insert(file);
    }

    /// A file is gone.
    pub fn add_gone(&mut self, file: String) {
        self.gone.insert(file);
    }

    /// `count` lines from `first` on are new; with none, something was taken out after line `first`.
    pub fn add_lines(&mut self, file: &str, first: u32, count: u32) {
        let last = match count {
            0 => first.saturating_add(1),
            count => first.saturating_add(count - 1),
        };
        let lines = self.lines.entry(file.to_owned()).or_default();
        lines.push(first..=last);
    }

    /// Leaves in the report only what the change touches: what stands on a line of it or is explained by one, and what is
    /// found at a route whose run leads through a file of it. Gives how many findings were left out.
    ///
    /// The report has to be settled before and is settled afterwards.
    pub fn keep(&self, report: &mut Report, traces: &Traces) -> usize {
        if self.is_of_every_route() {
            return 0;
        }
        let mut left_out = 0;
        let mut findings = Vec::with_capacity(report.findings.len());
        for finding in std::mem::take(&mut report.findings) {
            match self.part(finding, traces) {
                Some(touched) => findings.push(touched),
                None => left_out += 1,
            }
        }
        report.findings = findings;
        report.settle();
        left_out
    }

    /// Whether the change touches what may matter anywhere.
    #[must_use]
    pub fn is_of_every_route(&self) -> bool {
        let mut files = self.files();
        files.any(|file| OF_EVERY_ROUTE.iter().any(|ending| file.ends_with(ending)))
    }

    fn files(&self) -> impl Iterator<Item = &String> {
        self.lines.keys().chain(&self.whole).chain(&self.gone)
    }

    /// The places of a finding that the change touches.
    fn part(&self, finding: Finding, traces: &Traces) -> Option<Finding> {
        let explained = finding
            .why
            .iter()
            .any(|Step { location, .. }| location.as_ref().is_some_and(|at| self.touches(at)));
        let is_kept = |location: &Location, route: Option<&str>| {
            explained
                || self.touches(location)
                || route.is_some_and(|route| self.leads_through(route, location, traces))
        };
        if finding.places.is_empty() {
            let kept = is_kept(&finding.location, finding.route.as_deref());
            return kept.then_some(finding);
        }
        let (mut touched, _) = finding.parted(
            |Place {
                 location, route, ..
             }| is_kept(location, route.as_deref()).then_some(()),
        );
        touched.remove(&())
    }

    fn touches(&self, at: &Location) -> bool {
        self.whole.contains(&at.file)
            || self.lines.get(&at.file).is_some_and(|lines| {
                let end = at.end_line.max(at.line);
                lines
                    .iter()
                    .any(|lines| *lines.start() <= end && at.line <= *lines.end())
            })
    }

    fn leads_through(&self, route: &str, location: &Location, traces: &Traces) -> bool {
        let is_changed = |file: &String| self.lines.contains_key(file) || self.whole.contains(file);
        let Some(trace) = traces.get(route) else {
            // What it leads through is not known.
            return true;
        };
        trace.iter().any(is_changed)
            || is_changed(&location.file)
            || self.files().any(|file| stands_before(file, trace))
    }
}

/// Whether a changed file, which may be gone, stands before routes that lie in its folder or below.
fn stands_before(file: &str, trace: &BTreeSet<String>) -> bool {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let stem = name.split('.').next().unwrap_or_default();
    BEFORE_ROUTES.contains(&stem)
        && trace.iter().any(|other| {
            folder.is_empty()
                || other
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
}

#[cfg(test)]
mod tests {
    use portcullis_policy::Control;

    use super::*;
    use crate::{Basis, Class, Confidence, Severity};

    fn at(file: &str, line: u32, end_line: u32) -> Location {
        Location {
            line,
            end_line,
            ..Location::of_file(file)
        }
    }

    fn finding(places: &[(Location, Option<&str>)], why: Option<Location>) -> Finding {
        let places: Vec<Place> = places
            .iter()
            .map(|(location, route)| Place {
                location: location.clone(),
                route: route.map(str::to_owned),
                fingerprint: "f".to_owned(),
            })
            .collect();
        Finding {
            rule: "made-for-this",
            class: Class::Sqli,
            control: Control::Validation,
            basis: Basis::Code,
            severity: Severity::High,
            confidence: Confidence::High,
            location: places[0].location.clone(),
            route: places[0].route.clone(),
            places,
            message: "m".to_owned(),
            why: why
                .map(|at| Step {
                    location: Some(at),
                    text: "w".to_owned(),
                })
                .into_iter()
                .collect(),
            fix: None,
            fingerprint: "f".to_owned(),
            suppressed: None,
        }
    }

    /// The lines of the places that are left.
    fn kept(changed: &Changed, finding: Finding) -> Vec<u32> {
        let traces = Traces::from([
            (
                "GET /a".to_owned(),
                ["app/a.ts", "lib/db.ts"].map(str::to_owned).into(),
            ),
            ("GET /b".to_owned(), ["app/b.ts"].map(str::to_owned).into()),
        ]);
        let mut report = Report {
            findings: vec![finding],
            ..Report::default()
        };
        let left_out = changed.keep(&mut report, &traces);
        assert_eq!(left_out + report.findings.len(), 1);
        let places = report.findings.iter().flat_map(|finding| &finding.places);
        places.map(|place| place.location.line).collect()
    }

    fn lines(file: &str, first: u32, count: u32) -> Changed {
        let mut changed = Changed::default();
        changed.add_lines(file, first, count);
        changed
    }

    #[test]
    fn a_place_is_kept_when_a_line_of_it_changed() {
        let one = || finding(&[(at("x.ts", 5, 7), None)], None);
        for (first, count, is_kept) in [
            (1, 4, false),
            (1, 5, true),
            (7, 1, true),
            (8, 2, false),
            // Something was taken out after line 4, 6, 7, 8.
            (4, 0, true),
            (6, 0, true),
            (7, 0, true),
            (8, 0, false),
        ] {
            let left = kept(&lines("x.ts", first, count), one());
            assert_eq!(!left.is_empty(), is_kept, "{first} {count}");
        }
        assert!(kept(&lines("y.ts", 1, 99), one()).is_empty());
    }

    #[test]
    fn a_new_file_is_touched_everywhere() {
        let mut changed = Changed::default();
        changed.add_whole("x.ts".to_owned());
        assert_eq!(
            kept(&changed, finding(&[(at("x.ts", 5, 7), None)], None)),
            [5]
        );
    }

    #[test]
    fn a_step_of_the_explanation_counts() {
        let one = finding(&[(at("x.ts", 5, 7), None)], Some(at("y.ts", 3, 3)));
        assert_eq!(kept(&lines("y.ts", 3, 1), one), [5]);
    }

    #[test]
    fn of_a_group_the_routes_whose_way_changed_are_left() {
        let both = || {
            finding(
                &[
                    (at("app/a.ts", 1, 1), Some("GET /a")),
                    (at("app/b.ts", 2, 2), Some("GET /b")),
                ],
                None,
            )
        };
        assert_eq!(kept(&lines("lib/db.ts", 90, 1), both()), [1]);
        assert!(kept(&lines("lib/other.ts", 90, 1), both()).is_empty());
        // What a route leads through that is not known may be anything.
        let unknown = finding(&[(at("c.ts", 3, 3), Some("GET /c"))], None);
        assert_eq!(kept(&lines("lib/db.ts", 90, 1), unknown), [3]);
    }

    #[test]
    fn what_stands_before_routes_and_what_every_route_asks_counts_for_all() {
        let one = || finding(&[(at("app/a.ts", 1, 1), Some("GET /a"))], None);
        let mut gone = Changed::default();
        gone.add_gone("middleware.ts".to_owned());
        assert_eq!(kept(&gone, one()), [1]);
        let mut elsewhere = Changed::default();
        elsewhere.add_gone("apps/web/middleware.ts".to_owned());
        assert!(kept(&elsewhere, one()).is_empty());
        assert_eq!(kept(&lines("prisma/schema.prisma", 3, 1), one()), [1]);
    }
}
