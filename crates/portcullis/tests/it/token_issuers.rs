//! Tokens of an issuer that is not the guard, with its keys in a file: the file is followed, and the command line takes tokens back.

use std::fs;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use portcullis_guard::base64url;
use portcullis_state::SystemClock;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::guard_command::{Guard, Upstream};
use crate::{err, out, portcullis};

const ISSUER: &str = "https://id.example.com";

/// Drawn for these tests, and known to nobody else.
const ADMIN: &str = "8d3f6a1c5b7e9024f6d8b0a2c4e61379db5f7a9c1e3b5d7f90a2c4e6f8b1d3a5";

struct Key(&'static str, Ed25519KeyPair);

impl Key {
    fn new(id: &'static str) -> Self {
        Self(id, Ed25519KeyPair::generate().unwrap())
    }

    fn public(&self) -> Value {
        let x = base64url::text(self.1.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.0, "x": x })
    }

    fn token(&self, user: &str) -> String {
        let now = SystemClock::start().now().unix_seconds();
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.0 });
        let claims = json!({
            "iss": ISSUER, "sub": user, "aud": "shop", "iat": now, "exp": now + 600,
            "jti": format!("{user}-{}", self.0),
        });
        let part = |value: Value| base64url::text(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = base64url::text(self.1.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

fn key_set(keys: &[&Key]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
    json!({ "keys": keys }).to_string()
}

/// A guard, and the folder of its policy, which names the keys and the secret by their whole paths.
fn start(upstream: &Upstream, keys: &str) -> (Folder, Guard) {
    let folder = Folder::with(&[("keys.json", keys), ("admin.secret", ADMIN)]);
    let at = |name| folder.join(name).display().to_string();
    let policy = format!(
        "version = 1\nname = \"shop\"\npublic_url = \"https://shop.example.com\"\nupstream = \"http://{}\"\n[proxy]\nadmin_secret = \"file:{}\"\n[[identity.issuer]]\nissuer = \"{ISSUER}\"\naudience = \"shop\"\nalgorithms = [\"EdDSA\"]\njwks = \"file:{}\"\n[[route]]\npath = \"/api/me\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n",
        upstream.address(),
        at("admin.secret"),
        at("keys.json"),
    );
    fs::write(folder.join("portcullis.toml"), policy).unwrap();
    let guard = Guard::start(&folder, &[]);
    (folder, guard)
}

fn me(guard: &Guard, token: &str) -> String {
    let answer = guard.ask(&format!(
        "GET /api/me HTTP/1.1\r\nHost: shop.example.com\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    ));
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_file_with_keys_of_an_issuer_is_followed() {
    let upstream = Upstream::start();
    let (old, new) = (Key::new("old"), Key::new("new"));
    let (folder, guard) = start(&upstream, &key_set(&[&old]));
    let worth = || [me(&guard, &old.token("u1")), me(&guard, &new.token("u1"))];
    assert_eq!(worth(), ["200", "401"]);
    let replaced = "other secrets or keys are in force, by the same policy";
    let file = folder.join("keys.json");
    fs::write(&file, key_set(&[&old, &new])).unwrap();
    guard.says(replaced);
    assert_eq!(worth(), ["200", "200"]);
    for broken in ["{", "{\"keys\":[]}"] {
        fs::write(&file, broken).unwrap();
        guard.says("the changed policy is not taken");
        assert_eq!(worth(), ["200", "200"]);
        assert!(guard.admin("/ready").contains("degraded"));
    }
    fs::write(&file, key_set(&[&new])).unwrap();
    guard.says(replaced);
    assert_eq!(worth(), ["401", "200"]);
    assert!(guard.admin("/ready").ends_with("\r\n\r\nready\n"));
}

#[test]
fn tokens_of_another_issuer_are_taken_back() {
    let upstream = Upstream::start();
    let key = Key::new("a");
    let (folder, guard) = start(&upstream, &key_set(&[&key]));
    let admin = guard.admin.to_string();
    let users = ["u1", "u2", "u3"].map(|user| (user, key.token(user)));
    fs::write(folder.join("u1.jwt"), &users[0].1).unwrap();
    for (args, left) in [
        (vec!["--token-file", "u1.jwt"], ["401", "200", "200"]),
        (vec!["--jti", "u2-a"], ["401", "401", "200"]),
        (
            vec!["--user", "u3", "--issuer", ISSUER],
            ["401", "401", "401"],
        ),
    ] {
        let output = portcullis()
            .current_dir(folder.path())
            .args(["token", "revoke", "--admin", &admin])
            .args(&args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?} {}", err(&output));
        assert!(out(&output).contains("\"revoked\""), "{args:?}");
        let worth = [0, 1, 2].map(|at: usize| me(&guard, &users[at].1));
        assert_eq!(worth, left, "{args:?}");
    }
    fs::write(
        folder.join("portcullis.toml"),
        "version = 1\npublic_url = \"https://shop.example.com\"\n",
    )
    .unwrap();
    let output = portcullis()
        .current_dir(folder.path())
        .args(["token", "revoke", "--jti", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("[[identity.issuer]]"), "{output:?}");
}

/// The folder of the new file is not there when the policy is read, so nobody can watch it.
#[test]
fn what_a_changed_policy_lacks_may_come_later() {
    let upstream = Upstream::start();
    let key = Key::new("a");
    let (folder, guard) = start(&upstream, &key_set(&[&key]));
    let policy = fs::read_to_string(folder.join("portcullis.toml")).unwrap();
    let later = policy.replace("keys.json", "later/keys.json");
    fs::write(folder.join("portcullis.toml"), later).unwrap();
    guard.says("the changed policy is not taken");
    let next = Key::new("b");
    fs::create_dir(folder.join("later")).unwrap();
    fs::write(folder.join("later/keys.json"), key_set(&[&next])).unwrap();
    guard.says("another policy is in force");
    assert_eq!(me(&guard, &next.token("u1")), "200");
    assert_eq!(me(&guard, &key.token("u1")), "401");
}
