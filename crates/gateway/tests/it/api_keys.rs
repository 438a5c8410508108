//! API keys through the whole proxy: who is known by one, what the application sees, and how keys are made, changed and revoked.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use portcullis_guard::store::StoreError;
use portcullis_guard::token::{KeySet, KeyStrength, verify};
use portcullis_policy::JwtAlgorithm;
use portcullis_policy::event::{EventKind, SecurityEvent};
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::trail::{Trail, TrailFilter, TrailKind, TrailOptions, TrailReader};
use portcullis_state::{MemoryOptions, MemoryStore, SystemClock};
use serde_json::{Value, json};

use crate::support::browser::{application, logged_in, send, shop};
use crate::support::issuer::{Issuer, tokens};
use crate::support::{Answer, Client, Gate, SEED, Setup, Upstream, eventually};

const KEYS: &str = r#"
[proxy]
admin_secret = "env:ADMIN"
[identity.api_keys]
prefix = "shop"
header = "x-api-key"
"#;

const ROUTES: &str = r#"
[identity.application]
secret = "env:APPLICATION"
audience = "shop"
[limits.mine]
rate = "3 per 1m"
algorithm = "exact"
by = ["user"]
[limits.roomy]
rate = "1000000 per 1s"
[[route]]
path = "/"
methods = ["GET"]
type = "public_read"
[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"
[[route]]
path = "/few"
methods = ["GET"]
type = "protected_read"
limits = ["mine"]
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
fn policy(upstream: &Upstream) -> String {
    format!(
        "version = 1\npublic_url = \"https://shop.test\"\nupstream = \"http://{}\"\n{KEYS}{ROUTES}",
        upstream.address()
    )
}

fn start(upstream: &Upstream) -> Gate {
    Setup::new(policy(upstream)).admin().start()
}

/// `GET PATH` with these lines.
fn get(client: &mut Client, path: &str, lines: &[String]) -> Answer {
    let mut bytes = format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n");
    for line in lines {
        bytes.push_str(line);
        bytes.push_str("\r\n");
    }
    client.ask(bytes + "\r\n")
}

fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

/// What somebody with the credential asks the admin listener.
fn ask(gate: &Gate, line: &str, content: &str) -> Answer {
    let credential = SEED.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let length = content.len();
    gate.admin().ask(format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {credential}\r\nContent-Length: {length}\r\n\r\n{content}"
    ))
}

fn told(answer: &Answer) -> Value {
    assert_eq!(answer.one("cache-control"), "no-store");
    assert_eq!(answer.one("content-type"), "application/json");
    serde_json::from_slice(&answer.body).unwrap()
}

/// Makes a key; its id and its text.
fn create(gate: &Gate, user: &str, scopes: &[&str]) -> (String, String) {
    let wish = json!({ "user": user, "tenant": "acme", "name": "a program", "scopes": scopes });
    let answer = ask(gate, "POST /keys", &wish.to_string());
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = told(&answer);
    assert_eq!(told["schema"], "portcullis.api-key/1");
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    assert!(text("created") < text("expires"), "{told}");
    (text("id"), text("key"))
}

fn rotate(gate: &Gate, id: &str, overlap: u64) -> String {
    let content = json!({ "overlap_seconds": overlap }).to_string();
    let answer = ask(gate, &format!("POST /keys/{id}/rotate"), &content);
    assert_eq!(answer.status, 200, "{answer:?}");
    told(&answer)["key"].as_str().unwrap().to_owned()
}

fn revoke(gate: &Gate, id: &str) {
    let answer = ask(gate, &format!("DELETE /keys/{id}"), "");
    assert_eq!(told(&answer)["revoked"], 1);
}

fn events(gate: Gate) -> (String, Vec<SecurityEvent>) {
    let text = gate.drained_events();
    let events = text.lines().map(|line| SecurityEvent::parse(line).unwrap());
    let events = events.collect();
    (text, events)
}

