//! `plaintext-password`: a password is kept or compared as it was sent.

use portcullis_code::{machine::EventKind, value::ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::ustr;

use crate::{
    library::DbOp,
    origin::Origins,
    route::Site,
    rule::{Check, Hit, RouteContext, Rule},
    secrets::{decides, last_name, names_password},
    whole::Question,
};

pub(super) static RULE: Rule = Rule {
    id: "plaintext-password",
    class: Class::PlaintextPassword,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-256", "CWE-312"],
    asvs: &["v5.0.0-11.4.2"],
    owasp: &["A02:2021", "API2:2023"],
    summary: "a password is kept or compared as it was sent",
    page: include_str!("plaintext_password.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = stored(context);
    for event in &context.judgement.events {
        let EventKind::Equal(a, b) = event.kind else {
            continue;
        };
        for (kept, sent) in [(a, b), (b, a)] {
            if is_sent(context, sent)
                && context.bench.origins.of(values, kept).any(Origins::ROW)
                && !context.bench.origins.of(values, kept).any(Origins::CHOSEN)
                && last_name(values, kept).is_some_and(|name| names_password(&name))
                && decides(context, a, b)
            {
                let site = Site {
                    module: event.module,
                    span: event.span,
                };
                hits.push(hit(
                    site,
                    "the kept password is compared with the one that was sent",
                ));
            }
        }
    }
    hits
}

/// Where a password is written, or looked for, as it was sent.
fn stored(context: &RouteContext<'_>) -> Vec<Hit> {
    let values = &context.machine.values;
    let mut hits = Vec::new();
    for judged in &context.judgement.queries {
        let query = &judged.query;
        let table = query
            .table
            .and_then(|table| context.bench.schema.table(&table))
            .filter(|table| {
                table.is_user_table
                    && !context
                        .bench
                        .knowledge
                        .ask(Question::Hashes(ustr(&table.file)))
                        .is_yes()
            });
        if table.is_none() {
            continue;
        }
        if matches!(query.op, DbOp::Read | DbOp::ReadMany | DbOp::Count)
            && query
                .filters
                .iter()
                .any(|filter| names_password(&filter.column) && is_sent(context, filter.value))
        {
            hits.push(hit(
                query.site,
                "an account is looked for by the password that was sent",
            ));
        }
        let written = query.data.iter().any(|data| {
            let place = ["password".into()];
            query.op.writes()
                && crate::knowledge::down(values, *data, &place)
                    .is_some_and(|value| is_sent(context, value))
        });
        if written {
            hits.push(hit(query.site, "a password is stored as it was sent"));
        }
    }
    hits
}

fn hit(site: Site, message: &str) -> Hit {
    Hit::at(site, message)
        .because(
            None,
            "whoever sees the table, a backup or a log of queries has every password, and those that people use elsewhere",
        )
        .fixed_by("keep argon2id, scrypt or bcrypt of it, and compare with the library's own function")
}

/// Whether a value is a password as the client sent it.
fn is_sent(context: &RouteContext<'_>, value: ValueId) -> bool {
    let values = &context.machine.values;
    context.bench.origins.of(values, value).any(Origins::CHOSEN)
        && last_name(values, value).is_some_and(|name| names_password(&name))
}
