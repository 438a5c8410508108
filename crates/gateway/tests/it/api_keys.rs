//! API keys through the whole proxy: who is known by one, and what the application sees.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use portcullis_guard::token::{KeySet, KeyStrength, verify};
use portcullis_policy::JwtAlgorithm;
use portcullis_policy::event::EventKind;
use serde_json::{Value, json};

use crate::support::browser::{application, logged_in, send, shop};
use crate::support::callers::{bearer, get};
use crate::support::issuer::{Issuer, tokens};
use crate::support::keys::{KEYS, ask, create, events, revoke, rotate, start};
use crate::support::{Client, Gate, Setup};

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
    let nobody = get::<&str>(&mut gate.client(), "/scoped", &[]);
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
