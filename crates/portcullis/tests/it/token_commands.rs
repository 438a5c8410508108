//! Tokens of the guard's own from outside: a guard that runs, the command line, curl as the guide has it, and a verifier that is not
//! ours.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::guard_command::{Guard, Upstream};
use crate::{err, out, portcullis};

const GUIDE: &str = include_str!("../../../../docs/guide/own-tokens.md");

/// Drawn for these tests, and known to nobody else.
const SERVICE: &str = "c2f1b1b3dd0f0e4b8e9a1c7765d4f2a09b3c5e7d1f8a6b4c2d0e9f7a5b3c1d8e";
const ADMIN: &str = "8d3f6a1c5b7e9024f6d8b0a2c4e61379db5f7a9c1e3b5d7f90a2c4e6f8b1d3a5";

/// The blocks of the guide in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    let rest = GUIDE.split(&begin as &str).skip(1);
    rest.filter_map(|rest| rest.split("```").next()).collect()
}

/// The policy of the guide, before an application that is there, with its secrets in files.
fn folder(upstream: &Upstream, more: &str) -> Folder {
    let policy = blocks("toml")[0]
        .replace(
            "http://127.0.0.1:3000",
            &format!("http://{}", upstream.address()),
        )
        .replace("env:ADMIN_SECRET", "file:admin.secret")
        .replace("env:TOKENS_SECRET", "file:service.secret")
        .replace("[identity.tokens]\n", &format!("[identity.tokens]\n{more}"));
    let folder = Folder::with(&[
        ("portcullis.toml", &policy),
        ("service.secret", SERVICE),
        ("admin.secret", ADMIN),
    ]);
    let (code, _, error) = run(
        &folder,
        &["token", "keys", "generate", "--rsa-bits", "2048"],
        "",
    );
    assert_eq!(code, 0, "{error}");
    folder
}

fn run(folder: &Folder, args: &[&str], input: &str) -> (i32, String, String) {
    let mut child = portcullis()
        .current_dir(folder.path())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What reads no input may have ended by now.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), out(&output), err(&output))
}

/// The same token with another signature.
fn changed(token: &str) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let at = bytes.len() - 6;
    bytes[at] = if bytes[at] == b'_' { b'-' } else { b'_' };
    String::from_utf8(bytes).unwrap()
}

fn me(guard: &Guard, token: &str) -> String {
    let answer = guard.ask(&format!(
        "GET /api/me HTTP/1.1\r\nHost: shop.example.com\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        token.trim()
    ));
    answer.split(' ').nth(1).unwrap().to_owned()
}

const ISSUE: [&str; 8] = [
    "token",
    "issue",
    "--user",
    "u1",
    "--network",
    "main",
    "--rate-limit",
    "100",
];

#[test]
fn a_token_is_issued_exchanged_inspected_and_taken_back() {
    let upstream = Upstream::start();
    let folder = folder(&upstream, "");
    let guard = Guard::start(&folder, &[]);
    let (at, admin) = (guard.address.to_string(), guard.admin.to_string());
    let issue = |more: &[&str]| {
        let args = [&ISSUE[..], &["--guard", &at], more].concat();
        run(&folder, &args, "")
    };
    let (code, access, error) = issue(&["--claim", "plan=pro"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(me(&guard, &access), "200");
    let (_, parent, _) = issue(&["--type", "parent"]);
    assert_eq!(me(&guard, &parent), "401");
    let exchange = |token: &str| run(&folder, &["token", "exchange", "--guard", &at], token);
    let (code, child, error) = exchange(&parent);
    assert_eq!((code, error.as_str()), (0, ""));
    assert_eq!(me(&guard, &child), "200");

    for (token, opens, code) in [(&access, "routes", 0), (&parent, "exchange", 0)] {
        let (told, text, error) = run(&folder, &["token", "inspect", "--format", "json"], token);
        assert_eq!(told, code, "{error}");
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&told["opens"], &told["believed"]),
            (&opens.into(), &true.into())
        );
        assert_eq!(told["claims"]["user_id"], "u1");
    }
    let changed = changed(access.trim());
    let (code, text, _) = run(&folder, &["token", "inspect"], &changed);
    assert_eq!(code, 1);
    assert!(
        text.contains("its signature does not hold") && !text.contains("user_id"),
        "{text}"
    );
    let (code, text, _) = run(&folder, &["token", "inspect"], "a.b.c");
    assert_eq!(code, 1);
    assert!(text.starts_with("it would be refused: "), "{text}");
    assert_eq!(run(&folder, &["token", "inspect"], "").0, 3);

    // More than is admitted, a claim that nobody knows, a parent that is none.
    for [network, rate_limit] in [["dev", "1"], ["main", "1001"]] {
        let args = [
            "token",
            "issue",
            "--user",
            "u1",
            "--network",
            network,
            "--rate-limit",
            rate_limit,
            "--guard",
            &at,
        ];
        let (code, text, error) = run(&folder, &args, "");
        assert_eq!((code, text.as_str()), (1, ""), "{args:?}");
        assert!(error.contains("403"), "{error}");
    }
    assert_eq!(issue(&["--claim", "admin=true"]).0, 2);
    assert_eq!(exchange(&access).0, 1);

    let revoke = |more: &[&str], token: &str| {
        let args = [&["token", "revoke", "--admin", &admin], more].concat();
        run(&folder, &args, token)
    };
    assert_eq!(revoke(&[], &parent).0, 0);
    assert_eq!(me(&guard, &child), "401");
    assert_eq!(exchange(&parent).0, 1);
    assert_eq!(me(&guard, &access), "200");
    assert_eq!(revoke(&["--user", "u1"], "").0, 0);
    assert_eq!(me(&guard, &access), "401");
    let (_, again, _) = issue(&[]);
    assert_eq!(me(&guard, &again), "200");
    // One of 64 ids begins like this.
    assert_eq!(revoke(&["--jti", "-x"], "").0, 0);
    assert_eq!(revoke(&[], "").0, 3);
    let (code, _, error) = revoke(&["--token-file", "nowhere.jwt"], "");
    assert_eq!(code, 2);
    assert!(error.contains("`nowhere.jwt`"), "{error}");
    assert_eq!(
        revoke(
            &["--jti", "x", "--issuer", "https://stranger.example.com"],
            ""
        )
        .0,
        1
    );
}

