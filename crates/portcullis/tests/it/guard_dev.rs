//! `portcullis guard dev` from outside: a browser's way to an application, over TLS, with a log that says what to do.

mod guide;
pub(crate) mod running;

use std::fs;
use std::net::TcpListener;

use crate::folder::Folder;
use crate::guard_command::running::{PATIENCE, Upstream, value};
use crate::{err, out, portcullis};
use running::{DevGuard, trust};

/// A free port.
const FREE: &[&str] = &["--listen", "127.0.0.1:0"];

/// A policy as production has it: behind a proxy on the same machine, for a host of the internet.
fn production(upstream: &Upstream) -> String {
    upstream.policy().replace(
        "hosts = [\"shop.test\"]\n",
        "public_url = \"https://shop.example.com\"\ntrusted_proxies = [\"127.0.0.0/8\"]\n\
         [events]\nkey = \"env:DEV_TEST_EVENTS_KEY\"\n",
    )
}

fn replace(folder: &Folder, text: &str) {
    let beside = folder.join("next.toml");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, folder.join("portcullis.toml")).unwrap();
}

fn refused(folder: &Folder, args: &[&str]) -> String {
    let output = portcullis()
        .current_dir(folder.path())
        .args(["guard", "dev"])
        .args(args)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert_eq!(out(&output), "");
    err(&output)
}

#[test]
fn a_policy_of_production_is_guarded_on_this_machine() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &production(&upstream))]);
    let guard = DevGuard::start(&folder, FREE);
    guard.says("made an authority for localhost names alone");
    guard.says("--cacert .portcullis/dev/ca.pem");
    let drawn = guard.says("drawn and kept");
    assert!(drawn.ends_with(": DEV_TEST_EVENTS_KEY"), "{drawn}");

    let host = format!("localhost:{}", guard.port);
    let request = format!(
        "GET /api/items?token=hidden HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 192.0.2.7\r\n\
         X-Forwarded-Proto: http\r\nCookie: a=hidden\r\nConnection: close\r\n\r\n"
    );
    let answer = guard.ask(&folder, &request);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let seen = upstream.seen.recv_timeout(PATIENCE).unwrap();
    assert!(seen.starts_with("GET /api/items?token=hidden HTTP/1.1\r\n"));
    assert_eq!(value(&seen, "x-forwarded-proto"), Some("https"));
    assert_eq!(value(&seen, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(value(&seen, "host"), Some(host.as_str()));
    let line = guard.logs_next();
    assert!(line.contains(" GET    /api/items "), "{line}");
    assert!(
        line.ends_with(" ms  /api/items") && line.contains(" 200 "),
        "{line}"
    );
    assert!(
        !line.contains("hidden") && !line.contains('\u{1b}'),
        "{line}"
    );

    for (request, reason, hint) in [
        ("GET /admin", "route_unknown", "add a [[route]]"),
        ("DELETE /api/items", "method_not_allowed", "add the method"),
        ("GET /api//items", "path_empty_segment", "without `//`"),
    ] {
        let answer = guard.ask(
            &folder,
            &format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        );
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(
            guard
                .logs_next()
                .contains(request.split(' ').nth(1).unwrap())
        );
        let why = guard.logs_next();
        assert!(why.trim_start().starts_with(reason), "{why}");
        let said = guard.logs_next();
        assert!(
            said.trim_start().starts_with("hint: ") && said.contains(hint),
            "{said}"
        );
    }
    let elsewhere =
        "GET /api/items HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n";
    assert!(guard.ask(&folder, elsewhere).starts_with("HTTP/1.1 421 "));
    guard.logs("host_unknown");
    assert!(
        upstream.seen.try_recv().is_err(),
        "nothing of it came through"
    );
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn another_policy_is_told_with_what_changed_and_a_broken_one_with_its_line() {
    let upstream = Upstream::start();
    let policy = production(&upstream);
    let folder = Folder::with(&[("portcullis.toml", &policy)]);
    let guard = DevGuard::start(&folder, FREE);
    assert!(guard.get(&folder, "/api/news").starts_with("HTTP/1.1 404 "));
    replace(&folder, &policy.replace("/api/items", "/api/news"));
    guard.says("another policy is in force: 2 routes");
    assert_eq!(
        guard.says_next(2),
        [
            "portcullis:   - GET /api/items  public_read",
            "portcullis:   + GET /api/news  public_read"
        ]
    );
    assert!(guard.get(&folder, "/api/news").starts_with("HTTP/1.1 200 "));
    replace(&folder, "version = 1\nhosst = []\n");
    guard.says("the changed policy is not taken, the one before stays in force");
    guard.says("portcullis.toml:2:1: ");
    assert!(guard.get(&folder, "/api/news").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_restart_takes_what_was_made_before() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &production(&upstream))]);
    let names = [
        "ca.pem",
        "ca-key.pem",
        "localhost.pem",
        "secret-DEV_TEST_EVENTS_KEY",
    ];
    let kept = || names.map(|name| fs::read(folder.join(".portcullis/dev").join(name)).unwrap());
    let guard = DevGuard::start(&folder, FREE);
    let (before, trusted) = (kept(), trust(&folder));
    let port = guard.port.to_string();

    // One folder, one guard; and one port.
    let told = refused(&folder, FREE);
    assert!(
        told.contains("another `portcullis guard dev` runs with the folder"),
        "{told}"
    );
    let other = Folder::with(&[("portcullis.toml", &production(&upstream))]);
    let told = refused(&other, &["--listen", &format!("127.0.0.1:{port}")]);
    assert!(
        told.contains(&format!("cannot listen at `127.0.0.1:{port}`")),
        "{told}"
    );

    assert_eq!(guard.end().code(), Some(0));
    let guard = DevGuard::start(&folder, FREE);
    guard.says("its certificate is by .portcullis/dev/ca.pem, valid until ");
    assert!(kept() == before, "something was made anew");
    let request = format!(
        "GET /api/items HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
        guard.port
    );
    let answer = guard.try_ask(&trusted, &request).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // Who trusts another project's does not trust this one's.
    assert!(guard.try_ask(&trust(&other), &request).is_err());
}

