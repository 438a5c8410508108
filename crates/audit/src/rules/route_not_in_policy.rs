//! `route-not-in-policy`: the code answers what the policy does not name.

use portcullis_policy::{Control, Method};
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    is_partly_unknown,
    rule::{Check, Hit, Rule},
    summary::{Inventory, Summary},
    template_of,
};

pub(super) static RULE: Rule = Rule {
    id: "route-not-in-policy",
    class: Class::InventoryGap,
    // Deny by default is how access to what nobody named is decided.
    control: Control::Authorization,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-1059"],
    asvs: &["v5.0.0-8.1.1"],
    owasp: &["API9:2023"],
    summary: "routes that the policy does not name: a guard refuses them, and nobody has said what they must have",
    page: include_str!("route_not_in_policy.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    let routes: Vec<&Summary> = inventory
        .routes
        .iter()
        .filter(|route| template_of(&route.path).is_ok() && !is_partly_unknown(&route.path))
        .collect();
    let missing: Vec<&Summary> = routes
        .iter()
        .copied()
        .filter(|route| !is_named(inventory, route.method, &route.path))
        .collect();
    let mut hits = Vec::new();
    if is_whole(inventory, routes.len(), missing.len()) {
        hits.extend(missing.into_iter().map(|route| of_route(inventory, route)));
    }
    if is_for_guard(inventory) {
        hits.extend(pages(inventory));
    }
    hits.extend(functions(inventory));
    hits
}

/// Whether the policy means to name every route: it is for a guard, or has most of them. One that says what a few routes
/// are says nothing of the others.
fn is_whole(inventory: &Inventory, all: usize, missing: usize) -> bool {
    let names_some = !inventory.policy.routes().is_empty();
    names_some && (is_for_guard(inventory) || missing.saturating_mul(2) < all)
}

fn is_for_guard(inventory: &Inventory) -> bool {
    !inventory.policy.upstreams().is_empty()
}

/// Whether an entry answers all paths of the route. A handler of every method is named by any of them.
fn is_named(inventory: &Inventory, method: Method, path: &str) -> bool {
    let Ok(template) = template_of(path) else {
        return true;
    };
    inventory.policy.all_routes().any(|route| {
        route.path.covers(&template) && (method == Method::Any || route.methods.contains(method))
    })
}

fn of_route(inventory: &Inventory, route: &Summary) -> Hit {
    let message = "these routes are not in the policy: a guard refuses them, and nobody has said what they must have";
    Hit::at(route.site, inventory.within(route, message))
        .of(&route.name)
        .because(
            Some(route.site),
            format!("by its code it is `{}`: {}", route.code_type.0, route.code_type.1),
        )
        .fixed_by(
            "give each a `[[route]]` with its type (`portcullis init --stdout` writes one for every route), or take the \
             route out of the code",
        )
}

fn pages(inventory: &Inventory) -> Vec<Hit> {
    let message = "these pages are not in the policy: a guard refuses them";
    inventory
        .served
        .pages
        .iter()
        .filter(|page| !is_named(inventory, Method::Get, &page.record.path))
        .map(|page| {
            let mut hit = Hit::at(page.site, message)
                .of(page.record.name())
                .fixed_by("give each a `[[route]]`, or one of a folder of them a catch-all");
            hit.severity = Some(Severity::Low);
            hit
        })
        .collect()
}

/// Functions that no proxy sees, where the policy names others.
fn functions(inventory: &Inventory) -> Vec<Hit> {
    if inventory.policy.functions().is_empty() {
        return Vec::new();
    }
    let message = "these functions are not in the policy, which names others: nobody has said what they must have";
    inventory
        .routes
        .iter()
        .filter(|route| !route.path.starts_with('/'))
        .filter(|route| inventory.policy.function(&route.path).is_none())
        .map(|route| {
            let mut hit = Hit::at(route.site, inventory.within(route, message))
                .of(&route.name)
                .fixed_by("give each a `[[function]]` with its type");
            // No guard stands before them: nothing is refused.
            hit.severity = Some(Severity::Low);
            hit
        })
        .collect()
}
