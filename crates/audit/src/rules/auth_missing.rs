//! `auth-missing`: a route that everything around it says is protected asks nobody who they are.
//!
//! The signals, none of which depends on the route's own guards, or a missing check would make itself legal:
//! 1. the policy says that it is protected;
//! 2. it changes rows that belong to users, and the client says which;
//! 3. it changes or removes one object by its id (PUT, PATCH, DELETE);
//! 4. its path is one of administration, or of operations that only the platform starts;
//! 5. most routes like it (same file, same folder, same table; at least two) ask who calls.

use portcullis_policy::{Control, Method, RouteType};
use portcullis_report::{Auth, Basis, Class, Confidence, Severity};

use crate::{
    library::{DbOp, EffectKind},
    passes::Proof,
    rule::{Check, Hit, Rule},
    rules::public_function_should_be_internal,
    summary::{Inventory, Summary},
};

pub(super) static RULE: Rule = Rule {
    id: "auth-missing",
    class: Class::AuthMissing,
    control: Control::Authentication,
    severity: Severity::High,
    confidence: Confidence::Medium,
    basis: Basis::Code,
    cwe: &["CWE-306"],
    asvs: &["v5.0.0-8.2.1"],
    owasp: &["A01:2021", "API2:2023"],
    summary: "a route that should be protected asks nobody who they are",
    page: include_str!("auth_missing.md"),
    check: Check::Inventory(check),
};

fn check(inventory: &Inventory) -> Vec<Hit> {
    inventory
        .routes
        .iter()
        // What needs no door at all is told as that.
        .filter(|route| public_function_should_be_internal::reason(inventory, route).is_none())
        .filter_map(|route| judge(inventory, route))
        .collect()
}

fn judge(inventory: &Inventory, route: &Summary) -> Option<Hit> {
    judge_as(inventory, route, stated(inventory, route))
}

/// What speaks for a caller that has to be known, were the policy silent: what it says is told beside it.
pub(crate) fn unstated(inventory: &Inventory, route: &Summary) -> Option<Hit> {
    judge_as(inventory, route, None)
}

fn judge_as(inventory: &Inventory, route: &Summary, stated: Option<RouteType>) -> Option<Hit> {
    if !matches!(route.auth, Auth::None | Auth::Optional) || route.mega || route.no_door {
        return None;
    }
    match stated {
        Some(kind) if !is_protected(kind) => return None,
        Some(_) => {}
        None if is_open_by_nature(route) => return None,
        None => {}
    }
    let mut signals = Vec::new();
    if stated.is_some() {
        signals.push("the policy says that it is protected".to_owned());
    }
    if does_something(route) {
        signals.extend(signals_around(inventory, route));
    }
    let first = signals.first()?;
    // Somebody is looked at on some way: a setting may decide, so one sign alone is too little.
    if route.auth == Auth::Optional && stated.is_none() && signals.len() < 2 {
        return None;
    }
    let message = format!(
        "`{}` asks nobody who they are, though {}",
        route.name,
        signals.join(", and ")
    );
    let mut hit = Hit::at(route.site, message)
        .of(&route.name)
        .because(Some(route.site), first.clone())
        .fixed_by(
            "find out who calls before anything else, and answer 401 when nobody is signed in",
        );
    for touch in unknown_writes(route).take(3) {
        let table = touch
            .table
            .map_or_else(|| "a table".to_owned(), |table| format!("`{table}`"));
        hit = hit.because(
            Some(touch.site),
            format!("{table} is changed here for whoever calls"),
        );
    }
    hit.confidence = Some(if stated.is_some() || signals.len() > 1 {
        Confidence::High
    } else {
        Confidence::Medium
    });
    // Not anybody gets in. An address says which machine it is, not who, and is what a proxy in front makes of it.
    if route.by_address && stated.is_none() {
        hit = hit.because(
            Some(route.site),
            "who does not come from certain addresses is refused: that is all that stands before it",
        );
        hit.severity = Some(Severity::Medium);
        hit.confidence = Some(Confidence::Low);
    }
    Some(hit)
}

fn signals_around(inventory: &Inventory, route: &Summary) -> Vec<String> {
    let mut signals = Vec::new();
    if let Some(table) = chosen_row(route) {
        signals.push(format!(
            "it changes rows of `{table}`, which belong to users, and the client says which"
        ));
    }
    let by_id = matches!(route.method, Method::Put | Method::Patch | Method::Delete)
        && route.path.contains('{');
    if by_id {
        signals.push(format!(
            "it is a {} of one object by its id",
            route.method.as_str()
        ));
    }
    if let Some(word) = reserved(route) {
        signals.push(format!("its path names `{word}`"));
    }
    signals.extend(siblings(inventory, route));
    signals
}

fn stated(inventory: &Inventory, route: &Summary) -> Option<RouteType> {
    crate::stated::stated(&inventory.policy, route.method, &route.path).map(|stated| stated.kind)
}

const fn is_protected(kind: RouteType) -> bool {
    matches!(
        kind,
        RouteType::ProtectedMutation
            | RouteType::ProtectedRead
            | RouteType::FileUpload
            | RouteType::Internal
    )
}

const fn is_safe(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head | Method::Options)
}

