//! `auth-middleware-only`: only the application's middleware file asks who calls, the handler does not.

use portcullis_policy::Control;
use portcullis_report::{Auth, AuthWhere, Basis, Class, Confidence, Severity};

use crate::{
    library::EffectKind,
    rule::{Check, Hit, Rule},
    summary::{Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "auth-middleware-only",
    class: Class::AuthzWeak,
    control: Control::Authentication,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-424", "CWE-306"],
    asvs: &["v5.0.0-8.2.1"],
    owasp: &["A01:2021"],
    summary: "only the application's middleware asks who calls, the handler does not",
    page: include_str!("auth_middleware_only.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    inventory
        .routes
        .iter()
        .filter(|route| {
            route.middleware == Some(Auth::Required)
                && route.auth_where == Some(AuthWhere::Middleware)
                && !route.mega
                && matters(route)
        })
        .map(|route| hit(inventory, route))
        .collect()
}

fn hit(inventory: &Inventory, route: &Summary) -> Hit {
    let message =
        "these handlers believe that no stranger reaches them: only the middleware asks who calls";
    Hit::at(route.site, inventory.within(route, message))
        .of(&route.name)
        .because(
            route.middleware_site,
            "the middleware refuses anonymous requests to this path",
        )
        .because(
            Some(route.site),
            "the handler itself asks nobody: a path that the matcher reads otherwise, or a later change of the matcher, \
             opens it",
        )
        .fixed_by("ask who calls in the handler too, or in the function that reads the data")
}

/// Whether anything is lost when a stranger comes through.
fn matters(route: &Summary) -> bool {
    let writes = route.touches.iter().any(|touch| touch.op.writes());
    let acts = route
        .effects
        .iter()
        .any(|(effect, _)| !matches!(effect, EffectKind::Cache | EffectKind::FsRead));
    let reads_owned = route.touches.iter().any(|touch| touch.owned || touch.users);
    writes || acts || reads_owned || route.gives_data
}
