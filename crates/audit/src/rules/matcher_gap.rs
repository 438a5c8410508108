//! `matcher-gap`: a way to a route gets past the middleware that alone protects it.

use portcullis_policy::{Control, RouteType};
use portcullis_report::{Auth, AuthWhere, Basis, Class, Confidence, Severity};

use crate::{
    rule::{Check, Hit, Rule},
    summary::{Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "matcher-gap",
    class: Class::AuthMissing,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-288", "CWE-306"],
    asvs: &["v5.0.0-8.2.1"],
    owasp: &["A01:2021"],
    summary: "a path gets past the middleware that alone protects the route",
    page: include_str!("matcher_gap.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    inventory
        .routes
        .iter()
        .filter(|route| !route.mega)
        .filter_map(|route| passed_by(route).or_else(|| left_out(inventory, route)))
        .collect()
}

/// The plain path is refused, and another that leads to the same handler is not.
fn passed_by(route: &Summary) -> Option<Hit> {
    let alone =
        route.auth_where == Some(AuthWhere::Middleware) && route.middleware == Some(Auth::Required);
    let gap = route.gaps.first().filter(|_| alone)?;
    let message = format!(
        "the middleware that alone protects `{}` lets `{gap}` through, which leads to the same handler",
        route.name
    );
    Some(told(route, message))
}

/// The middleware does not run on the route at all, and protects what stands around it.
fn left_out(inventory: &Inventory, route: &Summary) -> Option<Hit> {
    let open = matches!(route.auth, Auth::None | Auth::Optional)
        && route.middleware.is_some()
        && !route.covered
        && !matches!(
            route.route_type,
            RouteType::AuthOp | RouteType::Webhook | RouteType::Internal
        );
    let does_something = route.gives_data
        || route.touches.iter().any(|touch| touch.op.writes())
        || !route.effects.is_empty();
    if !open || !does_something {
        return None;
    }
    let around = || {
        inventory.routes.iter().filter(|other| {
            other.site != route.site
                && other.application == route.application
                && (folder(&other.path) == folder(&route.path) || other.path == folder(&route.path))
        })
    };
    let sibling = around().find(|other| other.middleware == Some(Auth::Required))?;
    if around().any(|other| other.middleware != Some(Auth::Required)) {
        return None;
    }
    let message = format!(
        "the middleware's matcher leaves out `{}`, though it protects `{}` beside it",
        route.name, sibling.name
    );
    Some(told(route, message))
}

fn told(route: &Summary, message: String) -> Hit {
    Hit::at(route.site, message)
        .of(&route.name)
        .because(
            route.middleware_site,
            "this middleware is all that asks who calls",
        )
        .fixed_by(
            "ask who calls in the handler, and let the matcher run on every path of the interface, whatever it ends in",
        )
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