/// What is taken back is on the disk when that is said: a guard that is killed in the same moment has it when it starts again.
#[test]
fn a_guard_that_is_killed_forgets_no_revocation() {
    let upstream = Upstream::start();
    let folder = folder(&upstream, "");
    let guard = Guard::start(&folder, &[]);
    let at = guard.address.to_string();
    let issue = |at: &str| run(&folder, &[&ISSUE[..], &["--guard", at]].concat(), "").1;
    let (one, other) = (issue(&at), issue(&at));
    assert_eq!([me(&guard, &one), me(&guard, &other)], ["200", "200"]);
    let admin = guard.admin.to_string();
    let (code, _, error) = run(&folder, &["token", "revoke", "--admin", &admin], &one);
    guard.signal("KILL");
    assert_eq!(code, 0, "{error}");
    drop(guard);
    let guard = Guard::start(&folder, &[]);
    assert_eq!([me(&guard, &one), me(&guard, &other)], ["401", "200"]);
}

/// The keys change on the disk; the guard that runs hears of it, and of what is wrong with them.
#[test]
fn a_guard_that_runs_follows_its_keys() {
    let upstream = Upstream::start();
    let folder = folder(&upstream, "");
    let guard = Guard::start(&folder, &[]);
    let at = guard.address.to_string();
    let issue = || run(&folder, &[&ISSUE[..], &["--guard", &at]].concat(), "").1;
    let old = issue();
    assert_eq!(run(&folder, &["token", "keys", "rotate"], "").0, 0);
    guard.says("the signing keys are others now");
    let keys = |guard: &Guard| {
        let answer = guard.ask("GET /.portcullis/tokens/jwks.json HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n");
        answer.matches("\"kid\"").count()
    };
    assert_eq!(keys(&guard), 2, "the next key is published before it signs");
    assert_eq!([me(&guard, &old), me(&guard, &issue())], ["200", "200"]);
    let list = folder.join(".portcullis/issuer/keys.json");
    let whole = fs::read(&list).unwrap();
    fs::write(&list, b"{}").unwrap();
    guard.says("cannot be read again");
    let ready = guard.admin("/ready");
    assert!(
        ready.ends_with("\r\n\r\nready, degraded: the changed signing keys cannot be read\n"),
        "{ready}"
    );
    assert_eq!([me(&guard, &old), me(&guard, &issue())], ["200", "200"]);
    fs::write(&list, whole).unwrap();
    assert_eq!(
        run(&folder, &["token", "keys", "rotate", "--at-once"], "").0,
        0
    );
    guard.says("the signing keys are others now");
    assert_eq!([me(&guard, &old), me(&guard, &issue())], ["401", "200"]);
    assert!(guard.admin("/ready").ends_with("\r\n\r\nready\n"));
}

