//! The keys of an issuer in a file: read anew with each reload, also where the policy is as it was.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use portcullis_guard::base64url;
use portcullis_state::SystemClock;

use super::running::{Guard, Upstream};
use crate::folder::Folder;
use crate::{err, portcullis};

fn pair(key: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[key; 32]).unwrap()
}

fn key_set(key: u8) -> String {
    let public = base64url::text(pair(key).public_key().as_ref());
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"k{key}","x":"{public}"}}]}}"#
    )
}

fn token(key: u8) -> String {
    let now = SystemClock::start().now().unix_seconds();
    let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"k{key}"}}"#);
    let claims = format!(
        r#"{{"iss":"https://i.example","sub":"u","aud":"shop","iat":{now},"exp":{}}}"#,
        now + 600
    );
    let signed = [header, claims]
        .map(|part| base64url::text(part.as_bytes()))
        .join(".");
    let signature = pair(key).sign(signed.as_bytes());
    format!("{signed}.{}", base64url::text(signature.as_ref()))
}

fn policy(upstream: &Upstream) -> String {
    upstream.policy()
        + "[[route]]\npath = \"/me\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n[[identity.issuer]]\nissuer = \"https://i.example\"\naudience = \"shop\"\nalgorithms = [\"EdDSA\"]\njwks = \"file:keys.json\"\n"
}

fn status(guard: &Guard, key: u8) -> String {
    let token = token(key);
    let answer = guard.ask(&format!(
        "GET /me HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    ));
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_reload_takes_the_keys_of_a_file_and_keeps_those_in_force_where_it_is_broken() {
    let upstream = Upstream::start();
    let (text, keys) = (policy(&upstream), key_set(1));
    let folder = Folder::with(&[("portcullis.toml", &text), ("keys.json", &keys)]);
    let guard = Guard::start(&folder, &[]);
    assert_eq!([status(&guard, 1), status(&guard, 2)], ["200", "401"]);
    std::fs::write(
        std::path::Path::new(folder.path()).join("keys.json"),
        key_set(2),
    )
    .unwrap();
    guard.signal("HUP");
    guard.says("keys are in force, by the same policy");
    assert_eq!([status(&guard, 1), status(&guard, 2)], ["401", "200"]);
    std::fs::write(std::path::Path::new(folder.path()).join("keys.json"), "{").unwrap();
    guard.signal("HUP");
    let said = guard.says("the changed policy is not taken");
    assert!(said.contains("keys.json"), "{said}");
    assert_eq!([status(&guard, 1), status(&guard, 2)], ["401", "200"]);
    assert!(guard.end().success());
}

#[test]
fn a_guard_does_not_start_without_keys_that_it_can_read() {
    let upstream = Upstream::start();
    let text = policy(&upstream);
    for (keys, says) in [
        (None, "cannot read the key set"),
        (Some("{"), "cannot be the key set"),
        (Some(r#"{"keys":[]}"#), "has no usable key"),
    ] {
        let mut files = vec![("portcullis.toml", text.as_str())];
        files.extend(keys.map(|keys| ("keys.json", keys)));
        let folder = Folder::with(&files);
        let mut command = portcullis();
        let command = command
            .current_dir(folder.path())
            .args(["guard", "--listen", "127.0.0.1:0"]);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        assert!(err(&output).contains(says), "{keys:?}: {}", err(&output));
    }
}
