//! The policy that is written for a whole application: valid, and every route is answered as its type demands.
//!
//! `PORTCULLIS_TEST_APPS` may name folders of further applications, with `:` between them, which are held to the same.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{audit, entries, inventory};
use crate::folder::Folder;
use crate::{err, out, portcullis};

const BEFORE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/apps/shop/before"
);
const AFTER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../fixtures/apps/shop/after"
);

/// What was counted while an application was held to its policy.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    /// Methods of paths that were asked for.
    asked: usize,
    allowed: usize,
    /// Internal ones, which nobody reaches from outside.
    internal: usize,
    /// Those of which one more than the limit was asked, and refused.
    limited: usize,
    /// Paths that no template says.
    not_said: usize,
    functions: usize,
}

#[test]
fn every_route_of_the_shop_is_answered_as_its_type_demands() {
    let figures = hold(BEFORE);
    let expected = Figures {
        asked: 55,
        allowed: 53,
        internal: 2,
        limited: 33,
        not_said: 0,
        functions: 3,
    };
    assert_eq!(figures, expected);
    assert_eq!(hold(AFTER).not_said, 0);
    for app in further() {
        let figures = hold(&app);
        writeln!(std::io::stderr(), "{app}: {figures:?}").unwrap();
    }
}

#[test]
fn the_site_around_the_routes_works_behind_a_guard() {
    let folder = Folder::with(&[("empty", "")]);
    let file = folder.join("portcullis.toml");
    let policy = file.to_str().unwrap();
    let written = portcullis()
        .args(["init", BEFORE, "--output", policy])
        .output()
        .unwrap();
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    for (method, url, media, verdict) in [
        ("GET", "/", "", "allow"),
        ("HEAD", "/orders?_rsc=1", "", "allow"),
        ("GET", "/account", "", "allow"),
        ("GET", "/_next/static/chunks/main.js", "", "allow"),
        // A server action, as a script and as a form without scripts calls it.
        ("POST", "/account", "text/plain;charset=UTF-8", "allow"),
        (
            "POST",
            "/account",
            "multipart/form-data; boundary=x",
            "allow",
        ),
        ("POST", "/account", "application/json", "deny"),
        ("DELETE", "/account", "", "deny"),
        ("GET", "/orders/", "", "deny"),
        ("GET", "/.env", "", "deny"),
    ] {
        let mut line = json!({ "method": method, "url": url });
        if !media.is_empty() {
            line["headers"] = json!({ "content-type": media });
            line["body"] = json!("[]");
        }
        let told = explain(policy, &format!("{line}\n"));
        assert_eq!(told[0]["verdict"], verdict, "{line}: {told:#?}");
    }
}

/// Folders of further applications, which whoever runs the tests may have.
fn further() -> Vec<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by its runner where the applications are"
    )]
    let apps = std::env::var("PORTCULLIS_TEST_APPS").unwrap_or_default();
    let apps = apps.split(':').filter(|app| !app.is_empty());
    apps.map(str::to_owned).collect()
}

/// Writes the policy of an application and holds every route to it.
fn hold(dir: &str) -> Figures {
    let folder = Folder::with(&[("empty", "")]);
    let file = folder.join("portcullis.toml");
    let policy = file.to_str().unwrap();
    let written = portcullis()
        .args(["init", dir, "--output", policy])
        .output()
        .unwrap();
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    let checked = portcullis().args(["policy", "check", policy]).output();
    let checked = checked.unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", out(&checked));
    let text = fs::read_to_string(&file).unwrap();
    let mut figures = Figures::default();
    let mut asked = Vec::new();
    let functions: BTreeSet<String> = entries(&text, "[[function]]")
        .iter()
        .filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()))
        .collect();
    for route in inventory(dir)["routes"].as_array().unwrap() {
        let path = route["path"].as_str().unwrap();
        if !path.starts_with('/') {
            assert!(functions.contains(path), "{path} is not in the policy");
            figures.functions += 1;
        } else if path.contains("{unknown}") || names_two(path) {
            let method = route["method"].as_str().unwrap();
            assert!(text.contains(&format!("# todo {method} {path}")));
            figures.not_said += 1;
        } else {
            asked.push(route.clone());
        }
    }
    answer(policy, &asked, &mut figures);
    nothing_is_lost(dir, &file);
    figures
}

/// Whether a segment has two parameters.
fn names_two(path: &str) -> bool {
    path.split('/').any(|part| part.matches('{').count() > 1)
}

