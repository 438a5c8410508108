//! A baseline as text: a JSON document with one line for each entry, so that a change of it reads well.

use serde::{Deserialize, Serialize};

use super::{Baseline, BaselineEntry};
use crate::Severity;

/// Name and version of the document.
pub const BASELINE_SCHEMA: &str = "portcullis.baseline/1";
/// Largest file that is read, in bytes.
pub const BASELINE_BYTES_MAX: u64 = 32 << 20;
/// The lines before the first entry.
const HEAD_LINES: usize = 3;

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not the JSON that it should be.
    #[error("it is no baseline")]
    Json(#[from] serde_json::Error),
    /// It is another document, or one of another version.
    #[error(
        "its schema is `{found}` and not `{BASELINE_SCHEMA}`; write it anew with `--write-baseline`"
    )]
    Schema {
        /// What it says.
        found: String,
    },
    /// An entry says something that cannot be.
    #[error("line {line}: {what}")]
    Entry {
        /// The line as this program would have written it.
        line: u32,
        /// What is wrong.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    findings: Vec<Line>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    rule: String,
    severity: String,
    file: String,
    route: Option<String>,
    count: u32,
    fingerprint: String,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is not one, or one of another version, or an entry names no severity or counts nothing.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let document: Document = serde_json::from_str(text)?;
        if document.schema != BASELINE_SCHEMA {
            return Err(BaselineError::Schema {
                found: document.schema,
            });
        }
        let mut entries = Vec::with_capacity(document.findings.len());
        for (index, line) in document.findings.into_iter().enumerate() {
            let wrong = |what: String| BaselineError::Entry {
                line: line_of(index),
                what,
            };
            let severity = Severity::WORST_FIRST
                .iter()
                .copied()
                .find(|severity| severity.as_str() == line.severity)
                .ok_or_else(|| wrong(format!("there is no severity `{}`", line.severity)))?;
            if line.count == 0 {
                return Err(wrong("a count of nothing".to_owned()));
            }
            entries.push(BaselineEntry {
                rule: line.rule,
                severity,
                file: line.file,
                route: line.route,
                count: line.count,
                fingerprint: line.fingerprint,
            });
        }
        Ok(Self { entries })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Never for a baseline as it is today; serialising is fallible by type.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = format!("{{\n  \"schema\": \"{BASELINE_SCHEMA}\",\n  \"findings\": [\n");
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                text.push_str(",\n");
            }
            text.push_str("    ");
            text.push_str(&serde_json::to_string(&Line {
                rule: entry.rule.clone(),
                severity: entry.severity.as_str().to_owned(),
                file: entry.file.clone(),
                route: entry.route.clone(),
                count: entry.count,
                fingerprint: entry.fingerprint.clone(),
            })?);
        }
        if !self.entries.is_empty() {
            text.push('\n');
        }
        text.push_str("  ]\n}\n");
        Ok(text)
    }
}

/// The line of an entry in a file that this program wrote.
pub(super) fn line_of(index: usize) -> u32 {
    u32::try_from(index.saturating_add(HEAD_LINES + 1)).unwrap_or(u32::MAX)
}
