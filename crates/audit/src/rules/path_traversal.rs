//! `path-traversal`: the client chooses which file is opened.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "path-traversal",
    class: Class::PathTraversal,
    control: Control::Validation,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-22", "CWE-73"],
    asvs: &["v5.0.0-5.3.2"],
    owasp: &["A01:2021"],
    summary: "the client chooses which file is opened",
    page: include_str!("path_traversal.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::PathTraversal,
    sources: SENT,
    signs: "/\\",
    wants: Wants::Path,
    message: "the client chooses which file is opened",
    does: "opens the file that it names",
    fix: "take only the last part of the name (`path.basename`), or resolve the path and refuse it unless it begins with the folder and a separator",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
