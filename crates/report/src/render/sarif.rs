//! SARIF 2.1.0, within the limits that GitHub puts on an upload.

mod shape;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use shape::{
    ArtifactChange, ArtifactLocation, AutomationDetails, BaseId, CodeFlow, Configuration,
    Descriptor, Driver, FlowLocation, Help, Invocation, Log, Message, Notification,
    PartialFingerprints, PhysicalLocation, Place, Region, Replacement, ResultProperties, Rule,
    RuleProperties, Run, RunProperties, SarifResult, ThreadFlow,
};

use super::pretty;
use crate::{
    Confidence, Finding, Fix, Location, Report, RuleCard, Severity, SuppressionKind, word,
};

/// GitHub keeps so many results of a run and drops the others in an order of its own.
const RESULTS_MAX: usize = 5_000;
/// GitHub shows the first location; ten are enough for whoever reads the file.
const LOCATIONS_MAX: usize = 10;
const ROOT: &str = "%SRCROOT%";

/// The report as a SARIF log; `rules` is what can be said about each rule.
///
/// # Errors
/// Never for a report as it is today; serialising is fallible by type.
pub fn audit(report: &Report, rules: &[RuleCard]) -> Result<String, serde_json::Error> {
    let index: BTreeMap<&str, usize> = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| (rule.id, index))
        .collect();
    // What is open comes first, so that the limit never keeps a suppressed finding in place of an open one.
    let suppressed = report.findings.iter().filter(|f| f.suppressed.is_some());
    let results: Vec<SarifResult<'_>> = report
        .open()
        .chain(suppressed)
        .take(RESULTS_MAX)
        .map(|finding| result(finding, index.get(finding.rule).copied()))
        .collect();
    let cut = report.findings.len().saturating_sub(results.len());
    let cut = (cut > 0).then(|| format!("{cut} less severe findings are left out, JSON has them"));
    pretty(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: shape::Tool {
                driver: Driver {
                    name: &report.tool.name,
                    version: &report.tool.version,
                    semantic_version: &report.tool.version,
                    rules: rules.iter().map(rule).collect(),
                },
            },
            automation_details: AutomationDetails {
                id: "portcullis/audit/",
            },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: BTreeMap::from([(
                ROOT,
                BaseId {
                    description: Message {
                        text: "the folder that was audited",
                    },
                },
            )]),
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications(report, cut.as_deref()),
            }],
            results,
            properties: RunProperties {
                commit: report.commit.as_deref(),
                policy_digest: report.policy_digest.as_deref(),
                files_read: report.files_read,
            },
        }],
    })
}

fn rule<'a>(card: &'a RuleCard) -> Rule<'a> {
    let mut tags = vec!["security".to_owned()];
    tags.extend(
        card.cwe
            .iter()
            .map(|cwe| format!("external/cwe/{}", cwe.to_lowercase())),
    );
    tags.extend(card.owasp.iter().map(|entry| format!("owasp/{entry}")));
    Rule {
        id: card.id,
        short_description: Message { text: card.summary },
        full_description: Message { text: card.summary },
        help: Help {
            text: card.page,
            markdown: card.page,
        },
        default_configuration: Configuration {
            level: level(card.severity),
        },
        properties: RuleProperties {
            tags,
            precision: match card.confidence {
                Confidence::High => "high",
                Confidence::Medium => "medium",
                Confidence::Low => "low",
            },
            security_severity: security_severity(card.severity),
        },
    }
}

