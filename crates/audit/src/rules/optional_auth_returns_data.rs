//! `optional-auth-returns-data`: without a session the caller's id is nothing, and the rows of nobody are shown, or of all.

use portcullis_code::{body::ExprKind, value::ValueId};
use portcullis_policy::Control;
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::{
    judge::JudgedQuery,
    library::{DbOp, Operator},
    origin::Origins,
    parts::{made_of, members_under},
    query::Query,
    response::ResponseKind,
    rule::{Check, Hit, RouteContext, Rule},
};

pub(super) static RULE: Rule = Rule {
    id: "optional-auth-returns-data",
    class: Class::AuthMissing,
    control: Control::Authentication,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-306", "CWE-636"],
    asvs: &["v5.0.0-8.2.2"],
    owasp: &["A01:2021", "API2:2023"],
    summary: "a caller without a session is shown the rows whose owner is nothing",
    page: include_str!("optional_auth_returns_data.md"),
    check: Check::Route(check),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let is_covered = context.cover.is_some_and(|cover| cover.auth != Auth::None);
    if context.judgement.auth != Auth::Optional || is_covered {
        return Vec::new();
    }
    let queries = context.judgement.queries.iter();
    queries
        .filter_map(|judged| hit(context, judged))
        .take(1)
        .collect()
}

fn hit(context: &RouteContext<'_>, judged: &JudgedQuery) -> Option<Hit> {
    let values = &context.machine.values;
    let query = &judged.query;
    if judged.identified || !matches!(query.op, DbOp::Read | DbOp::ReadMany) {
        return None;
    }
    let table = query
        .table
        .and_then(|table| context.bench.schema.table(&table));
    // The caller's own account is asked for to see whether there is one.
    if table.is_some_and(|table| table.is_user_table) {
        return None;
    }
    // Another filter that the caller stands in, or a constant, narrows what is found.
    let [filter] = query.filters.as_slice() else {
        return None;
    };
    let origins = context.bench.origins.of(values, filter.value);
    let may_be_missing = filter.operator == Operator::Eq
        && origins.any(Origins::CALLER)
        && is_left_open(context, query, filter.value);
    let none = FxHashSet::default();
    let is_shown = || {
        context.judgement.responses.iter().any(|response| {
            response.kind == ResponseKind::Data
                && !response.refuses()
                && response
                    .body
                    .is_some_and(|body| made_of(values, body, &query.calls, &none))
        })
    };
    if !may_be_missing || !is_shown() {
        return None;
    }
    let name = query.table.unwrap_or_else(|| Ustr::from("the table"));
    Some(
        Hit::at(
            query.site,
            format!(
                "without a session the `{}` that rows of `{name}` are looked up by is nothing, and what is found is shown all the same",
                filter.column
            ),
        )
        .because(
            Some(query.site),
            "databases take a missing value for `not set` or for no filter at all",
        )
        .fixed_by("leave, or answer nothing, where nobody is signed in, before the rows are read"),
    )
}

/// Whether the query itself is written so that a value may be nothing: `q.eq("owner", user?.id)`.
fn is_left_open(context: &RouteContext<'_>, query: &Query, value: ValueId) -> bool {
    let values = &context.machine.values;
    let (_, path) = members_under(values, value);
    let (Some(last), Some(call)) = (path.last(), query.calls.last()) else {
        return false;
    };
    // The last call of a chain is written around all before it.
    let data = values.call(*call);
    let body = &context.machine.project.module(data.module).body;
    body.exprs.iter().any(|expr| {
        matches!(&expr.kind, ExprKind::Member { name, optional: true, .. } if name == last)
            && data.span.start <= expr.span.start
            && expr.span.end <= data.span.end
    })
}
