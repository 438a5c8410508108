//! Case 113 and the audit trail before an application: nothing sensitive is forwarded that is not in the trail.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Ask, Durability, Reply, Store, StoreError};
use portcullis_policy::event::EventVerdict;
use portcullis_state::sessions::SESSIONS_MAX;
use portcullis_state::trail::{Body, TrailFilter, TrailKind, TrailReader};
use portcullis_state::{MemoryOptions, MemoryStore};

use crate::support::browser::{application, logged_in, send, shop};
use crate::support::{SEED, Setup, Upstream, get, open_trail, post, simple};

const POLICY: &str = r#"
[[route]]
path = "/transfer"
methods = ["POST"]
type = "public_form"
requires = ["audit_trail"]

[[route]]
path = "/mine"
methods = ["POST", "GET"]
type = "protected_mutation"
"#;

fn records(folder: &Path) -> Vec<Body> {
    let mut reader = TrailReader::open(&folder.join("trail.sqlite")).unwrap();
    let found = reader.after(0, &TrailFilter::default(), 100_000).unwrap();
    found.into_iter().map(|(body, _)| body).collect()
}

fn of(records: &[Body], kind: TrailKind) -> Vec<&Body> {
    records.iter().filter(|one| one.kind == kind).collect()
}

#[test]
fn what_is_sensitive_is_recorded_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let seen = path.clone();
    // The application looks into the trail while it answers.
    let upstream = Upstream::by_request(move |request| {
        let records = records(&seen);
        let last = records.last().unwrap();
        let is_there = last.kind == TrailKind::Intent
            && last
                .route
                .as_ref()
                .is_some_and(|route| route.as_str() == "/transfer");
        // The outcome of the request before may come at any time.
        let is_other = is_there || !request.line.contains(" /transfer ");
        let status = if is_other {
            "201 Created"
        } else {
            "500 Not Recorded"
        };
        format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok").into_bytes()
    });
    let trail = open_trail(&path);
    let gate = Setup::simple(&upstream)
        .and(POLICY)
        .trail(Arc::clone(&trail))
        .start();
    let mut client = gate.client();
    assert_eq!(client.ask(post("/transfer", "a=1")).status, 201);
    assert_eq!(client.ask(post("/mine", "a=1")).status, 201);
    assert_eq!(client.ask(get("/read/a")).status, 201);
    assert_eq!(client.ask(get("/mine")).status, 201);
    assert_eq!(client.ask(post("/form", "a=1")).status, 201);
    drop(gate);
    trail.close();
    let all = records(&path);
    let (intents, outcomes) = (of(&all, TrailKind::Intent), of(&all, TrailKind::Outcome));
    assert_eq!((intents.len(), outcomes.len()), (1, 1));
    assert_eq!(outcomes[0].intent, Some(intents[0].seq));
    assert_eq!(outcomes[0].status, Some(201));
    assert_eq!(intents[0].verdict, Some(EventVerdict::Allowed));
    assert!(intents[0].request.is_some() && intents[0].client.is_some());
    assert!(intents[0].policy.is_some() && intents[0].line.is_some());
    let notes = of(&all, TrailKind::Note);
    assert_eq!(
        notes.len(),
        1,
        "a request that may change something for a caller"
    );
    assert_eq!(notes[0].status, Some(201));
}

/// No connection was there to send it on: that is known.
#[test]
fn what_was_not_sent_is_known_not_to_be_done() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nowhere.local_addr().unwrap();
    drop(nowhere);
    let trail = open_trail(folder.path());
    let gate = Setup::new(simple(&[address]))
        .and(POLICY)
        .trail(Arc::clone(&trail))
        .start();
    assert_eq!(gate.client().ask(post("/transfer", "a=1")).status, 502);
    drop(gate);
    trail.close();
    let all = records(folder.path());
    let outcome = of(&all, TrailKind::Outcome)[0];
    assert_eq!(outcome.verdict, Some(EventVerdict::Refused));
    assert_eq!(
        outcome.reason.as_ref().unwrap().as_str(),
        "upstream_unreachable"
    );
    assert_eq!(outcome.status, None);
}

