//! Secrets that change while a guard runs: nobody is refused for it, and the policy stays as it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::eventually;
use super::running::{Guard, ask, value};
use crate::folder::Folder;
use crate::logging_in::{self, Browser};

/// A policy whose session and CSRF secrets are the one that signs, and the one before it.
fn policy() -> String {
    let keys = |name: &str| {
        format!(
            "secret = [{{ kid = \"now\", key = \"file:keys/{name}-now\" }}, {{ kid = \"before\", key = \"file:keys/{name}-before\" }}]"
        )
    };
    let application = logging_in::application();
    let (session, csrf) = (keys("session"), keys("csrf"));
    format!(
        r#"version = 1
name = "shop"
public_url = "https://shop.test"
upstream = "http://{application}"
[identity.session]
{session}
[identity.csrf]
{csrf}
[identity.application]
secret = "file:application"
[limits.roomy]
rate = "100000 per 1s"
[limits.logins]
rate = "1000 per 1m"
algorithm = "exact"
[[route]]
path = "/login"
methods = ["POST"]
type = "auth_op"
limits = ["logins"]
[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"
[[route]]
path = "/items"
methods = ["POST"]
type = "protected_mutation"
limits = ["roomy"]
"#
    )
}

/// A key that nobody else has, the same for the same number.
fn key(number: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{:016x}", state.wrapping_mul(0x2545_f491_4f6c_dd1d))
    };
    (0..4).map(|_| word()).collect()
}

fn write(folder: &Folder, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

/// The secrets of a generation take their places at one moment, as a deploy does it.
fn rotate(folder: &Folder, generation: usize) {
    let beside = format!("keys-{generation}");
    fs::create_dir(folder.join(&beside)).unwrap();
    for (number, name) in ["session", "csrf"].iter().enumerate() {
        let of = |generation: usize| key(2 * generation + number);
        write(folder, &format!("{beside}/{name}-now"), &of(generation));
        write(
            folder,
            &format!("{beside}/{name}-before"),
            &of(generation - 1),
        );
    }
    symlink(&beside, folder.join("next")).unwrap();
    fs::rename(folder.join("next"), folder.join("keys")).unwrap();
}

/// Says that it is over when it is dropped.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn folder() -> Folder {
    let folder = Folder::with(&[("portcullis.toml", &policy())]);
    write(&folder, "application", logging_in::APPLICATION_SECRET);
    rotate(&folder, 1);
    folder
}

#[test]
fn session_and_csrf_secrets_are_rotated_under_requests_and_nobody_is_refused() {
    let folder = folder();
    let guard = Guard::start(&folder, &[]);
    let (answered, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let wait_for_more = || {
        let until = answered.load(Ordering::SeqCst) + 20;
        assert!(eventually(|| answered.load(Ordering::SeqCst) >= until));
    };
    let address = guard.address;
    let send = move |request: &str| ask(address, request);
    let mut browser = Browser::log_in(&send);
    std::thread::scope(|scope| {
        let (browser, answered, is_over) = (&mut browser, &answered, &is_over);
        // Ends with the other side, also where that panics.
        let over = Over(is_over);
        scope.spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                let me = browser.ask("GET", "/me");
                let put = browser.ask("POST", "/items");
                for answer in [me, put] {
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                }
                answered.fetch_add(2, Ordering::SeqCst);
            }
        });
        wait_for_more();
        rotate(&folder, 2);
        guard.signal("HUP");
        guard.says("other secrets or keys are in force, by the same policy");
        wait_for_more();
        // Nothing is another now, and nothing is told.
        guard.signal("HUP");
        wait_for_more();
        drop(over);
    });
    // The key of its cookie is gone after the second time.
    rotate(&folder, 3);
    guard.signal("HUP");
    guard.says("other secrets or keys are in force, by the same policy");
    let me = browser.ask("GET", "/me");
    assert!(me.starts_with("HTTP/1.1 401 "), "{me}");
    let cookie = value(&me, "set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-pc-sid=;"), "{cookie}");
    assert!(guard.admin("/policy").contains("\"generation\":3,"));
    // What is weak, or the same as another, is not taken.
    for (name, text, told) in [
        ("application", "0".repeat(64), "identity.application.secret"),
        ("application", key(7), "is the same as"),
    ] {
        write(&folder, name, &text);
        guard.signal("HUP");
        let line = guard.says("the changed policy is not taken");
        assert!(line.contains(told) && !line.contains(&text), "{line}");
    }
    assert!(guard.admin("/policy").contains("\"generation\":3,"));
    assert_eq!(guard.end().code(), Some(0));
}

/// No signal is needed where the system tells of changes.
#[test]
fn a_secret_that_is_changed_in_its_file_is_noticed() {
    let folder = folder();
    let guard = Guard::start(&folder, &[]);
    assert!(guard.admin("/policy").contains("\"generation\":1,"));
    write(&folder, "keys/csrf-now", &key(99));
    guard.says("other secrets or keys are in force, by the same policy");
    assert!(guard.admin("/policy").contains("\"generation\":2,"));
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn the_keys_of_events_and_of_the_trail_are_secrets_like_the_others() {
    let folder = folder();
    let more = "[events]\nkey = \"file:events\"\n[trail]\nsigning_key = \"file:trail\"\n";
    fs::write(folder.join("portcullis.toml"), policy() + more).unwrap();
    let start = |events: &str, trail: &str| {
        write(&folder, "events", events);
        write(&folder, "trail", trail);
        let output = crate::portcullis()
            .current_dir(folder.path())
            .args(["guard", "--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        crate::err(&output)
    };
    for (events, trail, told) in [
        (
            key(50),
            key(50),
            "`trail.signing_key` at `file:trail` is the same as",
        ),
        (
            key(2),
            key(51),
            "`events.key` at `file:events` is the same as",
        ),
        ("7f".repeat(32), key(51), "`events.key` at `file:events`"),
        (
            key(50),
            key(51).split_off(24),
            "`trail.signing_key` at `file:trail` has fewer",
        ),
    ] {
        let why = start(&events, &trail);
        assert!(why.contains(told), "{told}: {why}");
        assert!(!why.contains(&events) && !why.contains(&trail), "{why}");
    }
    // Another key of events is taken while it runs; another key of the trail is one of another trail.
    write(&folder, "events", &key(50));
    write(&folder, "trail", &key(51));
    let guard = Guard::start(&folder, &[]);
    write(&folder, "events", &key(52));
    guard.says("other secrets or keys are in force, by the same policy");
    write(&folder, "trail", &key(53));
    guard.says("`[trail]` or its key is another now");
    assert_eq!(guard.end().code(), Some(0));
}
