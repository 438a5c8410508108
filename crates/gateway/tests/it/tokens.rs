//! Tokens of issuers through the whole proxy: who is believed, what the application sees, and what becomes of a revocation.

use std::sync::Arc;

use portcullis_guard::store::{Ask, Reply, Store};
use portcullis_guard::token::{KeySet, KeyStrength, revocation, verify};
use portcullis_policy::JwtAlgorithm;
use portcullis_state::{MemoryOptions, MemoryStore, SystemClock};
use serde_json::{Value, json};

use crate::support::browser::{Browser, application, logged_in, send, shop};
use crate::support::callers::{self, bearer, get};
use crate::support::issuer::{Issuer, now, tokens};
use crate::support::{Client, Gate, Setup, Upstream};

const CLERK: &str = "https://clerk.shop.test";

/// Before an application whose users are known by tokens alone.
fn policy(upstream: &Upstream, issuers: &[&Issuer], more: &str) -> String {
    let mut policy = callers::policy(upstream);
    for issuer in issuers {
        policy.push_str(&issuer.entry());
    }
    policy + more
}

fn start(policy: String) -> Gate {
    let made = tokens(&policy);
    Setup::new(policy).with(made).start()
}

#[test]
fn case_46_78_a_token_is_believed_or_is_no_credential() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let gate = start(policy(&upstream, &[&issuer], "cookie = \"__session\"\n"));
    let mut client = gate.client();
    let good = issuer.token("a", "u", json!({}));
    let late = issuer.token("a", "u", json!({ "iat": now() - 700, "exp": now() - 31 }));
    let parent = issuer.token("a", "u", json!({ "token_type": "parent", "jti": "p" }));
    let stranger = issuer.token("b", "u", json!({}));
    let cookie = |token: &str| format!("Cookie: theme=dark; __session={token}");
    // The lines, the status where somebody must be known, and whether the application sees `Authorization` and how many cookies.
    for (name, lines, status, seen) in [
        ("good", vec![bearer(&good)], 200, (1, 0)),
        ("in a cookie", vec![cookie(&good)], 200, (0, 2)),
        ("in both", vec![bearer(&good), cookie(&good)], 200, (1, 1)),
        (
            "in both, one bad",
            vec![bearer(&late), cookie(&good)],
            401,
            (0, 1),
        ),
        (
            "in both, the other bad",
            vec![bearer(&good), cookie(&late)],
            200,
            (1, 1),
        ),
        ("none", vec![], 401, (0, 0)),
        ("expired", vec![bearer(&late)], 401, (0, 0)),
        ("expired, in a cookie", vec![cookie(&late)], 401, (0, 1)),
        ("parent", vec![bearer(&parent)], 401, (0, 0)),
        (
            "of a key that nobody knows",
            vec![bearer(&stranger)],
            401,
            (0, 0),
        ),
        ("no token", vec![bearer("a.b.c")], 401, (1, 0)),
        ("opaque", vec![bearer("opaque")], 401, (1, 0)),
        (
            "another scheme",
            vec!["Authorization: Basic dTpw".into()],
            401,
            (1, 0),
        ),
        (
            "another scheme and a cookie",
            vec!["Authorization: Basic dTpw".into(), cookie(&good)],
            200,
            (1, 2),
        ),
        (
            "46: two spaces",
            vec![format!("Authorization: Bearer  {good}")],
            401,
            (0, 0),
        ),
        (
            "46: a tab",
            vec![format!("Authorization: Bearer\t{good}")],
            401,
            (0, 0),
        ),
        (
            "46: in any case",
            vec![format!("Authorization: bEARER {good}")],
            200,
            (1, 0),
        ),
        (
            "a list",
            vec![format!("Authorization: Bearer {good}, Bearer {good}")],
            401,
            (0, 0),
        ),
        (
            "two cookies",
            vec![format!("Cookie: __session={good}; __session={good}")],
            401,
            (0, 0),
        ),
    ] {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(get(&mut client, "/", &lines).status, 200, "{name}");
        let forwarded = upstream.requests().last().unwrap().clone();
        let cookies = forwarded
            .all("cookie")
            .first()
            .map_or(0, |line| line.split(';').count());
        let saw = (forwarded.all("authorization").len(), cookies);
        assert_eq!(saw, seen, "{name}");
        let answer = get(&mut client, "/me", &lines);
        assert_eq!(answer.status, status, "{name}");
        if status == 401 {
            let shows = lines
                .iter()
                .any(|line| line.contains("Bearer") || line.contains("__session"));
            let challenge = answer.one("www-authenticate");
            let expected = if shows {
                r#"Bearer error="invalid_token""#
            } else {
                "Bearer"
            };
            assert_eq!(challenge, expected, "{name}");
            assert!(
                !String::from_utf8_lossy(&answer.body).contains("token"),
                "{name}"
            );
        }
    }
    // Two fields: neither counts, and neither is forwarded.
    let twice = bearer(&good);
    assert_eq!(get(&mut client, "/", &[&twice, &twice]).status, 200);
    let forwarded = upstream.requests().last().unwrap().clone();
    assert_eq!(forwarded.all("authorization").len(), 0);
    assert_eq!(get(&mut client, "/me", &[&twice, &twice]).status, 401);
    let events = gate.drained_events();
    for code in [
        "token_expired",
        "token_is_parent",
        "token_key_unknown",
        "credential_malformed",
        "caller_unknown",
    ] {
        assert!(events.contains(code), "{code}");
    }
    for secret in [&good, &late, &parent] {
        assert!(!events.contains(secret.as_str()));
    }
}

