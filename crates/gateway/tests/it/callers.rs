//! Limits by who is calling, the end of a token's time, and how refusals of callers are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Ask, Durability, Reply, Store};
use portcullis_state::{MemoryOptions, MemoryStore};

use crate::support::browser::{Browser, application, logged_in, send, shop};
use crate::support::{Client, Setup};

const HOUR: u64 = 3_600_000_000_000;

/// One message a day for each user.
const MESSAGES: &str = r#"
[limits.messages]
rate = "1 per 1d"
by = ["user"]
algorithm = "exact"

[[route]]
path = "/messages"
methods = ["POST"]
type = "protected_mutation"
limits = ["messages"]
"#;

fn post(browser: &mut Browser, client: &mut Client, path: &str, token: &str) -> u16 {
    let sent = send(&format!("POST {path}")).token(token);
    browser.ask(client, sent).status
}

#[test]
fn a_limit_by_user_counts_each_apart_and_what_it_refuses_spends_no_token() {
    let upstream = application();
    let gate = Setup::new(shop(&upstream)).and(MESSAGES).start();
    for user in ["u1", "u2"] {
        let (mut browser, mut client, token) = logged_in(&gate, user);
        assert_eq!(post(&mut browser, &mut client, "/messages", &token), 200);
        let token = browser.tokens().pop().unwrap();
        assert_eq!(post(&mut browser, &mut client, "/messages", &token), 429);
        // Another browser of the same user is the same user.
        let (mut other, mut of_other, fresh) = logged_in(&gate, user);
        assert_eq!(post(&mut other, &mut of_other, "/messages", &fresh), 429);
        // The token is as good as before, and once.
        assert_eq!(post(&mut browser, &mut client, "/items", &token), 200);
        assert_eq!(post(&mut browser, &mut client, "/items", &token), 403);
    }
}

/// A store whose time is ahead.
#[derive(Debug)]
struct Ahead {
    store: MemoryStore,
    by: AtomicU64,
}

impl Store for Ahead {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], mut now: Now) -> Reply<'a> {
        now.monotonic += self.by.load(Ordering::SeqCst);
        self.store.ask(batch, now)
    }

    fn keeps(&self) -> Durability {
        Durability::Volatile
    }
}

#[test]
fn a_token_is_over_after_an_hour() {
    let upstream = application();
    let store = Arc::new(Ahead {
        store: MemoryStore::new(MemoryOptions::default()).unwrap(),
        by: AtomicU64::new(0),
    });
    let session = "[identity.session]";
    let policy = shop(&upstream).replace(session, &format!("{session}\nidle = \"3h\""));
    let gate = Setup::new(policy)
        .store(Arc::clone(&store) as Arc<dyn Store>)
        .start();
    let (mut browser, mut client, first) = logged_in(&gate, "u1");
    let second = browser.get_token(&mut client);
    store.by.store(HOUR - HOUR / 60, Ordering::SeqCst);
    assert_eq!(post(&mut browser, &mut client, "/items", &first), 200);
    store.by.store(HOUR + HOUR / 60, Ordering::SeqCst);
    assert_eq!(post(&mut browser, &mut client, "/items", &second), 403);
    let line = gate.events();
    assert!(line.contains(r#""reason":"csrf_token_spent""#), "{line}");
}

/// Who reads the events finds attempts of other sites, and of who is not let in, by their names.
#[test]
fn refusals_of_callers_and_of_other_sites_are_told_by_what_they_are() {
    let upstream = application();
    let gate = Setup::new(shop(&upstream)).start();
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    assert_eq!(post(&mut browser, &mut client, "/items", &token), 200);
    assert_eq!(post(&mut browser, &mut client, "/items", &token), 403);
    let token = browser.tokens().pop().unwrap();
    let foreign = send("POST /items").token(&token).unsaid();
    assert_eq!(browser.ask(&mut client, foreign).status, 403);
    let mut stale = browser.clone();
    let end = send("POST /logout").token(&token).says(r#""op":"end""#);
    assert_eq!(browser.ask(&mut client, end).status, 200);
    assert_eq!(stale.ask(&mut client, send("GET /me")).status, 401);
    let nobody = Browser::default().ask(&mut client, send("GET /me"));
    assert_eq!(nobody.status, 401);
    let events = gate.events();
    for (reason, kind) in [
        ("csrf_token_missing", "authz_fail"),
        ("csrf_origin", "authz_fail"),
        ("session_over", "session_use_after_expire"),
        ("caller_unknown", "authz_fail"),
    ] {
        let line = events
            .lines()
            .find(|line| line.contains(&format!(r#""reason":"{reason}""#)));
        let line = line.unwrap_or_else(|| panic!("{reason}: {events}"));
        assert!(line.contains(&format!(r#""kind":"{kind}""#)), "{line}");
    }
}
