//! The report for people at a terminal: what there is, then each finding with its code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::excerpt::Excerpt;
use super::summary::{self, Paint};
use crate::{Finding, Location, Report, Severity, harmless_line};

/// How many places of a group are named without `all`.
const PLACES_SHOWN: usize = 4;
/// How many findings of one rule are shown with their code without `all`; the others get a line each.
const SHOWN_IN_FULL: usize = 3;

/// How to print. Whether the output is a terminal is the caller's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Colours.
    pub color: bool,
    /// Every place and every finding in full, suppressed ones too.
    pub all: bool,
    /// Columns.
    pub width: usize,
}

impl Default for TerminalStyle {
    fn default() -> Self {
        Self {
            color: false,
            all: false,
            width: 120,
        }
    }
}

/// The whole report. `source` gives the text of a file as it was read.
#[must_use]
pub fn audit(
    report: &Report,
    source: &dyn Fn(&str) -> Option<Arc<str>>,
    style: TerminalStyle,
) -> String {
    let paint = Paint(style.color);
    let mut out = summary::header(report, paint);
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    let mut short = Vec::new();
    for finding in report.open() {
        let so_far = shown.entry(finding.rule).or_insert(0);
        *so_far = so_far.saturating_add(1);
        if style.all || *so_far <= SHOWN_IN_FULL {
            out.push('\n');
            out.push_str(&in_full(finding, source, style));
        } else {
            short.push(finding);
        }
    }
    if !short.is_empty() {
        out.push_str("\nmore of the same rules (in full with `--all`):\n");
        for finding in short {
            in_short(&mut out, finding, paint);
        }
    }
    if style.all {
        suppressed(&mut out, report);
    }
    summary::footer(&mut out, report, paint);
    out
}

fn in_full(
    finding: &Finding,
    source: &dyn Fn(&str) -> Option<Arc<str>>,
    style: TerminalStyle,
) -> String {
    let at = &finding.location;
    let file = harmless_line(&at.file);
    let text = source(&at.file);
    let excerpt = text.as_deref().and_then(|text| Excerpt::of(text, at));
    let notes = notes(finding, style.all);
    let mut group: Group<'_> = level(finding.severity)
        .primary_title(harmless_line(&finding.message))
        .id(finding.rule)
        .element(
            Origin::path(file.as_ref())
                .line(wide(at.line))
                .char_column(wide(at.column)),
        );
    if let Some(excerpt) = &excerpt {
        group = group.element(
            Snippet::source(excerpt.text.as_str())
                .line_start(excerpt.first_line)
                .annotation(AnnotationKind::Primary.span(excerpt.marked.clone())),
        );
    }
    for (name, note) in &notes {
        group = group.element(Level::NOTE.with_name(Some(*name)).message(note.as_str()));
    }
    if let Some(fix) = &finding.fix {
        let help = harmless_line(&fix.description).into_owned();
        group = group.element(Level::HELP.with_name(Some("fix")).message(help));
    }
    let renderer = if style.color {
        Renderer::styled().hyperlink(false)
    } else {
        Renderer::plain()
    };
    let printed = renderer
        .decor_style(DecorStyle::Ascii)
        .term_width(style.width)
        .render(&[group]);
    // The excerpt has no path of its own, because the library would count columns in what we made of the line.
    printed
        .lines()
        .filter(|line| without_colors(line).trim() != ":::")
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// The line without `ESC [ ... m`.
fn without_colors(line: &str) -> String {
    line.split("\u{1b}[")
        .enumerate()
        .map(|(index, part)| match part.split_once('m') {
            Some((_, rest)) if index > 0 => rest,
            _ => part,
        })
        .collect()
}

/// What stands below the code: routes, places, and how we know.
fn notes(finding: &Finding, all: bool) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(route) = finding.route.as_ref().filter(|_| finding.places.is_empty()) {
        notes.push(("route", harmless_line(route).into_owned()));
    }
    let limit = if all { usize::MAX } else { PLACES_SHOWN };
    let (here, elsewhere): (Vec<_>, Vec<_>) = finding
        .places
        .iter()
        .partition(|place| place.location == finding.location);
    for place in here.into_iter().chain(elsewhere).take(limit) {
        let mut text = place
            .route
            .as_deref()
            .map(harmless_line)
            .unwrap_or_default()
            .into_owned();
        if place.location != finding.location {
            let space = if text.is_empty() { "" } else { "  " };
            text = format!("{text}{space}{}", position(&place.location));
        }
        if !text.is_empty() {
            notes.push(("at", text));
        }
    }
    let hidden = finding.places.len().saturating_sub(limit);
    if hidden > 0 {
        notes.push(("at", format!("and {hidden} more (--all)")));
    }
    for step in &finding.why {
        let text = harmless_line(&step.text);
        notes.push((
            "why",
            match &step.location {
                Some(location) => format!("{text} ({})", position(location)),
                None => text.into_owned(),
            },
        ));
    }
    notes.push((
        "basis",
        format!(
            "{}, confidence {}",
            finding.basis.as_str(),
            finding.confidence.as_str()
        ),
    ));
    notes
}

fn in_short(out: &mut String, finding: &Finding, paint: Paint) {
    let severity = paint.severity(finding.severity, finding.severity.as_str());
    let routes = match (finding.places.len(), &finding.route) {
        (0 | 1, Some(route)) => format!(" [{}]", harmless_line(route)),
        (0 | 1, None) => String::new(),
        (many, _) => format!(" [{many} places]"),
    };
    line(
        out,
        format_args!(
            "  {severity} {}: {} {}{routes}",
            position(&finding.location),
            finding.rule,
            harmless_line(&finding.message),
        ),
    );
}

fn suppressed(out: &mut String, report: &Report) {
    let mut first = true;
    for finding in &report.findings {
        let Some(suppression) = &finding.suppressed else {
            continue;
        };
        if std::mem::take(&mut first) {
            out.push_str("\nsuppressed:\n");
        }
        let until = match &suppression.until {
            Some(until) => format!(" until {}", harmless_line(until)),
            None => String::new(),
        };
        line(
            out,
            format_args!(
                "  {} {}: {} ({}{until}: {})",
                finding.severity,
                position(&finding.location),
                finding.rule,
                suppression.kind.as_str(),
                harmless_line(&suppression.reason),
            ),
        );
    }
}

/// `file:line`, safe to print.
pub(super) fn position(location: &Location) -> String {
    format!("{}:{}", harmless_line(&location.file), location.line)
}

/// Adds a line. Writing to a `String` cannot fail; a formatter of ours that did would show as a missing line in a test.
pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    if out.write_fmt(text).is_ok() {
        out.push('\n');
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low => Level::NOTE,
    }
    .with_name(Some(severity.as_str()))
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
