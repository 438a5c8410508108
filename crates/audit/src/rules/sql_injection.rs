//! `sql-injection`: what the client sends becomes part of the text of a query.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, Wants},
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "sql-injection",
    class: Class::Sqli,
    control: Control::Validation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-89"],
    asvs: &["v5.0.0-1.2.4"],
    owasp: &["A03:2021"],
    summary: "the text of a query is put together from what the client sends",
    page: include_str!("sql_injection.md"),
    check: Check::Route(check),
};

static DANGER: Danger = Danger {
    class: Class::Sqli,
    sources: SENT,
    signs: "'\"`;()\\=*/",
    wants: Wants::Text,
    message: "what the client sends becomes part of the text of a query",
    does: "runs it as a query",
    fix: "write the query with placeholders and hand the values over beside it; choose names of columns and directions from a list in the code",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    flow::hits(context, &DANGER)
}
