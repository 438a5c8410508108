//! `portcullis explain request` from outside: what it decides, what it tells, and what it never prints.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

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

#[test]
fn no_value_of_a_header_and_no_query_is_printed() {
    let args = [
        "POST",
        "/api/contact?token=hunter1",
        "-H",
        "Authorization: Bearer hunter2",
        "-H",
        "Cookie: sid=hunter3",
        "-H",
        "X-Api-Key: hunter4",
        "-H",
        "Content-Type: application/json",
        "--body",
        "small.json",
        "--times",
        "3",
    ];
    for text in [
        terminal(&args),
        terminal(&args[..args.len() - 2]),
        json(&args).to_string(),
    ] {
        assert!(!text.contains("hunter"), "{text}");
    }
    let told = usage(&["GET", "/", "-H", "Authorization: Bearer hunter2\r\nX: y"]);
    assert!(told.contains("header number 1"), "{told}");
    assert!(!told.contains("hunter"), "{told}");
}

#[test]
fn the_terminal_shows_every_step_and_the_line_behind_it() {
    let text = terminal(
        &[
            &[
                "POST",
                "/api/contact",
                "--body",
                "small.json",
                "--times",
                "3",
            ],
            &JSON[..],
        ]
        .concat(),
    );
    let expected = "\
POST /api/contact  at 2026-06-01T00:00:00Z

  head          passed         strict HTTP/1.1, 3 header fields
  request       passed         `POST /api/contact` from 192.0.2.1 for `shop.example.com`
  host          passed         `shop.example.com` is a host of the policy
  route         passed         `POST /api/contact`, a `public_form`  (portcullis.toml:19)
  internal      not needed     the route is for callers from outside
  standing      not needed     the route stands on no exception
  shape         passed         the body is of a type that the route takes, at most 1024 bytes  (portcullis.toml:19)
  head limits   refused        rate_limited: contact: none of 2 left by ip, again in 30 s  (portcullis.toml:7)

asked         3 times: 2 allowed, then 1 refused (rate_limited); this is the last
verdict       refused, 429 Too Many Requests: rate_limited by POST /api/contact  (portcullis.toml:7)
limits        contact: 2 per 1m, smooth, by ip: reached, again in 30 s  (portcullis.toml:7)

client reads  429 Too Many Requests
              Cache-Control: no-store
              RateLimit-Policy: \"contact\";q=2;w=60
              RateLimit: \"contact\";r=0;t=30
              Retry-After: 30
              Content-Type: application/problem+json
              {\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Too Many Requests\",\"status\":429}
";
    assert_eq!(text, expected);
}

#[test]
fn colours_are_for_who_asks_for_them() {
    let plain = terminal(&["GET", "/nowhere"]);
    assert!(!plain.contains('\u{1b}'));
    let coloured = terminal(&["GET", "/nowhere", "--color", "always"]);
    assert!(coloured.contains("\u{1b}[31m"), "{coloured}");
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let args = ["GET", "/api/items/7", "--as", "alice", "--times", "50"];
    let first = told(&args, &["--format", "json"]);
    assert_eq!(first, told(&args, &["--format", "json"]));
    assert!(first.starts_with("{\n  \"schema\": \"portcullis.explain/1\",\n  \"tool\": {"));
    assert!(
        json(&args)["policy_digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
}

#[test]
fn many_requests_of_a_file() {
    let lines = concat!(
        r#"{"method":"GET","url":"/api/items/1"}"#,
        "\n\n",
        r#"{"method":"POST","url":"/api/contact","headers":{"content-type":"application/json"},"body":"{}"}"#,
        "\n",
        r#"{"method":"POST","url":"/api/contact","headers":[["content-type","application/json"]],"body":"{}"}"#,
        "\n",
        r#"{"method":"POST","url":"/api/contact","headers":[["content-type","application/json"]],"body":"{}","at":"2026-06-01T00:00:10Z"}"#,
        "\n",
        r#"{"method":"POST","url":"/api/contact","headers":[["content-type","application/json"]],"body":"{}","at":"2026-06-01T00:00:30Z"}"#,
    );
    let folder = Folder::with(&[("portcullis.toml", POLICY), ("requests.jsonl", lines)]);
    let asked = |more: &[&str]| {
        let output = portcullis()
            .current_dir(folder.path())
            .args(["explain", "request", "--requests", "requests.jsonl"])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let verdicts = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|value| value["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(verdicts(&asked(&["--format", "json"])), ["allow"; 5]);
    assert_eq!(
        verdicts(&asked(&["--format", "json", "--together"])),
        ["allow", "allow", "allow", "deny", "allow"],
        "one is earned in thirty seconds"
    );
    let table = asked(&["--together"]);
    assert!(
        table.contains(
            "     5  deny 429 rate_limited               POST /api/contact  by /api/contact\n"
        ),
        "{table}"
    );
    assert!(
        table.ends_with("\n5 requests: 4 allowed, 1 refused\n"),
        "{table}"
    );
}

#[test]
fn lines_that_are_no_requests_are_told_with_their_number() {
    let huge = format!(
        "{{\"method\":\"GET\",\"url\":\"/{}\"}}",
        "a".repeat(2 << 20)
    );
    let lines: Vec<&[u8]> = vec![
        br#"{"method":"GET","url":"/favicon.ico"}"#,
        br#"{"method":"GET","uri":"/"}"#,
        br#"{"method":"GET","method":"PUT","url":"/"}"#,
        b"[]",
        b"{\"method\":\"G\xff\",\"url\":\"/\"}",
        huge.as_bytes(),
        br#"{"method":"GET","url":"/","peer":"nowhere"}"#,
        br#"{"method":"GET","url":"/","at":"soon"}"#,
        br#"{"method":"GET","url":"/","times":0}"#,
        br#"{"method":"GET","url":"/a\nb"}"#,
        br#"{"method":"GET","url":"/","headers":{"a":1}}"#,
        br#"{"url":"/"}"#,
        br#"{"method":"GET","url":"/favicon.ico"}"#,
    ];
    let folder = Folder::with(&[("portcullis.toml", POLICY)]);
    let mut child = portcullis()
        .current_dir(folder.path())
        .args(["explain", "request", "--requests", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&lines.join(&b"\n"[..])).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output).lines().count(), 2, "what can be answered is");
    let told = err(&output);
    for (number, what) in [
        (2, "unknown key `uri` (did you mean `url`?)"),
        (3, "no strict JSON: json_key_repeated"),
        (4, "a request is an object"),
        (5, "no strict JSON: json_not_utf8"),
        (6, "a line has at most 1 MiB"),
        (7, "`peer`: `nowhere` is no IP address"),
        (8, "`at`: "),
        (9, "`times` is a whole number from 1 to 100000"),
        (10, "a line break in METHOD or URL"),
        (11, "`headers` is an object of strings"),
        (12, "`method` is missing"),
    ] {
        assert!(
            told.contains(&format!("line {number}: {what}")),
            "{number}: {told}"
        );
    }
    assert!(
        told.ends_with("error: 11 lines are no requests\n"),
        "{told}"
    );
}

#[test]
fn arguments_that_cannot_be_used_are_usage() {
    for (args, said) in [
        (&["GET"][..], "<URL>"),
        (
            &["GET", "/", "-H", "no-colon"],
            "a header is written `Name: value`",
        ),
        (&["GET", "/", "--peer", "nowhere"], "--peer"),
        (&["GET", "/", "--at", "soon"], "a time is written"),
        (&["GET", "/", "--times", "0"], "--times"),
        (&["GET", "/", "--times", "100001"], "--times"),
        (&["GET", "/", "--answer", "99"], "--answer"),
        (
            &["GET", "/", "--body", "nothing.json"],
            "cannot read `nothing.json`",
        ),
        (&["GET", "/", "--together"], "cannot be used with"),
        (&["GET", "/", "--requests", "x"], "cannot be used with"),
        (&["GET", "/\nx"], "line break"),
        (
            &["GET", "/", "--policy", "nothing.toml"],
            "there is no policy `nothing.toml`",
        ),
    ] {
        let told = usage(args);
        assert!(told.contains(said), "{args:?}: {told}");
    }
}

#[test]
fn hostile_requests_are_answered() {
    let long = format!("/{}", "a".repeat(9_000));
    for (args, reason) in [
        (&["GET", long.as_str()][..], "target_too_long"),
        (&["GET", "/\u{1b}[2J"], "target_byte"),
        (&["GET", "/\u{202e}"], "target_byte"),
        (&["GET", "/", "-H", "X: a\u{0}b"], "field_value_control"),
        (&["GET", "/", "-H", "X Y: b"], "field_name_malformed"),
        (
            &[
                "GET",
                "/",
                "-H",
                "Content-Length: 1",
                "-H",
                "Transfer-Encoding: chunked",
            ],
            "content_length_and_transfer_encoding",
        ),
    ] {
        // No argument can hold a zero byte; such a header can only be asked about in a file.
        if args.iter().any(|arg| arg.contains('\0')) {
            continue;
        }
        assert_eq!(json(args)["reason"], reason, "{args:?}");
        let text = terminal(args);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let folder = Folder::with(&[
        ("portcullis.toml", POLICY),
        (
            "requests.jsonl",
            r#"{"method":"GET","url":"/","headers":{"X":"a\u0000b"}}"#,
        ),
    ]);
    let output = portcullis()
        .current_dir(folder.path())
        .args([
            "explain",
            "request",
            "--requests",
            "requests.jsonl",
            "--format",
            "json",
        ])
        .output()
        .unwrap();
    assert!(out(&output).contains("\"field_value_control\""));
}

#[test]
fn a_policy_that_no_guard_starts_with_is_told() {
    let folder = Folder::with(&[]);
    let file = folder.join("portcullis.toml");
    fs::write(
        &file,
        "version = 1\n[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n",
    )
    .unwrap();
    let ask = |url: &str| {
        portcullis()
            .current_dir(folder.path())
            .args(["explain", "request", "GET", url])
            .output()
            .unwrap()
    };
    let text = out(&ask("http://shop.example.com/a"));
    assert!(
        text.contains("note: no guard starts with this policy today: 3 things are lacking"),
        "{text}"
    );
    let without_host = ask("/a");
    assert_eq!(without_host.status.code(), Some(2));
    assert!(err(&without_host).contains("the policy names no host"));
    fs::write(&file, "version = 1\nhosst = []\n").unwrap();
    let invalid = ask("/a");
    assert_eq!(invalid.status.code(), Some(2));
    assert!(
        err(&invalid).contains("portcullis.toml:2:1: "),
        "{}",
        err(&invalid)
    );
    fs::write(&file, b"version = 1\n# \xff\n").unwrap();
    assert_eq!(ask("/a").status.code(), Some(2), "no text");
}
