//! `confirmation-target-unchecked`: a confirmation says whom it is about, and what it allows is done to somebody else.

use portcullis_policy::Control;
use portcullis_report::{Basis, Class, Confidence, Severity};

use crate::{
    judge::Redeemed,
    rule::{Check, Hit, Rule},
    summary::{Inventory, Stored, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "confirmation-target-unchecked",
    class: Class::AuthzWeak,
    control: Control::Authorization,
    severity: Severity::Medium,
    confidence: Confidence::High,
    basis: Basis::Code,
    cwe: &["CWE-863", "CWE-345"],
    asvs: &["v5.0.0-2.3.1", "v5.0.0-8.2.2"],
    owasp: &["A01:2021", "API5:2023"],
    summary: "a confirmation is redeemed for something else than what was confirmed",
    page: include_str!("confirmation_target_unchecked.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    let routes = inventory.routes.iter();
    routes
        .flat_map(|route| route.redeemed.iter().map(move |redeemed| (route, redeemed)))
        .filter_map(|(route, redeemed)| hit(inventory, route, redeemed))
        .collect()
}

fn hit(inventory: &Inventory, route: &Summary, redeemed: &Redeemed) -> Option<Hit> {
    let stored: Vec<&Stored> = inventory
        .routes
        .iter()
        .flat_map(|route| &route.stored)
        .filter(|stored| stored.table == redeemed.table)
        .collect();
    let target = stored
        .into_iter()
        .find(|stored| stored.sent == redeemed.sent)?;
    Some(
        Hit::at(
            redeemed.deed,
            format!(
                "the confirmation was given for one `{}`, and this is done to whichever the client names now",
                redeemed.sent
            ),
        )
        .of(&route.name)
        .because(
            Some(target.site),
            format!("`{}` keeps here whom the confirmation is about", target.column),
        )
        .because(
            Some(redeemed.found),
            "it is looked up by its code alone",
        )
        .because(
            Some(redeemed.deed),
            format!("and `{}` is not compared with it", redeemed.sent),
        )
        .fixed_by(format!(
            "act on the `{}` of the confirmation, or refuse where it is another one than the client names",
            target.column
        )),
    )
}
