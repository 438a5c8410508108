//! Sessions through the whole proxy: cases 83 to 94 of `docs/past-failures.md`, and what an application sees.

use std::sync::{Arc, Mutex};

use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_guard::identity_plan::IdentityKeys;
use portcullis_guard::keys::{KeyId, MacKey, MacKeys, Purpose};
use portcullis_guard::store::{Ask, Durability, Reply, Store, StoreError};
use portcullis_guard::token::{KeySet, KeyStrength, verify};
use portcullis_policy::JwtAlgorithm;
use portcullis_state::{MemoryOptions, MemoryStore};

use crate::support::browser::{
    Browser, application, cookie_of, logged_in, put, send, shop, signed, word,
};
use crate::support::{Gate, SEED, Setup, Upstream};
fn gate(upstream: &Upstream) -> Gate {
    Setup::new(shop(upstream)).start()
}

#[test]
fn who_logs_in_is_known_and_the_application_is_told_by_a_signature() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    assert_eq!(browser.cookie("__Host-pc-pre"), None);
    let me = browser.ask(&mut client, send("GET /me?x=1"));
    assert_eq!(me.status, 200);
    let put = browser.ask(&mut client, send("POST /items").token(&token));
    assert_eq!(put.status, 200, "{put:?}");
    let keys = client.ask("GET /.portcullis/jwks.json HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    assert_eq!(keys.status, 200);
    let keys = KeySet::read(&keys.body, KeyStrength::Strict).unwrap();
    for (request, method, path) in upstream
        .requests()
        .iter()
        .skip(1)
        .zip([("GET", "/me"), ("POST", "/items")])
        .map(|(request, (method, path))| (request, method, path))
    {
        assert_eq!(request.all("cookie"), Vec::<&str>::new());
        let token = request.one("portcullis-identity");
        let verified = verify(token, &keys, &[JwtAlgorithm::EdDsa]).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(verified.payload()).unwrap();
        assert_eq!(claims["sub"], "u1");
        assert_eq!(claims["aud"], "shop");
        assert_eq!(claims["iss"], "https://shop.test");
        assert_eq!(claims["jti"], request.one("x-request-id"));
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&method.into(), &path.into())
        );
    }
}

#[test]
fn nobody_is_let_in_without_a_session_and_a_stale_one_is_cleared_where_it_matters() {
    let upstream = application();
    let gate = gate(&upstream);
    let mut client = gate.client();
    let refused = Browser::default().ask(&mut client, send("GET /me"));
    assert_eq!(refused.status, 401);
    assert_eq!(refused.one("www-authenticate"), "Cookie");
    assert_eq!(refused.all("set-cookie").len(), 0);
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let before = browser.clone();
    let out = browser.ask(
        &mut client,
        send("POST /logout").token(&token).says(r#""op":"end""#),
    );
    assert_eq!(out.status, 200);
    assert_eq!(browser.cookies, Vec::new());
    // Somebody else's page, or a tab that has slept.
    let mut stale = before;
    assert_eq!(stale.ask(&mut client, send("GET /")).status, 200);
    assert!(stale.cookie("__Host-pc-sid").is_some());
    assert_eq!(stale.ask(&mut client, send("GET /me")).status, 401);
    assert_eq!(stale.cookie("__Host-pc-sid"), None);
}

/// An application that is not told is not told: who is known is let in all the same, and nobody else.
#[test]
fn an_application_need_not_be_told() {
    let upstream = application();
    let policy = shop(&upstream).replace(
        "audience = \"shop\"",
        "audience = \"shop\"\nidentity = false",
    );
    let gate = Setup::new(policy).start();
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    assert_eq!(browser.ask(&mut client, send("GET /me")).status, 200);
    assert_eq!(
        upstream
            .requests()
            .last()
            .unwrap()
            .all("portcullis-identity")
            .len(),
        0
    );
    assert_eq!(
        Browser::default().ask(&mut client, send("GET /me")).status,
        401
    );
}

#[test]
fn case_83_what_a_sibling_domain_sets_beside_ours_is_refused() {
    let upstream = application();
    let gate = gate(&upstream);
    let (browser, mut client, token) = logged_in(&gate, "u1");
    let with = |name: &str, value: &str| {
        let mut two = browser.clone();
        two.cookies.push((name.to_owned(), value.to_owned()));
        two
    };
    let session = browser.cookie("__Host-pc-sid").unwrap();
    for (name, value, status) in [
        ("__Host-pc-sid", "x", 400),
        ("__Host-pc-sid", session, 400),
        // What a browser sends of a cookie without a name is taken for one with it.
        ("", "__Host-pc-sid=x", 200),
        ("__host-pc-sid", session, 200),
    ] {
        let mut two = with(name, value);
        assert_eq!(
            two.ask(&mut client, send("GET /me")).status,
            status,
            "{name}={value}"
        );
    }
    let name = cookie_of(&token);
    assert_eq!(put(&mut with(&name, &token), &mut client, &token), 403);
    // Alone, theirs is not signed by us.
    let mut theirs = Browser::default();
    theirs
        .cookies
        .push(("__Host-pc-sid".to_owned(), session.replace('1', "2")));
    assert_eq!(theirs.ask(&mut client, send("GET /me")).status, 401);
}

#[test]
fn case_87_and_89_what_is_from_before_a_login_is_worth_nothing_after_it() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client) = (Browser::default(), gate.client());
    let before = browser.get_token(&mut client);
    let pre = browser.cookie("__Host-pc-pre").unwrap().to_owned();
    browser.log_in(&mut client, "u1");
    let first = browser.cookie("__Host-pc-sid").unwrap().to_owned();
    let mut mixed = browser.clone();
    let name = cookie_of(&before);
    mixed.cookies.push((name, before.clone()));
    mixed.cookies.push(("__Host-pc-pre".to_owned(), pre));
    assert_eq!(put(&mut mixed, &mut client, &before), 403);
    // Logged in once more, the id is another, and the one before is over.
    let mut old = browser.clone();
    browser.log_in(&mut client, "u1");
    assert_ne!(browser.cookie("__Host-pc-sid"), Some(&*first));
    assert_eq!(old.ask(&mut client, send("GET /me")).status, 401);
    // An id that a client brings is never taken for a new session's.
    let mut fixed = Browser::default();
    fixed
        .cookies
        .push(("__Host-pc-sid".to_owned(), first.clone()));
    fixed.log_in(&mut client, "u2");
    assert_ne!(fixed.cookie("__Host-pc-sid"), Some(&*first));
    // A change of roles is a new id too.
    let token = browser.tokens().last().unwrap().clone();
    let mut old = browser.clone();
    let says = r#""op":"rotate","roles":["admin"]"#;
    let answer = browser.ask(&mut client, send("POST /items").token(&token).says(says));
    assert_eq!(answer.status, 200);
    assert_eq!(old.ask(&mut client, send("GET /me")).status, 401);
    assert_eq!(browser.ask(&mut client, send("GET /me")).status, 200);
}

