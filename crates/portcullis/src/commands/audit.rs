//! `portcullis audit`: reads code and says what is wrong with it.

use std::sync::Arc;

use portcullis_policy::FailOn;
use portcullis_report::render::terminal::TerminalStyle;
use portcullis_report::render::{json, markdown, sarif, terminal};
use portcullis_report::{Report, Severity};

use super::{cards, color, document, fail_on_of, options, options_with, read, rule_called};
use crate::args::{AuditArgs, AuditFormat};
use crate::auditing::{Base, change, known};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(args: &AuditArgs, environment: &Environment) -> Result<Exit, Failure> {
    for id in args.rule.iter().chain(&args.skip_rule) {
        rule_called(id)?;
    }
    let base = Base::of(args)?;
    let mut options = match &base {
        Some(base) => options_with(base.policy(&args.reading)?, &args.reading, environment),
        None => options(&args.reading, environment)?,
    };
    options.only_rules.clone_from(&args.rule);
    options.skip_rules.clone_from(&args.skip_rule);
    options.ignore_comments = !args.no_ignore_comments;
    let fail_on = args.fail_on.unwrap_or_else(|| fail_on_of(&options.policy));

    let known = known::read(args, base.as_ref())?;
    let changed = change::read(args)?;
    if let Some(base) = &base {
        options.base_comments = Some(base.comments()?);
    }

    let mut audited = read(&args.reading, &options, environment)?;
    if let Some(base) = &base {
        audited.report.notes.extend(base.told(&args.reading)?);
    }
    if let Some(changed) = changed {
        changed.keep(&mut audited);
    }
    if let Some(known) = known {
        known.apply(&mut audited.report, &options, args.changed_since.is_some());
    }
    let written = known::write(args, &mut audited.report, &options)?;
    let report = &audited.report;
    let text = match args.format {
        AuditFormat::Json => document(json::audit(report))?,
        AuditFormat::Sarif => document(sarif::audit(report, &cards()))?,
        AuditFormat::Markdown => {
            let mut ran = cards();
            ran.retain(|card| options.runs(card.id));
            markdown::audit(report, &ran)
        }
        AuditFormat::Terminal => {
            let source = |file: &str| -> Option<Arc<str>> { audited.source(file) };
            let style = TerminalStyle {
                color: color(&args.reading, environment),
                all: args.all,
                ..TerminalStyle::default()
            };
            terminal::audit(report, &source, style)
        }
    };
    output::write(&text, args.reading.output.as_deref())?;
    if let Some((path, text)) = written {
        output::write(&text, Some(path))?;
    }
    Ok(judged(report, fail_on))
}

/// Nothing read comes before nothing found: an audit of nothing is not clean.
fn judged(report: &Report, fail_on: FailOn) -> Exit {
    let failing = match fail_on {
        FailOn::Critical => Some(Severity::Critical),
        FailOn::High => Some(Severity::High),
        FailOn::Medium => Some(Severity::Medium),
        FailOn::Low => Some(Severity::Low),
        FailOn::None => None,
    };
    let fails = report
        .worst()
        .zip(failing)
        .is_some_and(|(worst, failing)| worst >= failing);
    if fails {
        Exit::Findings
    } else if report.files_read == 0 {
        Exit::NothingToRead
    } else {
        Exit::Clean
    }
}

#[cfg(test)]
mod tests {
    use portcullis_policy::Control;
    use portcullis_report::{
        Basis, Class, Confidence, Finding, Location, Suppression, SuppressionKind,
    };

    use super::*;

    fn report_of(severity: Severity) -> Report {
        Report {
            files_read: 1,
            findings: vec![Finding {
                rule: "made-for-this",
                class: Class::Sqli,
                control: Control::Validation,
                basis: Basis::Code,
                severity,
                confidence: Confidence::High,
                location: Location::of_file("a.ts"),
                route: None,
                places: Vec::new(),
                message: "x".to_owned(),
                why: Vec::new(),
                fix: None,
                fingerprint: "f".to_owned(),
                suppressed: None,
            }],
            ..Report::default()
        }
    }

    #[test]
    fn findings_fail_from_the_severity_on() {
        for (severity, fail_on, exit) in [
            (Severity::High, FailOn::High, Exit::Findings),
            (Severity::Critical, FailOn::High, Exit::Findings),
            (Severity::Medium, FailOn::High, Exit::Clean),
            (Severity::High, FailOn::Critical, Exit::Clean),
            (Severity::Low, FailOn::Low, Exit::Findings),
            (Severity::Critical, FailOn::None, Exit::Clean),
        ] {
            assert_eq!(
                judged(&report_of(severity), fail_on),
                exit,
                "{severity} {fail_on}"
            );
        }
    }

    #[test]
    fn a_suppressed_finding_does_not_fail() {
        let mut report = report_of(Severity::Critical);
        report.findings[0].suppressed = Some(Suppression {
            reason: "known".to_owned(),
            until: None,
            location: Location::of_file("a.ts"),
            kind: SuppressionKind::Inline,
        });
        assert_eq!(judged(&report, FailOn::Low), Exit::Clean);
    }

    #[test]
    fn nothing_read_is_not_clean() {
        assert_eq!(
            judged(&Report::default(), FailOn::None),
            Exit::NothingToRead
        );
    }
}