#[test]
fn the_application_is_told_of_whom_and_by_whom() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let more = "[identity.session]\nsecret = \"env:S\"\nsource = \"claim:sid\"\n[identity.csrf]\nsecret = \"env:C\"\n[identity.application]\naudience = \"shop\"\n";
    let gate = start(policy(&upstream, &[&issuer], more));
    let mut client = gate.client();
    let token = issuer.token("a", "a@evil@corp", json!({ "sid": "sess_1" }));
    assert_eq!(get(&mut client, "/me?x=1", &[&bearer(&token)]).status, 200);
    let told = upstream
        .requests()
        .last()
        .unwrap()
        .one("portcullis-identity")
        .to_owned();
    let keys = client.ask("GET /.portcullis/jwks.json HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let keys = KeySet::read(&keys.body, KeyStrength::Strict).unwrap();
    let verified = verify(&told, &keys, &[JwtAlgorithm::EdDsa]).unwrap();
    let claims: Value = serde_json::from_slice(verified.payload()).unwrap();
    let expected = ["a@evil@corp", CLERK, "sess_1", "/me"];
    for (claim, expected) in ["sub", "idp", "sid", "htu"].iter().zip(expected) {
        assert_eq!(claims[claim], expected, "{claim}");
    }
}

/// Revokes a token, as somebody who writes into the store.
fn revoke(store: &dyn Store, token_id: &str) {
    let now = SystemClock::start().now();
    let ask: Ask<'_> = revocation::revoke(CLERK, token_id, None, now);
    let Reply::Ready(Ok(_)) = store.ask(&[ask], now) else {
        panic!("a store in memory answers at once")
    };
}

/// 78: a revoked token is refused with the next request, and so are those that were made of it.
#[test]
fn case_78_a_revocation_holds_at_once() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let store = Arc::new(MemoryStore::for_rehearsal(MemoryOptions::default()).unwrap());
    let policy = policy(&upstream, &[&issuer], "");
    let made = tokens(&policy);
    let gate = Setup::new(policy)
        .with(made)
        .store(Arc::clone(&store) as Arc<dyn Store>)
        .start();
    let mut client = gate.client();
    let child = |id: &str, parent: &str| {
        let claims =
            json!({ "jti": id, "parent_jti": parent, "token_type": "child", "exp": now() + 300 });
        bearer(&issuer.token("a", "u", claims))
    };
    let (one, other, stranger) = (child("c1", "p1"), child("c2", "p1"), child("c3", "p2"));
    for line in [&one, &other, &stranger] {
        assert_eq!(get(&mut client, "/me", &[line]).status, 200);
    }
    revoke(&*store, "c1");
    assert_eq!(get(&mut client, "/me", &[&one]).status, 401);
    assert_eq!(get(&mut client, "/", &[&one]).status, 200);
    assert_eq!(get(&mut client, "/me", &[&other]).status, 200);
    revoke(&*store, "p1");
    assert_eq!(get(&mut client, "/me", &[&other]).status, 401);
    assert_eq!(get(&mut client, "/me", &[&stranger]).status, 200);
    assert!(gate.drained_events().contains("authn_token_reuse"));
}

