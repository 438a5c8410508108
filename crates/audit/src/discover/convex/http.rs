//! What the HTTP router of a backend serves, on the deployment's own address.

use portcullis_code::{
    body::{Const, ModuleId, Span},
    machine::{Event, EventKind, Machine},
    value::{CallData, Value, ValueId},
};
use portcullis_policy::Method;
use ustr::ustr;

use super::{
    HTTP, auth_routes,
    backend::Backend,
    builder::{Sort, registered},
};
use crate::route::{Convention, Link, LinkRole, Route, Site, Unknown};

/// The file whose default export is served.
const FILE: &str = "http";
/// How deep a router is wrapped at most.
const WRAPPED_MAX: usize = 4;

/// Adds the routes of a backend's router, which is mounted under a prefix.
pub(super) fn routes(
    machine: &mut Machine<'_>,
    events: &[Event],
    backend: &Backend,
    prefix: &str,
    routes: &mut Vec<Route>,
) {
    let first = routes.len();
    let Some(file) = backend.file(FILE) else {
        return;
    };
    let served = machine.export(file, ustr("default"), 0);
    let served = core(machine, served);
    for event in events {
        let EventKind::Call(call) = event.kind else {
            continue;
        };
        let data = machine.values.call(call).clone();
        let Value::Member(on, name) = *machine.values.value(data.callee) else {
            continue;
        };
        let by_library = auth_routes::added_to(&machine.values, &data);
        let Some(router) = by_library
            .or((name == "route").then_some(on))
            .and_then(|router| core(machine, router))
        else {
            continue;
        };
        // Where it cannot be told which router is served, each may be.
        let serves = match served {
            Some(served) => router == served,
            None => backend.holds(&machine.project.module(event.module).file),
        };
        if serves && by_library.is_some() {
            routes.extend(auth_routes::routes(machine, &data));
        } else if serves {
            routes.extend(route(machine, &data, (event.module, event.span)));
        }
    }
    let prefix = prefix.trim_end_matches('/');
    for route in routes.iter_mut().skip(first) {
        route.path.insert_str(0, prefix);
    }
}

/// The router that a value is, or hands its routes on to: `corsRouter(http)` registers on the router it is given.
fn core(machine: &Machine<'_>, router: ValueId) -> Option<ValueId> {
    let mut at = router;
    for _ in 0..WRAPPED_MAX {
        let Value::Call(call) = *machine.values.value(at) else {
            return None;
        };
        let data = machine.values.call(call);
        let Value::External(package, name) = *machine.values.value(data.callee) else {
            return None;
        };
        if package == "convex/server" && name == "httpRouter" {
            return Some(at);
        }
        let wraps = package.starts_with("convex-helpers/") && name == "corsRouter";
        at = data.args.first().filter(|_| wraps)?.0;
    }
    None
}

/// `http.route({ path, method, handler })`, or `pathPrefix` in the place of `path`.
fn route(
    machine: &mut Machine<'_>,
    data: &CallData,
    (module, span): (ModuleId, Span),
) -> Option<Route> {
    let site = Site { module, span };
    let options = data.args.first()?.0;
    let mut unknowns = Vec::new();
    let path = path(machine, options).unwrap_or_else(|| {
        unknowns.push(Unknown {
            code: "U2",
            site: Some(site),
            reason: "the path is not constant".to_owned(),
        });
        "/{unknown}".to_owned()
    });
    let method = machine.member(options, ustr("method"));
    let method = machine.values.as_text(method);
    let method = method.and_then(|method| method.parse().ok());
    let handler = machine.member(options, ustr("handler"));
    // What is no HTTP action is still what answers.
    let value = registered(machine, handler)
        .filter(|found| found.kind.sort == Sort::Http)
        .and_then(|found| found.definition)
        .unwrap_or(handler);
    let link = Link {
        value,
        convention: Convention::ConvexHttp,
        role: LinkRole::Handler,
        site,
    };
    Some(Route {
        framework: HTTP,
        method: method.unwrap_or(Method::Any),
        operation: None,
        path,
        pathname: None,
        site,
        chain: vec![link],
        conditions: Vec::new(),
        unknowns,
        mega: None,
        origin_checked: false,
    })
}

/// The path as a template; a prefix takes whatever follows.
fn path(machine: &mut Machine<'_>, options: ValueId) -> Option<String> {
    let exact = machine.member(options, ustr("path"));
    if let Some(exact) = machine.values.as_text(exact) {
        return Some(exact.to_string());
    }
    if !matches!(machine.values.value(exact), Value::Const(Const::Undefined)) {
        return None;
    }
    let prefix = machine.member(options, ustr("pathPrefix"));
    let prefix = machine.values.as_text(prefix)?;
    Some(format!("{}/{{*rest}}", prefix.trim_end_matches('/')))
}