/// Operations that are for everybody, and those that something else than a session opens.
fn is_open_by_nature(route: &Summary) -> bool {
    let opened = route.proofs.iter().any(|(proof, everywhere)| {
        let key = matches!(
            proof,
            Proof::Service | Proof::Signature | Proof::Capability | Proof::Credential
        );
        key && *everywhere
    });
    let uncertain = ["U1", "U4", "U7"].iter().any(|code| route.has_code(code));
    opened
        || uncertain
        || matches!(route.route_type, RouteType::AuthOp | RouteType::Webhook)
        || names(
            route,
            &[
                "health", "healthz", "livez", "readyz", "ping", "csrf", "status",
            ],
        )
        || is_form(route)
}

/// A form for visitors: it only adds rows, or renews the one of an address, and its path says so.
fn is_form(route: &Summary) -> bool {
    let only_adds = route
        .touches
        .iter()
        .all(|touch| !touch.op.writes() || matches!(touch.op, DbOp::Create | DbOp::Upsert));
    only_adds
        && names(
            route,
            &[
                "contact",
                "newsletter",
                "subscribe",
                "subscription",
                "feedback",
                "waitlist",
                "support",
                "inquiry",
                "enquiry",
                "lead",
                "leads",
                "report",
                "track",
                "analytics",
            ],
        )
}

/// Whether the path has one of the words.
fn names(route: &Summary, words: &[&str]) -> bool {
    route
        .path
        .split(['/', '-', '_', '.', '#', ':'])
        .any(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// Whether something happens that an unknown caller should not cause, or is shown.
fn does_something(route: &Summary) -> bool {
    let acts = route.effects.iter().any(|(effect, identified)| {
        let harmless = matches!(
            effect,
            EffectKind::Cache | EffectKind::Http | EffectKind::FsRead
        );
        !identified && !harmless
    });
    let shows = is_safe(route.method)
        && route.gives_data
        && route.auth == Auth::None
        && route.touches.iter().any(|touch| !touch.identified);
    unknown_writes(route).next().is_some() || acts || shows
}

fn unknown_writes(route: &Summary) -> impl Iterator<Item = &crate::summary::Touch> {
    route
        .touches
        .iter()
        .filter(|touch| touch.op.writes() && !touch.identified)
}

fn chosen_row(route: &Summary) -> Option<&str> {
    unknown_writes(route)
        .find(|touch| touch.op != DbOp::Create && touch.chosen && (touch.owned || touch.users))
        .and_then(|touch| touch.table.as_ref())
        .map(|table| table.as_str())
}

/// The word of the path that says who it is for.
fn reserved(route: &Summary) -> Option<&'static str> {
    [
        "admin",
        "superadmin",
        "backoffice",
        "cron",
        "crons",
        "internal",
        "_internal",
    ]
    .into_iter()
    .find(|word| {
        route
            .path
            .split('/')
            .any(|segment| segment.eq_ignore_ascii_case(word))
    })
}

/// What the routes like this one do, where most of them ask who calls.
fn siblings(inventory: &Inventory, route: &Summary) -> Option<String> {
    let same_file = |other: &Summary| other.file == route.file;
    let same_folder = |other: &Summary| folder(&other.path) == folder(&route.path);
    let own = tables(route, route);
    let same_table = |other: &Summary| tables(other, route).iter().any(|table| own.contains(table));
    if is_safe(route.method) {
        // Reading is often open where writing is not: only rows that belong to somebody, and that nobody else shows.
        let owned = route.touches.iter().any(|touch| touch.owned || touch.users);
        return owned
            .then(|| majority(inventory, route, &same_table))
            .flatten()
            .filter(|(guarded, all)| guarded == all)
            .map(|count| told(count, "on the same table"));
    }
    let told_of = |place, alike: &dyn Fn(&Summary) -> bool| {
        majority(inventory, route, alike).map(|count| told(count, place))
    };
    told_of("in the same file", &same_file)
        .or_else(|| told_of("beside it", &same_folder))
        .or_else(|| told_of("on the same table", &same_table))
}

fn told((guarded, all): (usize, usize), place: &str) -> String {
    format!("{guarded} of the {all} routes like it {place} ask who calls")
}

fn tables(of: &Summary, like: &Summary) -> Vec<ustr::Ustr> {
    of.touches
        .iter()
        .filter(|touch| is_safe(like.method) || touch.op.writes())
        .filter_map(|touch| touch.table)
        .collect()
}

/// How many routes like it ask who calls, of how many, where most do.
fn majority(
    inventory: &Inventory,
    route: &Summary,
    alike: &dyn Fn(&Summary) -> bool,
) -> Option<(usize, usize)> {
    let mut seen = vec![route.site];
    let (mut guarded, mut all) = (0_usize, 0_usize);
    for other in &inventory.routes {
        let comparable = other.application == route.application
            && is_safe(other.method) == is_safe(route.method)
            && !other.mega
            && !matches!(other.route_type, RouteType::AuthOp | RouteType::Webhook);
        // One declaration may make several routes; it is one opinion.
        if !comparable || seen.contains(&other.site) || !alike(other) {
            continue;
        }
        seen.push(other.site);
        all += 1;
        guarded += usize::from(other.auth == Auth::Required);
    }
    (guarded >= 2 && guarded * 2 > all).then_some((guarded, all))
}

/// The collection that a path belongs to: the part before its first parameter, or before its last word.
fn folder(path: &str) -> &str {
    let end = path
        .find("/{")
        .or_else(|| path.rfind(['#', '/']))
        .unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}
