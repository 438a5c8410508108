//! Tokens that the guard itself gives out, through the whole proxy: who gets one, what it opens, and what takes it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_guard::store::StoreError;
use portcullis_guard::token::{KeySet, KeyStrength, verify};
use portcullis_policy::{JwtAlgorithm, SigningAlgorithm};
use portcullis_state::issuer::RsaBits;
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::trail::{TrailFilter, TrailKind, TrailReader};
use serde_json::{Value, json};

use crate::support::house::{
    House, about_tokens, access, exchange, issue, me, now, parent, post, revoke, token, told,
};
use crate::support::{Upstream, admin_credential, open_trail};

#[test]
fn a_service_gets_tokens_that_open_what_they_are_for() {
    for algorithm in SigningAlgorithm::ALL {
        let upstream = Upstream::ok();
        let house = House::new(&upstream, *algorithm, "");
        let gate = house.start();
        let given = told(&issue(&gate, &access()));
        assert_eq!(given["token_type"], "Bearer");
        assert_eq!(given["expires_in"], 900);
        let access = given["access_token"].as_str().unwrap();
        assert_eq!(me(&gate, access), 200, "{algorithm}");

        let given = told(&issue(&gate, &parent()));
        assert_eq!(given["token_type"], "N_A");
        let parent = given["access_token"].as_str().unwrap();
        assert_eq!(me(&gate, parent), 401, "a parent opens no route");
        let given = told(&exchange(&gate, parent, json!({ "rate_limit": 3 })));
        assert_eq!(given["expires_in"], 300);
        let child = given["access_token"].as_str().unwrap();
        assert_eq!(me(&gate, child), 200, "{algorithm}");
        for other in [access, child] {
            assert_eq!(exchange(&gate, other, json!({})).status, 401, "no parent");
        }
        let events = about_tokens(gate);
        let created = |reason: &str| ("authn_token_created".to_owned(), reason.to_owned());
        for event in [created("token_issued"), created("token_exchanged")] {
            assert!(events.contains(&event), "{events:?}");
        }
        assert_eq!(upstream.requests().len(), 2, "nothing else was forwarded");
    }
}

#[test]
fn whoever_has_the_published_keys_can_verify() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::Es256, "");
    let gate = house.start();
    let token = token(&issue(&gate, &access()));
    for method in ["GET", "HEAD"] {
        let request =
            format!("{method} /.portcullis/tokens/jwks.json HTTP/1.1\r\nHost: shop.test\r\n\r\n");
        let mut client = gate.client();
        client.send(request);
        let answer = client.next(method == "HEAD").unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.all("cache-control"), ["public, max-age=300"]);
        assert!(answer.all("access-control-allow-origin").is_empty());
        if method == "GET" {
            let keys = KeySet::read(&answer.body, KeyStrength::Strict).unwrap();
            assert!(verify(&token, &keys, &[JwtAlgorithm::Es256]).is_ok());
            assert!(verify(&token, &keys, &[JwtAlgorithm::Rs256]).is_err());
            assert!(!answer.text().contains("\"d\""));
        }
    }
}

