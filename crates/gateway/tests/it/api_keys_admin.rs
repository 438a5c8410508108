//! API keys at the admin listener: made, listed, changed, revoked, and told of.

use std::sync::Arc;

use portcullis_guard::store::StoreError;
use portcullis_policy::event::EventKind;
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::trail::{TrailFilter, TrailKind, TrailReader};
use portcullis_state::{MemoryOptions, MemoryStore};
use serde_json::json;

use crate::support::browser::application;
use crate::support::callers::{bearer, get};
use crate::support::keys::{ask, create, events, policy, revoke, rotate, start, told};
use crate::support::{Setup, eventually, open_trail};

/// Who called by which key is in the trail, and so is what was done to keys.
#[test]
fn the_trail_has_the_key_and_nothing_of_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = application();
    let trail = open_trail(folder.path());
    let setup = Setup::new(policy(&upstream)).trail(Arc::clone(&trail));
    let gate = setup.admin().start();
    let (id, key) = create(&gate, "u1", &["read:items", "write:items"]);
    let whole = format!(
        "POST /items HTTP/1.1\r\nHost: shop.test\r\n{}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"name\":\"a\"}}",
        bearer(&key)
    );
    assert_eq!(gate.client().ask(whole).status, 200);
    let rotated = rotate(&gate, &id, 0);
    revoke(&gate, &id);
    drop(gate.drained_events());
    trail.close();
    let mut reader = TrailReader::open(&folder.path().join("trail.sqlite")).unwrap();
    let records = reader.after(0, &TrailFilter::default(), 1_000).unwrap();
    let told: Vec<(TrailKind, &str)> = records
        .iter()
        .map(|(body, _)| body)
        .filter(|body| {
            let mut targets = body.target.iter();
            targets.any(|(name, value)| name.as_str() == "api_key" && value.as_str() == id)
        })
        .map(|body| {
            // Whose key is to be changed is known when it was.
            let is_known = body.kind != TrailKind::Intent;
            let user = body.user.as_ref().map(|user| user.as_str());
            assert_eq!(user, is_known.then_some("u1"));
            (body.kind, body.reason.as_ref().unwrap().as_str())
        })
        .collect();
    // A note is written behind its request, and so among what came after it.
    for one in [
        (TrailKind::Admin, "admin_created_key"),
        (TrailKind::Note, "forwarded"),
        (TrailKind::Intent, "admin_rotates_key"),
        (TrailKind::Admin, "admin_rotated_key"),
        (TrailKind::Admin, "admin_revoked_key"),
    ] {
        assert!(told.contains(&one), "{one:?}: {told:?}");
    }
    assert_eq!(told.len(), 5, "{told:?}");
    let of_kind = |kind: TrailKind| {
        let bodies = records.iter().map(|(body, _)| body);
        bodies.filter(move |body| body.kind == kind)
    };
    let mut made = of_kind(TrailKind::Intent)
        .filter(|body| body.reason.as_ref().unwrap().as_str() == "admin_creates_key");
    let made = made.next().unwrap();
    assert_eq!(made.user.as_ref().unwrap().as_str(), "u1");
    let statuses: Vec<u16> = of_kind(TrailKind::Outcome)
        .filter_map(|body| body.status)
        .collect();
    assert!(statuses.contains(&201), "{statuses:?}");
    let all = std::fs::read(folder.path().join("trail.sqlite")).unwrap();
    for key in [&key, &rotated] {
        let secret = key.rsplit('_').next().unwrap().as_bytes();
        assert!(!all.windows(secret.len()).any(|window| window == secret));
    }
}

/// Nothing that gives a way in is made without its record; what takes one away is done, whatever the disk does.
#[test]
fn no_key_is_made_that_the_trail_cannot_know_of() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = application();
    let trail = open_trail(folder.path());
    let setup = Setup::new(policy(&upstream)).trail(Arc::clone(&trail));
    let gate = setup.admin().start();
    let (id, key) = create(&gate, "u1", &[]);
    trail.close();
    let wish = json!({ "user": "u1", "name": "another" }).to_string();
    for (line, content) in [
        ("POST /keys".to_owned(), wish.as_str()),
        (format!("POST /keys/{id}/rotate"), "{}"),
    ] {
        let answer = ask(&gate, &line, content);
        assert_eq!(answer.status, 503, "{line}: {answer:?}");
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(said.contains("no key was made"), "{said}");
    }
    let listed = told(&ask(&gate, "GET /keys?user=u1", ""));
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(get(&mut gate.client(), "/me", &[bearer(&key)]).status, 200);
    revoke(&gate, &id);
    assert_eq!(get(&mut gate.client(), "/me", &[bearer(&key)]).status, 401);
    let (text, events) = events(gate);
    let unwritable = events
        .iter()
        .filter(|event| event.kind == EventKind::GuardUnavailable);
    assert!(unwritable.count() >= 2, "{text}");
    assert!(text.contains("trail_unwritable"), "{text}");
}

