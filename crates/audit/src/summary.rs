//! `Inventory`: every route with what was found out about it, as plain data, for rules that look at the whole.

use portcullis_code::{machine::Machine, project::Project, value::Values};
use portcullis_policy::{Method, Policy, RouteType};
use portcullis_report::{Answer, Auth, AuthWhere, Ownership};
use ustr::Ustr;

use crate::{
    judge::{Binding, Judgement, Redeemed, sent_id},
    library::{DbOp, EffectKind},
    mentions::Mentions,
    middleware::Cover,
    parts::written,
    passes::Proof,
    response::{self, ResponseKind},
    route::{Route, Site},
    schema::Schema,
    served::Served,
};

/// Every route, judged.
#[derive(Debug)]
pub struct Inventory {
    /// The routes, in the order of the report.
    pub routes: Vec<Summary>,
    /// What is answered beside them.
    pub served: Served,
    /// Who names the remote procedures.
    pub mentions: Mentions,
    /// The user's own file.
    pub policy: Policy,
}

/// How callers of an application show who they are, as far as its code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// By a cookie, or by something that may be one.
    Cookies,
    /// Only by what a script attaches: a header, a key.
    Headers,
    /// Nobody is ever asked.
    None,
}

impl Inventory {
    /// How callers of the application `name` show who they are.
    #[must_use]
    pub fn credentials(&self, name: &str) -> Credentials {
        match self.policy.audit().session_cookie {
            Some(true) => return Credentials::Cookies,
            Some(false) => return Credentials::Headers,
            None => {}
        }
        let mut found = Credentials::None;
        for route in self.routes.iter().filter(|route| route.application == name) {
            if route.asks_ambient || route.middleware == Some(Auth::Required) {
                return Credentials::Cookies;
            }
            if route.auth == Auth::Required {
                found = Credentials::Headers;
            }
        }
        found
    }

    /// A message about the application of a route; several in one project are told apart.
    #[must_use]
    pub fn within(&self, route: &Summary, message: &str) -> String {
        let several = self
            .routes
            .iter()
            .any(|other| other.application != route.application);
        match (several, route.application.as_str()) {
            (false, _) => message.to_owned(),
            (true, "") => format!("{message} (the application at the root)"),
            (true, name) => format!("{message} (the application in `{name}`)"),
        }
    }
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
    /// The folder of the package that it is part of; empty for the root.
    pub application: String,
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
    /// Its type by the code alone, and why.
    pub code_type: (RouteType, String),
    /// Whether no credential is one that a browser sends by itself.
    pub bearer_only: bool,
    /// Whether a guard of it reads a credential that is a cookie, or may be one.
    pub asks_ambient: bool,
    /// Whether it refuses who does not come from certain addresses.
    pub by_address: bool,
    /// Whether it reads a body.
    pub consumes_body: bool,
    /// Whether a library's router stands behind it.
    pub mega: bool,
    /// Whether it is a remote procedure that is called by its name.
    pub procedure: bool,
    /// Whether no client can call it, only other functions.
    pub no_door: bool,
    /// What it asks of the database.
    pub touches: Vec<Touch>,
    /// The ids that the client sends and that it writes into new rows.
    pub stored: Vec<Stored>,
    /// What is done on the strength of confirmations, to somebody who was not compared with them.
    pub redeemed: Vec<Redeemed>,
    /// What it does outside, and whether who calls is known there.
    pub effects: Vec<(EffectKind, bool)>,
    /// Whether it answers with more than fixed words.
    pub gives_data: bool,
    /// What its guards prove, everywhere or only on some ways.
    pub proofs: Vec<(Proof, bool)>,
    /// What the application's middleware says of anonymous requests to it.
    pub middleware: Option<Auth>,
    /// Whether the application's middleware runs on its plain path at all.
    pub covered: bool,
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
    /// The column by whose text the client chooses rows.
    pub found_by: Option<Ustr>,
    /// Whether who calls is known there.
    pub identified: bool,
    /// Whether a role or permission was checked there.
    pub authorized: bool,
    /// Whether the table's rows belong to users or tenants.
    pub owned: bool,
    /// Whether it holds the users themselves.
    pub users: bool,
}