/// It was forwarded, and the application closed without an answer: nobody knows whether it was done.
#[test]
fn what_is_not_answered_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::talking(|talk| {
        talk.request();
        talk.close();
    });
    let trail = open_trail(folder.path());
    let gate = Setup::simple(&upstream)
        .and(POLICY)
        .trail(Arc::clone(&trail))
        .start();
    assert_eq!(gate.client().ask(post("/transfer", "a=1")).status, 502);
    drop(gate);
    trail.close();
    let all = records(folder.path());
    let outcome = of(&all, TrailKind::Outcome)[0];
    assert_eq!(outcome.status, None);
    assert_eq!(outcome.reason.as_ref().unwrap().as_str(), "unknown");
}

#[test]
fn a_guard_without_its_trail_forwards_nothing_that_needs_one() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(POLICY).start();
    assert_eq!(gate.client().ask(post("/transfer", "a=1")).status, 503);
    assert_eq!(gate.client().ask(post("/mine", "a=1")).status, 200);
    assert_eq!(upstream.requests().len(), 1);
}

const PAYS: &str = r#"
[[route]]
path = "/pay"
methods = ["POST"]
type = "protected_mutation"
limits = ["roomy"]
requires = ["audit_trail"]
"#;

/// The trail comes after the token was used: nothing came of the request, and the page can try again.
#[test]
fn who_is_refused_for_the_trail_has_a_token_again() {
    let upstream = application();
    let gate = Setup::new(shop(&upstream) + PAYS).start();
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let before = upstream.requests().len();
    let refused = browser.ask(&mut client, send("POST /pay").token(&token));
    assert_eq!(refused.status, 503);
    assert_eq!(upstream.requests().len(), before);
    let tokens = browser.tokens();
    assert_eq!(tokens.len(), 1);
    assert_ne!(tokens[0], token);
    let again = browser.ask(&mut client, send("POST /items").token(&token));
    assert_eq!(again.status, 403, "the one that was used is used");
    let other = browser.ask(&mut client, send("POST /items").token(&tokens[0]));
    assert_eq!(other.status, 200);
}

