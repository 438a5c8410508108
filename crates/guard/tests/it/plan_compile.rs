//! Plans: which buckets a limit has over a reload, and what of a policy they do not depend on.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_guard::clock::SECOND;
use portcullis_guard::limit::LimitRule;
use portcullis_guard::plan::{LimitPlan, Plan};
use portcullis_guard::store::Durability;

use crate::core_made::{plan, route};

fn limits(plan: &Plan) -> impl Iterator<Item = &LimitPlan> {
    plan.routes
        .iter()
        .flat_map(|route| route.head_limits.iter().chain(&route.body_limits))
}

/// The scopes of all buckets, by the route's template.
fn scopes(plan: &Plan) -> BTreeMap<&str, Vec<&str>> {
    let of = |limits: &'_ [LimitPlan]| -> Vec<&'_ str> { Vec::with_capacity(limits.len()) };
    plan.routes
        .iter()
        .map(|route| {
            let mut all = of(&route.head_limits);
            for limit in route.head_limits.iter().chain(&route.body_limits) {
                for bucket in &limit.buckets {
                    all.extend([bucket.scope.as_str(), bucket.shadow_scope.as_str()]);
                }
            }
            (route.template.as_str(), all)
        })
        .collect()
}

fn shop(rate: &str, more: &str) -> String {
    [
        format!("[limits.login]\nrate = \"{rate}\"\nby = [\"ip\", \"route\"]\n{more}"),
        route("/a", "GET", "public_read"),
        "limits = [\"login\"]\n".to_owned(),
        route("/b/{id}", "POST", "public_form"),
        route("/c", "POST", "public_form"),
        "limits = [\"login\"]\n".to_owned(),
    ]
    .concat()
}

#[test]
fn a_reload_resets_nothing() {
    let before = plan(&shop("5 per 1m", ""));
    let same = plan(&shop("5 per 1m", ""));
    assert_eq!(scopes(&before), scopes(&same));
    // More routes, other hosts, another digest, another parameter's name and the order of routes are no other limit.
    let more = shop("5 per 1m", "").replace("{id}", "{other}");
    let lines = more.split_once("[[route]]").unwrap();
    let turned = format!(
        "hosts = [\"x.example.com\"]\n{}{}[[route]]{}",
        lines.0,
        route("/new", "GET", "public_read"),
        lines.1
    );
    let turned = plan(&turned);
    for path in ["/a", "/c"] {
        assert_eq!(scopes(&before)[path], scopes(&turned)[path], "{path}");
    }
    // The same window in other words.
    let words = plan(&shop("5 per 60s", ""));
    assert_eq!(
        limits(&before).next().unwrap().rule,
        limits(&words).next().unwrap().rule
    );
}

#[test]
fn a_changed_limit_begins_anew() {
    let before = plan(&shop("5 per 1m", ""));
    let old: BTreeSet<&str> = scopes(&before)["/a"].iter().copied().collect();
    for (rate, more) in [
        ("6 per 1m", ""),
        ("5 per 2m", ""),
        ("5 per 1m", "burst = 2\n"),
        ("5 per 1m", "algorithm = \"exact\"\n"),
        ("5 per 1m", "counts = \"failures\"\n"),
        ("5 per 1m", "algorithm = \"exact\"\nlockout = \"15m\"\n"),
    ] {
        let changed = plan(&shop(rate, more));
        let new: BTreeSet<&str> = scopes(&changed)["/a"].iter().copied().collect();
        assert!(old.is_disjoint(&new), "{rate} {more}");
    }
    let renamed = plan(&shop("5 per 1m", "").replace("login", "logins"));
    assert!(
        scopes(&renamed)["/a"]
            .iter()
            .all(|scope| !old.contains(scope))
    );
}

/// No two limits, dimensions, namespaces or, for a default one, routes share a scope by the way it is written.
#[test]
fn scopes_are_told_apart() {
    let plan = plan(&[
        "[limits.a]\nrate = \"5 per 1m\"\nby = [\"ip\", \"route\", \"header.x-a\", \"body.a\", \"body.a.b\"]\n".to_owned(),
        "[limits.b]\nrate = \"5 per 1m\"\nby = [\"ip\", \"header.x-b\"]\n".to_owned(),
        "[limits.\"a:b\"]\nrate = \"5 per 1m\"\n".to_owned(),
        route("/one", "POST", "public_form"),
        "limits = [\"a\", \"b\", \"a:b\"]\n".to_owned(),
        route("/two", "POST", "public_form"),
        route("/two", "PUT", "public_form"),
        route("/three", "POST", "public_form"),
    ]
    .concat());
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for bucket in limits(&plan).flat_map(|limit| &limit.buckets) {
        for scope in [&bucket.scope, &bucket.shadow_scope] {
            seen.insert(scope.as_str());
            count += 1;
        }
    }
    assert_eq!(seen.len(), count);
    assert_eq!(count, 2 * (5 + 2 + 1 + 3));
}

#[test]
fn long_windows_outlive_a_restart() {
    for (rate, durability) in [
        ("5 per 59m", Durability::Volatile),
        ("5 per 1h", Durability::Snapshot),
        ("5 per 1d", Durability::Snapshot),
    ] {
        let plan = plan(&shop(rate, ""));
        let login = limits(&plan).find(|limit| limit.name == "login").unwrap();
        assert_eq!(login.durability, durability, "{rate}");
        assert_eq!(plan.outlives_restarts(), durability == Durability::Snapshot);
    }
}

#[test]
fn a_lockout_is_in_the_rule_and_outlives_a_restart() {
    let exact = "algorithm = \"exact\"\n";
    let rule = LimitRule::exact(5, 60 * SECOND);
    let locking = |lockout: &str| {
        plan(&shop(
            "5 per 1m",
            &format!("{exact}lockout = \"{lockout}\"\n"),
        ))
    };
    let mut names = BTreeSet::new();
    for (plan, expected) in [
        (plan(&shop("5 per 1m", exact)), (rule, Durability::Volatile)),
        (
            locking("15m"),
            (rule.locking(900 * SECOND), Durability::Snapshot),
        ),
        (locking("1s"), (rule.locking(SECOND), Durability::Snapshot)),
    ] {
        let login = limits(&plan).find(|limit| limit.name == "login").unwrap();
        assert_eq!((login.rule, login.durability), expected);
        names.extend(
            login
                .buckets
                .iter()
                .map(|bucket| bucket.scope.as_str().to_owned()),
        );
    }
    assert_eq!(
        names.len(),
        3 * 2,
        "two buckets, and each begins anew: {names:?}"
    );
}

#[test]
fn the_lines_of_the_policy_stand_in_the_plan() {
    let plan = plan(&shop("5 per 1m", ""));
    let lines: Vec<Option<usize>> = plan.routes.iter().map(|route| route.line).collect();
    assert_eq!(lines, [Some(7), Some(12), Some(16)]);
    let names: Vec<(&str, bool)> = limits(&plan)
        .map(|limit| (limit.name.as_str(), limit.line.is_some()))
        .collect();
    assert_eq!(
        names,
        [
            ("login", true),
            ("default.public_form", false),
            ("login", true)
        ]
    );
}