#[test]
fn who_may_not_have_one_is_told_nothing_but_that() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let good = format!("Authorization: Bearer {}\r\n", admin_credential());
    let json_type = "Content-Type: application/json\r\n";
    let both = format!("{good}{json_type}");
    let body = access().to_string();
    let with = |name: &str, value: Value| {
        let mut body = access();
        body[name] = value;
        body.to_string()
    };
    let wrong = admin_credential().replace("5a", "5b");
    const TOKENS: &str = "/.portcullis/tokens";
    for (line, lines, body, status) in [
        ("POST", both.clone(), body.clone(), 200),
        ("POST", json_type.to_owned(), body.clone(), 401),
        (
            "POST",
            format!("Authorization: Bearer {wrong}\r\n{json_type}"),
            body.clone(),
            401,
        ),
        (
            "POST",
            format!("Authorization: Bearer\r\n{json_type}"),
            body.clone(),
            401,
        ),
        (
            "POST",
            format!("Authorization: Basic {}\r\n{json_type}", admin_credential()),
            body.clone(),
            401,
        ),
        (
            "POST",
            format!("{good}{good}{json_type}"),
            body.clone(),
            401,
        ),
        ("POST", good.clone(), body.clone(), 415),
        (
            "POST",
            format!("{good}Content-Type: text/plain\r\n"),
            body.clone(),
            415,
        ),
        (
            "POST",
            format!("{good}Content-Type: application/json; charset=utf-8\r\n"),
            body.clone(),
            415,
        ),
        (
            "POST",
            format!("{both}Content-Encoding: gzip\r\n"),
            body.clone(),
            415,
        ),
        ("POST", both.clone(), String::new(), 400),
        ("POST", both.clone(), "{}".to_owned(), 400),
        ("POST", both.clone(), format!("{body}x"), 400),
        (
            "POST",
            both.clone(),
            body.replace("u1\"", "u1\",\"user_id\":\"u2\""),
            400,
        ),
        ("POST", both.clone(), with("admin", true.into()), 400),
        ("POST", both.clone(), with("network", "test".into()), 403),
        ("POST", both.clone(), with("expires_in", 901.into()), 403),
        (
            "POST",
            both.clone(),
            with("audience", "stranger".into()),
            403,
        ),
        (
            "POST",
            both.clone(),
            with("token_type", "child".into()),
            403,
        ),
        ("POST", both.clone(), " ".repeat(16 * 1024 + 1), 413),
        ("PUT", both.clone(), body.clone(), 405),
    ] {
        let request = post(TOKENS, &lines, &body).replacen("POST", line, 1);
        let answer = gate.client().ask(request);
        assert_eq!(answer.status, status, "{line} {lines} {body}");
        assert_eq!(answer.one("cache-control"), "no-store");
        if status != 200 {
            assert_eq!(answer.one("content-type"), "application/problem+json");
            let problem: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(problem["status"], status);
            assert_eq!(problem.as_object().unwrap().len(), 3, "{problem}");
        }
        if status == 401 {
            assert_eq!(answer.one("www-authenticate"), "Bearer");
        }
    }
    for (path, status) in [
        ("/.portcullis/tokens/", 404),
        ("/.portcullis/tokens/revoke", 404),
        ("/.portcullis/Tokens", 404),
    ] {
        let answer = gate.client().ask(post(path, &both, &body));
        assert_eq!(answer.status, status, "{path}");
    }
    assert!(upstream.requests().is_empty());
    let events = about_tokens(gate);
    let of = |kind: &str, reason: &str| (kind.to_owned(), reason.to_owned());
    for event in [
        of("authn_login_fail", "service_unknown"),
        of("authz_fail", "token_wish_refused"),
        of("input_validation_fail", "token_wish_malformed"),
    ] {
        assert!(events.contains(&event), "{event:?} in {events:?}");
    }
}

/// The moment by which all of a user are taken back does not run ahead of the clock, else what they are given then is refused for as
/// long.
#[test]
fn who_is_taken_back_over_and_over_is_let_in_again() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "leeway = \"1s\"");
    let gate = house.start();
    for times in [1, 2, 50] {
        let before = token(&issue(&gate, &access()));
        for _ in 0..times {
            assert_eq!(revoke(&gate, &json!({ "user_id": "u1" })).status, 200);
        }
        let again = token(&issue(&gate, &access()));
        assert_eq!(
            [me(&gate, &before), me(&gate, &again)],
            [401, 200],
            "{times} times"
        );
    }
}

#[test]
fn what_is_taken_back_opens_nothing_any_more() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let one = token(&issue(&gate, &access()));
    let other = token(&issue(&gate, &access()));
    assert_eq!([me(&gate, &one), me(&gate, &other)], [200, 200]);
    let answer = revoke(&gate, &json!({ "token": one }));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!([me(&gate, &one), me(&gate, &other)], [401, 200]);

    let given = told(&issue(&gate, &parent()));
    let (parent, id) = (given["access_token"].as_str().unwrap(), &given["jti"]);
    let child = token(&exchange(&gate, parent, json!({})));
    assert_eq!(me(&gate, &child), 200);
    assert_eq!(revoke(&gate, &json!({ "jti": id })).status, 200);
    assert_eq!(me(&gate, &child), 401, "a child falls with its parent");
    assert_eq!(exchange(&gate, parent, json!({})).status, 401);
    // One that has ended begins no child, also within the leeway.
    let mut short = self::parent();
    short["expires_in"] = 1.into();
    let short = token(&issue(&gate, &short));
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(exchange(&gate, &short, json!({})).status, 401);

    // All of a user, and then the user again: who has lost a phone signs in anew.
    let stranger = {
        let mut body = access();
        body["user_id"] = "u2".into();
        token(&issue(&gate, &body))
    };
    assert_eq!(revoke(&gate, &json!({ "user_id": "u1" })).status, 200);
    assert_eq!([me(&gate, &other), me(&gate, &stranger)], [401, 200]);
    let again = token(&issue(&gate, &access()));
    assert_eq!([me(&gate, &again), me(&gate, &other)], [200, 401]);
    let events = about_tokens(gate);
    for (kind, reason) in [
        ("authn_token_revoked", "admin_revoked_token"),
        ("authn_token_revoked", "admin_revoked_user_tokens"),
        ("authn_token_reuse", "token_revoked"),
    ] {
        let event = (kind.to_owned(), reason.to_owned());
        assert!(events.contains(&event), "{event:?} in {events:?}");
    }
}