/// A path that belongs to a template.
fn sample(template: &str) -> String {
    let parts = template.split('/').map(|part| match part.split_once('{') {
        None => part.replace(' ', "%20"),
        Some((before, rest)) => {
            let (name, after) = rest.split_once('}').unwrap();
            let value = if name.starts_with('*') { "x1/y2" } else { "x1" };
            format!("{before}{value}{after}")
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// How many requests of a client a type admits at once, if it counts them.
fn admitted(kind: &str) -> Option<u64> {
    match kind {
        "public_form" | "protected_mutation" => Some(10),
        "auth_op" | "file_upload" => Some(5),
        "webhook" => Some(100),
        _ => None,
    }
}

/// Asks for each route: once, as often as its limit admits, and once more.
fn answer(policy: &str, routes: &[Value], figures: &mut Figures) {
    let first = ask(policy, routes.iter().map(|route| (route, "", 1)));
    let kinds: Vec<&str> = first
        .iter()
        .map(|told| told["route"]["type"].as_str().unwrap_or_default())
        .collect();
    let each = || routes.iter().zip(&kinds);
    let last = ask(
        policy,
        each().map(|(route, kind)| (route, *kind, admitted(kind).unwrap_or(1))),
    );
    let beyond = ask(
        policy,
        each().map(|(route, kind)| (route, *kind, admitted(kind).map_or(500, |it| it + 1))),
    );
    for (number, (route, kind)) in each().enumerate() {
        let (last, beyond) = (&last[number], &beyond[number]);
        let name = format!("{} {} is {kind}", route["method"], route["path"]);
        figures.asked += 1;
        // A policy may ask for more than the code looks like, and never for less.
        let found = route["route_type"].as_str().unwrap();
        let stricter = match found {
            "public_read" => "protected_read",
            "public_form" => "protected_mutation",
            other => other,
        };
        assert!(*kind == found || *kind == stricter, "{found}: {name}");
        if *kind == "internal" {
            assert_eq!(last["verdict"], "deny", "{name}: {last}");
            assert_eq!(last["status"], 404, "{name}: {last}");
            figures.internal += 1;
            continue;
        }
        assert_eq!(last["verdict"], "allow", "{name}: {last}");
        figures.allowed += 1;
        if admitted(kind).is_some() {
            assert_eq!(beyond["status"], 429, "{name}: {beyond}");
            figures.limited += 1;
        } else {
            assert_eq!(beyond["verdict"], "allow", "{name}: {beyond}");
        }
    }
}

/// What a guard would answer to each of them, asked so many times.
fn ask<'r>(policy: &str, routes: impl Iterator<Item = (&'r Value, &'r str, u64)>) -> Vec<Value> {
    let mut lines = String::new();
    for (route, kind, times) in routes {
        let method = match route["method"].as_str().unwrap() {
            "ANY" => "POST",
            method => method,
        };
        let url = sample(route["path"].as_str().unwrap());
        let mut line = json!({ "method": method, "url": url, "times": times });
        if matches!(method, "POST" | "PUT" | "PATCH") {
            let media = if kind == "file_upload" {
                "multipart/form-data; boundary=x"
            } else {
                "application/json"
            };
            line["headers"] = json!({ "content-type": media });
            line["body"] = json!("{}");
        }
        lines.push_str(&format!("{line}\n"));
    }
    explain(policy, &lines)
}

/// The answers to the requests of some lines.
fn explain(policy: &str, lines: &str) -> Vec<Value> {
    let folder = Folder::with(&[("requests.jsonl", lines)]);
    let output = portcullis()
        .args(["explain", "request", "--format", "json", "--policy", policy])
        .arg("--requests")
        .arg(folder.join("requests.jsonl"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let told = out(&output);
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What the audit finds without a policy it finds with the one that was written, and that names exactly what there is.
fn nothing_is_lost(dir: &str, policy: &Path) {
    let without = places(&audit(dir, None));
    let with = audit(dir, Some(policy));
    let lost: Vec<String> = without.difference(&places(&with)).cloned().collect();
    assert!(lost.is_empty(), "lost under the policy: {lost:#?}");
    let drift: Vec<&Value> = with["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["class"] == "inventory-gap")
        .collect();
    assert!(drift.is_empty(), "{drift:#?}");
}

/// Rule, file, line and route of each finding.
fn places(audit: &Value) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for finding in audit["findings"].as_array().unwrap() {
        for place in finding["places"].as_array().unwrap() {
            places.insert(format!(
                "{} {}:{} {}",
                finding["rule"], place["file"], place["line"], place["route"]
            ));
        }
    }
    places
}
