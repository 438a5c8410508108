//! A guard that knows callers by API keys, and what is done to keys at its admin listener.

use portcullis_policy::event::SecurityEvent;
use serde_json::{Value, json};

use super::gate::admin_credential;
use super::{Answer, Gate, Setup, Upstream, callers};

/// The tables that keys need.
pub(crate) const KEYS: &str = r#"
[proxy]
admin_secret = "env:ADMIN"
[identity.api_keys]
prefix = "shop"
header = "x-api-key"
"#;

/// Beside the routes that all callers share.
const ROUTES: &str = r#"
[identity.application]
secret = "env:APPLICATION"
audience = "shop"
[limits.roomy]
rate = "1000000 per 1s"
[[route]]
path = "/items"
methods = ["GET"]
type = "protected_read"
scopes = ["read:items"]
[limits.names]
rate = "100 per 1m"
by = ["body.name"]
[[route]]
path = "/items"
methods = ["POST"]
type = "protected_mutation"
scopes = ["read:items", "write:items"]
limits = ["names"]
body = { max = "1 KiB" }
"#;

/// Before an application whose users are known by keys alone.
pub(crate) fn policy(upstream: &Upstream) -> String {
    callers::policy(upstream) + KEYS + ROUTES
}

/// That guard, with its admin listener.
pub(crate) fn start(upstream: &Upstream) -> Gate {
    Setup::new(policy(upstream)).admin().start()
}

/// What somebody with the credential asks the admin listener.
pub(crate) fn ask(gate: &Gate, line: &str, content: &str) -> Answer {
    let credential = admin_credential();
    let length = content.len();
    gate.admin().ask(format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {credential}\r\nContent-Length: {length}\r\n\r\n{content}"
    ))
}

/// What it answers.
pub(crate) fn told(answer: &Answer) -> Value {
    assert_eq!(answer.one("cache-control"), "no-store");
    assert_eq!(answer.one("content-type"), "application/json");
    serde_json::from_slice(&answer.body).unwrap()
}

/// Makes a key; its id and its text.
pub(crate) fn create(gate: &Gate, user: &str, scopes: &[&str]) -> (String, String) {
    let wish = json!({ "user": user, "tenant": "acme", "name": "a program", "scopes": scopes });
    let answer = ask(gate, "POST /keys", &wish.to_string());
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = told(&answer);
    assert_eq!(told["schema"], "portcullis.api-key/1");
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    assert!(text("created") < text("expires"), "{told}");
    (text("id"), text("key"))
}

/// Gives a key another secret; its text.
pub(crate) fn rotate(gate: &Gate, id: &str, overlap: u64) -> String {
    let content = json!({ "overlap_seconds": overlap }).to_string();
    let answer = ask(gate, &format!("POST /keys/{id}/rotate"), &content);
    assert_eq!(answer.status, 200, "{answer:?}");
    told(&answer)["key"].as_str().unwrap().to_owned()
}

/// Revokes a key.
pub(crate) fn revoke(gate: &Gate, id: &str) {
    let answer = ask(gate, &format!("DELETE /keys/{id}"), "");
    assert_eq!(told(&answer)["revoked"], 1);
}

/// Ends the guard; its events, as text and read.
pub(crate) fn events(gate: Gate) -> (String, Vec<SecurityEvent>) {
    let text = gate.drained_events();
    let events = text.lines().map(|line| SecurityEvent::parse(line).unwrap());
    let events = events.collect();
    (text, events)
}