/// A store that fails when it is told to.
#[derive(Debug)]
struct Failing {
    store: MemoryStore,
    fails: Mutex<Option<StoreError>>,
}

impl Store for Failing {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        match self.fails.lock().unwrap().clone() {
            // It never comes.
            Some(StoreError::TimedOut) => Reply::Pending(Box::pin(std::future::pending())),
            Some(error) => Reply::Ready(Err(error)),
            None => self.store.ask(batch, now),
        }
    }

    fn keeps(&self) -> Durability {
        Durability::Volatile
    }
}

#[test]
fn case_88_a_store_that_fails_is_a_503_and_nobody_is_logged_out() {
    let upstream = application();
    let store = Arc::new(Failing {
        store: MemoryStore::new(MemoryOptions::default()).unwrap(),
        fails: Mutex::new(None),
    });
    let gate = Setup::new(shop(&upstream))
        .store(Arc::clone(&store) as Arc<dyn Store>)
        .start();
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let before = browser.cookies.clone();
    let mut seen = upstream.requests().len();
    for fault in [
        StoreError::Unreachable("redis://user:secret@host".to_owned()),
        StoreError::TimedOut,
        StoreError::Full,
        StoreError::Unwritable("no space left on device".to_owned()),
        StoreError::Confused("other words".to_owned()),
        StoreError::NotKept(Durability::Durable),
    ] {
        *store.fails.lock().unwrap() = Some(fault.clone());
        let put = browser.ask(&mut client, send("POST /items").token(&token));
        let me = browser.ask(&mut client, send("GET /me"));
        let given = client.ask(browser.bytes(&send("POST /.portcullis/csrf")));
        for answer in [put, me, given] {
            assert_eq!(answer.status, 503, "{fault:?}");
            assert!(answer.all("set-cookie").is_empty());
            assert!(!answer.text().contains("secret"));
        }
        assert_eq!(upstream.requests().len(), seen);
        *store.fails.lock().unwrap() = None;
        assert_eq!(browser.cookies, before);
        assert_eq!(
            browser.ask(&mut client, send("GET /me")).status,
            200,
            "{fault:?}"
        );
        seen = upstream.requests().len();
    }
    assert_eq!(put(&mut browser, &mut client, &token), 200);
}