fn result<'a>(finding: &'a Finding, rule_index: Option<usize>) -> SarifResult<'a> {
    let others = finding
        .places
        .iter()
        .filter(|other| other.location != finding.location)
        .map(|other| place(&other.location, other.route.as_deref()));
    let routes = finding
        .places
        .iter()
        .filter_map(|place| place.route.as_deref());
    let suppressions = finding
        .suppressed
        .iter()
        .map(|suppressed| shape::Suppression {
            kind: match suppressed.kind {
                SuppressionKind::Inline => "inSource",
                SuppressionKind::Policy | SuppressionKind::Baseline => "external",
            },
            status: "accepted",
            justification: &suppressed.reason,
            location: place(&suppressed.location, None),
        });
    SarifResult {
        rule_id: finding.rule,
        rule_index,
        level: level(finding.severity),
        message: Message {
            text: &finding.message,
        },
        locations: std::iter::once(place(&finding.location, None))
            .chain(others)
            .take(LOCATIONS_MAX)
            .collect(),
        partial_fingerprints: PartialFingerprints {
            primary_location_line_hash: &finding.fingerprint,
        },
        code_flows: code_flow(finding).into_iter().collect(),
        fixes: finding.fix.iter().filter_map(fix).collect(),
        suppressions: suppressions.collect(),
        properties: ResultProperties {
            class: finding.class.as_str(),
            control: word(&finding.control),
            basis: finding.basis.as_str(),
            confidence: finding.confidence.as_str(),
            severity: finding.severity.as_str(),
            routes: match &finding.route {
                Some(route) if finding.places.is_empty() => vec![route],
                _ => routes.collect(),
            },
        },
    }
}

/// The steps that can be seen, when there is a way from one to another.
fn code_flow(finding: &Finding) -> Option<CodeFlow<'_>> {
    let locations: Vec<FlowLocation<'_>> = finding
        .why
        .iter()
        .filter_map(|step| {
            let location = place(step.location.as_ref()?, Some(&step.text));
            Some(FlowLocation { location })
        })
        .collect();
    (locations.len() > 1).then_some(CodeFlow {
        thread_flows: [ThreadFlow { locations }],
    })
}

fn fix(fix: &Fix) -> Option<shape::Fix<'_>> {
    let artifact_changes: Vec<_> = fix
        .edits
        .iter()
        .map(|edit| ArtifactChange {
            artifact_location: artifact(&edit.location.file),
            replacements: [Replacement {
                deleted_region: region(&edit.location),
                inserted_content: Message {
                    text: &edit.replacement,
                },
            }],
        })
        .collect();
    // The standard wants at least one change in a fix; one that is only words is in the rule's help.
    (!artifact_changes.is_empty()).then_some(shape::Fix {
        description: Message {
            text: &fix.description,
        },
        artifact_changes,
    })
}

fn notifications<'a>(report: &'a Report, cut: Option<&'a str>) -> Vec<Notification<'a>> {
    let told = |id, level, text, locations| Notification {
        descriptor: Descriptor { id },
        level,
        message: Message { text },
        locations,
    };
    let unread = report.unread.iter().map(|unread| {
        let location = Place {
            physical_location: PhysicalLocation {
                artifact_location: artifact(&unread.file),
                region: None,
            },
            message: None,
        };
        told("unread", "warning", &unread.reason, vec![location])
    });
    let notices = report.notices.iter().map(|notice| {
        let location = Location {
            line: notice.line,
            end_line: notice.line,
            ..Location::of_file(notice.file.as_str())
        };
        told("notice", "note", &notice.text, vec![place(&location, None)])
    });
    let notes = report
        .notes
        .iter()
        .map(|note| told("note", "note", note, Vec::new()));
    let cut = cut.map(|text| told("cut", "warning", text, Vec::new()));
    unread.chain(notices).chain(notes).chain(cut).collect()
}

fn place<'a>(location: &Location, message: Option<&'a str>) -> Place<'a> {
    Place {
        physical_location: PhysicalLocation {
            artifact_location: artifact(&location.file),
            region: Some(region(location)),
        },
        message: message.map(|text| Message { text }),
    }
}

fn artifact(file: &str) -> ArtifactLocation {
    ArtifactLocation {
        uri: relative_uri(file),
        uri_base_id: ROOT,
    }
}

/// The standard counts lines and columns from one, and refuses zero.
fn region(location: &Location) -> Region {
    Region {
        start_line: location.line.max(1),
        start_column: location.column.max(1),
        end_line: location.end_line.max(location.line).max(1),
        end_column: location.end_column.max(1),
    }
}

/// RFC 3986: a Next.js folder is called `[id]`, and neither bracket may stand in a path as it is.
fn relative_uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else if write!(uri, "%{byte:02X}").is_err() {
            return uri;
        }
    }
    uri
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The middle of the range that GitHub calls by the same word.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}
