//! `Inventory`: every route with what was found out about it, as plain data, for rules that look at the whole.

use portcullis_policy::{Method, Policy, RouteType};
use portcullis_report::{Answer, Auth, AuthWhere, Ownership};
use ustr::Ustr;

use crate::{
    judge::{Binding, Judgement},
    library::{DbOp, EffectKind},
    middleware::Cover,
    passes::Proof,
    route::{Route, Site},
    schema::Schema,
};

/// Every route, judged.
#[derive(Debug)]
pub struct Inventory {
    /// The routes, in the order of the report.
    pub routes: Vec<Summary>,
    /// The user's own file.
    pub policy: Policy,
    /// Whether the application authenticates by a cookie anywhere, as far as the code shows.
    pub uses_cookies: bool,
}

/// One route, as plain data.
#[derive(Clone, Debug)]
pub struct Summary {
    /// `POST /api/x`.
    pub name: String,
    /// The method.
    pub method: Method,
    /// The canonical path.
    pub path: String,
    /// The framework.
    pub framework: &'static str,
    /// The file, relative to the root.
    pub file: String,
    /// The declaration.
    pub site: Site,
    /// Whether a caller has to be known.
    pub auth: Auth,
    /// Where that is decided.
    pub auth_where: Option<AuthWhere>,
    /// Whether requests from other sites are refused.
    pub csrf: Answer,
    /// Whether requests are counted.
    pub rate_limit: Answer,
    /// Whether input has a schema.
    pub validated: Answer,
    /// Whether the objects touched are bound to the caller.
    pub ownership: Ownership,
    /// Its type.
    pub route_type: RouteType,
    /// Whether no credential is one that a browser sends by itself.
    pub bearer_only: bool,
    /// Whether it reads a body.
    pub consumes_body: bool,
    /// Whether a library's router stands behind it.
    pub mega: bool,
    /// What it asks of the database.
    pub touches: Vec<Touch>,
    /// What it does outside.
    pub effects: Vec<EffectKind>,
    /// What its guards prove, everywhere or only on some ways.
    pub proofs: Vec<(Proof, bool)>,
    /// What the application's middleware says of anonymous requests to it.
    pub middleware: Option<Auth>,
    /// Sample paths that get past the middleware although the plain one does not.
    pub gaps: Vec<String>,
    /// The middleware's place.
    pub middleware_site: Option<Site>,
    /// Under which conditions.
    pub conditions: Vec<String>,
    /// Reason codes of what is not known.
    pub unknowns: Vec<&'static str>,
}

/// One query, as plain data.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// What it does.
    pub op: DbOp,
    /// The table.
    pub table: Option<Ustr>,
    /// Where.
    pub site: Site,
    /// How its rows are bound.
    pub binding: Binding,
    /// Whether the client chooses a row.
    pub chosen: bool,
    /// Whether who calls is known there.
    pub identified: bool,
    /// Whether the table's rows belong to users or tenants.
    pub owned: bool,
    /// Whether it holds the users themselves.
    pub users: bool,
}

impl Summary {
    /// What remains of a judgement when the run is closed.
    #[must_use]
    pub fn of(
        route: &Route,
        file: &str,
        judgement: &Judgement,
        cover: Option<&Cover>,
        schema: &Schema,
    ) -> Self {
        let touches = judgement
            .queries
            .iter()
            .map(|judged| {
                let table = judged.query.table.and_then(|table| schema.table(&table));
                Touch {
                    op: judged.query.op,
                    table: judged.query.table,
                    site: judged.query.site,
                    binding: judged.binding,
                    chosen: !judged.chosen.is_empty(),
                    identified: judged.identified,
                    owned: table.is_some_and(|table| {
                        table.owner_columns().next().is_some()
                            || schema.owner_path(&table.name).is_some()
                    }),
                    users: table.is_some_and(|table| table.is_user_table),
                }
            })
            .collect();
        Self {
            name: name_of(route),
            method: route.method,
            path: route.path.clone(),
            framework: route.framework,
            file: file.to_owned(),
            site: route.site,
            auth: judgement.auth,
            auth_where: judgement.auth_where,
            csrf: judgement.csrf,
            rate_limit: judgement.rate_limit,
            validated: judgement.validated,
            ownership: judgement.ownership,
            route_type: judgement.route_type,
            bearer_only: judgement.bearer_only,
            consumes_body: judgement.consumes_body,
            mega: route.mega.is_some(),
            touches,
            effects: judgement.effects.iter().map(|effect| effect.kind).collect(),
            proofs: judgement
                .guards
                .iter()
                .map(|guard| (guard.kind, guard.everywhere))
                .collect(),
            middleware: cover.map(|cover| cover.auth),
            gaps: cover.map(|cover| cover.gaps.clone()).unwrap_or_default(),
            middleware_site: cover.map(|cover| cover.site),
            conditions: judgement.conditions.clone(),
            unknowns: judgement
                .unknowns
                .iter()
                .map(|unknown| unknown.code)
                .collect(),
        }
    }
}

/// A route's name, `POST /api/x`.
#[must_use]
pub fn name_of(route: &Route) -> String {
    format!("{} {}", route.method.as_str(), route.path)
}
