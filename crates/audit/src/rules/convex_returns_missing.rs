//! `convex-returns-missing`: whole rows reach a client, and nothing says which of their columns are meant to.

use portcullis_code::value::{Value, ValueId};
use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    judge::JudgedQuery,
    library::DbOp,
    parts::shown,
    response::ResponseKind,
    rule::{Check, Hit, RouteContext, Rule},
    rules::convex_args_missing::declared,
};

pub(super) static RULE: Rule = Rule {
    id: "convex-returns-missing",
    class: Class::DataExposure,
    control: Control::Authorization,
    severity: Severity::Low,
    confidence: Confidence::High,
    basis: Basis::Matrix,
    cwe: &["CWE-213"],
    asvs: &["v5.0.0-15.3.1"],
    owasp: &["API3:2023"],
    summary: "a public function answers whole rows, and declares nothing of its answer",
    page: include_str!("convex_returns_missing.md"),
    check: Check::Route(check),
};

/// The package whose server checks answers, and the versions since which it does.
const PACKAGE: &str = "convex";
const SINCE: (u64, u64) = (1, 13);
/// How many elements and promises stand between an answer and the query that it came of, at most.
const STEPS_MAX: usize = 12;

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let undeclared = declared(context).is_some_and(|it| it.of_client && !it.returns);
    if !undeclared || !is_checked(context) {
        return Vec::new();
    }
    let values = &context.machine.values;
    let whole = context
        .judgement
        .responses
        .iter()
        .filter(|it| it.kind == ResponseKind::Data && !it.refuses())
        .filter_map(|it| it.body)
        .flat_map(|body| shown(values, context.bench.knowledge, body))
        .find_map(|part| row(context, part.value));
    let Some(judged) = whole else {
        return Vec::new();
    };
    let table = judged.query.table.unwrap_or_else(|| Ustr::from("a table"));
    vec![
        Hit::at(
            context.route.site,
            format!("whole rows of `{table}` are answered, and nothing is declared of the answer"),
        )
        .because(
            Some(judged.query.site),
            "the rows come from here, with every column that they have or will have",
        )
        .fixed_by(
            "declare what is answered (`returns: v.object({ .. })`), and answer only the columns that the client needs",
        ),
    ]
}

/// Whether the version that is installed checks answers at all; what is not known is taken to be recent.
fn is_checked(context: &RouteContext<'_>) -> bool {
    let module = context.route.site.module;
    context
        .bench
        .knowledge
        .version(module, PACKAGE)
        .is_none_or(|version| version.at_least(SINCE.0, SINCE.1))
}

/// The query of which a value is a whole row.
fn row<'c>(context: &RouteContext<'c>, value: ValueId) -> Option<&'c JudgedQuery> {
    let values = &context.machine.values;
    let mut at = value;
    for _ in 0..STEPS_MAX {
        at = match values.value(at) {
            Value::Element(inner)
            | Value::Index(inner, _)
            | Value::Promise(inner)
            | Value::Kept(inner, _)
            | Value::Rest(inner, _) => *inner,
            // One page of rows.
            Value::Member(inner, name) if *name == "page" => *inner,
            Value::Call(call) => {
                let mut queries = context.judgement.queries.iter();
                return queries.find(|judged| {
                    matches!(judged.query.op, DbOp::Read | DbOp::ReadMany)
                        && judged.query.calls.contains(call)
                });
            }
            _ => return None,
        };
    }
    None
}
