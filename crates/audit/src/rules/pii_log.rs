//! `pii-log`: what concerns a person is written to a log.

use portcullis_code::{machine::EventKind, value::ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    library::{Meaning, Usage},
    origin::Origins,
    parts::calls_under,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{Named, handed_at, last_name, named, told},
};

pub(super) static RULE: Rule = Rule {
    id: "pii-log",
    class: Class::PiiLog,
    control: Control::OutputFilter,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-532", "CWE-359"],
    asvs: &["v5.0.0-16.2.5"],
    owasp: &["A09:2021"],
    summary: "an address, a number or a name of a person is written to a log",
    page: include_str!("pii_log.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits: Vec<Hit> = Vec::new();
    for event in &context.judgement.events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let logs = context
            .bench
            .knowledge
            .of_call(values, call)
            .iter()
            .any(|known| {
                known.row.usage == Usage::Plain
                    && matches!(&known.row.meaning, Meaning::Log(log) if !log.requests && !log.remote)
            });
        if !logs {
            continue;
        }
        let site = handed_at(context.machine, event);
        let found = values
            .call(call)
            .args
            .iter()
            .flat_map(|arg| told(values, arg.0))
            .find_map(|part| personal(context, part.value));
        if let Some(name) = found
            && !hits.iter().any(|hit| hit.site == site)
        {
            hits.push(
                Hit::at(site, format!("`{name}` of a person is written to a log"))
                    .because(
                        None,
                        "logs are kept longer, copied further and read by more people than the table it came from",
                    )
                    .fixed_by("log the id of the row, or leave it out"),
            );
        }
    }
    hits
}

/// The name of a value that concerns a person. An address of the network is what a log is for.
fn personal(context: &RouteContext<'_>, value: ValueId) -> Option<String> {
    let values = &context.machine.values;
    let name = last_name(values, value)?;
    if names_person(&name) && is_of_account(context, value) {
        return Some(name.to_string());
    }
    if named(&name) != Some(Named::Personal) || is_needed(&name) {
        return None;
    }
    let of_person = Origins::CHOSEN.and(Origins::ROW).and(Origins::CALLER);
    context
        .bench
        .origins
        .of(values, value)
        .any(of_person)
        .then(|| name.to_string())
}

/// Whether a member of an account of this name is what a person is called.
fn names_person(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "firstName"
            | "lastName"
            | "fullName"
            | "first_name"
            | "last_name"
            | "full_name"
            | "displayName"
            | "display_name"
    )
}

/// Whether a value is a member of a row of the table of users.
fn is_of_account(context: &RouteContext<'_>, value: ValueId) -> bool {
    let under = calls_under(&context.machine.values, value);
    context.judgement.queries.iter().any(|judged| {
        let table = judged.query.table;
        let users = table
            .and_then(|table| context.bench.schema.table(&table))
            .is_some_and(|table| table.is_user_table);
        users
            && under
                .iter()
                .any(|(call, _)| judged.query.calls.contains(call))
    })
}

/// What logs are told for defence, and ids.
fn is_needed(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.ends_with("ip")
        || lower.contains("ipaddr")
        || lower.contains("ip_addr")
        || lower.ends_with("id")
        || lower.contains("remote")
        || matches!(lower.as_str(), "sub" | "tokenidentifier")
}
