//! `bola`: the client names a row, and nothing binds it to who calls.

use portcullis_code::{
    body::Const,
    machine::EventKind,
    value::{CallId, Values},
};
use portcullis_policy::{Control, RouteType};
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::{
    asked::Asked,
    judge::{Binding, Effect, JudgedQuery},
    library::{DbOp, EffectKind},
    origin::Origins,
    parts::{calls_under, made_of, sent_in_words},
    passes::Proof,
    query::Query,
    response::names_in,
    route::{LinkRole, Site},
    rule::{Check, Hit, RouteContext, Rule},
    rules::tenant_missing,
    summary::{Inventory, Touch},
};

pub(super) static RULE: Rule = Rule {
    id: "bola",
    class: Class::Bola,
    control: Control::Ownership,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-639"],
    asvs: &["v5.0.0-8.2.2"],
    owasp: &["API1:2023", "A01:2021"],
    summary: "the client chooses a row by its id, and nothing binds that row to the caller",
    page: include_str!("bola.md"),
    check: Check::RouteThen(check, stands),
};

/// How many queries, each finding its rows by the one before, are followed.
const FOLLOWED_MAX: u32 = 3;

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    // Where nobody is asked who they are, that is the fault, and another rule's.
    let required = context.judgement.auth == Auth::Required;
    if !required && forgotten(context).is_none() {
        return Vec::new();
    }
    let mut hits: Vec<Hit> = context
        .judgement
        .queries
        .iter()
        .filter(|judged| is_open_to_all(context, judged))
        // Which tenant's rows is another question than whose.
        .filter(|judged| !tenant_missing::is_by_tenant(context, judged))
        .map(|judged| of_query(context, judged))
        .collect();
    if !required {
        return hits;
    }
    hits.extend(
        context
            .judgement
            .effects
            .iter()
            .filter_map(|effect| of_token(context, effect)),
    );
    hits.extend(
        context
            .judgement
            .queries
            .iter()
            .filter_map(|judged| of_file(context, judged)),
    );
    hits
}

/// A stored file of whoever put it there: whoever knows its id can pass it off as their own, and be shown it.
fn of_file(context: &RouteContext<'_>, judged: &JudgedQuery) -> Option<Hit> {
    let file = *judged.files.first().filter(|_| !judged.authorized)?;
    let values = &context.machine.values;
    let named = sent_in_words(values, file, context.bench.origins.of(values, file));
    let mut hit = Hit::at(
        judged.query.site,
        format!("{named} names any stored file: nothing binds it to the caller"),
    )
    .because(
        Some(judged.query.site),
        "it is written down here, and whoever reads the row is given the file",
    )
    .fixed_by(
        "keep who uploaded what (a row with the file's id and the caller, written when the upload ends), and take only the caller's own files",
    );
    // Ids of files are hard to guess; they are told to whoever may see a row that has one.
    hit.severity = Some(Severity::Medium);
    hit.confidence = Some(Confidence::Low);
    Some(hit)
}

/// Whether the client alone says which of somebody's rows is touched.
pub(super) fn is_open_to_all(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    judged.binding == Binding::Unbound
        && !in_middleware(context, judged)
        && known_owner(context, judged)
        && matters(context, judged)
        && !by_design(context, judged)
}

/// Where the route asks who calls and nobody looks at the answer: the rows are somebody's, and it was meant to matter whose.
fn forgotten(context: &RouteContext<'_>) -> Option<Site> {
    if context.judgement.auth != Auth::Optional {
        return None;
    }
    Asked::all(context)
        .iter()
        .find(|asked| asked.is_forgotten(context))
        .map(|asked| asked.site)
}