#[test]
fn case_90_a_slow_request_revives_no_session_that_was_ended() {
    let upstream = application();
    let gate = gate(&upstream);
    let (browser, mut client, token) = logged_in(&gate, "u1");
    let (mut out, mut slow) = (browser.clone(), browser.clone());
    let mut other = gate.client();
    // It has passed, and the application is not done with it.
    let held = slow.bytes(&send("GET /me").says(r#""op":"rotate""#));
    let ended = out.ask(
        &mut client,
        send("POST /logout").token(&token).says(r#""op":"end""#),
    );
    assert_eq!(ended.status, 200);
    assert_eq!(other.ask(&held).status, 401);
    assert_eq!(slow.ask(&mut other, send("GET /me")).status, 401);
    for _ in 0..3 {
        assert_eq!(
            browser.clone().ask(&mut client, send("GET /me")).status,
            401
        );
    }
}

#[test]
fn case_90_logging_out_everywhere_ends_every_session_of_the_user_and_no_other() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut one, mut client, token) = logged_in(&gate, "u1");
    let mut more: Vec<Browser> = (0..5).map(|_| logged_in(&gate, "u1").0).collect();
    let (mut stranger, _, _) = logged_in(&gate, "u2");
    let says = r#""op":"end_all""#;
    let answer = one.ask(&mut client, send("POST /logout").token(&token).says(says));
    assert_eq!(answer.status, 200);
    for browser in &mut more {
        assert_eq!(browser.ask(&mut client, send("GET /me")).status, 401);
    }
    assert_eq!(stranger.ask(&mut client, send("GET /me")).status, 200);
}

#[test]
fn case_94_an_old_key_is_accepted_while_another_takes_over_and_refused_after() {
    let upstream = application();
    let gate = gate(&upstream);
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let policy = shop(&upstream);
    let both = |first: u8, rest: Option<u8>| {
        let key = |byte: u8, seed: &[u8; 32], purpose: Purpose| {
            let bytes = sha256(&[seed, purpose.label()].concat());
            MacKey::new(KeyId::new([byte; KeyId::BYTES]), &bytes, None)
        };
        let keys = |purpose| {
            let new = key(first, &[first; 32], purpose);
            let old = rest.map(|id| key(id, &SEED, purpose));
            Some(MacKeys::new([new].into_iter().chain(old).collect()))
        };
        IdentityKeys {
            session: keys(Purpose::SessionCookie),
            csrf: keys(Purpose::CsrfToken),
            pre_session: keys(Purpose::PreSessionCookie),
            ..IdentityKeys::of_seed(&SEED)
        }
    };
    // In the overlap: the old key, which is called 0, stands behind the new one.
    gate.replace_with(&policy, both(9, Some(0)));
    assert_eq!(put(&mut browser, &mut client, &token), 200);
    let token = browser.tokens().last().unwrap().clone();
    assert_eq!(browser.ask(&mut client, send("GET /me")).status, 200);
    let (mut new, _, of_new) = logged_in(&gate, "u2");
    // After it.
    gate.replace_with(&policy, both(9, None));
    assert_eq!(put(&mut browser, &mut client, &token), 403);
    assert_eq!(browser.ask(&mut client, send("GET /me")).status, 401);
    assert_eq!(put(&mut new, &mut client, &of_new), 200);
}

#[test]
fn case_93_an_oversized_cookie_of_ours_names_nobody() {
    let upstream = application();
    let gate = gate(&upstream);
    let (browser, mut client, _) = logged_in(&gate, "u1");
    let session = browser.cookie("__Host-pc-sid").unwrap();
    for value in [
        format!("{session}{}", "A".repeat(4_000)),
        "A".repeat(6_000),
        String::new(),
        format!("{session}."),
    ] {
        let mut large = Browser::default();
        large.cookies.push(("__Host-pc-sid".to_owned(), value));
        assert_eq!(large.ask(&mut client, send("GET /me")).status, 401);
        assert_eq!(large.ask(&mut client, send("GET /")).status, 200);
    }
}

#[test]
fn an_application_that_is_not_itself_begins_no_session() {
    let upstream = Upstream::by_request(|request| {
        let said = request.one("x-say");
        let good = word(request, r#""op":"create","sub":"root""#);
        let fields = match said {
            "unsigned" => "Portcullis-Session: e30.e30.\r\n".to_owned(),
            "twice" => format!("Portcullis-Session: {good}\r\nPortcullis-Session: {good}\r\n"),
            "alias" => format!("Portcullis_Session: {good}\r\n"),
            "old" => format!("Portcullis-Session: {}\r\n", signed(r#"{"op":"end"}"#, &SEED)),
            "other" => {
                let claims = r#"{"aud":"portcullis","op":"create","sub":"root"}"#;
                format!("Portcullis-Session: {}\r\n", signed(claims, &[1; 32]))
            }
            "cookie" => "Set-Cookie: __Host-pc-sid=x; Path=/; Secure\r\nSet-Cookie: =__Host-pc-sid=y\r\nSet-Cookie: a=b\r\n".to_owned(),
            other => panic!("{other}"),
        };
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok").into_bytes()
    });
    let gate = gate(&upstream);
    let mut client = gate.client();
    for (says, status) in [
        ("unsigned", 502),
        ("twice", 502),
        ("alias", 502),
        ("old", 502),
        ("other", 502),
        ("cookie", 200),
    ] {
        let mut browser = Browser::default();
        let answer = client.ask(browser.bytes(&send("GET /").says(says)));
        assert_eq!(answer.status, status, "{says}: {answer:?}");
        assert!(answer.all("portcullis-session").is_empty());
        let cookies = answer.all("set-cookie");
        if says == "cookie" {
            assert_eq!(cookies, ["a=b"]);
        } else {
            browser.keep(&answer);
            assert_eq!(browser.cookies, Vec::new(), "{says}");
        }
    }
}

#[test]
fn case_92_a_cookie_that_was_changed_names_nobody() {
    let upstream = application();
    let gate = gate(&upstream);
    let (browser, mut client, _) = logged_in(&gate, "u1");
    let session = browser.cookie("__Host-pc-sid").unwrap();
    let mut tried: Vec<String> = (0..session.len())
        .map(|cut| session.get(..cut).unwrap().to_owned())
        .collect();
    tried.extend((0..session.len()).map(|at| {
        let mut bytes = session.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
        String::from_utf8(bytes).unwrap()
    }));
    let parts: Vec<&str> = session.split('.').collect();
    let [version, key, id, moment, tag] = parts.as_slice() else {
        panic!("{session}");
    };
    tried.push(format!("{version}.{key}{id}.{moment}.{tag}"));
    tried.push(format!("{version}.{key}.{id}{moment}..{tag}"));
    tried.push(format!("{session}A"));
    tried.push(format!("{session}.{tag}"));
    for value in tried {
        let mut changed = Browser::default();
        changed
            .cookies
            .push(("__Host-pc-sid".to_owned(), value.clone()));
        let me = changed.ask(&mut client, send("GET /me"));
        assert_eq!(me.status, 401, "{value}");
    }
    assert_eq!(
        browser.clone().ask(&mut client, send("GET /me")).status,
        200
    );
}

#[test]
fn an_answer_with_a_cookie_of_ours_is_kept_by_nobody() {
    let upstream = Upstream::by_request(|request| {
        let said = request.all("x-say").first().map(|say| word(request, say));
        let said = said.map(|said| format!("Portcullis-Session: {said}\r\n"));
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html\r\nCache-Control: public, max-age=600\r\n{}\r\nok",
            said.unwrap_or_default()
        )
        .into_bytes()
    });
    let gate = gate(&upstream);
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    let page = browser.ask(&mut client, send("GET /").with("Sec-Fetch-Mode: navigate"));
    assert_eq!(page.all("set-cookie").len(), 1);
    assert_eq!(page.one("cache-control"), "no-store");
    let plain = Browser::default().ask(&mut client, send("GET /"));
    assert_eq!(plain.one("cache-control"), "public, max-age=600");
}

/// A body may take as long as its client likes: a session that ends meanwhile is over for what it came with, and the cookie goes.
#[test]
fn a_session_that_ends_while_a_body_arrives_does_not_pass() {
    let upstream = application();
    let read = "[[route]]\npath = \"/read\"\nmethods = [\"POST\"]\ntype = \"protected_mutation\"\nlimits = [\"names\"]\nbody = { max = \"1 KiB\" }\n[limits.names]\nrate = \"100 per 1m\"\nby = [\"body.name\"]\n";
    let gate = Setup::new(shop(&upstream)).and(read).start();
    let (browser, mut slow, token) = logged_in(&gate, "u1");
    let sent = send("POST /read")
        .token(&token)
        .body("application/json", r#"{"name":"a"}"#);
    let bytes = browser.bytes(&sent);
    let (first, rest) = bytes.split_at(bytes.len() - 4);
    let mut other = browser;
    let mut client = gate.client();
    let token = other.get_token(&mut client);
    let before = upstream.requests().len();
    slow.send(first);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let out = send("POST /logout").token(&token).says(r#""op":"end""#);
    assert_eq!(other.ask(&mut client, out).status, 200);
    let answer = slow.send(rest).answer();
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(
        answer
            .all("set-cookie")
            .iter()
            .any(|line| line.starts_with("__Host-pc-sid=;"))
    );
    assert_eq!(upstream.requests().len(), before + 1);
}