#[test]
fn it_is_for_this_machine_alone_and_makes_nothing_without_a_policy() {
    let folder = Folder::with(&[]);
    let told = refused(&folder, &[]);
    assert!(
        told.contains("there is no policy `portcullis.toml`"),
        "{told}"
    );
    assert!(!folder.join(".portcullis").exists());
    for address in ["0.0.0.0:8443", "[::]:8443", "192.0.2.1:8443"] {
        let told = refused(&folder, &["--listen", address]);
        assert!(told.contains("listens on this machine alone"), "{told}");
    }
    let told = refused(&folder, &["--upstream", "https://127.0.0.1:3000"]);
    assert!(
        told.contains("TLS to the upstream is not spoken yet"),
        "{told}"
    );
}

#[test]
fn it_says_what_to_start_and_takes_another_application() {
    let upstream = Upstream::start();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    // Neither an upstream nor a host is in it.
    let policy = production(&upstream);
    let lines = policy
        .lines()
        .filter(|line| !line.starts_with("upstream") && !line.starts_with("public_url"));
    let policy = lines.collect::<Vec<_>>().join("\n");
    let folder = Folder::with(&[("portcullis.toml", &policy)]);
    let args = |url| [FREE, &["--upstream", url]].concat();
    let guard = DevGuard::start(&folder, &args(nowhere.as_str()));
    guard.says("start the application there, or name where it is with `--upstream URL`");
    assert!(
        guard
            .get(&folder, "/api/items")
            .starts_with("HTTP/1.1 502 ")
    );
    guard.logs("hint: start the application where `upstream` says");
    assert_eq!(guard.end().code(), Some(0));
    let there = upstream.policy();
    let there = there
        .lines()
        .find(|line| line.starts_with("upstream"))
        .unwrap();
    let guard = DevGuard::start(&folder, &args(there.split('"').nth(1).unwrap()));
    assert!(
        guard
            .get(&folder, "/api/items")
            .starts_with("HTTP/1.1 200 ")
    );
}

#[test]
fn the_log_is_json_or_coloured_where_that_is_wanted() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &production(&upstream))]);
    let guard = DevGuard::start(&folder, &[FREE, &["--format", "json"]].concat());
    assert!(
        guard
            .get(&folder, "/api/items?a=hidden")
            .starts_with("HTTP/1.1 200 ")
    );
    assert!(guard.get(&folder, "/nowhere").starts_with("HTTP/1.1 404 "));
    let parsed = || serde_json::from_str::<serde_json::Value>(&guard.logs_next()).unwrap();
    let (passed, refused) = (parsed(), parsed());
    assert_eq!(
        (&passed["path"], &passed["status"]),
        (&"/api/items".into(), &200.into())
    );
    assert_eq!(passed["reason"], serde_json::Value::Null);
    assert_eq!(refused["reason"], "route_unknown");
    assert!(refused["hint"].as_str().unwrap().contains("[[route]]"));
    assert_eq!(guard.end().code(), Some(0));
    let guard = DevGuard::start(&folder, &[FREE, &["--color", "always"]].concat());
    assert!(guard.get(&folder, "/nowhere").starts_with("HTTP/1.1 404 "));
    assert!(guard.logs_next().contains("\u{1b}[31m404"));
}

#[test]
fn what_is_insecure_is_said_and_marked() {
    let upstream = Upstream::start();
    let folder = Folder::with(&[("portcullis.toml", &production(&upstream))]);
    let guard = DevGuard::start(&folder, &[FREE, &["--insecure-shadow"]].concat());
    guard.says("warning: --insecure-shadow");
    assert!(guard.get(&folder, "/nowhere").starts_with("HTTP/1.1 200 "));
    guard.logs("/nowhere");
    guard.logs("would be refused: route_unknown");
}