/// An id that the client sends and that is written into a new row.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The table of the row.
    pub table: Ustr,
    /// The column.
    pub column: String,
    /// The name under which the client sends it.
    pub sent: Ustr,
    /// Where.
    pub site: Site,
}

impl Summary {
    /// What remains of a judgement when the run is closed.
    #[must_use]
    pub fn of(
        route: &Route,
        project: &Project,
        machine: &Machine<'_>,
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
                    found_by: judged.found_by,
                    identified: judged.identified,
                    authorized: judged.authorized,
                    owned: table.is_some_and(|table| {
                        table.owner_columns().next().is_some()
                            || schema.owner_path(&table.name).is_some()
                    }),
                    users: table.is_some_and(|table| table.is_user_table),
                }
            })
            .collect();
        let file = project.module(route.site.module).file.to_string();
        Self {
            name: name_of(route),
            method: route.method,
            path: route.path.clone(),
            framework: route.framework,
            application: application_of(project, &file),
            file,
            site: route.site,
            auth: judgement.auth,
            auth_where: judgement.auth_where,
            csrf: judgement.csrf,
            rate_limit: judgement.rate_limit,
            validated: judgement.validated,
            ownership: judgement.ownership,
            route_type: judgement.route_type,
            code_type: judgement.code_type.clone(),
            bearer_only: judgement.bearer_only,
            asks_ambient: asks_ambient(judgement),
            by_address: judgement.by_address,
            consumes_body: judgement.consumes_body,
            mega: route.mega.is_some(),
            procedure: route.operation.is_some(),
            no_door: route
                .operation
                .is_some_and(|operation| operation.is_internal),
            touches,
            stored: stored(&machine.values, judgement),
            redeemed: judgement.redeemed.clone(),
            effects: judgement
                .effects
                .iter()
                .map(|effect| (effect.kind, effect.identified))
                .collect(),
            gives_data: judgement.responses.iter().any(|response| {
                response.kind == ResponseKind::Data
                    && !response.refuses()
                    && response
                        .body
                        .is_some_and(|body| !response::is_constant(&machine.values, body))
            }),
            proofs: judgement
                .guards
                .iter()
                .map(|guard| (guard.kind, guard.everywhere))
                .collect(),
            middleware: cover.map(|cover| cover.auth),
            covered: cover.is_some_and(|cover| cover.covered),
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

impl Summary {
    /// Whether something about it is not known for this reason.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.unknowns.contains(&code)
    }
}

fn stored(values: &Values, judgement: &Judgement) -> Vec<Stored> {
    let mut found = Vec::new();
    for judged in &judgement.queries {
        let Some(table) = judged
            .query
            .table
            .filter(|_| judged.query.op == DbOp::Create)
        else {
            continue;
        };
        for (column, value) in judged.query.data.iter().flat_map(|it| written(values, *it)) {
            if let Some(sent) = sent_id(values, value) {
                found.push(Stored {
                    table,
                    column,
                    sent,
                    site: judged.query.site,
                });
            }
        }
    }
    found
}

fn asks_ambient(judgement: &Judgement) -> bool {
    let mut ways = judgement
        .guards
        .iter()
        .filter(|guard| guard.kind == Proof::Authentication)
        .map(|guard| guard.ambient);
    // What does not say how it reads the credential stands beside what does: a role that is compared later.
    let known: Vec<bool> = ways.clone().flatten().collect();
    if known.is_empty() {
        ways.next().is_some()
    } else {
        known.contains(&true)
    }
}

/// The folder of the innermost package around a file.
fn application_of(project: &Project, file: &str) -> String {
    project
        .packages()
        .iter()
        .map(|package| package.dir.as_str())
        .filter(|dir| {
            dir.is_empty()
                || file
                    .strip_prefix(dir)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
        .max_by_key(|dir| dir.len())
        .unwrap_or_default()
        .to_owned()
}

/// A route's name, `POST /api/x`.
#[must_use]
pub fn name_of(route: &Route) -> String {
    format!("{} {}", route.answers(), route.path)
}
