//! `policy-route-not-in-code`: the policy names what no code answers.

use portcullis_policy::{Control, Method, Route};
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    rule::{Check, PolicyHit, Rule},
    summary::Inventory,
    template_of,
};

/// What the name of a function begins with that the audit would have found.
const FOUND_BY_NAME: &str = "action:";

pub(super) static RULE: Rule = Rule {
    id: "policy-route-not-in-code",
    class: Class::InventoryGap,
    control: Control::Authorization,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-1059"],
    asvs: &["v5.0.0-8.1.1"],
    owasp: &["API9:2023"],
    summary: "the policy names routes that no code answers",
    page: include_str!("policy_route_not_in_code.md"),
    check: Check::Policy(check),
};

fn check(inventory: &Inventory) -> Vec<PolicyHit> {
    // Code that was not understood at all says nothing of the policy.
    if inventory.routes.is_empty() {
        return Vec::new();
    }
    let routes = inventory
        .policy
        .routes()
        .iter()
        .filter(|route| !is_answered(inventory, route))
        .map(|route| PolicyHit {
            place: route.place.clone(),
            route: name_of(route),
            message: "no code that was found answers these routes of the policy".to_owned(),
            fix: "take them out, or correct path and methods: a guard lets their requests through to the application"
                .to_owned(),
        });
    let functions = inventory
        .policy
        .functions()
        .iter()
        .filter(|function| function.name.as_str().starts_with(FOUND_BY_NAME))
        .filter(|function| {
            !inventory
                .routes
                .iter()
                .any(|route| route.path == function.name.as_str())
        })
        .map(|function| PolicyHit {
            place: function.place.clone(),
            route: format!("POST {}", function.name),
            message: "these functions of the policy are not in the code that was found".to_owned(),
            fix: "take them out, or write their names as `portcullis routes` prints them"
                .to_owned(),
        });
    routes.chain(functions).collect()
}

/// As an exception would name it; of several methods the first.
fn name_of(route: &Route) -> String {
    let method = route.methods.iter().next().unwrap_or(Method::Any);
    format!("{method} {}", route.path)
}

/// Whether a handler, a page or the framework answers some request of the route.
fn is_answered(inventory: &Inventory, route: &Route) -> bool {
    let by_handler = inventory.routes.iter().any(|handler| {
        let meets = handler.method == Method::Any
            || route.methods.contains(handler.method)
            // HEAD of the policy is answered by GET of the code.
            || handler.method == Method::Get && route.methods.contains(Method::Head);
        meets && template_of(&handler.path).is_ok_and(|path| path.overlaps(&route.path))
    });
    by_handler
        || inventory
            .served
            .answers(&route.path, |method| route.methods.contains(method))
}
