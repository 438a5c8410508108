//! `caller-supplied-identity`: a public function believes the client who it is.

use portcullis_code::{
    body::BinaryOp,
    value::{Entry, Fact, FactsId, Value, ValueId},
};
use portcullis_policy::Control;
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};
use ustr::Ustr;

use crate::{
    judge::{Binding, JudgedQuery},
    library::DbOp,
    origin::Origins,
    parts::{made_of, sent_in_words, spelled, written},
    passes::Proof,
    rule::{Check, Hit, RouteContext, Rule},
    rules::convex_args_missing::declared,
    schema::{Owner, names_person},
    summary::{Inventory, Touch},
};

pub(super) static RULE: Rule = Rule {
    id: "caller-supplied-identity",
    class: Class::Bola,
    control: Control::Ownership,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-639", "CWE-290"],
    asvs: &["v5.0.0-8.2.2"],
    owasp: &["API1:2023", "A01:2021"],
    summary: "a public function takes from its arguments who the caller is",
    page: include_str!("caller_supplied_identity.md"),
    check: Check::RouteThen(check, stands),
};

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    if !declared(context).is_some_and(|it| it.of_client) {
        return Vec::new();
    }
    let queries = &context.judgement.queries;
    let mut hits: Vec<Hit> = queries
        .iter()
        .filter_map(|judged| of_write(context, judged))
        .take(1)
        .collect();
    if hits.is_empty() {
        hits.extend(queries.iter().filter_map(|judged| of_read(context, judged)));
    }
    hits
}

/// Who reads somebody's rows by an id that the client names does it for everybody, unless the rows are nobody's secret:
/// some other function must bind rows of the same table to its caller.
fn stands(inventory: &Inventory, hit: &Hit) -> bool {
    let touches = || inventory.routes.iter().flat_map(|route| &route.touches);
    let reads =
        |touch: &&Touch| touch.site == hit.site && matches!(touch.op, DbOp::Read | DbOp::ReadMany);
    let Some(this) = touches().find(reads) else {
        return true;
    };
    touches().any(|touch| {
        touch.table == this.table && matches!(touch.binding, Binding::Own | Binding::Bound)
    })
}

/// A row is written down as somebody's whom the client names.
fn of_write(context: &RouteContext<'_>, judged: &JudgedQuery) -> Option<Hit> {
    let query = &judged.query;
    if !matches!(query.op, DbOp::Create | DbOp::Update | DbOp::Upsert) || is_opened(context, judged)
    {
        return None;
    }
    let identified = context.judgement.auth == Auth::Required;
    // Where the caller counts for something, another person in the row is the one it is about.
    if identified && uses_caller(context) {
        return None;
    }
    let (column, value) = query
        .data
        .iter()
        .flat_map(|data| columns(context, *data))
        .find(|(column, value)| {
            is_person(context, query.table, column) && is_free(context, query.facts, *value)
        })?;
    let table = query.table.unwrap_or_else(|| Ustr::from("a table"));
    let values = &context.machine.values;
    let named = sent_in_words(values, value, context.bench.origins.of(values, value));
    let asked = if identified {
        "it is asked whether somebody is signed in, not who"
    } else {
        "nobody is asked who calls"
    };
    Some(
        Hit::at(
            context.route.site,
            format!("{named} is written down as the person that the row of `{table}` is of: {asked}"),
        )
        .because(
            Some(query.site),
            format!("`{column}` of the row is what the client sends"),
        )
        .fixed_by(
            "take the person from `ctx.auth.getUserIdentity()`, or make the function internal if other functions of the server call it for somebody",
        ),
    )
}

