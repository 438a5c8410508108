//! `Route`: one `[[route]]` of the policy, which says what the route is and what it must have.

use crate::bounds::ROUTES_MAX;
use crate::faults::{Faults, Place};
use crate::node::{Node, Table};
use crate::policy_file::{Draft, tables};
use crate::route_body::{Body, read_body};
use crate::route_verify::{Verify, read_verify};
use crate::table_reader::TableReader;
use crate::{Algorithm, Control, Malformed, Method, MethodSet, Name, Need, PathTemplate, RouteType};

/// Keys of a route that a later version reads.
const LATER: [&str; 3] = ["hosts", "protocol", "service"];

/// A route as the policy describes it. Only [`Policy::parse`](crate::Policy::parse) makes one that is in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The paths it answers.
    pub path: PathTemplate,
    /// The methods it answers; never empty.
    pub methods: MethodSet,
    /// What sort of route it is.
    pub kind: RouteType,
    /// The limits that apply, all of which exist.
    pub limits: Vec<Name>,
    /// The permission that the caller needs.
    pub permission: Option<Name>,
    /// The kind of object that the path names, which must belong to the caller.
    pub object: Option<Name>,
    /// Whether it costs much to answer: search, export, reports, AI.
    pub expensive: bool,
    /// Controls that it must have beyond what its type demands.
    pub requires: Vec<Control>,
    /// What its body must be.
    pub body: Option<Body>,
    /// How the sender proves who it is.
    pub verify: Option<Verify>,
    /// The methods that need a confirmation.
    pub confirm: MethodSet,
    /// Where it is written.
    pub place: Place,
}

impl Route {
    /// Whether a control is needed here: what the matrix says of the type, or more. Never less: to loosen takes an
    /// `[[except]]`.
    #[must_use]
    pub fn need(&self, control: Control) -> Need {
        let stated = self.requires.contains(&control)
            || match control {
                Control::RateLimit => self.expensive || !self.limits.is_empty(),
                Control::Authorization => self.permission.is_some(),
                Control::Ownership => self.object.is_some(),
                Control::Signature => self.verify.is_some(),
                Control::Validation => self.body.as_ref().is_some_and(|body| body.schema.is_some()),
                Control::BodyLimit => self.body.as_ref().is_some_and(|body| body.max.is_some()),
                _ => false,
            };
        if stated {
            return Need::Required;
        }
        match control {
            Control::Confirmation if !self.confirm.is_empty() => Need::Conditional,
            _ => crate::need(self.kind, control),
        }
    }

    /// `GET POST /api/items`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.methods, self.path)
    }
}

/// Reads `[[route]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "route", ROUTES_MAX, faults) {
        if let Some(route) = read_one(table, draft, faults) {
            draft.policy.routes.push(route);
        }
    }
}

fn read_one(table: &Table, draft: &Draft, faults: &mut Faults<'_>) -> Option<Route> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "a route", faults);
    let path = reader.required("path");
    let path = reader.parsed::<PathTemplate>(path);
    let methods_node = reader.required("methods");
    let methods = read_methods(&mut reader, methods_node);
    let kind = reader.required("type");
    let kind = reader.parsed::<RouteType>(kind);
    let limits = read_limits(&mut reader, kind, draft);
    let permission = reader.optional("permission");
    let object = reader.optional("object");
    if let Some(kind) = kind.filter(|kind| !kind.has_caller()) {
        for (key, node) in [("permission", permission), ("object", object)] {
            if let Some(node) = node {
                let message = format!("`{key}` needs a caller, and a `{kind}` route has none");
                reader.faults().add(&node.span, message);
            }
        }
    }
    let permission = reader.parsed::<Name>(permission);
    let object = reader.parsed::<Name>(object);
    let expensive = reader.optional("expensive");
    let expensive = reader.truth(expensive).unwrap_or_default();
    let requires = reader.optional("requires");
    let requires = reader.list::<Control>(requires, false).unwrap_or_default();
    let body = reader.optional("body");
    let body = reader.table(body).map(|table| read_body(table, reader.faults()));
    let verify = reader.optional("verify");
    let verify = reader
        .table(verify)
        .and_then(|table| read_verify(table, reader.faults()));
    let confirm = read_confirm(&mut reader, methods);
    reader.unread(&LATER);
    reader.finish();
    Some(Route {
        path: path?,
        methods: methods?,
        kind: kind?,
        limits,
        permission,
        object,
        expensive,
        requires,
        body,
        verify,
        confirm,
        place,
    })
}