/// 80 (CVE-2026-40574): nothing is read out of a name, and two issuers may call two people the same.
#[test]
fn case_80_a_limit_counts_a_user_of_an_issuer() {
    let upstream = application();
    let (one, other) = (
        Issuer::new(CLERK, &["a"]),
        Issuer::new("https://login.shop.test", &["b"]),
    );
    let gate = start(policy(&upstream, &[&one, &other], ""));
    let mut client = gate.client();
    let few = |client: &mut Client, token: &str| get(client, "/few", &[&bearer(token)]).status;
    for round in 0..4 {
        // Another token of the same user counts in the same bucket.
        let token = one.token("a", "u@shop", json!({ "jti": round.to_string() }));
        assert_eq!(few(&mut client, &token), if round < 3 { 200 } else { 429 });
    }
    assert_eq!(
        few(&mut client, &other.token("b", "u@shop", json!({}))),
        200
    );
    assert_eq!(few(&mut client, &one.token("a", "v@shop", json!({}))), 200);
}

/// Who calls is in the events by a keyed hash: the same for one user, another for others, and none where nobody is known.
#[test]
fn events_tell_users_apart_and_name_none() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let gate = start(policy(
        &upstream,
        &[&issuer],
        "[events]\nrecord = \"all\"\n",
    ));
    let mut client = gate.client();
    let mut statuses = Vec::new();
    for user in ["user-one", "user-one", "user-one", "user-one", "user-two"] {
        let token = issuer.token("a", user, json!({}));
        statuses.push(get(&mut client, "/few", &[&bearer(&token)]).status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 200]);
    get::<&str>(&mut client, "/few", &[]);
    let events = gate.drained_events();
    assert!(!events.contains("user-one") && !events.contains("user-two"));
    let users: Vec<Option<String>> = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["route"] == "/few")
        .map(|event| event["user"].as_str().map(str::to_owned))
        .collect();
    let [one, two, three, refused, other, nobody] = users.as_slice() else {
        panic!("{events}")
    };
    assert!(one.is_some() && one == two && two == three && three == refused);
    assert!(other.is_some() && other != one);
    assert_eq!(*nobody, None);
}

/// A rotation by a file and a reload: nobody is refused who has a token of a published key.
#[test]
fn keys_are_rotated_by_a_reload() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let text = policy(&upstream, &[&issuer], "");
    let gate = start(text.clone());
    let mut client = gate.client();
    let (old, new) = (
        issuer.token("a", "u", json!({})),
        issuer.token("b", "u", json!({})),
    );
    let mut statuses = |gate: &Gate, keys: &[&str]| {
        issuer.publish(keys);
        gate.replace(&(text.clone() + "\n"));
        [&old, &new].map(|token| get(&mut client, "/me", &[&bearer(token)]).status)
    };
    assert_eq!(statuses(&gate, &["a"]), [200, 401]);
    assert_eq!(statuses(&gate, &["a", "b"]), [200, 200]);
    // What was verified by a key that is gone is not believed any more.
    assert_eq!(statuses(&gate, &["b"]), [401, 200]);
}

