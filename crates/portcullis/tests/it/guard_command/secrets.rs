//! A guard does not start with a secret that is missing, weak or used twice, and says which without repeating it.

use crate::folder::Folder;
use crate::{err, portcullis};

const POLICY: &str = r#"
version = 1
public_url = "https://shop.example.com"
upstream = "http://127.0.0.1:9"

[identity.session]
secret = "env:SESSION_SECRET"
[identity.csrf]
secret = "env:CSRF_SECRET"
[identity.application]
secret = "env:APPLICATION_SECRET"

[[route]]
path = "/"
methods = ["GET"]
type = "public_read"
"#;

const GOOD: [(&str, &str); 3] = [
    (
        "SESSION_SECRET",
        "d4c1f09b6a3e58720f1c9be4a7d35826e0419fb3c85d7a2690fe31b4c76a8d05",
    ),
    (
        "CSRF_SECRET",
        "71e8a35c0fd29b6446c7f1803ea95d2bb8520e9f63c4d71a0f8eb5927c36d14a",
    ),
    (
        "APPLICATION_SECRET",
        "2f95c7e10b84d63aa87f20e4519cd36b04fe8a17d2b95c6038e1f74ab6c0d92e",
    ),
];

/// What the guard says of a policy whose secrets are the good ones, but for these.
fn told(but_for: &[(&str, Option<&str>)]) -> String {
    let folder = Folder::with(&[("portcullis.toml", POLICY)]);
    let mut command = portcullis();
    command.current_dir(folder.path()).envs(GOOD);
    for (name, value) in but_for {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // An address that nobody has: a guard that got so far says that instead.
    let args = ["guard", "--listen", "192.0.2.1:1"];
    let output = command.args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    err(&output)
}

#[test]
fn a_secret_that_cannot_be_used_stops_the_start() {
    let listens = told(&[]);
    assert!(listens.contains("192.0.2.1:1"), "{listens}");
    let short = GOOD[1].1.strip_suffix("d14a").unwrap();
    let in_base64url = "1MHwm2o-WHIPHJvkp9NYJuBBn7PIXXommQ_jG0x2qNA";
    let words = "correct-horse-battery-staple-correct-horse-battery";
    let repeated = "61".repeat(32);
    for (name, value, says) in [
        ("CSRF_SECRET", None, "is not there: set the variable"),
        ("SESSION_SECRET", None, "is not there: set the variable"),
        ("CSRF_SECRET", Some(""), "is empty"),
        ("CSRF_SECRET", Some(short), "has fewer than 32 bytes"),
        ("SESSION_SECRET", Some(short), "has fewer than 32 bytes"),
        ("SESSION_SECRET", Some(words), "openssl rand -hex 32"),
        ("CSRF_SECRET", Some(&*repeated), "openssl rand -hex 32"),
        ("CSRF_SECRET", Some(GOOD[0].1), "is the same as"),
    ] {
        let told = told(&[(name, value)]);
        assert!(told.contains(says), "{name} {value:?}: {told}");
        assert!(told.contains(&format!("`env:{name}`")), "{told}");
        let value = value.unwrap_or_default();
        assert!(value.is_empty() || !told.contains(value), "{told}");
    }
    let told = told(&[("CSRF_SECRET", Some(in_base64url))]);
    assert!(told.contains("192.0.2.1:1"), "base64url is as good: {told}");
}

/// Whoever deploys a guard sets them all at once, and need not start it once for each.
#[test]
fn all_secrets_that_are_missing_are_told_at_once() {
    let short = GOOD[1].1.strip_suffix("d14a").unwrap();
    let told = told(&[
        ("SESSION_SECRET", None),
        ("CSRF_SECRET", Some(short)),
        ("APPLICATION_SECRET", None),
    ]);
    let lines: Vec<&str> = told.lines().collect();
    let missing = "is not there: set the variable, or create the file";
    assert_eq!(
        lines[0],
        "error: a guard cannot start with the secrets as they are"
    );
    assert_eq!(
        lines[1],
        format!(
            "portcullis.toml: the secret `identity.session.secret` at `env:SESSION_SECRET` {missing}"
        )
    );
    assert!(
        lines[2].contains("`env:CSRF_SECRET` has fewer than 32 bytes"),
        "{told}"
    );
    assert_eq!(
        lines[3],
        format!(
            "portcullis.toml: the secret `identity.application.secret` at `env:APPLICATION_SECRET` {missing}"
        )
    );
    assert_eq!(lines.len(), 4, "{told}");
    assert!(!told.contains(short), "{told}");
}

/// So are the keys of one secret, and the certificate with its key.
#[test]
fn keys_of_one_secret_and_the_certificate_are_told_with_them() {
    let policy = POLICY
        .replace(
            "secret = \"env:SESSION_SECRET\"",
            "secret = [{ kid = \"now\", key = \"env:SESSION_NOW\" }, { kid = \"before\", key = \"env:SESSION_BEFORE\" }]",
        )
        .replace(
            "[identity.session]",
            "[proxy]\ntls = { certificate = \"env:CERTIFICATE\", key = \"file:key.pem\" }\n\n[identity.session]",
        );
    let folder = Folder::with(&[("portcullis.toml", &policy)]);
    let output = portcullis()
        .current_dir(folder.path())
        .envs(GOOD)
        .args(["guard", "--listen", "192.0.2.1:1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output);
    for name in [
        "the key `now` of `identity.session.secret` at `env:SESSION_NOW`",
        "the key `before` of `identity.session.secret` at `env:SESSION_BEFORE`",
        "the certificate of `tls` of `[proxy]` at `env:CERTIFICATE`",
        "the key of `tls` of `[proxy]` at `file:key.pem`",
    ] {
        assert!(told.contains(&format!("{name} is not there")), "{told}");
    }
    assert_eq!(told.lines().count(), 5, "{told}");
}