/// One method at least. A value that is wrong is a fault of its own, not an empty list.
fn read_methods<'r>(
    reader: &mut TableReader<'r, '_>,
    node: Option<&'r Node>,
) -> Option<MethodSet> {
    let methods: MethodSet = reader.list::<Method>(node, false)?.into_iter().collect();
    let node = node?;
    if crate::policy_file::is_empty_list(node) {
        let message = "a route answers one method at least: use `[\"ANY\"]` for every method";
        reader.faults().add(&node.span, message);
    }
    (!methods.is_empty()).then_some(methods)
}

fn read_limits(
    reader: &mut TableReader<'_, '_>,
    kind: Option<RouteType>,
    draft: &Draft,
) -> Vec<Name> {
    let Some(node) = reader.optional("limits") else {
        return Vec::new();
    };
    let limits: Vec<Name> = reader.list(Some(node), false).unwrap_or_default();
    let mut all_known = true;
    for (name, fault) in limits
        .iter()
        .filter_map(|name| Some((name, crate::limit::unknown(name, draft)?)))
    {
        all_known = false;
        let span = crate::policy_file::find_text(node, name.as_str()).unwrap_or(&node.span);
        reader.faults().add_malformed(span, fault);
    }
    // The matrix: what is guessed at logins is counted exactly.
    let exact = |name: &Name| {
        draft
            .policy
            .limits
            .get(name)
            .is_none_or(|limit| limit.algorithm == Algorithm::Exact)
    };
    if kind == Some(RouteType::AuthOp)
        && all_known
        && !limits.is_empty()
        && !limits.iter().any(exact)
    {
        let message = "an `auth_op` route needs a limit with `algorithm = \"exact\"`";
        reader.faults().add(&node.span, message);
    }
    limits
}

fn read_confirm(reader: &mut TableReader<'_, '_>, methods: Option<MethodSet>) -> MethodSet {
    let Some(node) = reader.optional("confirm") else {
        return MethodSet::NONE;
    };
    let confirm: Vec<Method> = reader.list(Some(node), false).unwrap_or_default();
    if let Some(methods) = methods {
        for method in confirm.iter().filter(|method| !methods.contains(**method)) {
            let span =
                crate::policy_file::find_text(node, method.as_str()).unwrap_or(&node.span);
            let message = format!("`{method}` is none of the route's methods");
            reader.faults().add(span, message);
        }
    }
    confirm.into_iter().collect()
}

/// Two routes that answer the same request, or requests of which neither is the more specific.
pub(crate) fn check_overlaps(draft: &Draft, faults: &mut Faults<'_>) {
    let routes = &draft.policy.routes;
    for (position, route) in routes.iter().enumerate() {
        for earlier in routes.iter().take(position) {
            if faults.is_full() {
                return;
            }
            if !route.methods.meets(earlier.methods) || !route.path.overlaps(&earlier.path) {
                continue;
            }
            if let Some(fault) = clash(route, earlier, routes) {
                faults.add_malformed(&route.place.span, fault);
            }
        }
    }
}

/// What is wrong with two routes that overlap, if anything.
fn clash(route: &Route, earlier: &Route, routes: &[Route]) -> Option<Malformed> {
    let line = earlier.place.line;
    if route.path.same_paths(&earlier.path) {
        let message = format!(
            "`{}` is already described by the route at line {line}",
            route.title()
        );
        return Some(Malformed::at(0..0, message));
    }
    if !route.path.crosses(&earlier.path) {
        return None;
    }
    let both = route.path.intersection(&earlier.path);
    let settled = both.as_ref().is_some_and(|both| {
        Method::ALL
            .iter()
            .filter(|method| {
                route.methods.contains(**method) && earlier.methods.contains(**method)
            })
            .all(|method| {
                routes
                    .iter()
                    .any(|one| one.methods.contains(*method) && one.path.same_paths(both))
            })
    });
    if settled {
        return None;
    }
    let message = format!(
        "`{}` and `{}` (line {line}) overlap and neither is more specific",
        route.path, earlier.path
    );
    let message = match both {
        Some(both) => format!("{message}: add a route for `{both}`"),
        None => message,
    };
    Some(Malformed::at(0..0, message))
}
