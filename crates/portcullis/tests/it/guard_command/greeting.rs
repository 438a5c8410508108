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
    let mut params = CertificateParams::new(["shop.test".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
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