/// Rows that some route shows to everybody are no secret, and rows that only a role changes have no owners: asking for the
/// role is what is missing then, and another rule's.
fn stands(inventory: &Inventory, hit: &Hit) -> bool {
    let touches = || {
        inventory
            .routes
            .iter()
            .flat_map(|route| route.touches.iter().map(move |touch| (route, touch)))
    };
    let Some(this) = touches()
        .map(|(_, touch)| touch)
        .find(|touch| touch.site == hit.site && touch.binding == Binding::Unbound)
    else {
        return true;
    };
    // That somebody's row is looked up on an open page, to reset a password, does not make people's rows public.
    if this.table.is_none() || this.users {
        return true;
    }
    let of_table = || touches().filter(|(_, touch)| touch.table == this.table);
    if this.op.writes() {
        let changes =
            |touch: &Touch| matches!(touch.op, DbOp::Update | DbOp::Delete | DbOp::Upsert);
        let by_role = of_table().any(|(_, touch)| changes(touch) && touch.authorized);
        let by_owner = of_table().any(|(_, touch)| {
            matches!(touch.binding, Binding::Bound | Binding::Own) && !touch.authorized
        });
        !by_role || by_owner
    } else {
        !of_table().any(|(route, touch)| {
            matches!(touch.op, DbOp::Read | DbOp::ReadMany)
                && !touch.identified
                && route.auth == Auth::None
                && route.effects.is_empty()
                && route.route_type == RouteType::PublicRead
        })
    }
}

fn of_query(context: &RouteContext<'_>, judged: &JudgedQuery) -> Hit {
    let values = &context.machine.values;
    let query = &judged.query;
    let table = query.table.unwrap_or_else(|| Ustr::from("the table"));
    let chosen: Vec<String> = judged
        .chosen
        .iter()
        .filter_map(|number| query.filters.get(*number))
        .map(|filter| {
            sent_in_words(
                values,
                filter.value,
                context.bench.origins.of(values, filter.value),
            )
        })
        .collect();
    let chosen = chosen.join(" and ");
    let does = match query.op {
        DbOp::Update => "changed",
        DbOp::Delete => "removed",
        DbOp::Upsert => "changed or made",
        _ => "read",
    };
    let message = format!(
        "{chosen} alone decides which row of `{table}` is {does}: nothing binds it to the caller"
    );
    let mut hit = Hit::at(query.site, message);
    if let Some((site, source)) = caller(context) {
        hit = hit.because(
            Some(site),
            format!("the caller becomes known here: `{source}`"),
        );
    } else if let Some(site) = forgotten(context) {
        hit = hit.because(
            Some(site),
            "who calls is asked here, and nobody looks at the answer",
        );
    } else {
        hit = hit.because(
            context.cover.map(|cover| cover.site),
            "the middleware asks who calls, the route does not",
        );
    }
    hit = hit.because(
        Some(query.site),
        if judged.compared_partly {
            format!(
                "{chosen} selects the row, and it is compared with the caller on some ways only"
            )
        } else {
            format!("{chosen} selects the row, and no filter or comparison names the caller")
        },
    );
    // Somebody thought about it: whether what is left open is meant to be, the code alone does not say.
    if judged.compared_partly || is_listed(values, query) {
        hit.severity = Some(Severity::Medium);
        hit.confidence = Some(Confidence::Medium);
    }
    hit.fixed_by(match owner_column(context, query.table) {
        Some(column) => format!(
            "put the caller into the filter as well (`{column}`), or read the row, compare its `{column}` with the caller and answer 404"
        ),
        None => "put the caller into the filter as well, by way of the relation to its owner, or check the row first and answer 404".to_owned(),
    })
}

/// Whether only rows in a certain state are shown: those that were published, listed, made public.
fn is_listed(values: &Values, query: &Query) -> bool {
    let is_state = |column: &str| {
        let lower = column.to_lowercase();
        [
            "status", "state", "public", "visib", "listed", "approved", "active", "enabled",
            "verified",
        ]
        .iter()
        .any(|word| lower.contains(word))
    };
    matches!(query.op, DbOp::Read | DbOp::ReadMany)
        && query.filters.iter().any(|filter| {
            let known = values.as_const(filter.value);
            is_state(&filter.column)
                && known.is_some_and(|known| known.truthy() || known == Const::Bool(false))
        })
}

