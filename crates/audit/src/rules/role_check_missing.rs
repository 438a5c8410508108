//! `role-check-missing`: an operation for few is open to everybody who is signed in.

use portcullis_code::value::{CallId, Entry, Value, ValueId};
use portcullis_policy::{Control, Method};
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::{
    judge::{Binding, JudgedQuery},
    library::DbOp,
    origin::Origins,
    parts::{made_of, names_of},
    passes::{Proof, is_role_name},
    response::names_in,
    rule::{Check, Hit, RouteContext, Rule},
    schema::Kind,
    summary::{Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "role-check-missing",
    class: Class::AuthzMissing,
    control: Control::Authorization,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-862", "CWE-285"],
    asvs: &["v5.0.0-8.2.1"],
    owasp: &["API5:2023", "A01:2021"],
    summary: "an operation of administrators asks who calls, but not for a role",
    page: include_str!("role_check_missing.md"),
    check: Check::RouteThen(check, stands),
};

/// What only the other routes can confirm.
const LIKE_SIBLINGS: &str =
    "its siblings ask for a role, and this does not: whoever is signed in may do it";

fn check(context: &RouteContext<'_>) -> Vec<Hit> {
    let judgement = context.judgement;
    if judgement.auth != Auth::Required || opened_by_role(context) {
        return Vec::new();
    }
    let found = sets_roles(context)
        .or_else(|| lists_users(context))
        .or_else(|| on_admin_path(context))
        .or_else(|| unlike_siblings(context));
    found
        .map(|hit| {
            let guard = judgement
                .guards
                .iter()
                .find(|guard| guard.kind.identifies());
            let hit = match (guard, context.cover) {
                (Some(guard), _) => hit.because(
                    Some(guard.site),
                    format!("who calls is asked here (`{}`), and nothing else", guard.source),
                ),
                (None, Some(cover)) => {
                    hit.because(Some(cover.site), "the middleware asks who calls, and nothing else")
                }
                (None, None) => hit,
            };
            hit.fixed_by(
                "test the caller's role or permission before anything is read or done, and answer 403, or 404 where the route itself is a secret",
            )
        })
        .into_iter()
        .collect()
}

/// Siblings count: most of those that change the same collection ask for a role.
fn stands(inventory: &Inventory, hit: &Hit) -> bool {
    if hit.message != LIKE_SIBLINGS {
        return true;
    }
    let Some(this) = inventory
        .routes
        .iter()
        .find(|route| route.site == hit.site && Some(&route.name) == hit.route.as_ref())
    else {
        return false;
    };
    let siblings: Vec<&Summary> = inventory
        .routes
        .iter()
        .filter(|route| changes(route.method) && collection(&route.path) == collection(&this.path))
        .collect();
    let (asking, others): (Vec<&Summary>, Vec<&Summary>) =
        siblings.into_iter().partition(|route| {
            route
                .proofs
                .iter()
                .any(|(proof, everywhere)| *proof == Proof::Authorization && *everywhere)
        });
    asking.len() >= 2 && asking.len() > others.len()
}

const fn changes(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Head | Method::Options)
}

/// What a path is about: the path without its last parameters, the file of a remote procedure.
fn collection(path: &str) -> &str {
    if let Some((file, _)) = path.split_once('#') {
        return file;
    }
    let mut at = path;
    while let Some((before, last)) = at.rsplit_once('/') {
        if !last.starts_with('{') {
            break;
        }
        at = before;
    }
    at
}

/// Whether a role, another service's secret or a signature opens everything that the route does.
fn opened_by_role(context: &RouteContext<'_>) -> bool {
    if context.cover.is_some_and(|cover| cover.authorized) {
        return true;
    }
    let values = &context.machine.values;
    let passes = context.bench.passes;
    let points = &context.judgement.points;
    !points.is_empty()
        && points.iter().all(|point| {
            [
                Proof::Authorization,
                Proof::Service,
                Proof::Signature,
                Proof::Capability,
            ]
            .iter()
            .any(|proof| passes.has(values, *point, *proof))
        })
}

fn on_admin_path(context: &RouteContext<'_>) -> Option<Hit> {
    let segments: Vec<&str> = context.route.path.split('/').collect();
    let admin = segments.iter().position(|segment| {
        matches!(
            segment.to_lowercase().as_str(),
            "admin" | "admins" | "administration" | "superadmin" | "backoffice"
        )
    })?;
    // Their own session, and what everybody must be able to open.
    let own = segments.iter().skip(admin + 1).any(|segment| {
        matches!(
            segment.to_lowercase().as_str(),
            "login" | "logout" | "signin" | "signout" | "me" | "session" | "health"
        )
    });
    if own || asks_for_role_later(context) || looks_at_role(context) {
        return None;
    }
    Some(Hit::at(
        context.route.site,
        "a path of administrators is open to whoever is signed in: no role is asked for",
    ))
}

/// Some answers or events hold only for a role.
fn asks_for_role_later(context: &RouteContext<'_>) -> bool {
    context
        .judgement
        .guards
        .iter()
        .any(|guard| guard.kind == Proof::Authorization)
}