#[test]
fn a_key_is_good_or_it_is_no_credential_and_never_forwarded() {
    let upstream = application();
    let gate = start(&upstream);
    let (_, key) = create(&gate, "u1", &[]);
    let (revoked_id, revoked) = create(&gate, "u1", &[]);
    revoke(&gate, &revoked_id);
    let secret_of = |key: &str| key.rsplit('_').next().unwrap().to_owned();
    let (id, secret) = (key.split('_').nth(1).unwrap(), secret_of(&key));
    let other_secret = key.replace(&secret, &"0".repeat(64));
    let other_id = key.replace(id, "0000000000000000");
    let cut = key.strip_suffix(|_last: char| true).unwrap().to_owned();
    let field = |key: &str| format!("X-API-Key: {key}");
    let own = |line: &str| vec![line.to_owned()];
    // The lines, the status where somebody must be known, whether the application sees `Authorization`.
    for (name, lines, status, seen) in [
        ("good", vec![bearer(&key)], 200, 0),
        ("in the field of keys", vec![field(&key)], 200, 0),
        (
            "in any case",
            vec![
                bearer(&key).replace("Bearer", "bEARER"),
                "x-other: 1".into(),
            ],
            200,
            0,
        ),
        (
            "beside another scheme",
            vec![field(&key), "Authorization: Basic dTpw".into()],
            200,
            1,
        ),
        ("none", vec![], 401, 0),
        ("in both", vec![bearer(&key), field(&key)], 401, 0),
        ("twice", vec![field(&key), field(&key)], 401, 0),
        (
            "twice, in the one field",
            vec![bearer(&key), bearer(&key)],
            401,
            0,
        ),
        (
            "in the field, and a token",
            vec![field(&key), bearer("opaque")],
            401,
            1,
        ),
        (
            "in a field that some take for it",
            vec![format!("X_API_Key: {key}")],
            401,
            0,
        ),
        (
            "in both of these",
            vec![field(&key), format!("X_API_Key: {key}")],
            401,
            0,
        ),
        ("another secret", vec![bearer(&other_secret)], 401, 0),
        ("another id", vec![bearer(&other_id)], 401, 0),
        ("cut off", vec![bearer(&cut)], 401, 0),
        ("cut off, in the field", vec![field(&cut)], 401, 0),
        ("the prefix alone", vec![bearer("shop_")], 401, 0),
        ("an empty field", vec![field("")], 401, 0),
        ("longer", vec![bearer(&format!("{key}0"))], 401, 0),
        ("padded", vec![bearer(&format!("{key}="))], 401, 0),
        ("in capitals", vec![bearer(&key.to_uppercase())], 401, 1),
        (
            "two spaces",
            vec![format!("Authorization: Bearer  {key}")],
            401,
            0,
        ),
        (
            "a tab",
            vec![format!("Authorization: Bearer\t{key}")],
            401,
            0,
        ),
        (
            "a list",
            vec![format!("{}, Bearer {key}", bearer("a"))],
            401,
            0,
        ),
        (
            "without a scheme",
            own(&format!("Authorization: {key}")),
            401,
            0,
        ),
        (
            "of another scheme",
            own(&format!("Authorization: Token {key}")),
            401,
            0,
        ),
        (
            "with a scheme in the field",
            vec![field(&format!("Bearer {key}"))],
            401,
            0,
        ),
        ("revoked", vec![bearer(&revoked)], 401, 0),
        ("the application's own", vec![bearer("opaque")], 401, 1),
        (
            "a name that begins alike",
            vec![bearer("shopper_1")],
            401,
            1,
        ),
    ] {
        let mut client = gate.client();
        let before = upstream.requests().len();
        let answer = get(&mut client, "/me", &lines);
        assert_eq!(answer.status, status, "{name}");
        if status == 401 {
            assert!(
                answer.one("www-authenticate").starts_with("Bearer"),
                "{name}"
            );
            assert!(!answer.text().contains("key"), "{name}: {}", answer.text());
        }
        let open = get(&mut client, "/", &lines);
        assert_eq!(open.status, 200, "{name}");
        for request in upstream.requests().iter().skip(before) {
            assert_eq!(request.all("authorization").len(), seen, "{name}");
            assert_eq!(request.all("x-api-key").len(), 0, "{name}");
            assert_eq!(request.all("x_api_key").len(), 0, "{name}");
            let is_known = !request.all("portcullis-identity").is_empty();
            assert_eq!(is_known, status == 200, "{name}");
        }
    }
    // An answer to somebody with a key is nobody else's.
    let mut client = gate.client();
    let caching = |client: &mut Client, lines: &[String]| {
        get(client, "/", lines).all("cache-control").join(",")
    };
    assert_eq!(caching(&mut client, &[]), "");
    assert!(caching(&mut client, &[field(&key)]).contains("no-store"));
    let (text, events) = events(gate);
    for secret in [secret, secret_of(&revoked)] {
        let begins: String = secret.chars().take(16).collect();
        assert!(!text.contains(&begins), "no event has a secret");
    }
    let reasons = |kind: EventKind| {
        let mut reasons: Vec<&str> = events
            .iter()
            .filter(|event| event.kind == kind && event.status == Some(401))
            .map(|event| event.reason.as_str())
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    };
    assert_eq!(
        reasons(EventKind::AuthzFail),
        ["caller_unknown", "credential_malformed", "key_wrong"]
    );
    assert_eq!(reasons(EventKind::AuthnTokenReuse), ["key_revoked"]);
}