#[test]
fn sessions_are_recorded_and_who_acts_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = application();
    let trail = open_trail(folder.path());
    let gate = Setup::new(shop(&upstream) + PAYS)
        .trail(Arc::clone(&trail))
        .start();
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    let mut act = |line: &str, says: Option<&str>| {
        let sent = send(line).token(browser.tokens().last().unwrap());
        let sent = match says {
            Some(says) => sent.says(says),
            None => sent,
        };
        assert_eq!(browser.ask(&mut client, sent).status, 200, "{line}");
    };
    act("POST /pay", None);
    act("POST /items", Some(r#""op":"rotate","roles":["admin"]"#));
    act("POST /pay", None);
    act("POST /logout", Some(r#""op":"end""#));
    drop(gate);
    trail.close();
    let all = records(folder.path());
    let (changes, intents) = (of(&all, TrailKind::Session), of(&all, TrailKind::Intent));
    let reasons: Vec<&str> = changes
        .iter()
        .map(|one| one.reason.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(
        reasons,
        ["session_created", "session_rotated", "session_ended"]
    );
    for one in changes.iter().chain(&intents) {
        assert_eq!(one.user.as_ref().unwrap().as_str(), "u1");
        assert!(one.request.is_some());
    }
    let sessions =
        |records: &[&Body]| -> Vec<_> { records.iter().map(|one| one.session.unwrap()).collect() };
    let (first, second) = (sessions(&changes), sessions(&intents));
    assert_eq!(second, first[..2], "both have one name for a session");
    assert_eq!(first[1], first[2]);
    assert_ne!(first[0], first[1]);
}

/// Why a session ended is in the trail, whoever ended it.
#[test]
fn sessions_that_end_for_others_and_by_the_admin_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = application();
    let trail = open_trail(folder.path());
    let gate = Setup::new(shop(&upstream))
        .and("[proxy]\nadmin_secret = \"env:ADMIN\"\n")
        .trail(Arc::clone(&trail))
        .admin()
        .start();
    let credential: String = SEED.iter().map(|byte| format!("{byte:02x}")).collect();
    let admin = |line: &str| {
        let answer = gate.admin().ask(format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {credential}\r\n\r\n"
        ));
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    let (mut browser, mut client, _) = logged_in(&gate, "u1");
    // Again in the same browser, and then as somebody else.
    browser.log_in(&mut client, "u1");
    browser.log_in(&mut client, "u2");
    for _ in 0..SESSIONS_MAX {
        logged_in(&gate, "u2");
    }
    admin("GET /sessions?user=u2");
    admin("DELETE /sessions?user=u2");
    admin("DELETE /sessions?user=nobody");
    let events = gate.drained_events();
    for reason in ["session_replaced", "session_evicted"] {
        let told = format!("\"reason\":\"{reason}\"");
        assert!(events.contains(&told), "{reason}: {events}");
    }
    trail.close();
    let all = records(folder.path());
    let told = |kind: TrailKind, reason: &str| -> Vec<(String, bool)> {
        let found = of(&all, kind).into_iter();
        found
            .filter(|one| one.reason.as_ref().unwrap().as_str() == reason)
            .map(|one| {
                let user = one.user.as_ref().unwrap().as_str().to_owned();
                (user, one.session.is_some())
            })
            .collect()
    };
    let of_user = |user: &str, has_session| (user.to_owned(), has_session);
    assert_eq!(
        told(TrailKind::Session, "session_replaced"),
        [of_user("u1", true), of_user("u1", true)]
    );
    assert_eq!(
        told(TrailKind::Session, "session_evicted"),
        [of_user("u2", true)]
    );
    assert_eq!(
        told(TrailKind::Session, "admin_ended_all_sessions").len(),
        SESSIONS_MAX
    );
    for (reason, user) in [
        ("admin_listed_sessions", "u2"),
        ("admin_ended_all_sessions", "u2"),
        ("admin_ended_no_session", "nobody"),
    ] {
        assert_eq!(
            told(TrailKind::Admin, reason),
            [of_user(user, false)],
            "{reason}"
        );
    }
    let of_admin = of(&all, TrailKind::Admin);
    assert!(
        of_admin
            .iter()
            .all(|one| one.client.is_some() && one.route.as_ref().unwrap().as_str() == "/sessions")
    );
}

/// What a store does with commits.
#[derive(Clone, Copy, Debug)]
enum Commits {
    Fail,
    NeverAnswer,
}

/// A store whose disk fails, or does not answer, from a moment on.
#[derive(Debug)]
struct BadDisk {
    store: MemoryStore,
    commits: Commits,
    is_bad: AtomicBool,
}

impl Store for BadDisk {
    fn ask<'a>(&'a self, batch: &'a [Ask<'_>], now: Now) -> Reply<'a> {
        let is_commit = matches!(batch, [Ask::Commit { effects, .. }] if effects.len() > 1);
        match self.commits {
            _ if !is_commit || !self.is_bad.load(Ordering::SeqCst) => self.store.ask(batch, now),
            Commits::Fail => Reply::Ready(Err(StoreError::Full)),
            Commits::NeverAnswer => Reply::Pending(Box::pin(std::future::pending())),
        }
    }

    fn keeps(&self) -> Durability {
        self.store.keeps()
    }
}

