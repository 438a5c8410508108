//! Tokens of issuers that are not the guard: an administrator takes them back, one or all of a user's.

use std::sync::Arc;

use portcullis_guard::store::Store;
use portcullis_state::{MemoryOptions, MemoryStore};
use serde_json::json;

use crate::support::browser::application;
use crate::support::callers;
use crate::support::house::{me, revoke};
use crate::support::issuer::{Issuer, now, tokens};
use crate::support::{Gate, Setup, Upstream};

const CLERK: &str = "https://clerk.shop.test";
const OTHER: &str = "https://other.test";

/// A guard that gives out no tokens of its own.
fn start(upstream: &Upstream, issuers: &[&Issuer]) -> Gate {
    let mut policy = callers::policy(upstream);
    policy.push_str("[proxy]\nadmin_secret = \"env:A\"\n");
    for issuer in issuers {
        policy.push_str(&issuer.entry());
    }
    let made = tokens(&policy);
    let store = Arc::new(MemoryStore::for_rehearsal(MemoryOptions::default()).unwrap());
    let setup = Setup::new(policy).admin().store(store as Arc<dyn Store>);
    setup.with(made).start()
}

#[test]
fn a_guard_without_tokens_of_its_own_takes_back_those_of_others() {
    let upstream = application();
    let (clerk, other) = (Issuer::new(CLERK, &["a"]), Issuer::new(OTHER, &["a"]));
    let gate = start(&upstream, &[&clerk, &other]);
    let shown = clerk.token("a", "u1", json!({ "jti": "t1" }));
    let named = clerk.token("a", "u2", json!({ "jti": "t2" }));
    let nameless = clerk.token("a", "u3", json!({}));
    let of_other = other.token("a", "u3", json!({ "jti": "t2" }));
    let forged = clerk.token("b", "u1", json!({ "jti": "t1" }));
    let all = [&shown, &named, &nameless, &of_other];
    let worth = || all.map(|token| me(&gate, token));
    assert_eq!(worth(), [200; 4]);
    for (body, status, left) in [
        (json!({ "token": forged }), 400, [200, 200, 200, 200]),
        (json!({ "token": nameless }), 400, [200, 200, 200, 200]),
        (json!({ "jti": "t2" }), 400, [200, 200, 200, 200]),
        (json!({ "token": shown }), 200, [401, 200, 200, 200]),
        (
            json!({ "jti": "t2", "issuer": CLERK }),
            200,
            [401, 401, 200, 200],
        ),
        (
            json!({ "user_id": "u3", "issuer": CLERK }),
            200,
            [401, 401, 401, 200],
        ),
        (
            json!({ "user_id": "u3", "issuer": OTHER }),
            200,
            [401, 401, 401, 401],
        ),
    ] {
        let answer = revoke(&gate, &body);
        assert_eq!(answer.status, status, "{body} {answer:?}");
        assert_eq!(worth(), left, "{body}");
    }
    // Who is let in again is.
    let again = clerk.token("a", "u3", json!({ "iat": now() + 2 }));
    assert_eq!(me(&gate, &again), 200);
}

#[test]
fn the_only_issuer_need_not_be_named() {
    let upstream = application();
    let clerk = Issuer::new(CLERK, &["a"]);
    let gate = start(&upstream, &[&clerk]);
    let token = clerk.token("a", "u1", json!({ "jti": "t1" }));
    assert_eq!(me(&gate, &token), 200);
    assert_eq!(revoke(&gate, &json!({ "user_id": "u1" })).status, 200);
    assert_eq!(me(&gate, &token), 401);
}