/// The role goes into the answer: the page decides what it shows.
fn looks_at_role(context: &RouteContext<'_>) -> bool {
    let values = &context.machine.values;
    context.judgement.responses.iter().any(|response| {
        response.body.is_some_and(|body| {
            context
                .bench
                .origins
                .of(values, body)
                .any(Origins::CALLER.and(Origins::OWN_ROW).and(Origins::ROLE))
                && entries(context, body).iter().any(|entry| {
                    names_of(values, *entry)
                        .iter()
                        .any(|name| is_role_name(name))
                })
        })
    })
}

fn entries(context: &RouteContext<'_>, value: ValueId) -> Vec<ValueId> {
    match context.machine.values.value(value) {
        Value::Object(object) => context
            .machine
            .values
            .object(*object)
            .entries
            .iter()
            .flat_map(crate::parts::entry_values)
            .collect(),
        _ => vec![value],
    }
}

/// All rows of the table of users go out.
fn lists_users(context: &RouteContext<'_>) -> Option<Hit> {
    let values = &context.machine.values;
    let judgement = context.judgement;
    let sealed: FxHashSet<CallId> = judgement
        .queries
        .iter()
        .flat_map(|judged| judged.query.calls.iter().copied())
        .collect();
    let all = judgement.queries.iter().find(|judged| {
        judged.query.op == DbOp::ReadMany
            && judged.query.filters.is_empty()
            && judged.identified
            && !judged.authorized
            && of_users(context, judged)
            && shows_more_than_names(context, judged)
            && judgement.responses.iter().any(|response| {
                !response.refuses()
                    && response
                        .body
                        .is_some_and(|body| made_of(values, body, &judged.query.calls, &sealed))
            })
    })?;
    let table = all.query.table.unwrap_or_default();
    Some(
        Hit::at(
            context.route.site,
            format!("whoever is signed in gets all rows of `{table}`: no role is asked for"),
        )
        .because(
            Some(all.query.site),
            "no filter narrows what is read, and the answer shows it",
        ),
    )
}

fn of_users(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    judged
        .query
        .table
        .and_then(|table| context.bench.schema.table(&table))
        .is_some_and(|table| table.is_user_table)
}

fn shows_more_than_names(context: &RouteContext<'_>, judged: &JudgedQuery) -> bool {
    let Some(table) = judged
        .query
        .table
        .and_then(|table| context.bench.schema.table(&table))
    else {
        return false;
    };
    let shown: Vec<Ustr> = judged
        .query
        .select
        .iter()
        .flat_map(|select| names_in(&context.machine.values, *select))
        .collect();
    shown.is_empty()
        || shown.iter().any(|name| {
            table
                .column(name)
                .is_some_and(|column| column.sensitivity.is_some())
        })
}

/// The client chooses somebody's role.
fn sets_roles(context: &RouteContext<'_>) -> Option<Hit> {
    let values = &context.machine.values;
    for judged in &context.judgement.queries {
        if !matches!(judged.query.op, DbOp::Update | DbOp::Upsert)
            || judged.authorized
            || !of_users(context, judged)
        {
            continue;
        }
        for data in &judged.query.data {
            let Value::Object(object) = values.value(*data) else {
                continue;
            };
            let role = values
                .object(*object)
                .entries
                .iter()
                .find_map(|entry| match entry {
                    Entry::Named(name, value)
                        if is_privilege(context, judged, name)
                            && context
                                .bench
                                .origins
                                .of(values, *value)
                                .any(Origins::CHOSEN) =>
                    {
                        Some(*name)
                    }
                    _ => None,
                });
            if let Some(role) = role {
                let whose = if judged.binding == Binding::Own {
                    "their own"
                } else {
                    "anybody's"
                };
                return Some(
                    Hit::at(
                        context.route.site,
                        format!("whoever is signed in may choose {whose} `{role}`"),
                    )
                    .because(
                        Some(judged.query.site),
                        format!("`{role}` is written as the client sent it"),
                    ),
                );
            }
        }
    }
    None
}

/// Whether a column of users holds a privilege. A text called `role` on one's own row may be what somebody does for a
/// living.
fn is_privilege(context: &RouteContext<'_>, judged: &JudgedQuery, name: &str) -> bool {
    let lower = name.to_lowercase().replace('_', "");
    if matches!(
        lower.as_str(),
        "isadmin" | "admin" | "issuperuser" | "superuser" | "isstaff" | "permissions" | "isowner"
    ) {
        return true;
    }
    let kind = judged
        .query
        .table
        .and_then(|table| context.bench.schema.table(&table))
        .and_then(|table| table.column(name))
        .map(|column| column.kind);
    matches!(lower.as_str(), "role" | "roles")
        && (kind == Some(Kind::Enum) || matches!(judged.binding, Binding::Unbound))
}

/// A change that is tied to nobody, for the other routes to confirm.
fn unlike_siblings(context: &RouteContext<'_>) -> Option<Hit> {
    let writes = context.judgement.queries.iter().find(|judged| {
        judged.query.op.writes()
            && !judged.authorized
            && !matches!(judged.binding, Binding::Own | Binding::Bound)
    })?;
    (changes(context.route.method) && !asks_for_role_later(context)).then(|| {
        Hit::at(context.route.site, LIKE_SIBLINGS).because(
            Some(writes.query.site),
            "this is done for whoever is signed in",
        )
    })
}
