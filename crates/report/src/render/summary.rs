//! What stands above and below the findings at a terminal: the count of everything, and what to do next.

use anstyle::{AnsiColor, Effects, Style};

use super::terminal::line;
use crate::{Report, Severity, harmless_line, word};

/// How many unread files and notices are named.
const NAMED: usize = 10;
/// How much of a policy's digest is shown: `sha256:` and twelve digits.
const DIGEST_SHOWN: usize = 19;

/// Whether to colour.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let style = match severity {
            Severity::Critical => AnsiColor::BrightRed.on_default().effects(Effects::BOLD),
            Severity::High => AnsiColor::Red.on_default(),
            Severity::Medium => AnsiColor::Yellow.on_default(),
            Severity::Low => AnsiColor::Green.on_default(),
        };
        self.with(style, text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// The lines above the findings.
pub(super) fn header(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    let commit = match &report.commit {
        Some(commit) => format!("  commit {}", harmless_line(commit)),
        None => String::new(),
    };
    let tool = format!("{} {}", report.tool.name, report.tool.version);
    line(
        &mut out,
        format_args!("{}{commit}", paint.bold(&harmless_line(&tool))),
    );
    let mut types: Vec<String> = counted(report.routes.iter().map(|route| word(&route.route_type)));
    if types.is_empty() {
        types.push("none found".to_owned());
    }
    line(
        &mut out,
        format_args!("routes    {}: {}", report.routes.len(), types.join(", ")),
    );
    if !report.routes.is_empty() {
        let auth = counted(report.routes.iter().map(|route| word(&route.auth)));
        line(&mut out, format_args!("auth      {}", auth.join(", ")));
    }
    line(
        &mut out,
        format_args!("findings  {}", severities(report, paint)),
    );
    line(&mut out, format_args!("read      {}", coverage(report)));
    if let Some(policy) = policy(report) {
        line(&mut out, format_args!("policy    {policy}"));
    }
    out
}

/// The lines below the findings.
pub(super) fn footer(out: &mut String, report: &Report, paint: Paint) {
    named(
        out,
        "not read, and not counted as clean",
        report.unread.iter().map(|unread| {
            format!(
                "{}: {}",
                harmless_line(&unread.file),
                harmless_line(&unread.reason)
            )
        }),
    );
    named(
        out,
        "to know",
        report.notices.iter().map(|notice| {
            format!(
                "{}:{}: {}",
                harmless_line(&notice.file),
                notice.line,
                harmless_line(&notice.text)
            )
        }),
    );
    for note in &report.notes {
        line(out, format_args!("\nnote: {}", harmless_line(note)));
    }
    line(out, format_args!("\n{}", severities(report, paint)));
    line(out, format_args!("next: {}", next_step(report)));
}

/// What was believed beside the code: types, guards and exceptions come from it, so a report names it.
fn policy(report: &Report) -> Option<String> {
    let file = harmless_line(report.policy_file.as_ref()?);
    let digest = report.policy_digest.as_deref().unwrap_or_default();
    // Enough of it to see whether two reports had the same.
    let digest: String = digest.chars().take(DIGEST_SHOWN).collect();
    Some(format!("{file} ({digest})"))
}

/// `1 critical, 2 high (3 suppressed)`.
fn severities(report: &Report, paint: Paint) -> String {
    let counts: Vec<String> = Severity::WORST_FIRST
        .iter()
        .filter_map(|severity| {
            let count = report
                .open()
                .filter(|finding| finding.severity == *severity)
                .count();
            (count > 0).then(|| paint.severity(*severity, &format!("{count} {severity}")))
        })
        .collect();
    let counts = if counts.is_empty() {
        "no findings".to_owned()
    } else {
        counts.join(", ")
    };
    match report.findings.len().saturating_sub(report.open().count()) {
        0 => counts,
        suppressed => format!("{counts} ({suppressed} suppressed)"),
    }
}

fn coverage(report: &Report) -> String {
    let mut parts = vec![format!("{} files", report.files_read)];
    if !report.unread.is_empty() {
        parts.push(format!("{} not read", report.unread.len()));
    }
    let skipped: Vec<String> = report
        .skipped
        .iter()
        .map(|skipped| format!("{} {}", skipped.count, harmless_line(&skipped.kind)))
        .collect();
    if !skipped.is_empty() {
        parts.push(format!("left out {}", skipped.join(", ")));
    }
    parts.join("; ")
}

fn next_step(report: &Report) -> String {
    if let Some(worst) = report.open().next() {
        return format!(
            "`portcullis explain rule {}` says why and how to fix it",
            worst.rule
        );
    }
    if report.files_read == 0 {
        return "nothing was read; run in the folder of the application".to_owned();
    }
    "`portcullis routes --why` says what protects each route, and how that is known".to_owned()
}

/// A heading and its lines, cut after the first few.
fn named(out: &mut String, heading: &str, mut lines: impl ExactSizeIterator<Item = String>) {
    let count = lines.len();
    if count == 0 {
        return;
    }
    line(out, format_args!("\n{heading}: {count}"));
    for text in lines.by_ref().take(NAMED) {
        line(out, format_args!("  {text}"));
    }
    if count > NAMED {
        line(
            out,
            format_args!("  and {} more (`--format json` has all)", count - NAMED),
        );
    }
}

/// `3 required, 1 none`, the most frequent first, then by name.
fn counted(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for word in words {
        let count = counts.entry(word).or_default();
        *count = count.saturating_add(1);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
        .into_iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect()
}
