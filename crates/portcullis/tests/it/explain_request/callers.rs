//! `--as USER`: what somebody meets whom the guard knows.

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis};

const ROUTES: &str = r#"
[limits.mine]
rate = "2 per 1m"
algorithm = "exact"
by = ["user"]
[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"
[[route]]
path = "/items"
methods = ["POST"]
type = "protected_mutation"
limits = ["mine"]
"#;

const OWN: &str = r#"
[identity.session]
secret = "env:S"
[identity.csrf]
secret = "env:C"
[identity.application]
secret = "env:A"
audience = "shop"
"#;

const ISSUER: &str = r#"
[[identity.issuer]]
preset = "clerk"
issuer = "https://clerk.example.com"
authorized_parties = ["https://shop.example.com"]
algorithms = ["RS256"]
"#;

const KEYS: &str = r#"
[identity.api_keys]
[[route]]
path = "/scoped"
methods = ["GET"]
type = "protected_read"
scopes = ["read:items"]
"#;

fn told(identity: &str, args: &[&str]) -> Value {
    let policy = format!(
        "version = 1\npublic_url = \"https://shop.example.com\"\nupstream = \"http://127.0.0.1:3000\"\n{ROUTES}{identity}"
    );
    let folder = Folder::with(&[("portcullis.toml", &policy)]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["explain", "request", "--format", "json"])
        .args(args)
        .output()
        .unwrap();
    assert_eq!(err(&output), "", "{args:?}");
    serde_json::from_str(&out(&output)).unwrap()
}

#[test]
fn who_has_a_session_or_a_token_passes_and_nobody_else() {
    let scoped = ["GET", "/scoped", "--as", "alice"];
    for identity in [
        KEYS.to_owned(),
        KEYS.to_owned() + ISSUER,
        KEYS.to_owned() + OWN,
    ] {
        assert_eq!(told(&identity, &scoped)["status"].as_u64(), None);
    }
    for identity in [OWN, ISSUER, KEYS] {
        for (args, status, reason) in [
            (&["GET", "/me"][..], Some(401), Some("caller_unknown")),
            (&["GET", "/me", "--as", "alice"], None, None),
            (&["POST", "/items", "--as", "alice"], None, None),
            (
                &["POST", "/items", "--as", "alice", "--times", "2"],
                None,
                None,
            ),
            (
                &["POST", "/items", "--as", "alice", "--times", "3"],
                Some(429),
                Some("rate_limited"),
            ),
        ] {
            let told = told(identity, args);
            assert_eq!(told["status"].as_u64(), status, "{args:?} {told}");
            assert_eq!(told["reason"].as_str(), reason, "{args:?}");
            assert!(!told["steps"].to_string().contains("not_enforced"));
        }
    }
    let forged = [
        "POST",
        "/items",
        "--as",
        "alice",
        "-H",
        "Sec-Fetch-Site: cross-site",
    ];
    assert_eq!(told(OWN, &forged)["reason"], "csrf_origin");
}

/// Nobody's keys are fetched here, so a token that is written down is good for nothing, and is never printed.
#[test]
fn a_token_that_is_written_down_is_not_believed() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
    let line = format!("Authorization: Bearer {token}");
    let said = told(ISSUER, &["GET", "/me", "-H", &line]);
    assert_eq!(said["reason"], "token_unknown");
    assert!(!said.to_string().contains(token));
}
