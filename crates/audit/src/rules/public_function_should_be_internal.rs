//! `public-function-should-be-internal`: anybody can run what only the server itself has a use for.

use portcullis_policy::{Control, Method};
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};

use crate::{
    judge::Binding,
    library::{DbOp, EffectKind},
    mentions::Starter,
    passes::Proof,
    rule::{Check, Hit, Rule},
    summary::{Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "public-function-should-be-internal",
    class: Class::AuthMissing,
    control: Control::Authentication,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-306", "CWE-749"],
    asvs: &["v5.0.0-8.2.1"],
    owasp: &["A01:2021", "API5:2023"],
    summary: "a function that only the server itself needs can be called by anybody",
    page: include_str!("public_function_should_be_internal.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    let routes = inventory.routes.iter();
    routes
        .filter_map(|route| {
            let reason = reason(inventory, route)?;
            let message = format!(
                "`{}` asks nobody who they are, and {reason}: anybody can run it",
                route.name
            );
            let mut hit = Hit::at(route.site, message).of(&route.name);
            if let Some((starter, site)) = inventory.mentions.of_procedure(&route.path).started {
                let starts = match starter {
                    Starter::Cron => "a cron job starts it here, for nobody",
                    Starter::Scheduler => "the scheduler starts it here, for nobody",
                    Starter::Function => "another function runs it here",
                };
                hit = hit.because(Some(site), starts);
            }
            for touch in route.touches.iter().filter(|it| it.op.writes()).take(3) {
                let table = touch.table.map_or_else(
                    || "a table".to_owned(),
                    |table| format!("`{table}`"),
                );
                hit = hit.because(
                    Some(touch.site),
                    format!("{table} is changed here for whoever calls"),
                );
            }
            Some(hit.fixed_by(
                "declare it as internal (`internalMutation`), and start it from a cron job, a scheduler or another function; scripts can run internal functions with a deploy key",
            ))
        })
        .collect()
}

/// What tells that no client is meant to call a public function, if something does.
pub(super) fn reason(inventory: &Inventory, route: &Summary) -> Option<&'static str> {
    let opened = route.proofs.iter().any(|(proof, _)| {
        matches!(
            proof,
            Proof::Service
                | Proof::Signature
                | Proof::Capability
                | Proof::Credential
                | Proof::Authentication
        )
    });
    if !route.procedure || route.no_door || route.mega || route.auth != Auth::None || opened {
        return None;
    }
    let acts = route.touches.iter().any(|touch| touch.op.writes())
        || route
            .effects
            .iter()
            .any(|(effect, _)| !matches!(effect, EffectKind::Cache | EffectKind::FsRead));
    if route.method == Method::Get || !acts {
        return None;
    }
    let mention = inventory.mentions.of_procedure(&route.path);
    let starter = mention.started.map(|(starter, _)| starter);
    // Clients that are in no file of the project can be meant by anything but a cron job.
    let is_told = starter == Some(Starter::Cron) || inventory.mentions.has_clients();
    if mention.inside && !mention.outside && is_told {
        return Some(match starter {
            Some(Starter::Cron) => "only a cron job starts it",
            Some(Starter::Scheduler) => "only the scheduler starts it",
            Some(Starter::Function) | None => "only other functions of the server name it",
        });
    }
    sweeps(route).then_some("it works through rows that no caller chose, as a scheduled job does")
}

/// Whether it is given nothing, and changes or removes rows that it found by itself.
fn sweeps(route: &Summary) -> bool {
    let given_nothing = !route.consumes_body && route.touches.iter().all(|touch| !touch.chosen);
    let reads_many = route
        .touches
        .iter()
        .any(|touch| touch.op == DbOp::ReadMany && touch.binding == Binding::Nothing);
    let changes = route.touches.iter().any(|touch| {
        matches!(touch.op, DbOp::Update | DbOp::Delete) && touch.binding == Binding::Nothing
    });
    given_nothing && reads_many && changes
}
