//! `RuleCard`: what a renderer is told about a rule, so that this crate need not know the rules.

use portcullis_policy::Control;
use serde::Serialize;

use crate::render::pretty;
use crate::{Basis, Class, Confidence, Severity};

/// Name and version of the document that lists the rules.
pub const RULES_SCHEMA: &str = "portcullis.rules/1";

/// A rule as it is told to people and tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCard {
    /// Kebab-case, names what is wrong.
    pub id: &'static str,
    /// What sort of fault it reports.
    pub class: Class,
    /// The control whose absence it reports.
    pub control: Control,
    /// How bad a finding usually is.
    pub severity: Severity,
    /// How sure a finding usually is.
    pub confidence: Confidence,
    /// Whether the code is a bug by itself.
    pub basis: Basis,
    /// `CWE-352`.
    pub cwe: &'static [&'static str],
    /// Requirements of OWASP ASVS.
    pub asvs: &'static [&'static str],
    /// Entries of the OWASP Top 10 lists.
    pub owasp: &'static [&'static str],
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// The page people read, in Markdown.
    pub page: &'static str,
}

#[derive(Serialize)]
struct RulesDocument<'a> {
    schema: &'static str,
    rules: &'a [RuleCard],
}

/// The list of rules as a JSON document. It depends on the program alone, so it names no commit and no policy.
///
/// # Errors
/// Never for a card as it is today; serialising is fallible by type.
pub fn rules_document(cards: &[RuleCard]) -> Result<String, serde_json::Error> {
    pretty(&RulesDocument {
        schema: RULES_SCHEMA,
        rules: cards,
    })
}