/// `source = "claim:sid"`: CSRF tokens are bound to the session that the token names, and outlive the token.
#[test]
fn csrf_tokens_are_bound_to_the_session_of_a_claim() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let policy = shop(&upstream)
        .replace(
            "secret = \"env:SESSION\"",
            "secret = \"env:SESSION\"\nsource = \"claim:sid\"",
        )
        .replace("secret = \"env:APPLICATION\"\n", "")
        + &issuer.entry()
        + "cookie = \"__session\"\n";
    let gate = start(policy);
    let mut client = gate.client();
    let in_session = |user: &str, session: &str, exp: u64| {
        let claims = json!({ "sid": session, "exp": now() + exp });
        issuer.token("a", user, claims)
    };
    let with = |token: String| Browser {
        cookies: vec![("__session".to_owned(), token)],
    };
    let mut one = with(in_session("u", "s1", 60));
    let token = one.get_token(&mut client);
    // Without the token of CSRF nothing is changed, also with the right cookie of the session.
    assert_eq!(one.ask(&mut client, send("POST /items")).status, 403);
    // Another session of the same user is another one.
    let mut other = with(in_session("u", "s2", 60));
    other.cookies.extend(one.cookies.iter().skip(1).cloned());
    assert_eq!(
        other
            .ask(&mut client, send("POST /items").token(&token))
            .status,
        403
    );
    // The token of the session lives for a minute; the next one is of the same session.
    one.cookies[0].1 = in_session("u", "s1", 61);
    let answer = one.ask(&mut client, send("POST /items").token(&token));
    assert_eq!(answer.status, 200, "{answer:?}");
    // It is used, and the answer has brought another.
    assert_eq!(
        one.ask(&mut client, send("POST /items").token(&token))
            .status,
        403
    );
    let next = one.tokens().last().unwrap().clone();
    assert_eq!(
        one.ask(&mut client, send("POST /items").token(&next))
            .status,
        200
    );
    // Who calls by `Authorization` alone is asked for none: no other site's page makes a browser send that.
    let mut machine = Browser::default();
    let line = bearer(&in_session("u", "s1", 60));
    let bare = send("POST /items").unsaid().with(line);
    assert_eq!(machine.ask(&mut client, bare.clone()).status, 200);
    // With a cookie of whatever sort it is: nobody knows which of them speaks to the application.
    let mut browser = Browser {
        cookies: vec![("theme".to_owned(), "dark".to_owned())],
    };
    assert_eq!(browser.ask(&mut client, bare).status, 403);
    // A form before the login: bound to who is not logged in, and worth nothing afterwards.
    let mut visitor = Browser::default();
    let before = visitor.get_token(&mut client);
    assert_eq!(
        visitor
            .ask(&mut client, send("POST /contact").token(&before))
            .status,
        200
    );
    let before = visitor.get_token(&mut client);
    visitor
        .cookies
        .push(("__session".to_owned(), in_session("u", "s3", 60)));
    assert_eq!(
        visitor
            .ask(&mut client, send("POST /items").token(&before))
            .status,
        403
    );
}

/// What says who calls and was not believed reaches nobody, in whichever spelling somebody behind the guard might read it; and
/// beside a credential that is good no other one does.
#[test]
fn nothing_that_was_not_believed_is_forwarded_in_any_spelling() {
    let upstream = application();
    let (one, other) = (
        Issuer::new(CLERK, &["a"]),
        Issuer::new("https://login.shop.test", &["b"]),
    );
    let mut text = policy(&upstream, &[], "");
    text.push_str("[identity.csrf]\nsecret = \"env:C\"\n");
    text.push_str(
        &(one.entry() + "cookie = \"__session\"\n" + &other.entry() + "cookie = \"auth\"\n"),
    );
    let gate = start(text);
    let mut client = gate.client();
    let good = one.token("a", "alice", json!({}));
    let forged = one.token("evil", "root", json!({}));
    for spelling in [
        "Cookie: __session={}",
        "Cookie: __SESSION={}",
        "Cookie: __session_abcdefgh={}",
        "Cookie: %5F%5Fsession={}",
        "Cookie: ..session={}",
        "Cookie: theme=dark __session={}",
        "Cookie: theme=dark, __session={}",
        "Cookie: =__session={}",
        "Cookie: theme=dark; =__session={}; a=b",
        "Cookie: auth={}",
        "Cookie: Auth={}",
        "Authorization: {}",
        "Authorization: Bearer {}",
        "Authorization: bearer  {}",
        "Authorization: JWT {}",
        "Authorization: Token {}",
        "Authorization: Basic dTpw, Bearer {}",
        "Authorization: Basic {}",
    ] {
        let bad = spelling.replace("{}", &forged);
        let cookie = format!("Cookie: __session={good}");
        for lines in [vec![bad.as_str()], vec![bad.as_str(), cookie.as_str()]] {
            // Some are refused; what is not must not have it.
            let before = upstream.requests().len();
            let status = get(&mut client, "/", &lines).status;
            let forwarded = upstream.requests().len() - before;
            assert_eq!(forwarded, usize::from(status == 200), "{spelling}");
            if let Some(bytes) = upstream.bytes().last().filter(|_| forwarded == 1) {
                let seen = String::from_utf8_lossy(bytes);
                let last = seen.rsplit("GET / HTTP").next().unwrap();
                assert!(!last.contains(&forged), "{spelling}\n{last}");
            }
        }
    }
    // The same token under both of an issuer's names is one token, and stays.
    let both = format!("Cookie: __session={good}; theme=dark; auth={forged}");
    assert_eq!(get(&mut client, "/me", &[&both]).status, 200);
    let forwarded = upstream.requests().last().unwrap().one("cookie").to_owned();
    assert_eq!(forwarded, format!("__session={good}; theme=dark"));
}

