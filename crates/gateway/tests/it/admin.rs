//! The admin listener, asked for the sessions of users: who may, what is told, and what ends.

use std::sync::Arc;

use portcullis_guard::store::StoreError;
use portcullis_policy::event::SecurityEvent;
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::{MemoryOptions, MemoryStore};
use serde_json::Value;

use crate::support::browser::{application, logged_in, send, shop};
use crate::support::{Answer, Gate, Setup, Upstream, admin_credential};

/// The shop with an admin listener and the credential that its keys are made of.
fn setup(upstream: &Upstream) -> Setup {
    let secret = "[proxy]\nadmin_secret = \"env:ADMIN\"\n";
    Setup::new(shop(upstream)).and(secret).admin()
}

/// One request with these lines besides.
fn raw(gate: &Gate, line: &str, lines: &str) -> Answer {
    gate.admin()
        .ask(format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n"))
}

/// One request of who has the credential.
fn ask(gate: &Gate, line: &str) -> Answer {
    raw(
        gate,
        line,
        &format!("Authorization: Bearer {}\r\n", admin_credential()),
    )
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.one("content-type"), "application/json");
    assert_eq!(answer.one("cache-control"), "no-store");
    serde_json::from_slice(&answer.body).unwrap()
}

fn listed(gate: &Gate, user: &str) -> Vec<Value> {
    let told = json(&ask(gate, &format!("GET /sessions?user={user}")));
    assert_eq!(told["schema"], "portcullis.sessions/1");
    told["sessions"].as_array().unwrap().clone()
}

fn events(gate: Gate) -> Vec<SecurityEvent> {
    let text = gate.drained_events();
    text.lines()
        .map(|line| SecurityEvent::parse(line).unwrap())
        .collect()
}

/// Kind, reason and count of those that are about sessions or the credential.
fn about(events: &[SecurityEvent]) -> Vec<String> {
    events
        .iter()
        .filter(|event| {
            event.reason.as_str().contains("session") || event.reason.as_str().contains("admin")
        })
        .map(|event| format!("{:?} {} {}", event.kind, event.reason.as_str(), event.count))
        .collect()
}

#[test]
fn sessions_are_listed_and_end_at_the_next_request_of_their_browser() {
    let upstream = application();
    let gate = setup(&upstream).start();
    let (mut one, mut client_one, _) = logged_in(&gate, "u1");
    let (mut two, mut client_two, _) = logged_in(&gate, "u1");
    let (mut other, mut client_other, _) = logged_in(&gate, "u2");
    let sessions = listed(&gate, "u1");
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_eq!(session["version"], 1);
        assert_eq!(session["roles"], serde_json::json!([]));
        assert_eq!(session["tenant"], Value::Null);
        let [begun, idle, end] = ["authenticated", "idle_until", "absolute_until"]
            .map(|name| session[name].as_str().unwrap().to_owned());
        assert!(begun < idle && idle < end, "{session}");
    }
    // One of them, by what the list calls it; of the other user it is none.
    let first = sessions[0]["session"].as_str().unwrap();
    let none = json(&ask(&gate, &format!("DELETE /sessions/{first}?user=u2")));
    assert_eq!(none["ended"], 0);
    assert_eq!(one.ask(&mut client_one, send("GET /me")).status, 200);
    let ended = json(&ask(&gate, &format!("DELETE /sessions/{first}?user=u1")));
    assert_eq!(ended["ended"], 1);
    let again = json(&ask(&gate, &format!("DELETE /sessions/{first}?user=u1")));
    assert_eq!(again["ended"], 0);
    assert_eq!(one.ask(&mut client_one, send("GET /me")).status, 401);
    assert_eq!(two.ask(&mut client_two, send("GET /me")).status, 200);
    assert_eq!(listed(&gate, "u1").len(), 1);
    // All that are left.
    assert_eq!(json(&ask(&gate, "DELETE /sessions?user=u1"))["ended"], 1);
    assert_eq!(two.ask(&mut client_two, send("GET /me")).status, 401);
    assert!(listed(&gate, "u1").is_empty());
    assert_eq!(other.ask(&mut client_other, send("GET /me")).status, 200);
    assert_eq!(json(&ask(&gate, "DELETE /sessions?user=u1"))["ended"], 0);
    let events = events(gate);
    assert_eq!(
        about(&events)
            .into_iter()
            .filter(|line| line.starts_with("SessionCreated") || line.starts_with("SessionExpired"))
            .collect::<Vec<_>>(),
        [
            "SessionCreated session_created 1",
            "SessionCreated session_created 1",
            "SessionCreated session_created 1",
            "SessionExpired admin_ended_session 1",
            "SessionExpired admin_ended_all_sessions 1",
        ]
    );
    let user_of = |reason: &str| {
        let found = events.iter().find(|event| event.reason.as_str() == reason);
        found.unwrap().user.unwrap()
    };
    assert_eq!(
        user_of("session_created"),
        user_of("admin_ended_all_sessions")
    );
    assert!(
        events
            .iter()
            .any(|event| event.reason.as_str() == "admin_listed_sessions")
    );
}