#[test]
fn only_the_administrator_takes_back_and_only_what_is_meant() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let one = token(&issue(&gate, &access()));
    let wrong = house
        .keys
        .signer(now())
        .unwrap()
        .sign("{\"iss\":\"https://shop.test\"}");
    for (body, status) in [
        (json!({}), 400),
        (json!({ "jti": "" }), 400),
        (json!({ "jti": 1 }), 400),
        (json!({ "jti": "a", "user_id": "u1" }), 400),
        (json!({ "token": one, "jti": "a" }), 400),
        (
            json!({ "user_id": "u9", "issuer": "https://shop.test" }),
            200,
        ),
        (
            json!({ "user_id": "u1", "issuer": "https://stranger.test" }),
            400,
        ),
        (json!({ "issuer": "https://shop.test" }), 400),
        (
            json!({ "jti": "a", "issuer": "https://stranger.test" }),
            400,
        ),
        (json!({ "jti": "a", "issuer": "https://shop.test" }), 200),
        (json!({ "token": "a.b.c" }), 400),
        (json!({ "token": format!("{one}x") }), 400),
        (json!({ "token": wrong.unwrap() }), 400),
        (json!({ "user_id": "a\nb" }), 400),
        (json!({ "users": "u1" }), 400),
    ] {
        let answer = revoke(&gate, &body);
        assert_eq!(answer.status, status, "{body} {answer:?}");
        assert!(!answer.text().contains(&one));
    }
    let body = json!({ "token": one }).to_string();
    let json_type = "Content-Type: application/json\r\n";
    let known = format!("Authorization: Bearer {}\r\n", admin_credential());
    for (line, lines, body, status) in [
        ("POST", json_type.to_owned(), body.clone(), 401),
        ("POST", known.clone(), body.clone(), 415),
        ("GET", format!("{known}{json_type}"), String::new(), 405),
        (
            "POST",
            format!("{known}{json_type}"),
            " ".repeat(16 * 1024 + 1),
            413,
        ),
        ("POST", format!("{known}{json_type}"), String::new(), 400),
    ] {
        let request = post("/tokens/revoke", &lines, &body).replacen("POST", line, 1);
        let request = request.replace("Host: shop.test", "Host: 127.0.0.1");
        assert_eq!(gate.admin().ask(request).status, status, "{line} {lines}");
    }
    // A client cannot come this way, whatever it shows.
    let request = post("/tokens/revoke", &format!("{known}{json_type}"), &body);
    assert_eq!(gate.client().ask(request).status, 404);
    assert_eq!(me(&gate, &one), 200);
}

/// Who guesses at the credential, or floods the signing key, is held by the address; who has used it up is told nothing of either.
#[test]
fn one_address_asks_so_often_and_no_more() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let lines = "Authorization: Bearer no\r\nContent-Type: application/json\r\n";
    let mut client = gate.client();
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) {
        let request = post("/.portcullis/tokens", lines, "{}");
        statuses.push(client.ask(request).status);
        assert!(statuses.len() < 2_000, "it never ends");
    }
    assert!(statuses.len() > 200 && statuses.iter().rev().skip(1).all(|one| *one == 401));
    assert_eq!(issue(&gate, &access()).status, 429);
    // The keys are counted by themselves: whoever verifies is not held for it.
    let keys = "GET /.portcullis/tokens/jwks.json HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    assert_eq!(gate.client().ask(keys).status, 200);
}

/// A revocation is on the disk before it is acknowledged: whoever opens the store again finds it.
#[test]
fn what_is_taken_back_stays_so_over_a_restart() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let one = token(&issue(&gate, &access()));
    let mut body = access();
    body["user_id"] = "u2".into();
    let of_other = token(&issue(&gate, &body));
    assert_eq!(revoke(&gate, &json!({ "token": one })).status, 200);
    assert_eq!(revoke(&gate, &json!({ "user_id": "u2" })).status, 200);
    drop(gate);
    let gate = house.start();
    assert_eq!([me(&gate, &one), me(&gate, &of_other)], [401, 401]);
    assert_eq!(me(&gate, &token(&issue(&gate, &access()))), 200);
}

