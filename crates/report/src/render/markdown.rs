//! The report as a page of Markdown: what was found, then a review of each endpoint after the template of seed 001.

mod checklist;
mod plain;
mod review;

use std::collections::{BTreeMap, BTreeSet};

use plain::{code, place, sentence};
use review::Review;

use super::terminal::line;
use crate::{Class, Finding, Report, RuleCard, Severity};

/// How many places of a finding are named.
const PLACES_SHOWN: usize = 20;

/// The whole report. `ran` are the rules that were run: what none of them looks at stays open in the reviews.
///
/// Whatever comes from the repository is shown and does nothing: no link, mention, heading or formula of a stranger's.
#[must_use]
pub fn audit(report: &Report, ran: &[RuleCard]) -> String {
    let mut out = String::new();
    head(&mut out, report);
    findings(&mut out, report);
    reviews(&mut out, report, ran);
    suppressed(&mut out, report);
    rest(&mut out, report);
    out
}

fn head(out: &mut String, report: &Report) {
    line(out, format_args!("# Security review\n"));
    let tool = format!("{} {}", report.tool.name, report.tool.version);
    line(out, format_args!("- Made by {}", sentence(&tool)));
    if let Some(commit) = &report.commit {
        line(out, format_args!("- Commit {}", code(commit)));
    }
    if let Some(policy) = &report.policy_file {
        let digest = report.policy_digest.as_deref().unwrap_or_default();
        line(
            out,
            format_args!("- Policy {} ({})", code(policy), code(digest)),
        );
    }
    line(
        out,
        format_args!(
            "- Read {} files; {} could not be read",
            report.files_read,
            report.unread.len()
        ),
    );
    line(
        out,
        format_args!(
            "- Endpoints: {}; pages that write when they are opened: {}",
            report.routes.len(),
            report.pages.len()
        ),
    );
    let counts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .map(|severity| {
            let of_it = report
                .open()
                .filter(|finding| finding.severity == *severity);
            format!("{} {severity}", of_it.count())
        })
        .collect();
    line(out, format_args!("- Findings: {}", counts.join(", ")));
}

fn findings(out: &mut String, report: &Report) {
    line(out, format_args!("\n# Findings"));
    if report.open().next().is_none() {
        line(out, format_args!("\nNone."));
    }
    for finding in report.open() {
        line(
            out,
            format_args!(
                "\n## {}: {}\n",
                finding.severity,
                sentence(&finding.message)
            ),
        );
        line(
            out,
            format_args!(
                "- [ ] Mended: {} at {} ({} confidence, basis {})",
                code(finding.rule),
                place(&finding.location),
                finding.confidence.as_str(),
                finding.basis.as_str()
            ),
        );
        places(out, finding);
        for step in &finding.why {
            let at = step.location.as_ref().map(place);
            let at = at.map(|at| format!(" ({at})")).unwrap_or_default();
            line(out, format_args!("- Why: {}{at}", sentence(&step.text)));
        }
        if let Some(fix) = &finding.fix {
            line(out, format_args!("- Fix: {}", sentence(&fix.description)));
        }
        line(
            out,
            format_args!("- Fingerprint {}", code(&finding.fingerprint)),
        );
    }
}

fn places(out: &mut String, finding: &Finding) {
    if finding.places.is_empty() {
        if let Some(route) = &finding.route {
            line(out, format_args!("- At {}", code(route)));
        }
        return;
    }
    for at in finding.places.iter().take(PLACES_SHOWN) {
        let route = at.route.as_deref().map(code);
        let site = (at.location != finding.location).then(|| place(&at.location));
        let told: Vec<String> = route.into_iter().chain(site).collect();
        if !told.is_empty() {
            line(out, format_args!("- At {}", told.join(", ")));
        }
    }
    let more = finding.places.len().saturating_sub(PLACES_SHOWN);
    if more > 0 {
        line(out, format_args!("- And at {more} more places"));
    }
}

fn reviews(out: &mut String, report: &Report, ran: &[RuleCard]) {
    let judged: BTreeSet<Class> = ran.iter().map(|card| card.class).collect();
    let mut of_route: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report.open() {
        let routes: BTreeSet<&str> = finding
            .places
            .iter()
            .filter_map(|place| place.route.as_deref())
            .chain(finding.route.as_deref())
            .collect();
        for route in routes {
            of_route.entry(route).or_default().push(finding);
        }
    }
    line(out, format_args!("\n# Endpoints"));
    if report.routes.is_empty() && report.pages.is_empty() {
        line(out, format_args!("\nNone."));
    }
    for route in report.routes.iter().chain(&report.pages) {
        let findings = of_route.get(route.name().as_str());
        Review {
            route,
            findings: findings.cloned().unwrap_or_default(),
            judged: &judged,
        }
        .write(out);
    }
}

fn suppressed(out: &mut String, report: &Report) {
    let mut first = true;
    for finding in &report.findings {
        let Some(suppression) = &finding.suppressed else {
            continue;
        };
        if std::mem::take(&mut first) {
            line(out, format_args!("\n# Suppressed\n"));
        }
        let until = suppression.until.as_deref().map(code);
        let until = until
            .map(|until| format!(" until {until}"))
            .unwrap_or_default();
        line(
            out,
            format_args!(
                "- {} {} at {}: {}; {}{until}, for the reason {}",
                finding.severity,
                code(finding.rule),
                place(&finding.location),
                sentence(&finding.message),
                suppression.kind.as_str(),
                code(&suppression.reason)
            ),
        );
    }
}

fn rest(out: &mut String, report: &Report) {
    if !report.unread.is_empty() {
        line(
            out,
            format_args!("\n# Not read, and not counted as clean\n"),
        );
    }
    for unread in &report.unread {
        line(
            out,
            format_args!("- [ ] {}: {}", code(&unread.file), code(&unread.reason)),
        );
    }
    if !report.notices.is_empty() || !report.notes.is_empty() {
        line(out, format_args!("\n# To know\n"));
    }
    for notice in &report.notices {
        let at = format!("{}:{}", notice.file, notice.line);
        line(
            out,
            format_args!("- {}: {}", code(&at), sentence(&notice.text)),
        );
    }
    for note in &report.notes {
        // A sentence at the beginning of a line could begin a list of its own.
        line(out, format_args!("- Note: {}", sentence(note)));
    }
}