#[test]
fn an_odd_user_is_found_by_what_is_encoded() {
    let upstream = application();
    let gate = setup(&upstream).start();
    let (mut browser, mut client, _) = logged_in(&gate, "a+b&c=d@e|f%20");
    assert_eq!(listed(&gate, "a%2Bb%26c%3Dd@e%7cf%2520").len(), 1);
    assert_eq!(listed(&gate, "a%20b%26c%3Dd@e%7cf%2520").len(), 0);
    for line in [
        "GET /sessions",
        "GET /sessions?user=",
        "GET /sessions?user=a+b",
        "GET /sessions?user=a&user=b",
        "GET /sessions?user=a%00",
        "GET /sessions?user=%ff",
        "DELETE /sessions/short?user=a",
        "DELETE /sessions/?user=a",
    ] {
        assert_eq!(ask(&gate, line).status, 400, "{line}");
    }
    let long = format!("GET /sessions?user={}", "a".repeat(256));
    assert_eq!(ask(&gate, &long).status, 400);
    assert_eq!(browser.ask(&mut client, send("GET /me")).status, 200);
}

#[test]
fn nobody_is_told_anything_without_the_credential() {
    let upstream = application();
    let gate = setup(&upstream).start();
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    let right = admin_credential();
    let wrong = "5b".repeat(32);
    let lines = [
        String::new(),
        format!("Authorization: Bearer {wrong}\r\n"),
        format!("Authorization: Bearer {}\r\n", "5a".repeat(31)),
        format!("Authorization: Bearer {right}5a\r\n"),
        format!("Authorization: Bearer  {right}\r\n"),
        format!("Authorization: Basic {right}\r\n"),
        format!("Authorization: {right}\r\n"),
        format!("Authorization: Bearer {right}\r\nAuthorization: Bearer {right}\r\n"),
        format!("Cookie: credential={right}\r\n"),
        "Authorization: Bearer \r\n".to_owned(),
    ];
    for line in &lines {
        let answer = raw(&gate, "DELETE /sessions?user=u1", line);
        assert_eq!(answer.status, 401, "{line}");
        assert!(answer.one("www-authenticate").starts_with("Bearer"));
    }
    // Then whoever tries on is turned away, and who has the credential is not.
    for _ in 0..3 {
        let answer = raw(&gate, "DELETE /sessions?user=u1", &lines[1]);
        assert_eq!((answer.status, answer.one("retry-after")), (429, "60"));
    }
    assert_eq!(listed(&gate, "u1").len(), 1);
    assert_eq!(browser.ask(&mut client, send("GET /me")).status, 200);
    let told = raw(&gate, "GET /metrics", "").text();
    let line = told
        .lines()
        .find(|line| line.starts_with("portcullis_admin_refused "));
    assert_eq!(line, Some("portcullis_admin_refused 13"));
    let events = events(gate);
    let count = |reason: &str| {
        let of_reason = events
            .iter()
            .filter(|event| event.reason.as_str() == reason);
        of_reason.map(|event| event.count).sum::<u64>()
    };
    assert_eq!(count("admin_credential_wrong"), 10);
    assert!(count("admin_tries_over_limit") >= 1);
    let text = format!("{events:?}");
    assert!(!text.contains(&right) && !text.contains(&wrong));
}