#[test]
fn the_application_is_told_whose_key_it_is_and_what_it_is_good_for() {
    let upstream = application();
    let gate = start(&upstream);
    let (id, key) = create(&gate, "u1", &["read:items", "export"]);
    let mut client = gate.client();
    assert_eq!(get(&mut client, "/me?x=1", &[bearer(&key)]).status, 200);
    let keys = client.ask("GET /.portcullis/jwks.json HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let keys = KeySet::read(&keys.body, KeyStrength::Strict).unwrap();
    let requests = upstream.requests();
    let token = requests[0].one("portcullis-identity");
    let verified = verify(token, &keys, &[JwtAlgorithm::EdDsa]).unwrap();
    let claims: Value = serde_json::from_slice(verified.payload()).unwrap();
    for (name, expected) in [
        ("sub", json!("u1")),
        ("tid", json!("acme")),
        ("roles", json!([])),
        ("key", json!(id)),
        ("scope", json!("read:items export")),
        ("aud", json!("shop")),
        ("htu", json!("/me")),
    ] {
        assert_eq!(claims[name], expected, "{claims}");
    }
    for name in ["sid", "idp", "auth_time"] {
        assert_eq!(claims.get(name), None, "{claims}");
    }
}

#[test]
fn a_route_asks_for_scopes_of_keys_and_tokens_and_of_no_session() {
    let upstream = application();
    let issuer = Issuer::new("https://login.shop.test", &["a"]);
    let with_sessions = shop(&upstream)
        + KEYS
        + r#"
[[route]]
path = "/scoped"
methods = ["GET"]
type = "protected_read"
scopes = ["read:items", "write:items"]
"# + &issuer.entry();
    let made = tokens(&with_sessions);
    let gate = Setup::new(with_sessions).with(made).admin().start();
    let key = |scopes: &[&str]| bearer(&create(&gate, "u1", scopes).1);
    let token = |scope: Value| {
        let more = match scope {
            Value::Null => json!({}),
            scope => json!({ "scope": scope }),
        };
        bearer(&issuer.token("a", "u1", more))
    };
    let all = "write:items read:items";
    for (name, line, status) in [
        ("a key for both", key(&["read:items", "write:items"]), 200),
        (
            "a key for more",
            key(&["a", "write:items", "read:items"]),
            200,
        ),
        ("a key for one", key(&["read:items"]), 403),
        ("a key for none", key(&[]), 403),
        (
            "a key in capitals",
            key(&["READ:ITEMS", "write:items"]),
            403,
        ),
        (
            "a key for what begins alike",
            key(&["read", "write:items"]),
            403,
        ),
        ("a token for both", token(json!(all)), 200),
        (
            "a token for both, and blanks",
            token(json!(format!("  {all} "))),
            200,
        ),
        ("a token for one", token(json!("read:items")), 403),
        (
            "a token for what begins alike",
            token(json!("read:items2 write:items")),
            403,
        ),
        ("a token that says nothing", token(Value::Null), 403),
        (
            "a token that says so otherwise",
            token(json!(["read:items", "write:items"])),
            403,
        ),
        ("a token for an empty text", token(json!("")), 403),
    ] {
        let answer = get(&mut gate.client(), "/scoped", &[line]);
        assert_eq!(answer.status, status, "{name}");
        let challenge = answer.all("www-authenticate");
        let expected: &[&str] = match status {
            403 => &[r#"Bearer error="insufficient_scope""#],
            _ => &[],
        };
        assert_eq!(challenge, expected, "{name}");
    }
    // Nobody is called as somebody is whom an issuer knows.
    let wish = json!({ "user": "https://login.shop.test#u1", "name": "n" });
    assert_eq!(ask(&gate, "POST /keys", &wish.to_string()).status, 400);
    let nobody = get(&mut gate.client(), "/scoped", &[]);
    assert_eq!(nobody.status, 401);
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    assert_eq!(browser.ask(&mut client, send("GET /scoped")).status, 200);
    // With a key it is the key that calls, good or bad.
    let both = send("GET /scoped").with(key(&[]));
    assert_eq!(browser.ask(&mut client, both).status, 403);
    let bad = send("GET /me").with(bearer("shop_0"));
    assert_eq!(browser.ask(&mut client, bad).status, 401);
    let (_, events) = events(gate);
    let missing = events
        .iter()
        .filter(|event| event.reason.as_str() == "scope_missing");
    assert!(missing.clone().count() > 0);
    assert!(
        missing
            .clone()
            .all(|event| event.kind == EventKind::AuthzFail)
    );
}

#[test]
fn limits_count_all_keys_of_a_user_together() {
    let upstream = application();
    let gate = start(&upstream);
    let (one, two) = (create(&gate, "u1", &[]).1, create(&gate, "u1", &[]).1);
    let other = create(&gate, "u2", &[]).1;
    let mut client = gate.client();
    let mut few = |key: &str| get(&mut client, "/few", &[bearer(key)]).status;
    assert_eq!([few(&one), few(&two), few(&one)], [200; 3]);
    assert_eq!([few(&one), few(&two), few(&other)], [429, 429, 200]);
}

#[test]
fn a_key_is_changed_under_requests_and_none_is_refused() {
    let upstream = application();
    let gate = start(&upstream);
    let (id, first) = create(&gate, "u1", &[]);
    let is_over = AtomicBool::new(false);
    let second = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut client = gate.client();
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(get(&mut client, "/me", &[bearer(&first)]).status, 200);
                count += 1;
            }
            count
        });
        let mut client = gate.client();
        while upstream.requests().len() < 20 {
            thread::yield_now();
        }
        let second = rotate(&gate, &id, 3_600);
        for _ in 0..50 {
            assert_eq!(get(&mut client, "/me", &[bearer(&second)]).status, 200);
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(asking.join().unwrap() > 20);
        second
    });
    // A third secret has to wait, or ends the two at once.
    let waits = ask(&gate, &format!("POST /keys/{id}/rotate"), "");
    assert_eq!(waits.status, 409, "{waits:?}");
    let third = rotate(&gate, &id, 0);
    let mut client = gate.client();
    for (key, status) in [(&first, 401), (&second, 401), (&third, 200)] {
        assert_eq!(get(&mut client, "/me", &[bearer(key)]).status, status);
    }
    revoke(&gate, &id);
    assert_eq!(get(&mut client, "/me", &[bearer(&third)]).status, 401);
}