/// Somebody's rows are read whom the client names.
fn of_read(context: &RouteContext<'_>, judged: &JudgedQuery) -> Option<Hit> {
    let query = &judged.query;
    if context.judgement.auth == Auth::Required
        || !matches!(query.op, DbOp::Read | DbOp::ReadMany)
        || is_opened(context, judged)
    {
        return None;
    }
    let table = query
        .table
        .and_then(|table| context.bench.schema.table(&table))?;
    if table.is_user_table {
        return None;
    }
    let values = &context.machine.values;
    let none = rustc_hash::FxHashSet::default();
    let is_shown = context.judgement.responses.iter().any(|response| {
        !response.refuses()
            && response
                .body
                .is_some_and(|body| made_of(values, body, &query.calls, &none))
    });
    let filter = query.filters.iter().find(|filter| {
        is_person(context, query.table, &filter.column)
            && is_free(context, query.facts, filter.value)
    })?;
    let named = sent_in_words(
        values,
        filter.value,
        context.bench.origins.of(values, filter.value),
    );
    is_shown.then(|| {
        Hit::at(
            query.site,
            format!(
                "{named} says whose rows of `{}` are shown, and nobody is asked who calls",
                table.name
            ),
        )
        .because(
            Some(query.site),
            format!("`{}` is what the client sends", filter.column),
        )
        .fixed_by("take the person from `ctx.auth.getUserIdentity()`")
    })
}

/// Whether something else than a session lets the caller in, or a role.
fn is_opened(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let values = &context.machine.values;
    let passes = context.bench.passes;
    judged.authorized
        || passes.of_service(values, judged.query.facts)
        || passes.has(values, judged.query.facts, Proof::Capability)
}

/// Whether the caller stands in some filter or some row of the function.
fn uses_caller(context: &RouteContext<'_>) -> bool {
    let values = &context.machine.values;
    let bound = |value: &ValueId| context.bench.origins.of(values, *value).any(Origins::BOUND);
    context.judgement.queries.iter().any(|judged| {
        let query = &judged.query;
        query.filters.iter().any(|filter| bound(&filter.value)) || query.data.iter().any(bound)
    })
}

/// Whether the client alone says what a value is.
fn is_free(context: &RouteContext<'_>, facts: FactsId, value: ValueId) -> bool {
    let values = &context.machine.values;
    let origins = context.bench.origins.of(values, value);
    let value = spelled(values, value);
    let is_compared = values.facts(facts).any(|fact| match fact {
        Fact::Test(tested, true) => match *values.value(tested) {
            Value::Binary(BinaryOp::Equal, a, b) => [(a, b), (b, a)].into_iter().any(|(a, b)| {
                spelled(values, a) == value
                    && context.bench.origins.of(values, b).any(Origins::BOUND)
            }),
            _ => false,
        },
        Fact::Test(_, false) | Fact::Returned(_) | Fact::Caught(_) | Fact::OneOf(_) => false,
    });
    origins.any(Origins::CHOSEN) && !origins.any(Origins::BOUND.and(Origins::ROW)) && !is_compared
}

/// Whether a column says which person a row is of.
fn is_person(context: &RouteContext<'_>, table: Option<Ustr>, column: &str) -> bool {
    let last = column.rsplit('.').next().unwrap_or(column);
    let owner = table
        .and_then(|table| context.bench.schema.table(&table))
        .and_then(|table| table.column(column))
        .and_then(|column| column.owner);
    owner == Some(Owner::User) || names_person(last)
}

/// The columns that data names; what is taken over as a whole has the names that the arguments are declared with.
fn columns(context: &RouteContext<'_>, data: ValueId) -> Vec<(String, ValueId)> {
    let values = &context.machine.values;
    let mut found = written(values, data);
    let whole: Vec<ValueId> = found
        .iter()
        .filter(|(column, value)| {
            column.is_empty() && matches!(values.value(*value), Value::Input(_))
        })
        .map(|(_, value)| *value)
        .collect();
    let validators = declared(context).and_then(|it| it.declared);
    if let (Some(all), Some(Value::Object(object))) =
        (whole.first(), validators.map(|it| values.value(it)))
    {
        let entries = &values.object(*object).entries;
        found.extend(entries.iter().filter_map(|entry| match entry {
            Entry::Named(name, _) => Some((
                name.to_string(),
                values.find(&Value::Member(*all, *name)).unwrap_or(*all),
            )),
            _ => None,
        }));
    }
    found
}