#[test]
fn a_rebound_name_another_method_and_content_are_refused() {
    let upstream = application();
    let gate = setup(&upstream).start();
    let with = format!("Authorization: Bearer {}\r\n", admin_credential());
    for host in [
        "evil.example.com",
        "shop.test",
        "127.0.0.1.evil.example.com",
    ] {
        let request = format!("GET /sessions?user=u HTTP/1.1\r\nHost: {host}\r\n{with}\r\n");
        assert_eq!(gate.admin().ask(request).status, 421, "{host}");
    }
    for (line, allow) in [
        ("POST /sessions?user=u", "GET, DELETE"),
        ("PUT /sessions?user=u", "GET, DELETE"),
        ("OPTIONS /sessions?user=u", "GET, DELETE"),
        ("GET /sessions/AbCdEfGhIjKlMnOpQrSt-_?user=u", "DELETE"),
    ] {
        let answer = ask(&gate, line);
        assert_eq!((answer.status, answer.one("allow")), (405, allow), "{line}");
    }
    let content = format!("{with}Content-Length: 1\r\n");
    let request = format!("DELETE /sessions?user=u HTTP/1.1\r\nHost: [::1]\r\n{content}\r\nx");
    assert_eq!(gate.admin().ask(request).status, 400);
    for line in ["GET /sessions/a/b?user=u", "GET /sessionsx?user=u"] {
        assert_eq!(ask(&gate, line).status, 404, "{line}");
    }
    // Health is told without it, and at the public port there is nothing of this.
    assert_eq!(raw(&gate, "GET /live", "").status, 200);
    let public = format!("GET /sessions?user=u HTTP/1.1\r\nHost: shop.test\r\n{with}\r\n");
    assert_eq!(gate.client().ask(public).status, 404);
}

#[test]
fn without_a_credential_in_the_policy_there_is_nothing() {
    let upstream = application();
    let bare = Setup::new(shop(&upstream)).admin().start();
    let other = Setup::simple(&upstream)
        .and("[proxy]\nadmin_secret = \"env:ADMIN\"\n")
        .admin()
        .start();
    for gate in [bare, other] {
        assert_eq!(ask(&gate, "GET /sessions?user=u").status, 404);
        assert_eq!(ask(&gate, "DELETE /sessions?user=u").status, 405);
        assert_eq!(raw(&gate, "GET /sessions?user=u", "").status, 404);
    }
}

#[test]
fn a_store_that_fails_is_told_and_nothing_is_said_to_have_ended() {
    let error = StoreError::Unreachable("redis://SECRET@10.9.8.7".to_owned());
    for fault in [
        Fault::Error(error.clone()),
        Fault::ErrorAfter(error),
        Fault::Never,
        Fault::TooFew,
        Fault::OtherKind,
    ] {
        let upstream = application();
        let memory = MemoryStore::new(MemoryOptions::default()).unwrap();
        let store = Arc::new(FaultyStore::new(memory, [], fault.clone()));
        let gate = setup(&upstream).store(store).start();
        for line in [
            "GET /sessions?user=u",
            "DELETE /sessions?user=u",
            "DELETE /sessions/AbCdEfGhIjKlMnOpQrSt-_?user=u",
        ] {
            let answer = ask(&gate, line);
            assert_eq!(answer.status, 503, "{fault:?} {line}");
            assert!(!answer.text().contains("redis"));
        }
        assert_eq!(raw(&gate, "GET /live", "").status, 200);
        let events = events(gate);
        // What is the same is written together.
        let told = events
            .iter()
            .filter(|event| event.reason.as_str() == "admin_sessions_unavailable");
        assert_eq!(told.map(|event| event.count).sum::<u64>(), 3);
        assert!(!format!("{events:?}").contains("10.9.8.7"), "{fault:?}");
    }
}

#[test]
fn what_the_application_says_of_sessions_is_told() {
    let upstream = application();
    let gate = setup(&upstream).start();
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let says = r#""op":"rotate","roles":["admin"]"#;
    let answer = browser.ask(&mut client, send("POST /items").token(&token).says(says));
    assert_eq!(answer.status, 200, "{answer:?}");
    let sessions = listed(&gate, "u1");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["roles"], serde_json::json!(["admin"]));
    assert_eq!(sessions[0]["version"], 2);
    let token = browser.tokens().pop().unwrap();
    let end = send("POST /logout").token(&token).says(r#""op":"end""#);
    assert_eq!(browser.ask(&mut client, end).status, 200);
    let events = events(gate);
    let told: Vec<_> = about(&events);
    assert_eq!(
        told,
        [
            "SessionCreated session_created 1",
            "SessionRenewed session_rotated 1",
            "AuthzAdmin admin_listed_sessions 1",
            "SessionExpired session_ended 1",
        ]
    );
    let ended = events.last().unwrap();
    assert_eq!(ended.route.as_ref().unwrap().as_str(), "/logout");
    assert!(
        events
            .iter()
            .all(|event| event.user.is_some() || event.reason.as_str() == "allowed")
    );
}
