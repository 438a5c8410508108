//! `AuditSettings`: the `[audit]` table.

use std::str::FromStr;

use crate::Malformed;
use crate::faults::Faults;
use crate::form::{Form, Kind, may};
use crate::node::Node;
use crate::policy_file::Draft;
use crate::table_reader::TableReader;
use crate::word::words;

/// From which severity on findings fail the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailOn {
    /// Only critical findings.
    Critical,
    /// High and above.
    High,
    /// Medium and above.
    Medium,
    /// All findings.
    Low,
    /// No finding fails the audit.
    None,
}

words!(FailOn, "severity", {
    Critical => "critical",
    High => "high",
    Medium => "medium",
    Low => "low",
    None => "none",
});

/// A pattern of paths in the project: `**/*.test.ts`, `legacy/**`. Its syntax is the audit's to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathGlob(String);

impl PathGlob {
    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PathGlob {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |message: &str| Err(Malformed::whole(text, message));
        if text.is_empty() {
            return wrong("a pattern is not empty");
        }
        if text.chars().any(char::is_control) {
            return wrong("a pattern has no control characters");
        }
        if text.starts_with('/') || text.split(['/', '\\']).any(|part| part == "..") {
            return wrong("a pattern is relative to the root of the project");
        }
        if text.bytes().all(|byte| matches!(byte, b'*' | b'/' | b'.')) {
            return wrong("this would leave nothing to audit");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What the policy says to the audit. Nothing is said by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSettings {
    /// Paths that are not read.
    pub ignore: Vec<PathGlob>,
    /// Whether a cookie authenticates, where the audit would otherwise look for one.
    pub session_cookie: Option<bool>,
    /// From which severity on findings fail the audit. The command line comes before it.
    pub fail_on: Option<FailOn>,
}

pub(crate) const FORM: Form = Form::new(
    "What the policy says to the audit.",
    &[
        may(
            "ignore",
            Kind::List(&Kind::Pattern("^[^/]")),
            "Patterns of paths, from the root of the project, that are not read.",
        )
        .or("[]"),
        may(
            "session_cookie",
            Kind::Truth,
            "Whether a cookie authenticates; else the audit looks for one.",
        ),
        may(
            "fail_on",
            Kind::Words(FailOn::WORDS),
            "From which severity on findings fail the audit.",
        )
        .or("\"high\""),
    ],
);

/// Reads `[audit]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let crate::node::NodeValue::Table(table) = &node.value else {
        return crate::table_reader::wrong_kind(node, "a table", faults);
    };
    let mut reader = TableReader::new(table, "`[audit]`", faults);
    let ignore = reader.optional("ignore");
    let ignore = reader.list::<PathGlob>(ignore, false).unwrap_or_default();
    let session_cookie = reader.optional("session_cookie");
    let session_cookie = reader.truth(session_cookie);
    let fail_on = reader.optional("fail_on");
    let fail_on = reader.parsed::<FailOn>(fail_on);
    reader.finish();
    draft.policy.audit = AuditSettings {
        ignore,
        session_cookie,
        fail_on,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_cannot_leave_the_project_or_empty_it() {
        for (text, reads) in [
            ("**/*.test.ts", true),
            ("legacy/**", true),
            ("", false),
            ("/etc/**", false),
            ("a/../../b", false),
            ("**", false),
            ("**/*.*", false),
            ("a\nb", false),
        ] {
            assert_eq!(text.parse::<PathGlob>().is_ok(), reads, "{text:?}");
        }
    }
}