/// Clerk's longer cookie is judged, and both stay where they hold one token.
#[test]
fn the_longer_cookie_of_clerk_counts() {
    let upstream = application();
    let issuer = Issuer::new("https://clerk.clerk.dev", &["a"]);
    let mut text =
        policy(&upstream, &[], "") + "[identity.csrf]\nsecret = \"env:C\"\n" + &issuer.entry();
    text = text.replace(
        "audience = \"shop\"",
        "preset = \"clerk\"\nauthorized_parties = [\"https://shop.test\"]",
    );
    let gate = start(text);
    let mut client = gate.client();
    let token = |user: &str| {
        let claims =
            json!({ "azp": "https://shop.test", "sid": "s", "nbf": now() - 10, "exp": now() + 60 });
        issuer.token("a", user, claims)
    };
    let (good, other) = (token("alice"), token("bob"));
    let both = format!("Cookie: __session_1Z8AzTQD={good}; __session={good}");
    assert_eq!(get(&mut client, "/me", &[&both]).status, 200);
    assert!(
        upstream
            .requests()
            .last()
            .unwrap()
            .one("cookie")
            .contains("; __session=")
    );
    let differ = format!("Cookie: __session={other}; __session_1Z8AzTQD={good}");
    assert_eq!(get(&mut client, "/me", &[&differ]).status, 200);
    let seen = upstream.requests().last().unwrap().one("cookie").to_owned();
    assert_eq!(seen, format!("__session_1Z8AzTQD={good}"));
}

/// Clerk's organisation is the tenant: the application is told of it, limits count it, and its permissions are scopes.
#[test]
fn the_organisation_of_clerk_is_the_tenant() {
    let upstream = application();
    let issuer = Issuer::new("https://clerk.clerk.dev", &["a"]);
    let routes = "[[route]]\npath = \"/oven\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\nscopes = [\"org:oven:heat\"]\n[limits.mill]\nrate = \"2 per 1m\"\nby = [\"tenant\"]\n[[route]]\npath = \"/mill\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\nlimits = [\"mill\"]\n";
    let entry = issuer.entry().replace(
        "audience = \"shop\"",
        "preset = \"clerk\"\nauthorized_parties = [\"https://shop.test\"]",
    );
    let gate =
        start(policy(&upstream, &[], routes) + "[identity.csrf]\nsecret = \"env:C\"\n" + &entry);
    let mut client = gate.client();
    let token = |user: &str, more: Value| {
        let mut claims =
            json!({ "azp": "https://shop.test", "sid": "s", "nbf": now() - 10, "exp": now() + 60 });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        bearer(&issuer.token("a", user, claims))
    };
    let second = |fpm: &str| {
        let o = json!({ "id": "org_7", "rol": "baker", "per": "heat,clean", "fpm": fpm });
        json!({ "v": 2, "fea": "o:oven", "o": o })
    };
    let first =
        json!({ "org_id": "org_7", "org_role": "org:baker", "org_permissions": ["org:oven:heat"] });
    for (claims, status) in [
        (second("1"), 200),
        (second("2"), 403),
        (first.clone(), 200),
        (json!({}), 403),
    ] {
        let line = token("alice", claims.clone());
        assert_eq!(
            get(&mut client, "/oven", &[&line]).status,
            status,
            "{claims}"
        );
    }
    // Two users of one organisation have one bucket, and another organisation has its own.
    let other = json!({ "v": 2, "o": { "id": "org_8" } });
    for (user, claims, status) in [
        ("alice", second("1"), 200),
        ("bob", first, 200),
        ("carol", second("0"), 429),
        ("alice", other, 200),
    ] {
        let line = token(user, claims);
        assert_eq!(get(&mut client, "/mill", &[&line]).status, status, "{user}");
    }
}

