//! The audit trail of a guard that runs: what it writes, what reads it, and what it says where it cannot have one.

use std::fs;

use serde_json::Value;

use super::running::{Guard, Upstream};
use super::{eventually, replace};
use crate::folder::Folder;
use crate::{err, out, portcullis};

const ROUTE: &str = r#"
[[route]]
path = "/api/transfer"
methods = ["POST"]
type = "public_form"
limits = ["transfers"]
requires = ["audit_trail"]

[limits.transfers]
rate = "100 per 1m"
"#;

fn transfer(guard: &Guard) -> String {
    guard.ask(
        "POST /api/transfer?to=alice@example.com HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    )
}

fn run(folder: &Folder, args: &[&str]) -> (Option<i32>, String, String) {
    let output = portcullis()
        .current_dir(folder.path())
        .args(args)
        .output()
        .unwrap();
    (output.status.code(), out(&output), err(&output))
}

/// The records of a kind.
fn query(folder: &Folder, kind: &str) -> Vec<Value> {
    let (code, records, _) = run(folder, &["trail", "query", "--action", kind]);
    assert_eq!(code, Some(0), "{kind}");
    let records = records.lines().map(serde_json::from_str);
    records.map(Result::unwrap).collect()
}

#[test]
fn what_is_sensitive_is_in_the_trail_with_its_outcome() {
    let upstream = Upstream::start();
    let text = upstream.policy()
        + ROUTE
        + "\n[events]\nto = \"file:events.jsonl\"\n[trail]\ncheckpoints = \"checkpoints.jsonl\"\n";
    let folder = Folder::with(&[("portcullis.toml", &text)]);
    let guard = Guard::start(&folder, &[]);
    assert!(transfer(&guard).starts_with("HTTP/1.1 200 "));
    let head = upstream.seen.recv().unwrap();
    let request = super::value(&head, "x-request-id").unwrap();
    // Others read while it writes.
    let intents = query(&folder, "intent");
    assert_eq!(intents.len(), 1);
    assert_eq!(
        (&intents[0]["request_id"], &intents[0]["route"]),
        (&Value::from(request), &Value::from("/api/transfer"))
    );
    assert!(guard.end().success());
    let outcomes = query(&folder, "outcome");
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0]["intent"], intents[0]["seq"]);
    assert_eq!(outcomes[0]["status"], 200);
    let whole = ["trail", "verify", "--checkpoints", "checkpoints.jsonl"];
    let (code, told, why) = run(&folder, &whole);
    assert_eq!(code, Some(0), "{told}{why}");
    let (_, all, _) = run(&folder, &["trail", "export"]);
    assert!(!all.contains("alice"), "{all}");
    // The next guard goes on with it.
    let guard = Guard::start(&folder, &[]);
    assert!(transfer(&guard).starts_with("HTTP/1.1 200 "));
    assert!(guard.end().success());
    assert_eq!(query(&folder, "outcome").len(), 2);
    assert_eq!(run(&folder, &whole).0, Some(0));
}

#[test]
fn a_guard_that_cannot_have_its_trail_does_not_start() {
    let upstream = Upstream::start();
    let text = upstream.policy() + ROUTE;
    let folder = Folder::with(&[("portcullis.toml", &text)]);
    let start = || {
        let (code, _, why) = run(&folder, &["guard", "--listen", "127.0.0.1:0"]);
        assert_eq!(code, Some(2), "{why}");
        assert!(why.contains("the audit trail cannot be opened: "), "{why}");
        why
    };
    let guard = Guard::start(&folder, &[]);
    assert!(transfer(&guard).starts_with("HTTP/1.1 200 "));
    assert!(start().contains("is written by another process"));
    assert!(guard.end().success());
    let trail = folder.join(".portcullis/trail.sqlite");
    let kept = fs::read(&trail).unwrap();
    fs::write(&trail, vec![b'x'; kept.len()]).unwrap();
    let why = start();
    assert!(why.contains("cannot be trusted"), "{why}");
    fs::remove_file(&trail).unwrap();
    let why = start();
    assert!(why.contains("cannot be trusted"), "{why}");
}

#[test]
fn a_policy_that_needs_another_trail_is_not_taken_while_it_runs() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    assert!(!folder.join(".portcullis/trail.sqlite").exists());
    replace(&folder, &(upstream.policy() + ROUTE));
    guard.says("this run began without one: start the guard anew");
    assert!(transfer(&guard).starts_with("HTTP/1.1 404 "));
    replace(&folder, &(upstream.policy() + "\n[trail]\n"));
    guard.says("`[trail]` or its key is another now");
    assert!(eventually(|| guard.admin("/ready").contains("degraded")));
}