/// A credential for whatever the client names: a call, a room, a channel.
fn of_token(context: &RouteContext<'_>, effect: &Effect) -> Option<Hit> {
    if effect.kind != EffectKind::Token {
        return None;
    }
    let values = &context.machine.values;
    let (origins, passes) = (context.bench.origins, context.bench.passes);
    if passes.has(values, effect.facts, Proof::Authorization)
        || passes.has(values, effect.facts, Proof::Ownership)
    {
        return None;
    }
    let chosen = effect.inputs.iter().find_map(|input| {
        let from = origins.of(values, *input);
        (from.any(Origins::CHOSEN) && !from.any(Origins::BOUND)).then_some((*input, from))
    })?;
    // What the client named was found among the caller's own rows before.
    let vouched = context.judgement.queries.iter().any(|judged| {
        judged.binding == Binding::Bound
            && values.facts(effect.facts).any(|fact| {
                matches!(fact, portcullis_code::value::Fact::Test(value, true)
                    if made_of(values, value, &judged.query.calls, &FxHashSet::default()))
            })
    });
    if vouched {
        return None;
    }
    let named = sent_in_words(values, inner(context, chosen.0), chosen.1);
    let mut hit = Hit::at(
        effect.site,
        format!("a credential is made for {named}: nothing checks that the caller may have it"),
    );
    if let Some((site, source)) = caller(context) {
        hit = hit.because(
            Some(site),
            format!("the caller becomes known here: `{source}`"),
        );
    } else if let Some(cover) = context.cover {
        hit = hit.because(
            Some(cover.site),
            "the middleware asks who calls, the route does not",
        );
    }
    Some(
        hit.because(Some(effect.site), format!("{named} goes into the credential"))
            .fixed_by("look the object up with the caller in the filter before making the credential, and take the identity from the session"),
    )
}

/// The first part of an object that the client chose, for its name.
fn inner(
    context: &RouteContext<'_>,
    value: portcullis_code::value::ValueId,
) -> portcullis_code::value::ValueId {
    use portcullis_code::value::Value;
    let values = &context.machine.values;
    match values.value(value) {
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .flat_map(crate::parts::entry_values)
            .find(|part| context.bench.origins.of(values, *part).any(Origins::CHOSEN))
            .unwrap_or(value),
        _ => value,
    }
}

/// Whether something says that the table's rows belong to somebody. What is not declared is not known.
fn known_owner(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let schema = context.bench.schema;
    let Some(name) = judged.query.table else {
        return false;
    };
    match schema.table(&name) {
        Some(table) => {
            table.is_user_table
                || table.owner_columns().next().is_some()
                || schema.owner_path(&table.name).is_some()
        }
        None => holds_people(&name),
    }
}

/// Tables of people are owned whatever their declaration says, and wherever it is.
fn holds_people(name: &str) -> bool {
    let lower = name.to_lowercase();
    matches!(
        lower.trim_end_matches('s'),
        "user" | "account" | "customer" | "profile" | "member" | "patient" | "employee"
    )
}

/// A write matters; of a read, only what is shown, used to find more, or given away.
fn matters(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    match judged.query.op {
        DbOp::Create | DbOp::Count | DbOp::Transaction => false,
        DbOp::Update | DbOp::Delete | DbOp::Upsert | DbOp::Raw => true,
        DbOp::Read | DbOp::ReadMany => {
            // A row looked up by what it is called (an address, a name) to see whether it is there already: the write
            // that follows makes or takes it.
            let depth = if by_id(judged) { 0 } else { FOLLOWED_MAX };
            goes_out(context, &judged.query.calls, depth) || is_changed(context, judged)
        }
    }
}

/// Whether a member of the row that was read is stored into: `user.email = ..; user.save()`.
fn is_changed(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let values = &context.machine.values;
    context
        .judgement
        .events
        .iter()
        .any(|event| match event.kind {
            EventKind::Store(row, ..) => calls_under(values, row)
                .iter()
                .any(|(call, _)| judged.query.calls.contains(call)),
            _ => false,
        })
}

