//! `tenant-missing`: the client says which tenant's rows are touched, and nothing says that the caller belongs to it.

use portcullis_policy::Control;
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    judge::JudgedQuery,
    library::DbOp,
    parts::sent_in_words,
    rule::{Check, Hit, RouteContext, Rule},
    rules::bola::{caller, is_open_to_all},
    schema::Owner,
};

pub(super) static RULE: Rule = Rule {
    id: "tenant-missing",
    class: Class::TenantMissing,
    control: Control::Ownership,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-639"],
    asvs: &["v5.0.0-8.2.2", "v5.0.0-8.4.1"],
    owasp: &["API1:2023", "A01:2021"],
    summary: "the client says which tenant's rows are touched, and nothing says that the caller belongs to it",
    page: include_str!("tenant_missing.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    if context.judgement.auth != Auth::Required {
        return Vec::new();
    }
    let queries = context.judgement.queries.iter();
    queries
        .filter(|judged| is_open_to_all(context, judged) && is_by_tenant(context, judged))
        .map(|judged| hit(context, judged))
        .collect()
}

/// Whether the rows are found by their tenant alone, and the client says which one.
pub(super) fn is_by_tenant(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let query = &judged.query;
    let Some(table) = query
        .table
        .and_then(|table| context.bench.schema.table(&table))
    else {
        return false;
    };
    let is_tenant = |name: &str| {
        table
            .column(name)
            .is_some_and(|column| column.owner == Some(Owner::Tenant) && !column.id)
    };
    let mut chosen = judged
        .chosen
        .iter()
        .filter_map(|number| query.filters.get(*number))
        .peekable();
    !table.is_tenant_table
        && !table.is_user_table
        && chosen.peek().is_some()
        && chosen.all(|filter| is_tenant(&filter.column))
}

fn hit(context: &RouteContext<'_>, judged: &JudgedQuery) -> Hit {
    let query = &judged.query;
    let values = &context.machine.values;
    let table = query.table.unwrap_or_else(|| Ustr::from("the table"));
    let filter = judged
        .chosen
        .first()
        .and_then(|number| query.filters.get(*number));
    let named = filter.map_or_else(
        || "the client".to_owned(),
        |filter| {
            let origins = context.bench.origins.of(values, filter.value);
            sent_in_words(values, filter.value, origins)
        },
    );
    let does = match query.op {
        DbOp::Update => "changed",
        DbOp::Delete => "removed",
        _ => "read",
    };
    let mut hit = Hit::at(
        query.site,
        format!("{named} alone says of which tenant the rows of `{table}` are that are {does}"),
    );
    if let Some((site, source)) = caller(context) {
        hit = hit.because(
            Some(site),
            format!("the caller becomes known here: `{source}`"),
        );
    }
    hit.because(
        Some(query.site),
        "and nothing says that the caller belongs to that tenant",
    )
    .fixed_by(
        "take the tenant from the session, or look up the caller's membership in it first and answer 404 where there is none",
    )
}
