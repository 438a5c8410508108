//! A guard that speaks TLS by a certificate of the policy: clients of another make, renewal while it runs, and what cannot be used.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair};

use super::running::{Guard, PATIENCE, Upstream, value};
use crate::folder::Folder;
use crate::{err, portcullis};

const TLS: &str =
    "\n[proxy]\ntls = { certificate = \"file:certificate.pem\", key = \"file:key.pem\" }\n";

/// A certificate for `shop.test` until the end of a year, and its key.
fn made(until: i32) -> (String, String) {
    made_from(2020, until)
}

/// The same, from the beginning of a year on.
fn made_from(from: i32, until: i32) -> (String, String) {
    let mut params = CertificateParams::new(["shop.test".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 12, 31);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, key.serialize_pem())
}

fn write(folder: &Folder, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn folder(upstream: &Upstream, (certificate, key): &(String, String)) -> Folder {
    let policy = upstream.policy().replace(
        "hosts = [\"shop.test\"]\n",
        "public_url = \"https://shop.test\"\n",
    ) + TLS;
    let folder = Folder::with(&[("portcullis.toml", &policy)]);
    write(&folder, "certificate.pem", certificate);
    write(&folder, "key.pem", key);
    folder
}

/// The head that curl reads, which trusts this certificate; nothing where it trusts another or there is no curl.
fn curl(guard: &Guard, trusted: &str) -> Option<String> {
    let port = guard.address.port();
    let beside = Folder::with(&[("trusted.pem", trusted)]);
    let output = Command::new("curl")
        .args(["--silent", "--include", "--max-time", "20", "--cacert"])
        .arg(beside.join("trusted.pem"))
        .args(["--connect-to", &format!("shop.test:443:127.0.0.1:{port}")])
        .arg("https://shop.test/api/items")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then_some(text)
}

fn has_curl() -> bool {
    let there = Command::new("curl").arg("--version").output();
    let is_there = there.is_ok_and(|output| output.status.success());
    if !is_there {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test is told by its runner whether it may be skipped"
        )]
        let ci = std::env::var("CI");
        assert!(
            ci.is_err(),
            "skipped: greeting: no curl, and in CI nothing may be skipped"
        );
        writeln!(std::io::stderr(), "skipped: greeting: `curl` does not run").unwrap();
    }
    is_there
}

#[test]
fn clients_come_in_tls_and_a_renewed_certificate_is_taken() {
    if !has_curl() {
        return;
    }
    let upstream = Upstream::start();
    let (first, second) = (made(2090), made(2091));
    let folder = folder(&upstream, &first);
    let guard = Guard::start(&folder, &[]);
    let answer = curl(&guard, &first.0).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let lives = value(&answer, "strict-transport-security").unwrap();
    assert!(lives.starts_with("max-age=31536000"), "{lives}");
    let seen = upstream.seen.recv_timeout(PATIENCE).unwrap();
    assert_eq!(value(&seen, "x-forwarded-proto"), Some("https"));
    assert_eq!(curl(&guard, &second.0), None, "nobody knows that one yet");
    let plain = guard.get("/api/items");
    assert!(plain.starts_with("HTTP/1.1 400 "), "{plain}");
    assert_eq!(value(&plain, "strict-transport-security"), None);
    // One file after the other: between them they do not belong together, and the ones before stay.
    write(&folder, "key.pem", &second.1);
    guard.says("the changed policy is not taken");
    assert!(curl(&guard, &first.0).is_some());
    write(&folder, "certificate.pem", &second.0);
    guard.says("another certificate is in force");
    assert!(curl(&guard, &second.0).is_some());
    assert_eq!(curl(&guard, &first.0), None);
    assert_eq!(guard.end().code(), Some(0));
}

/// Puts another certificate and its key in place, in the order in which they fit together at the end.
fn renew(folder: &Folder, (certificate, key): &(String, String)) {
    write(folder, "key.pem", key);
    write(folder, "certificate.pem", certificate);
}

