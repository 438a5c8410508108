//! `portcullis guard` from outside: it starts, serves, follows its policy, says what goes wrong, and ends when it is told
//! to.

mod greeting;
mod keys_of_issuers;
mod parity;
mod recorded;
mod rotating;
pub(crate) mod running;
mod secrets;

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use crate::folder::Folder;
use crate::{err, out, portcullis};
pub(crate) use running::{Guard, Upstream};
use running::{PATIENCE, value};

/// Another policy takes the place of the file in one step, as careful editors do it.
fn replace(folder: &Folder, text: &str) {
    let beside = folder.join("next.toml");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, folder.join("portcullis.toml")).unwrap();
}

/// Whether it becomes so while anybody would wait for it.
fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let step = Duration::from_millis(20);
    (0..PATIENCE.as_millis() / step.as_millis()).any(|_| {
        std::thread::sleep(step);
        is_so()
    })
}

#[test]
fn without_a_policy_it_says_how_to_make_one() {
    let folder = Folder::with(&[]);
    let run = |args: &[&str]| {
        let output = portcullis()
            .current_dir(folder.path())
            .arg("guard")
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(out(&output), "");
        err(&output)
    };
    let told = run(&[]);
    assert!(
        told.contains("there is no policy `portcullis.toml`"),
        "{told}"
    );
    assert!(
        told.contains("`portcullis guard --help` shows a smallest one"),
        "{told}"
    );
    fs::write(folder.join("portcullis.toml"), "version = 1\nhosst = []\n").unwrap();
    let told = run(&[]);
    assert!(told.contains("portcullis.toml:2:1: "), "{told}");
    assert!(told.contains("(did you mean `hosts`?)"), "{told}");
    fs::write(folder.join("portcullis.toml"), "version = 1\n").unwrap();
    let told = run(&[]);
    assert!(
        told.contains("a guard cannot start with this policy"),
        "{told}"
    );
    assert!(told.contains("add `upstream = "), "{told}");
    let told = run(&["--policy", "nowhere.toml"]);
    assert!(told.contains("`nowhere.toml`"), "{told}");
}

/// The policy that the help shows is one that a guard starts with.
#[test]
fn the_smallest_policy_of_the_help_starts() {
    let help = out(&crate::run(&["guard", "--help"]));
    let policy: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.contains("version = 1"))
        .take_while(|line| line.is_empty() || line.starts_with("  "))
        .map(str::trim_start)
        .collect();
    let folder = Folder::with(&[("portcullis.toml", &policy.join("\n"))]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["policy", "check", "--for", "guard"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
}

#[test]
fn an_address_that_is_taken_is_usage() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["guard", "--listen", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains(&format!("cannot listen at `{address}`")));
}

#[test]
fn it_serves_what_the_policy_names_and_refuses_the_rest() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    let answer = guard.get("/api/items");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert_eq!(value(&answer, "server"), None);
    let seen = upstream.seen.recv_timeout(PATIENCE).unwrap();
    assert!(seen.starts_with("GET /api/items HTTP/1.1\r\n"), "{seen}");

    let refused = guard.get("/admin");
    assert!(
        refused.starts_with("HTTP/1.1 404 Not Found\r\n"),
        "{refused}"
    );
    assert_eq!(
        value(&refused, "content-type"),
        Some("application/problem+json")
    );
    assert!(
        upstream.seen.try_recv().is_err(),
        "nothing of it came through"
    );

    assert!(guard.admin("/live").starts_with("HTTP/1.1 200 "));
    assert!(guard.admin("/ready").ends_with("\r\n\r\nready\n"));
    assert!(
        guard
            .admin("/policy")
            .contains("\"generation\":1,\"routes\":2}")
    );
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn it_follows_its_policy_and_keeps_the_last_good_one() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &[]);
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 404 "));

    replace(
        &folder,
        &upstream.policy().replace("/api/items", "/api/news"),
    );
    guard.says("another policy is in force: 2 routes, sha256:");
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 200 "));
    assert!(guard.get("/api/items").starts_with("HTTP/1.1 404 "));
    assert!(guard.admin("/policy").contains("\"generation\":2,"));

    replace(&folder, "version = 1\nhosst = []\n");
    guard.says("the changed policy is not taken, the one before stays in force");
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 200 "));
    let ready = guard.admin("/ready");
    assert!(ready.contains("\r\n\r\nready, degraded: "), "{ready}");

    // What is in force stands in the file again: nothing is loaded, and nothing is wrong any more.
    let news = upstream.policy().replace("/api/items", "/api/news");
    replace(&folder, &news);
    let is_ready = || guard.admin("/ready").ends_with("\r\n\r\nready\n");
    assert!(eventually(is_ready));
    assert!(guard.admin("/policy").contains("\"generation\":2,"));

    replace(&folder, &upstream.policy());
    guard.says("another policy is in force");
    assert!(guard.admin("/ready").ends_with("\r\n\r\nready\n"));
    // What was counted is counted still, whatever was loaded in between.
    assert!(guard.get("/api/items").starts_with("HTTP/1.1 200 "));
    assert_eq!(guard.end().code(), Some(0));
}

/// The folder that is watched holds only a link, so nothing but the signal can have told the guard.
#[test]
fn a_signal_makes_it_look_at_its_policy() {
    let upstream = Upstream::start();
    let elsewhere = Folder::with(&[("shop.toml", &upstream.policy())]);
    let folder = Folder::with(&[]);
    let file = elsewhere.join("shop.toml");
    std::os::unix::fs::symlink(&file, folder.join("portcullis.toml")).unwrap();
    let guard = Guard::start(&folder, &[]);
    let other = upstream.policy().replace("/api/items", "/api/news");
    fs::write(&file, other).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 404 "));
    guard.signal("HUP");
    guard.says("another policy is in force");
    assert!(guard.get("/api/news").starts_with("HTTP/1.1 200 "));
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn a_guard_that_only_watches_says_so() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &upstream.policy())]);
    let guard = Guard::start(&folder, &["--insecure-shadow"]);
    guard.says("warning: --insecure-shadow");
    assert!(guard.get("/nowhere").starts_with("HTTP/1.1 200 "));
    assert!(
        guard.get("/a//b").starts_with("HTTP/1.1 400 "),
        "what is ambiguous is refused"
    );
    assert_eq!(guard.end().code(), Some(0));
}
