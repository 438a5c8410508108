//! Applies the `[[except]]` tables of the policy to what was found, and says which of them are of no use.
//!
//! What is excepted is suppressed and stays in the report; of a finding about several routes only the excepted ones. An
//! exception that expired counts for nothing, and one that nothing needs must not stay to hide the next fault.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_policy::{Except, RouteName, closest};
use portcullis_report::{Finding, Location, Notice, Report, Suppression, SuppressionKind};

use crate::{options::Options, rules::RULES};

/// Suppresses the findings whose route and control are excepted today. `routes` are the names of all that were found.
pub(crate) fn apply(report: &mut Report, options: &Options, routes: impl Iterator<Item = String>) {
    if options.policy.excepts().is_empty() {
        return;
    }
    let mut routes: BTreeSet<String> = routes.collect();
    let mut used = BTreeSet::new();
    let mut findings = Vec::with_capacity(report.findings.len());
    for finding in std::mem::take(&mut report.findings) {
        let places = finding.places.iter().map(|place| &place.route);
        routes.extend(places.chain([&finding.route]).flatten().cloned());
        split(finding, options, &mut used, &mut findings);
    }
    report.findings = findings;
    let routes = Routes::of(routes);
    for except in options.policy.excepts() {
        if let Some(text) = complaint(except, options, &routes, &used) {
            report.notices.push(Notice {
                file: options.policy_file.clone(),
                line: line_of(except),
                text,
            });
        }
    }
}

/// Puts a finding into `out`: as it is, or one for each exception that covers places of it and one for the other places.
fn split(
    mut finding: Finding,
    options: &Options,
    used: &mut BTreeSet<usize>,
    out: &mut Vec<Finding>,
) {
    let control = finding.control;
    let excepted = |route: Option<&str>| {
        let route: RouteName = route?.parse().ok()?;
        options.policy.excepted(&route, control, options.today)
    };
    if finding.places.is_empty() {
        if let Some(except) = excepted(finding.route.as_deref()) {
            used.insert(except.place.span.start);
            finding.suppressed = Some(suppression(except, options));
        }
        out.push(finding);
        return;
    }
    let mut by_place: BTreeMap<usize, &Except> = BTreeMap::new();
    let (covered, open) = finding.parted(|place| {
        let except = excepted(place.route.as_deref())?;
        by_place.insert(except.place.span.start, except);
        Some(except.place.span.start)
    });
    for (start, mut part) in covered {
        part.suppressed = by_place
            .get(&start)
            .map(|except| suppression(except, options));
        out.push(part);
    }
    out.extend(open);
    used.extend(by_place.into_keys());
}

fn suppression(except: &Except, options: &Options) -> Suppression {
    let line = line_of(except);
    let column = u32::try_from(except.place.column).unwrap_or(u32::MAX);
    Suppression {
        reason: format!("{} (owner: {})", except.because, except.owner),
        until: Some(except.until.to_string()),
        location: Location {
            line,
            column,
            end_line: line,
            end_column: column,
            bytes: except.place.span.clone(),
            ..Location::of_file(options.policy_file.clone())
        },
        kind: SuppressionKind::Policy,
    }
}

fn line_of(except: &Except) -> u32 {
    u32::try_from(except.place.line).unwrap_or(u32::MAX)
}

/// The routes that were found, as they are written and as exceptions name them.
struct Routes {
    written: BTreeSet<String>,
    names: Vec<RouteName>,
}

impl Routes {
    fn of(written: BTreeSet<String>) -> Self {
        let names = written
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        Self { written, names }
    }
}

/// Why an exception is of no use, if it is of none.
fn complaint(
    except: &Except,
    options: &Options,
    routes: &Routes,
    used: &BTreeSet<usize>,
) -> Option<String> {
    if except.is_expired(options.today) {
        return Some(format!(
            "this exception expired on {}, and what it allowed is reported again",
            except.until
        ));
    }
    if used.contains(&except.place.span.start) {
        return None;
    }
    if !routes.names.iter().any(|name| name.is(&except.route)) {
        let meant = closest(
            &except.route.to_string(),
            routes.written.iter().map(String::as_str),
        )
        .map(|route| format!("; did you mean `{route}`?"))
        .unwrap_or_default();
        return Some(format!(
            "this exception is for `{}`, and no such route was found{meant}",
            except.route
        ));
    }
    // Whether it is needed can only be said where everything that looks at its control was run.
    let mut judges = RULES
        .iter()
        .filter(|rule| rule.control == except.lacks)
        .peekable();
    let is_judged = judges.peek().is_some() && judges.all(|rule| options.runs(rule.id));
    is_judged.then(|| {
        format!(
            "nothing is found that this exception for `{}` without `{}` allows, remove it",
            except.route, except.lacks
        )
    })
}
