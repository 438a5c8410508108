//! `portcullis explain request` from outside: what it decides, what it tells, and what it never prints.

mod callers;
mod many;
mod refusing;
mod telling;

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis};

/// A policy that a guard can start with on the day of these tests.
pub(crate) const POLICY: &str = r#"version = 1
upstream = "http://127.0.0.1:3000"
public_url = "https://shop.example.com"
static = ["/favicon.ico"]
trusted_proxies = ["10.0.0.0/8"]

[limits.contact]
rate = "2 per 1m"

[limits.wrong]
rate = "2 per 15m"
algorithm = "exact"
counts = "failures"

[limits.email]
rate = "2 per 1m"
by = ["ip", "body.email"]

[[route]]
path = "/api/contact"
methods = ["POST"]
type = "public_form"
limits = ["contact"]
body = { max = "1 KiB" }

[[route]]
path = "/api/login"
methods = ["POST"]
type = "public_form"
limits = ["wrong"]

[[route]]
path = "/api/signup"
methods = ["POST"]
type = "public_form"
limits = ["email"]
body = { max = "1 KiB" }

[[route]]
path = "/api/items/{id}"
methods = ["GET"]
type = "protected_read"

[[except]]
route = "GET /api/items/{id}"
lacks = "authentication"
because = "the application asks for its session"
owner = "web"
until = 2026-12-31
"#;

/// The answer in JSON to a request, its policy in a folder of its own.
fn json(args: &[&str]) -> Value {
    serde_json::from_str(&told(args, &["--format", "json"])).unwrap()
}

fn terminal(args: &[&str]) -> String {
    told(args, &[])
}

