//! `portcullis token keys` from outside: the files that it leaves, what it says of them, and what it refuses.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis};

const POLICY: &str = "version = 1\npublic_url = \"https://shop.example.com\"\n[identity.tokens]\nsecret = \"env:T\"\naudience = \"api\"\n";

fn run(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let output = portcullis()
        .current_dir(folder.path())
        .args(["token", "keys"])
        .args(args)
        .output()
        .unwrap();
    (output.status.code().unwrap(), out(&output), err(&output))
}

fn listed(folder: &Folder) -> Vec<(String, String)> {
    let (code, text, error) = run(folder, &["list", "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["schema"], "portcullis.token-keys/1");
    let keys = list["keys"].as_array().unwrap().iter();
    let word = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    keys.map(|key| (word(key, "kid"), word(key, "state")))
        .collect()
}

#[test]
fn keys_are_made_once_and_changed_without_a_gap() {
    let folder = Folder::with(&[("portcullis.toml", POLICY)]);
    let (code, _, error) = run(&folder, &["list"]);
    assert_eq!(code, 2);
    assert!(error.contains("portcullis token keys generate"), "{error}");
    let (code, text, error) = run(&folder, &["generate"]);
    assert_eq!(code, 0, "{error}");
    assert!(text.contains("EdDSA") && text.contains("active"), "{text}");
    let (code, _, error) = run(&folder, &["generate"]);
    assert_eq!(code, 2);
    assert!(error.contains("token keys rotate"), "{error}");

    let (code, text, error) = run(&folder, &["rotate", "--algorithm", "ES256"]);
    assert_eq!(code, 0, "{error}");
    assert!(text.contains("ES256") && text.contains("next"), "{text}");
    let states: Vec<String> = listed(&folder)
        .into_iter()
        .map(|(_, state)| state)
        .collect();
    assert_eq!(states, ["active", "next"]);
    let (code, _, error) = run(&folder, &["rotate"]);
    assert_eq!(code, 2);
    assert!(error.contains("is next already"), "{error}");

    let before = listed(&folder);
    let (code, _, error) = run(&folder, &["rotate", "--at-once"]);
    assert_eq!(code, 0, "{error}");
    let after = listed(&folder);
    assert_eq!(after.len(), 1);
    assert!(before.iter().all(|(kid, _)| *kid != after[0].0));
}

/// A guard would not start with it, and one that runs would follow its keys no more.
#[test]
fn the_strict_profile_makes_no_short_key() {
    let policy = POLICY.replace("version = 1\n", "version = 1\nprofile = \"strict\"\n");
    let folder = Folder::with(&[("portcullis.toml", &policy)]);
    let short = ["--algorithm", "RS256", "--rsa-bits", "2048"];
    for command in ["generate", "rotate"] {
        let (code, _, error) = run(&folder, &[&[command][..], &short].concat());
        assert_eq!(code, 2, "{command}");
        assert!(error.contains("--rsa-bits 3072"), "{error}");
        if command == "generate" {
            assert_eq!(run(&folder, &["generate", "--algorithm", "ES256"]).0, 0);
        }
    }
    assert_eq!(listed(&folder).len(), 1);
    assert_eq!(run(&folder, &["rotate", "--algorithm", "RS256"]).0, 0);
}

#[test]
fn a_policy_without_tokens_has_no_keys() {
    let folder = Folder::with(&[("portcullis.toml", "version = 1\n")]);
    for args in [&["list"][..], &["generate"], &["rotate"]] {
        let (code, _, error) = run(&folder, args);
        assert_eq!(code, 2, "{args:?}");
        assert!(error.contains("[identity.tokens]"), "{error}");
    }
    assert!(!folder.join(".portcullis").exists());
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_told_and_not_shown() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with(&[(
        "portcullis.toml",
        &format!("{POLICY}keys = \"file:keys\"\n"),
    )]);
    assert_eq!(run(&folder, &["generate"]).0, 0);
    let kid = listed(&folder).remove(0).0;
    let path = folder.join(&format!("keys/{kid}.pk8"));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, text, error) = run(&folder, &["list"]);
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(
        error.contains("chmod 600") && error.contains("--at-once"),
        "{error}"
    );
}

/// Another program reads the files that ours wrote, and finds the same key in both.
#[test]
fn openssl_reads_the_keys() {
    if Command::new("openssl").arg("version").output().is_err() {
        return crate::skipped("openssl_reads_the_keys", "there is no `openssl`");
    }
    for (algorithm, word) in [
        ("EdDSA", "ED25519"),
        ("ES256", "P-256"),
        ("RS256", "3072 bit"),
    ] {
        let policy = format!("{POLICY}algorithm = \"{algorithm}\"\n");
        let folder = Folder::with(&[("portcullis.toml", &policy)]);
        assert_eq!(run(&folder, &["generate"]).0, 0);
        let kid = listed(&folder).remove(0).0;
        let read = |ending: &str, more: &[&str]| {
            let path = folder.join(&format!(".portcullis/issuer/{kid}.{ending}"));
            let output = Command::new("openssl")
                .args(["pkey", "-inform", "DER", "-in"])
                .arg(path)
                .args(more)
                .output()
                .unwrap();
            assert!(output.status.success(), "{algorithm}: {}", err(&output));
            out(&output)
        };
        assert!(
            read("spki", &["-pubin", "-noout", "-text"]).contains(word),
            "{algorithm}"
        );
        assert_eq!(
            read("pk8", &["-pubout"]),
            read("spki", &["-pubin"]),
            "{algorithm}"
        );
    }
}