/// A body may take as long as its client likes: the key is looked at once more when it is whole.
#[test]
fn what_is_revoked_or_changed_while_a_body_arrives_does_not_pass() {
    let upstream = application();
    let gate = start(&upstream);
    let scopes = ["read:items", "write:items"];
    let head = |key: &str| {
        format!(
            "POST /items HTTP/1.1\r\nHost: shop.test\r\n{}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n",
            bearer(key)
        )
    };
    type Ends = fn(&Gate, &str);
    let ends: [(&str, Ends); 2] = [
        ("revoked", |gate, id| revoke(gate, id)),
        ("changed", |gate, id| drop(rotate(gate, id, 0))),
    ];
    for (name, end) in ends {
        let (id, key) = create(&gate, "u1", &scopes);
        let mut client = gate.client();
        client.send(head(&key) + "{\"name\":");
        // The head was decided when another request that came behind it was.
        assert_eq!(get(&mut gate.client(), "/me", &[bearer(&key)]).status, 200);
        thread::sleep(Duration::from_millis(100));
        let before = upstream.requests().len();
        end(&gate, &id);
        assert_eq!(client.send("\"a\"}").answer().status, 401, "{name}");
        assert_eq!(upstream.requests().len(), before, "{name}");
    }
    let (_, key) = create(&gate, "u1", &scopes);
    let whole = gate.client().ask(head(&key) + "{\"name\":\"a\"}");
    assert_eq!(whole.status, 200);
}

/// Who called by which key is in the trail, and so is what was done to keys.
#[test]
fn the_trail_has_the_key_and_nothing_of_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = application();
    let trail = Trail::open(TrailOptions {
        folder: folder.path().to_owned(),
        signing_key: None,
        checkpoints: None,
        clock: SystemClock::start(),
        told: Arc::new(|_| {}),
    });
    let trail = Arc::new(trail.unwrap());
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
            assert_eq!(body.user.as_ref().unwrap().as_str(), "u1");
            (body.kind, body.reason.as_ref().unwrap().as_str())
        })
        .collect();
    // A note is written behind its request, and so among what came after it.
    for one in [
        (TrailKind::Admin, "admin_created_key"),
        (TrailKind::Note, "forwarded"),
        (TrailKind::Admin, "admin_rotated_key"),
        (TrailKind::Admin, "admin_revoked_key"),
    ] {
        assert!(told.contains(&one), "{one:?}: {told:?}");
    }
    assert_eq!(told.len(), 4, "{told:?}");
    let all = std::fs::read(folder.path().join("trail.sqlite")).unwrap();
    for key in [&key, &rotated] {
        let secret = key.rsplit('_').next().unwrap().as_bytes();
        assert!(!all.windows(secret.len()).any(|window| window == secret));
    }
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
