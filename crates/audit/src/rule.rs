//! `Rule`: a rule is a value: who it is, what it says, and the page people read.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, names what is wrong, the same as the file's name.
    pub id: &'static str,
    /// What sort of fault it reports.
    pub class: Class,
    /// The control whose absence it reports.
    pub control: Control,
    /// How bad a finding is, unless the rule says otherwise of one.
    pub severity: Severity,
    /// How sure a finding is, unless the rule says otherwise of one.
    pub confidence: Confidence,
    /// Whether the code is a bug by itself.
    pub basis: Basis,
    /// `CWE-352`.
    pub cwe: &'static [&'static str],
    /// OWASP ASVS 5.0 requirements: `v5.0.0-3.5.1`.
    pub asvs: &'static [&'static str],
    /// OWASP Top 10 and API Top 10: `A01:2021`, `API1:2023`.
    pub owasp: &'static [&'static str],
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// The page people read, whose examples are the rule's tests.
    pub page: &'static str,
}

/// Every rule.
pub const RULES: &[&Rule] = &[];
