//! `nosql-injection`: what the client sends becomes an operator of a filter, or code that the database runs.

use portcullis_policy::Control;
use portcullis_report::{Answer, Basis, Class, Confidence, Severity};

use crate::{
    flow::{self, Danger, SENT, SinkForm, Wants},
    origin::Origins,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "nosql-injection",
    class: Class::Nosqli,
    control: Control::Validation,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-943"],
    asvs: &["v5.0.0-1.2.4"],
    owasp: &["A03:2021"],
    summary: "what the client sends becomes an operator of a filter, or code that the database runs",
    page: include_str!("nosql_injection.md"),
    check: Check::Route(check),
};

/// An object in the place of a value.
static OPERATOR: Danger = Danger {
    class: Class::Nosqli,
    sources: Origins::RAW.and(Origins::QUERY),
    signs: "$",
    wants: Wants::Object,
    message: "the client can send an operator where a value is compared",
    does: "reads an object there as operators: `{ $ne: null }` fits every row",
    fix: "apply a schema first, or make it a text (`String(..)`), or compare with `$eq`",
};

/// A text that the database runs.
static CODE: Danger = Danger {
    class: Class::Nosqli,
    sources: SENT,
    signs: "'\"`;()\\=|&",
    wants: Wants::Text,
    message: "what the client sends becomes part of code that the database runs",
    does: "has the database run it as code",
    fix: "compare columns with values; `$where` and its kin are not needed for that",
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    // What looks at a body and refuses (chains of express-validator, a schema before the handler) refuses objects where a text is
    // asked for, and leaves the value where it was.
    let mut hits = if context.judgement.validated == Answer::Yes {
        Vec::new()
    } else {
        flow::hits_at(context, &OPERATOR, |sink| sink.form != SinkForm::Code)
    };
    hits.extend(flow::hits_at(context, &CODE, |sink| {
        sink.form == SinkForm::Code
    }));
    hits
}