#[test]
fn what_clients_refuse_does_not_replace_what_they_accept() {
    if !has_curl() {
        return;
    }
    let upstream = Upstream::start();
    let good = made(2090);
    let folder = folder(&upstream, &good);
    let events = "\n[events]\nto = \"events.jsonl\"\n";
    let policy = fs::read_to_string(folder.join("portcullis.toml")).unwrap() + events;
    write(&folder, "portcullis.toml", &policy);
    let guard = Guard::start(&folder, &[]);
    for (bad, why) in [
        (
            made(2023),
            "ended on 2023-12-31: put a renewed one in its place",
        ),
        (
            made_from(2080, 2090),
            "begins on 2080-01-01, and is taken then",
        ),
    ] {
        renew(&folder, &bad);
        let line = guard.says("the changed certificate is not taken");
        assert!(
            line.ends_with(&format!("the certificate at `file:certificate.pem` {why}")),
            "{line}"
        );
        assert!(curl(&guard, &good.0).is_some(), "the good one greets on");
        assert!(guard.admin("/ready").contains("degraded"));
    }
    // What changes beside it waits for it.
    write(
        &folder,
        "portcullis.toml",
        &policy.replace("/api/items", "/api/others"),
    );
    guard.signal("HUP");
    guard.says("the changed certificate is not taken, and the policy with it");
    assert!(curl(&guard, &good.0).unwrap().starts_with("HTTP/1.1 200 "));
    let renewed = made(2091);
    renew(&folder, &renewed);
    guard.says("another policy is in force");
    let answer = curl(&guard, &renewed.0).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert_eq!(guard.end().code(), Some(0));
    let events = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let refused = events
        .lines()
        .filter(|line| line.contains("\"certificate_refused\""))
        .collect::<Vec<_>>();
    assert_eq!(refused.len(), 3, "{events}");
    assert!(refused.iter().all(|line| line.contains("greets on")));
}

/// To greet by what has ended is no worse with another of the kind, and is better with a good one.
#[test]
fn where_nothing_good_greets_what_is_new_is_taken() {
    let upstream = Upstream::start();
    let folder = folder(&upstream, &made(2023));
    let told = "the certificate at `file:certificate.pem` ended on";
    let guard = Guard::start_saying(&folder, told);
    renew(&folder, &made(2024));
    guard.says("ended on 2024-12-31");
    guard.says("another certificate is in force");
    renew(&folder, &made(2090));
    guard.says("another certificate is in force");
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn a_certificate_that_has_ended_is_told_and_greets_all_the_same() {
    let upstream = Upstream::start();
    let folder = folder(&upstream, &made(2023));
    let guard = Guard::start_saying(
        &folder,
        "the certificate at `file:certificate.pem` ended on 2023-12-31",
    );
    assert!(guard.get("/api/items").starts_with("HTTP/1.1 400 "));
    assert_eq!(guard.end().code(), Some(0));
}

#[test]
fn what_cannot_be_used_is_told_and_not_repeated() {
    let upstream = Upstream::start();
    let (good, other) = (made(2090), made(2090));
    let folder = folder(&upstream, &good);
    let refused = |told: &str| {
        let output = portcullis()
            .current_dir(folder.path())
            .args(["guard", "--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        let why = err(&output);
        assert_eq!(output.status.code(), Some(2), "{why}");
        assert!(why.contains(told), "{told}: {why}");
        let key = good.1.lines().nth(1).unwrap();
        assert!(!why.contains(key), "{why}");
    };
    write(&folder, "key.pem", &other.1);
    refused(
        "`file:certificate.pem` and `file:key.pem`: the certificate and the key cannot be used",
    );
    write(&folder, "key.pem", &good.1.replace("-----END", "-----DNE"));
    refused("the key is no PEM file of an unencrypted private key");
    fs::remove_file(folder.join("key.pem")).unwrap();
    refused("the key of `tls` of `[proxy]` at `file:key.pem` is not there");
    fs::create_dir(folder.join("key.pem")).unwrap();
    refused("the key of `tls` of `[proxy]` at `file:key.pem` is no regular file");
    fs::remove_dir(folder.join("key.pem")).unwrap();
    write(&folder, "key.pem", &good.1);
    fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(0o666)).unwrap();
    refused("can be written by others than its owner");
    write(&folder, "key.pem", &good.1);
    write(&folder, "certificate.pem", "");
    refused("the certificate's file has no certificate in it");
    write(&folder, "certificate.pem", &"x".repeat(300 << 10));
    refused("has more than 262144 bytes");
}