fn told(args: &[&str], more: &[&str]) -> String {
    let folder = Folder::with(&[
        ("portcullis.toml", POLICY),
        ("small.json", r#"{"email":"a@example.com"}"#),
        ("large.json", &format!("\"{}\"", "x".repeat(2_000))),
        ("twice.json", r#"{"email":"a","email":"b"}"#),
    ]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["explain", "request"])
        .args(args)
        .args(more)
        .output()
        .unwrap();
    assert_eq!(err(&output), "", "{args:?}");
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    out(&output)
}

fn usage(args: &[&str]) -> String {
    let folder = Folder::with(&[("portcullis.toml", POLICY)]);
    let output = portcullis()
        .current_dir(folder.path())
        .args(["explain", "request"])
        .args(args)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert_eq!(out(&output), "", "{args:?}");
    err(&output)
}

const JSON: [&str; 2] = ["-H", "Content-Type: application/json"];

#[test]
fn verdicts_and_their_reasons() {
    for (args, verdict, status, reason, line) in [
        (&["GET", "/favicon.ico"][..], "allow", None, None, Some(4)),
        (&["GET", "/api/items/7"], "allow", None, None, Some(39)),
        (&["HEAD", "/api/items/7"], "allow", None, None, Some(39)),
        (
            &["GET", "/nowhere"],
            "deny",
            Some(404),
            Some("route_unknown"),
            None,
        ),
        (
            &["PUT", "/api/contact"],
            "deny",
            Some(405),
            Some("method_not_allowed"),
            None,
        ),
        (
            &["OPTIONS", "/api/contact"],
            "answer",
            Some(204),
            None,
            None,
        ),
        (
            &["GET", "https://other.example.com/"],
            "deny",
            Some(421),
            Some("host_unknown"),
            None,
        ),
        (
            &["GET", "/a/../b"],
            "deny",
            Some(400),
            Some("path_dot_segment"),
            None,
        ),
        (
            &["GET", "/a b"],
            "deny",
            Some(400),
            Some("request_line_malformed"),
            None,
        ),
        (
            &["get", "/a"],
            "deny",
            Some(400),
            Some("method_malformed"),
            None,
        ),
        (
            &["BREW", "/a"],
            "deny",
            Some(501),
            Some("method_unknown"),
            None,
        ),
        (
            &["POST", "/api/contact", "--body", "small.json"],
            "deny",
            Some(415),
            Some("content_type_refused"),
            Some(19),
        ),
        (
            &["GET", "/a", "-H", "Host: a", "-H", "Host: b"],
            "deny",
            Some(400),
            Some("host_repeated"),
            None,
        ),
        (
            &["GET", "http://shop.example.com/a", "-H", "Host: b.test"],
            "deny",
            Some(400),
            Some("target_authority_mismatch"),
            None,
        ),
        (
            &["GET", "/.portcullis/x"],
            "deny",
            Some(404),
            Some("reserved_unknown"),
            None,
        ),
        (
            &["GET", "/api/items/7", "--at", "2026-12-31T23:59:59Z"],
            "allow",
            None,
            None,
            Some(39),
        ),
        (
            &["GET", "/api/items/7", "--at", "2027-01-01"],
            "deny",
            Some(503),
            Some("exception_expired"),
            Some(44),
        ),
    ] {
        let told = json(args);
        assert_eq!(told["verdict"], verdict, "{args:?}");
        assert_eq!(told["status"].as_u64(), status, "{args:?}");
        assert_eq!(told["reason"].as_str(), reason, "{args:?}");
        assert_eq!(told["line"].as_u64(), line, "{args:?}");
        let last = told["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(last["reason"].as_str(), reason, "{args:?}");
    }
}

#[test]
fn bodies_are_read_as_far_as_the_policy_asks() {
    let contact =
        |file: &str| json(&[&["POST", "/api/contact", "--body", file], &JSON[..]].concat());
    assert_eq!(contact("small.json")["verdict"], "allow");
    assert_eq!(contact("large.json")["reason"], "body_too_large");
    // Nobody asks what is in it, so nobody looks.
    assert_eq!(contact("twice.json")["verdict"], "allow");
    let signup = |more: &[&str]| json(&[&["POST", "/api/signup"], &JSON[..], more].concat());
    let told = signup(&["--body", "twice.json"]);
    assert_eq!(told["reason"], "body_malformed");
    assert_eq!(
        told["steps"].as_array().unwrap().last().unwrap()["why"],
        "json_key_repeated"
    );
    assert_eq!(
        signup(&["--body", "small.json", "-H", "Content-Length: 500"])["reason"],
        "body_incomplete"
    );
    let chunked = ["-H", "Transfer-Encoding: chunked", "--body"];
    assert_eq!(
        signup(&[&chunked[..], &["large.json"]].concat())["reason"],
        "body_too_large"
    );
    let streamed = [
        &["POST", "/api/contact"],
        &JSON[..],
        &chunked,
        &["large.json"],
    ]
    .concat();
    let told = json(&streamed);
    assert_eq!(told["reason"], "body_too_large", "on its way");
    assert_eq!(told["forwarded"], Value::Null);
}

#[test]
fn limits_trip_when_they_are_asked_often_enough() {
    let contact = |times: &str| {
        json(
            &[
                &[
                    "POST",
                    "/api/contact",
                    "--body",
                    "small.json",
                    "--times",
                    times,
                ],
                &JSON[..],
            ]
            .concat(),
        )
    };
    assert_eq!(contact("2")["verdict"], "allow");
    let told = contact("3");
    assert_eq!(told["reason"], "rate_limited");
    assert_eq!(told["line"], 7);
    assert_eq!(
        told["runs"],
        serde_json::json!([
            { "verdict": "allow", "reason": null, "count": 2 },
            { "verdict": "deny", "reason": "rate_limited", "count": 1 },
        ])
    );
    assert_eq!(told["limits"][0]["name"], "contact");
    assert_eq!(told["limits"][0]["retry_after_seconds"], 30);
    let headers = told["client_reads"]["headers"].as_array().unwrap();
    assert!(headers.contains(&serde_json::json!(["Retry-After", "30"])));

    let login = |answer: &str| json(&["POST", "/api/login", "--times", "3", "--answer", answer]);
    assert_eq!(login("200")["verdict"], "allow", "nothing failed");
    assert_eq!(login("401")["reason"], "rate_limited");
}

#[test]
fn a_guard_that_only_watches_lets_pass_what_it_would_refuse() {
    let often = [
        "POST",
        "/api/contact",
        "--body",
        "small.json",
        "--times",
        "3",
    ];
    let asked = [&often[..], &JSON].concat();
    assert_eq!(json(&asked)["reason"], "rate_limited");
    let told = json(&[&asked[..], &["--insecure-shadow"]].concat());
    assert_eq!(told["verdict"], "allow");
    assert_eq!(told["watched"], serde_json::json!(["rate_limited"]));
    let notice = told["notices"][0].as_str().unwrap();
    assert!(notice.contains("--insecure-shadow"), "{notice}");
}

#[test]
fn what_is_forwarded_and_what_is_not() {
    let told = json(&[
        "GET",
        "/api/items/7",
        "-H",
        "Accept: text/html",
        "-H",
        "X-Real-IP: 203.0.113.1",
        "-H",
        "X_Forwarded_For: 203.0.113.1",
        "-H",
        "Portcullis-Identity: me",
        "--peer",
        "::ffff:198.51.100.7",
    ]);
    let forwarded = &told["forwarded"];
    assert_eq!(forwarded["kept"], serde_json::json!(["Accept"]));
    let gone: Vec<&str> = forwarded["stripped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        gone,
        [
            "Host",
            "X-Real-IP",
            "X_Forwarded_For",
            "Portcullis-Identity"
        ]
    );
    assert_eq!(told["request"]["client"], "198.51.100.7");
    let by_proxy = json(&[
        "GET",
        "/api/items/7",
        "--peer",
        "10.1.2.3",
        "-H",
        "X-Forwarded-For: 203.0.113.9",
    ]);
    assert_eq!(by_proxy["request"]["client"], "203.0.113.9");
}

#[test]
fn who_is_calling_is_said_not_to_be_looked_at() {
    let told = json(&["GET", "/api/items/7", "--as", "alice"]);
    let step = told["steps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(step["phase"], "identity");
    assert_eq!(step["outcome"], "not_enforced");
    assert_eq!(
        told["not_enforced"],
        serde_json::json!([{
            "control": "authentication", "conditional": false, "exception_line": 44, "until": "2026-12-31"
        }])
    );
    let without = json(&["GET", "/api/items/7"]);
    assert!(!without["steps"].to_string().contains("identity"));
    assert_eq!(without["verdict"], told["verdict"]);
}