#[test]
fn a_guard_without_keys_does_not_start() {
    let upstream = Upstream::start();
    let folder = folder(&upstream, "");
    fs::remove_dir_all(folder.join(".portcullis/issuer")).unwrap();
    let (code, _, error) = run(&folder, &["guard", "--listen", "127.0.0.1:0"], "");
    assert_eq!(code, 2);
    assert!(error.contains("portcullis token keys generate"), "{error}");
    let (code, _, error) = run(&folder, &ISSUE, "");
    assert_eq!(code, 2);
    assert!(error.contains("no guard answers"), "{error}");
}

/// The examples of the guide, as they stand there.
#[test]
fn what_the_guide_shows_works() {
    if Command::new("curl").arg("--version").output().is_err() {
        return crate::skipped("what_the_guide_shows_works", "there is no `curl`");
    }
    let upstream = Upstream::start();
    let folder = folder(&upstream, "");
    let guard = Guard::start(&folder, &[]);
    let mut parent = String::new();
    let mut shown = 0;
    for example in blocks("sh").into_iter().filter(|one| one.contains("curl")) {
        let output = Command::new("sh")
            .args(["-c", example])
            .env("GUARD", format!("http://{}", guard.address))
            .env("ADMIN", format!("http://{}", guard.admin))
            .env("HOST", "shop.example.com")
            .env("TOKENS_SECRET", SERVICE)
            .env("ADMIN_SECRET", ADMIN)
            .env("PARENT", &parent)
            .output()
            .unwrap();
        let text = out(&output);
        let told: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{example}{text}"));
        assert!(told.get("status").is_none(), "{example}{text}");
        if example.contains("\"parent\"") {
            parent = told["access_token"].as_str().unwrap().to_owned();
            let names: Vec<&String> = told.as_object().unwrap().keys().collect();
            let page: Value = serde_json::from_str(blocks("json")[0]).unwrap();
            assert_eq!(names, page.as_object().unwrap().keys().collect::<Vec<_>>());
        }
        shown += 1;
    }
    assert_eq!(shown, 4, "the page has lost its examples");
    assert!(!parent.is_empty());
}

/// PyJWT, of Debian, which has never heard of us.
const PYTHON: &str = "/usr/bin/python3";

const VERIFY: &str = r#"
import json, sys, jwt
asked = json.load(sys.stdin)
keys = jwt.PyJWKSet.from_dict(asked["keys"])
told = []
for token, audience in asked["tokens"]:
    try:
        kid = jwt.get_unverified_header(token)["kid"]
        key = next(key for key in keys.keys if key.key_id == kid)
        options = {"require": ["exp", "iat", "iss", "aud", "sub", "jti"]}
        claims = jwt.decode(token, key.key, algorithms=[asked["algorithm"]], audience=audience,
                            issuer="https://shop.example.com", options=options)
        told.append([claims["token_type"], claims["user_id"]])
    except Exception as fault:
        told.append([type(fault).__name__, ""])
print(json.dumps(told))
"#;

#[test]
fn another_verifier_believes_our_tokens_and_no_parent() {
    let has = Command::new(PYTHON)
        .args(["-c", "import jwt, cryptography"])
        .status();
    if !has.is_ok_and(|status| status.success()) {
        return crate::skipped("another_verifier_believes_our_tokens", "there is no PyJWT");
    }
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let upstream = Upstream::start();
        let folder = folder(&upstream, &format!("algorithm = \"{algorithm}\"\n"));
        let guard = Guard::start(&folder, &[]);
        let at = guard.address.to_string();
        let issue = |kind: &str| {
            let args = [&ISSUE[..], &["--guard", &at, "--type", kind]].concat();
            run(&folder, &args, "").1.trim().to_owned()
        };
        let (access, parent) = (issue("access"), issue("parent"));
        let child = run(&folder, &["token", "exchange", "--guard", &at], &parent).1;
        let published = guard.ask("GET /.portcullis/tokens/jwks.json HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n");
        let keys: Value =
            serde_json::from_str(published.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let api = "https://shop.example.com";
        let changed = changed(&access);
        let asked = json!({
            "algorithm": algorithm,
            "keys": keys,
            "tokens": [
                [access, api], [child.trim(), api], [parent, api],
                [parent, "urn:portcullis:exchange"], [access, "other"], [changed, api],
            ],
        });
        let mut python = Command::new(PYTHON)
            .args(["-B", "-c", VERIFY])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = python.stdin.take().unwrap();
        input.write_all(asked.to_string().as_bytes()).unwrap();
        drop(input);
        let told: Value = serde_json::from_str(&out(&python.wait_with_output().unwrap())).unwrap();
        let expected = json!([
            ["access", "u1"],
            ["child", "u1"],
            ["InvalidAudienceError", ""],
            ["parent", "u1"],
            ["InvalidAudienceError", ""],
            ["InvalidSignatureError", ""],
        ]);
        assert_eq!(told, expected, "{algorithm}");
    }
}