#[test]
fn a_store_that_fails_gives_no_token_and_takes_back_nothing() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let one = token(&issue(&gate, &access()));
    let old = token(&issue(&gate, &parent()));
    drop(gate);
    for fault in [
        Fault::Error(StoreError::Unreachable("gone".to_owned())),
        Fault::ErrorAfter(StoreError::TimedOut),
        Fault::TooFew,
        Fault::TooMany,
        Fault::OtherKind,
        Fault::Never,
    ] {
        let faulty = |before: usize| {
            let plan = vec![Fault::None; before];
            let store = FaultyStore::new(house.store(), plan, fault.clone());
            house.setup(Arc::new(store)).start()
        };
        // The limit is counted; what is asked of the token is not answered.
        let gate = faulty(1);
        assert_eq!(issue(&gate, &access()).status, 503, "{fault:?}");
        drop(gate);
        let gate = faulty(1);
        assert_eq!(exchange(&gate, &old, json!({})).status, 503, "{fault:?}");
        drop(gate);
        let gate = faulty(0);
        assert_eq!(issue(&gate, &access()).status, 503, "{fault:?}");
        assert_eq!(
            revoke(&gate, &json!({ "token": one })).status,
            503,
            "{fault:?}"
        );
        let user = json!({ "user_id": "u1" });
        assert_eq!(revoke(&gate, &user).status, 503, "{fault:?}");
        drop(gate);
    }
}

/// Nothing leaves that is not in the trail, and no token is in it.
#[test]
fn the_trail_knows_of_each_token_before_it_leaves() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let folder = tempfile::tempdir().unwrap();
    let trail = open_trail(folder.path());
    let gate = house
        .setup(Arc::new(house.store()))
        .trail(Arc::clone(&trail))
        .start();
    let given = told(&issue(&gate, &access()));
    assert_eq!(revoke(&gate, &json!({ "jti": given["jti"] })).status, 200);
    trail.close();
    assert_eq!(
        issue(&gate, &access()).status,
        503,
        "a trail that cannot be written"
    );
    let mut reader = TrailReader::open(&folder.path().join("trail.sqlite")).unwrap();
    let found = reader.after(0, &TrailFilter::default(), 1_000).unwrap();
    let told: Vec<(TrailKind, Option<String>)> = found
        .iter()
        .map(|(body, _)| {
            let reason = body.reason.as_ref().map(|one| one.as_str().to_owned());
            (body.kind, reason)
        })
        .collect();
    for (kind, reason) in [
        (TrailKind::Intent, "token_issued"),
        (TrailKind::Admin, "admin_revoked_token"),
    ] {
        assert!(told.contains(&(kind, Some(reason.to_owned()))), "{told:?}");
    }
    let outcomes = told.iter().filter(|(kind, _)| *kind == TrailKind::Outcome);
    assert_eq!(outcomes.count(), 1);
    let secret = given["access_token"].as_str().unwrap();
    let signature = secret.rsplit('.').next().unwrap();
    let database = std::fs::read(folder.path().join("trail.sqlite")).unwrap();
    let is_there = |needle: &str| {
        database
            .windows(needle.len())
            .any(|part| part == needle.as_bytes())
    };
    assert!(!is_there(signature) && is_there(given["jti"].as_str().unwrap()));
}

/// Keys change under requests: no token that is good is refused, of before and of after.
#[test]
fn a_change_of_keys_under_requests_refuses_nobody() {
    let upstream = Upstream::ok();
    let house = House::new(&upstream, SigningAlgorithm::EdDsa, "");
    let gate = house.start();
    let first = house.keys.signer(now()).unwrap().kid().to_owned();
    let before = token(&issue(&gate, &access()));
    let is_over = AtomicBool::new(false);
    let used = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut used = 0;
                    while !is_over.load(Ordering::Acquire) {
                        let young = token(&issue(&gate, &access()));
                        assert_eq!([me(&gate, &young), me(&gate, &before)], [200, 200]);
                        used += 1;
                        // Slower than the limit of one address.
                        std::thread::sleep(Duration::from_millis(200));
                    }
                    used
                })
            })
            .collect();
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
            let folder = house.keys.folder();
            folder.rotate(algorithm, RsaBits::B2048, 2, now()).unwrap();
            let kid = house.keys.signer(now()).unwrap().kid().to_owned();
            assert!(house.keys.refresh(now()).unwrap());
            let is_next = || house.keys.signer(now()).is_some_and(|one| one.kid() != kid);
            assert!(crate::support::eventually(is_next));
            std::thread::sleep(Duration::from_millis(300));
        }
        is_over.store(true, Ordering::Release);
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum::<usize>()
    });
    assert!(used >= 6, "{used}");
    assert_ne!(house.keys.signer(now()).unwrap().kid(), first);
    // Somebody knows a key: all of before is refused, and what is given out now is good.
    let folder = house.keys.folder();
    let replaced = folder.replace(SigningAlgorithm::EdDsa, RsaBits::B2048, now());
    replaced.unwrap();
    assert!(house.keys.refresh(now()).unwrap());
    assert_eq!(me(&gate, &before), 401);
    assert_eq!(me(&gate, &token(&issue(&gate, &access()))), 200);
}