#[test]
fn a_step_of_a_session_that_nobody_knows_the_end_of_is_recorded_as_such() {
    for commits in [Commits::Fail, Commits::NeverAnswer] {
        let folder = tempfile::tempdir().unwrap();
        let upstream = application();
        let trail = open_trail(folder.path());
        let store = Arc::new(BadDisk {
            store: MemoryStore::new(MemoryOptions::default()).unwrap(),
            commits,
            is_bad: AtomicBool::new(false),
        });
        let gate = Setup::new(shop(&upstream))
            .store(Arc::clone(&store) as Arc<dyn Store>)
            .trail(Arc::clone(&trail))
            .start();
        let (mut browser, mut client, token) = logged_in(&gate, "u1");
        let mut act = |says: &str| {
            let token = browser.tokens().last().cloned().unwrap_or(token.clone());
            let sent = send("POST /logout").token(&token).says(says);
            browser.ask(&mut client, sent).status
        };
        // Too many roles: that is known not to have been done.
        let roles: Vec<String> = (0..33).map(|number| format!("\"r{number}\"")).collect();
        let status = act(&format!(r#""op":"rotate","roles":[{}]"#, roles.join(",")));
        assert!(matches!(status, 502 | 503), "{status}");
        store.is_bad.store(true, Ordering::SeqCst);
        assert_eq!(act(r#""op":"rotate","roles":["admin"]"#), 503);
        assert_eq!(act(r#""op":"end_all""#), 503);
        drop(gate);
        trail.close();
        let all = records(folder.path());
        let told: Vec<(EventVerdict, &str, &str)> = of(&all, TrailKind::Session)
            .into_iter()
            .filter(|one| one.detail.is_some())
            .map(|one| {
                assert_eq!(one.user.as_ref().unwrap().as_str(), "u1");
                let reason = one.reason.as_ref().unwrap().as_str();
                (
                    one.verdict.unwrap(),
                    reason,
                    one.detail.as_ref().unwrap().as_str(),
                )
            })
            .collect();
        let unknown = EventVerdict::Unavailable;
        assert_eq!(
            told[told.len() - 2..],
            [
                (unknown, "unknown", "a session was to go on under a new id"),
                (unknown, "unknown", "all sessions of a user were to end"),
            ],
            "{commits:?}"
        );
    }
}

#[test]
fn case_113_a_full_disk_of_the_trail_refuses_what_is_sensitive() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(folder.path().join("small")) else {
        writeln!(
            std::io::stderr(),
            "skipped: case_113_a_full_disk_of_the_trail_refuses_what_is_sensitive: it may not mount a file system"
        )
        .unwrap();
        return;
    };
    let state = small.0.join("state");
    let upstream = Upstream::ok();
    let trail = open_trail(&state);
    let gate = Setup::simple(&upstream)
        .and(POLICY)
        .admin()
        .trail(Arc::clone(&trail))
        .start();
    let mut client = gate.client();
    assert_eq!(client.ask(post("/transfer", "a=1")).status, 200);
    let ballast = small.0.join("ballast");
    let mut refused = 0;
    for _ in 0..2_000 {
        if refused == 30 {
            break;
        }
        fill(&ballast);
        let before = upstream.requests().len();
        let answer = client.ask(post("/transfer", "a=1"));
        let forwarded = upstream.requests().len() - before;
        match answer.status {
            200 => {
                assert_eq!(forwarded, 1);
                refused = 0;
            }
            503 => {
                assert_eq!(
                    forwarded, 0,
                    "what was refused did not reach the application"
                );
                assert!(!answer.text().contains("trail"), "{}", answer.text());
                refused += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 30, "for longer than two attempts of the writer");
    // What needs no trail goes on, and whoever looks is told.
    assert_eq!(client.ask(get("/read/a")).status, 200);
    let ready = gate
        .admin()
        .ask("GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert!(
        ready.text().contains("the audit trail cannot be written"),
        "{}",
        ready.text()
    );
    fs::remove_file(&ballast).unwrap();
    let again = (0..100).find(|_| {
        std::thread::sleep(Duration::from_millis(50));
        client.ask(post("/transfer", "a=1")).status == 200
    });
    assert!(again.is_some(), "it goes on by itself");
    let events = gate.drained_events();
    assert!(
        events.contains("\"reason\":\"trail_unwritable\""),
        "{events}"
    );
    assert_eq!(trail.close().lost, 0);
    let mut reader = TrailReader::open(&state.join("trail.sqlite")).unwrap();
    let options = portcullis_state::trail::VerifyOptions {
        keys: std::collections::BTreeSet::new(),
        checkpoints: None::<&[u8]>,
    };
    portcullis_state::trail::verify(&mut reader, options).unwrap();
    let answered = records(&state)
        .iter()
        .filter(|one| one.kind == TrailKind::Outcome && one.status == Some(200))
        .count();
    let forwarded = upstream.requests();
    let forwarded = forwarded
        .iter()
        .filter(|one| one.line.contains("/transfer"));
    assert_eq!(
        answered,
        forwarded.count(),
        "each that was forwarded has its outcome"
    );
}

/// A file system of one megabyte in memory, unmounted at the end.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "portcullis-test"])
            .arg(&path)
            .stderr(Stdio::null())
            .status();
        let is_there = mounted.is_ok_and(|status| status.success());
        is_there.then(|| Self(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a test that fails has files open in it.
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

fn fill(ballast: &Path) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.append(true).create(true).open(ballast).unwrap();
    let mut bytes = 64 * 1024;
    while bytes > 0 {
        match file.write(&vec![7; bytes]) {
            Ok(written) if written > 0 => {}
            _ => bytes /= 2,
        }
    }
}