/// What the application says of a session is about that of who calls, and of nobody else's that a cookie names besides.
#[test]
fn a_token_changes_no_session_of_another_caller() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let gate = start(shop(&upstream) + &issuer.entry());
    let (mut browser, mut client, token) = logged_in(&gate, "victim");
    let line = bearer(&issuer.token("a", "other", json!({})));
    let ends = send("POST /items")
        .token(&token)
        .with(&line)
        .says(r#""op":"end_all""#);
    let mut victim = browser.clone();
    browser.ask(&mut client, ends);
    assert_eq!(victim.ask(&mut client, send("GET /me")).status, 200);
    // A user that is called as one of an issuer's is begins no session.
    let mut visitor = Browser::default();
    let token = visitor.get_token(&mut client);
    let says = format!(r#""op":"create","sub":"{CLERK}#other""#);
    let login = send("POST /login").token(&token).says(&says);
    assert_eq!(visitor.ask(&mut client, login).status, 502);
}

/// An answer to a known caller is in no cache, whatever the application says.
#[test]
fn no_cache_keeps_what_a_known_caller_is_answered() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nCache-Control: public, s-maxage=60\r\nContent-Length: 2\r\n\r\nok",
    );
    let issuer = Issuer::new(CLERK, &["a"]);
    let more = "[identity.csrf]\nsecret = \"env:C\"\n".to_owned()
        + &issuer.entry()
        + "cookie = \"__session\"\n";
    let gate = start(policy(&upstream, &[], &more));
    let mut client = gate.client();
    let cookie = format!("Cookie: __session={}", issuer.token("a", "u", json!({})));
    for (lines, says) in [
        (vec![], "public, s-maxage=60"),
        (vec![cookie.as_str()], "no-store"),
    ] {
        assert_eq!(get(&mut client, "/", &lines).one("cache-control"), says);
    }
}

/// A body may take as long as its client likes: who calls is looked at once more when it is whole.
#[test]
fn what_is_revoked_while_a_body_arrives_does_not_pass() {
    let upstream = application();
    let issuer = Issuer::new(CLERK, &["a"]);
    let store = Arc::new(MemoryStore::for_rehearsal(MemoryOptions::default()).unwrap());
    let route = "[[route]]\npath = \"/read\"\nmethods = [\"POST\"]\ntype = \"protected_mutation\"\nlimits = [\"names\"]\nbody = { max = \"1 KiB\" }\n[limits.names]\nrate = \"100 per 1m\"\nby = [\"body.name\"]\n";
    let text = policy(&upstream, &[&issuer], route);
    let made = tokens(&text);
    let gate = Setup::new(text)
        .with(made)
        .store(Arc::clone(&store) as Arc<dyn Store>)
        .start();
    let token = issuer.token("a", "u", json!({ "jti": "slow" }));
    let mut client = gate.client();
    let head = format!(
        "POST /read HTTP/1.1\r\nHost: shop.test\r\n{}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n",
        bearer(&token)
    );
    client.send(format!("{head}{{\"name\":"));
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(upstream.requests().len(), 0);
    revoke(&*store, "slow");
    let answer = client.send("\"a\"}").answer();
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.one("www-authenticate"),
        r#"Bearer error="invalid_token""#
    );
    assert_eq!(upstream.requests().len(), 0);
    let fine = issuer.token("a", "u", json!({ "jti": "fine" }));
    let head = head.replace(&token, &fine);
    assert_eq!(
        gate.client()
            .ask(format!("{head}{{\"name\":\"a\"}}"))
            .status,
        200
    );
}