#[test]
fn what_is_asked_at_the_admin_listener_is_done_and_told() {
    let upstream = application();
    let gate = start(&upstream);
    let (id, key) = create(&gate, "u 1", &["read:items"]);
    assert_eq!(get(&mut gate.client(), "/me", &[bearer(&key)]).status, 200);
    create(&gate, "u 1", &[]);
    let listed =
        |user: &str| told(&ask(&gate, &format!("GET /keys?user={user}"), ""))["keys"].clone();
    // A use is written behind its request.
    assert!(eventually(|| listed("u%201")[0]["used"].is_string()));
    let keys = listed("u%201");
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert_eq!(
        (&keys[0]["id"], &keys[0]["is_expired"]),
        (&json!(id), &json!(false))
    );
    assert!(
        keys[0]["used"].is_string() && keys[1]["used"].is_null(),
        "{keys}"
    );
    let secret = key.rsplit('_').next().unwrap();
    assert!(!keys.to_string().contains(secret), "no list has a secret");
    assert_eq!(listed("u2"), json!([]));
    for (line, content, status) in [
        ("GET /keys", "", 400),
        ("POST /keys", "", 400),
        ("POST /keys", r#"{"user":"u"}"#, 400),
        ("POST /keys", r#"{"user":"","name":"n"}"#, 400),
        (
            "POST /keys",
            r#"{"user":"u","name":"n","scopes":["a b"]}"#,
            400,
        ),
        (
            "POST /keys",
            r#"{"user":"u","name":"n","lifetime_seconds":31536001}"#,
            400,
        ),
        (
            "POST /keys",
            r#"{"user":"u","name":"n","lifetime_seconds":0}"#,
            400,
        ),
        (
            "POST /keys",
            r#"{"user":"u","name":"n","lifetime_seconds":31536000}"#,
            201,
        ),
        ("DELETE /keys/0000000000000000", "", 404),
        ("POST /keys/0000000000000000/rotate", "", 404),
        ("DELETE /keys?user=u2", "", 200),
        ("PUT /keys", "", 405),
        ("GET /keysx", "", 404),
        // Without sessions of the guard's own there are none to ask for.
        ("GET /sessions?user=u1", "", 404),
    ] {
        let answer = ask(&gate, line, content);
        assert_eq!(answer.status, status, "{line} {content}: {answer:?}");
    }
    let large = " ".repeat(16 * 1_024 + 1);
    assert_eq!(ask(&gate, "POST /keys", &large).status, 413);
    let without = gate
        .admin()
        .ask("GET /keys?user=u1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert_eq!(without.status, 401);
    assert_eq!(
        told(&ask(&gate, "DELETE /keys?user=u%201", ""))["revoked"],
        2
    );
    assert_eq!(get(&mut gate.client(), "/me", &[bearer(&key)]).status, 401);
    let (_, events) = events(gate);
    let of = |reason: &str| {
        let mut found = events
            .iter()
            .filter(move |event| event.reason.as_str() == reason);
        found.next().unwrap_or_else(|| panic!("{reason}"))
    };
    let created = of("admin_created_key");
    assert_eq!(created.kind, EventKind::AuthnTokenCreated);
    assert!(created.detail.as_ref().unwrap().as_str().contains(&id));
    let revoked = of("admin_revoked_all_keys");
    assert_eq!(
        (revoked.kind, revoked.count),
        (EventKind::AuthnTokenRevoked, 2)
    );
    assert_eq!(created.user, revoked.user);
    for reason in [
        "admin_listed_keys",
        "admin_key_refused",
        "admin_found_no_key",
    ] {
        assert_eq!(of(reason).kind, EventKind::AuthzAdmin);
    }
}

#[test]
fn without_the_store_nobody_is_let_in_and_nothing_is_said_to_be_done() {
    let upstream = application();
    for fault in [
        Fault::Error(StoreError::TimedOut),
        Fault::Never,
        Fault::TooFew,
        Fault::TooMany,
        Fault::OtherKind,
    ] {
        let memory = MemoryStore::new(MemoryOptions::default()).unwrap();
        let store = Arc::new(FaultyStore::new(memory, [], fault.clone()));
        let gate = Setup::new(policy(&upstream)).store(store).admin().start();
        let key = format!("shop_0123456789abcdef_{}", "0".repeat(64));
        let before = upstream.requests().len();
        for path in ["/me", "/"] {
            let answer = get(&mut gate.client(), path, &[bearer(&key)]);
            assert_eq!(answer.status, 503, "{fault:?} {path}");
        }
        let wish = json!({ "user": "u", "name": "n" }).to_string();
        let answer = ask(&gate, "POST /keys", &wish);
        assert_eq!(answer.status, 503, "{fault:?}");
        assert_eq!(upstream.requests().len(), before, "{fault:?}");
        let (_, events) = events(gate);
        for reason in ["key_unknown", "admin_keys_unavailable"] {
            let mut found = events
                .iter()
                .filter(|event| event.reason.as_str() == reason);
            assert!(found.all(|event| event.kind == EventKind::GuardUnavailable));
        }
    }
}