fn by_id(judged: &JudgedQuery) -> bool {
    judged
        .chosen
        .iter()
        .filter_map(|number| judged.query.filters.get(*number))
        .any(|filter| {
            let last = filter.column.rsplit('.').next().unwrap_or_default();
            let lower = last.to_lowercase();
            matches!(lower.as_str(), "" | "?" | "_id")
                || lower.ends_with("id")
                || matches!(lower.as_str(), "slug" | "number" | "key")
        })
}

/// What every request of the application runs through is not about this route's objects.
fn in_middleware(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    context
        .route
        .chain
        .get(judged.link)
        .is_some_and(|link| link.role == LinkRole::Middleware)
}

fn goes_out(context: &RouteContext<'_>, calls: &[CallId], depth: u32) -> bool {
    let values = &context.machine.values;
    let judgement = context.judgement;
    let sealed: FxHashSet<CallId> = judgement
        .queries
        .iter()
        .flat_map(|judged| judged.query.calls.iter().copied())
        .collect();
    let shown = judgement.responses.iter().any(|response| {
        !response.refuses()
            && response
                .body
                .is_some_and(|body| made_of(values, body, calls, &sealed))
    });
    let sent = || {
        judgement.effects.iter().any(|effect| {
            effect
                .inputs
                .iter()
                .any(|input| made_of(values, *input, calls, &sealed))
        })
    };
    let found_by = || {
        depth < FOLLOWED_MAX
            && judgement.queries.iter().any(|next| {
                next.binding == Binding::Nothing
                    && next
                        .query
                        .filters
                        .iter()
                        .any(|filter| made_of(values, filter.value, calls, &sealed))
                    && (matches!(next.query.op, DbOp::Update | DbOp::Delete)
                        || goes_out(context, &next.query.calls, depth + 1))
            })
    };
    // `row.save()`, `row.destroy()`: a write through the row itself.
    let written = || {
        judgement.queries.iter().any(|next| {
            next.query.op.writes()
                && next.query.calls.iter().any(|call| {
                    !calls.contains(call)
                        && made_of(values, values.call(*call).callee, calls, &sealed)
                })
        })
    };
    shown || sent() || found_by() || written()
}

/// Somebody's public face, chosen column by column: a name and a picture for whoever asks.
fn by_design(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let query = &judged.query;
    if !matches!(query.op, DbOp::Read | DbOp::ReadMany) {
        return false;
    }
    let published = query.filters.iter().any(|filter| {
        let last = filter.column.rsplit('.').next().unwrap_or_default();
        context.machine.values.as_const(filter.value).is_some()
            && matches!(
                last.to_lowercase().as_str(),
                "published"
                    | "public"
                    | "ispublic"
                    | "is_public"
                    | "ispublished"
                    | "is_published"
                    | "visibility"
                    | "listed"
                    | "publishedat"
                    | "shared"
                    | "isshared"
            )
    });
    if published {
        return true;
    }
    let Some(table) = query
        .table
        .and_then(|table| context.bench.schema.table(&table))
    else {
        return false;
    };
    let shown: Vec<Ustr> = query
        .select
        .iter()
        .flat_map(|select| names_in(&context.machine.values, *select))
        .collect();
    table.is_user_table
        && !shown.is_empty()
        && shown.iter().all(|name| {
            table
                .column(name)
                .is_some_and(|column| column.sensitivity.is_none())
        })
}

fn owner_column(context: &RouteContext<'_>, table: Option<Ustr>) -> Option<String> {
    let table = context.bench.schema.table(&table?)?;
    table
        .owner_columns()
        .next()
        .map(|column| column.name.clone())
}

/// Where the caller becomes known, and how that is written.
pub(super) fn caller<'c>(context: &RouteContext<'c>) -> Option<(Site, &'c str)> {
    context
        .judgement
        .guards
        .iter()
        .find(|guard| guard.kind.identifies())
        .map(|guard| (guard.site, guard.source.as_str()))
}
