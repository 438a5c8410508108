//! `portcullis policy check` and `policy test` from outside.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::explain_request::POLICY;
use crate::folder::Folder;
use crate::{err, out, portcullis};

fn policy(folder: &Folder, args: &[&str]) -> Output {
    portcullis()
        .current_dir(folder.path())
        .arg("policy")
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn a_good_policy_is_counted() {
    let folder = Folder::with(&[("portcullis.toml", POLICY)]);
    let output = policy(&folder, &["check"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        out(&output),
        "portcullis.toml: 4 routes, 1 static, 3 limits, 1 exception: valid; `--for guard` says whether a guard could start with it\n"
    );
    let output = policy(&folder, &["check", "portcullis.toml", "--for", "guard"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).ends_with("valid, and a guard can start with it\n"));
    assert_eq!(err(&output), "");
}

#[test]
fn everything_wrong_is_told_with_its_place() {
    let text = "version = 1\nhosst = []\n[[route]]\npath = \"a\"\nmethods = [\"get\"]\ntype = \"public_read\"\n";
    let folder = Folder::with(&[("wrong.toml", text)]);
    let output = policy(&folder, &["check", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let told = out(&output);
    for place in [
        "error: wrong.toml:2:1: ",
        "error: wrong.toml:4:",
        "error: wrong.toml:5:",
    ] {
        assert!(told.contains(place), "{told}");
    }
    assert!(told.contains("(did you mean `hosts`?)"), "{told}");
    assert!(told.ends_with("not valid\n"), "{told}");
    let output = policy(&folder, &["check", "wrong.toml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let told: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(told["schema"], "portcullis.policy-check/1");
    assert_eq!(told["valid"], false);
    assert_eq!(told["errors"].as_array().unwrap().len(), 3);
    assert_eq!(told["errors"][0]["line"], 2);
    assert_eq!(told["errors"][0]["suggestion"], "hosts");
    assert_eq!(told["routes"], Value::Null);
}

#[test]
fn what_a_guard_lacks_is_told_when_it_is_asked() {
    let text =
        "version = 1\n[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\ntype = \"protected_read\"\n";
    let folder = Folder::with(&[("portcullis.toml", text)]);
    assert_eq!(policy(&folder, &["check"]).status.code(), Some(0));
    let output = policy(&folder, &["check", "--for", "guard"]);
    assert_eq!(output.status.code(), Some(2));
    let told = out(&output);
    assert_eq!(told.matches("lacking: ").count(), 3, "{told}");
    assert!(
        told.contains("lacking: portcullis.toml:2:1: `GET /a` needs `authentication`"),
        "{told}"
    );
    let json = out(&policy(
        &folder,
        &["check", "--for", "guard", "--format", "json"],
    ));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["valid"], true);
    assert_eq!(json["for_guard"], false);
    assert_eq!(json["lacks"].as_array().unwrap().len(), 3);
}

#[test]
fn each_verb_says_what_it_lacks() {
    let folder = Folder::with(&[
        ("portcullis.toml", "version = 1\nstatic = [\"/a\"]\n"),
        ("told.toml", "version = 1\n[audit]\nfail_on = \"low\"\n"),
    ]);
    for (file, verb, code, words) in [
        ("portcullis.toml", "audit", 2, "it tells an audit nothing"),
        ("told.toml", "audit", 0, "it tells an audit something"),
        ("portcullis.toml", "probe", 2, "add `public_url ="),
        ("told.toml", "probe", 2, "there is nothing to try"),
    ] {
        let output = policy(&folder, &["check", file, "--for", verb]);
        assert_eq!(output.status.code(), Some(code), "{file} {verb}");
        assert!(out(&output).contains(words), "{}", out(&output));
    }
    let output = policy(&folder, &["check", "--for", "probe", "--format", "json"]);
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(
        (&json["for"], &json["ready"]),
        (&Value::from("probe"), &Value::from(false))
    );
    assert_eq!(json["for_guard"], Value::Null);
}

#[test]
fn a_resolved_policy_is_a_policy_file() {
    let wrong = "version = 1\nhosst = []\n";
    let folder = Folder::with(&[("portcullis.toml", POLICY), ("wrong.toml", wrong)]);
    let output = policy(&folder, &["check", "--resolved"]);
    assert_eq!(output.status.code(), Some(0));
    let resolved = out(&output);
    assert!(
        resolved.contains("connections_max = 4096 # default\n"),
        "{resolved}"
    );
    fs::write(folder.join("resolved.toml"), &resolved).unwrap();
    let output = policy(&folder, &["check", "resolved.toml", "--for", "guard"]);
    assert!(
        out(&output).ends_with("valid, and a guard can start with it\n"),
        "{}",
        out(&output)
    );
    assert_eq!(err(&policy(&folder, &["check", "--resolved"])), "");
    let route = |number| {
        format!("[[route]]\npath = \"/r{number}\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n")
    };
    let routes: String = (0..5000).map(route).collect();
    fs::write(folder.join("large.toml"), format!("version = 1\n{routes}")).unwrap();
    let output = policy(&folder, &["check", "large.toml", "--resolved"]);
    assert!(
        err(&output).contains("larger than a policy may be"),
        "{}",
        err(&output)
    );
    // What is redirected into a file is a policy or nothing.
    let output = policy(&folder, &["check", "wrong.toml", "--resolved"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
    assert!(
        err(&output).contains("wrong.toml:2:1: "),
        "{}",
        err(&output)
    );
}

#[test]
fn the_schema_is_the_one_of_the_documents() {
    let folder = Folder::with(&[]);
    let output = policy(&folder, &["schema"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        out(&output),
        include_str!("../../../../docs/portcullis.schema.json")
    );
}

#[test]
fn notices_refuse_nothing() {
    let text = POLICY.replace("2026-12-31", "2026-05-31")
        + "\n[limits.unused]\nrate = \"1 per 1m\"\n\n[roles]\norder = [\"admin\"]\n";
    let folder = Folder::with(&[("portcullis.toml", &text)]);
    let output = policy(&folder, &["check"]);
    assert_eq!(output.status.code(), Some(0));
    let told = out(&output);
    for notice in [
        "notice: portcullis.toml:44:1: the exception of `GET /api/items/{id}` from `authentication` ended on 2026-05-31",
        "notice: portcullis.toml:51:1: no route uses the limit `unused`",
        "notice: portcullis.toml:54:2: `[roles]` is checked, and no command of this version uses it",
    ] {
        assert!(told.contains(notice), "{told}");
    }
}

#[test]
fn a_file_that_is_no_text_or_too_large_is_usage() {
    let folder = Folder::with(&[]);
    fs::write(folder.join("portcullis.toml"), b"version = 1\n# \xff\n").unwrap();
    let output = policy(&folder, &["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        err(&output),
        "error: portcullis.toml:2: this is no UTF-8 text\n"
    );
    fs::write(folder.join("portcullis.toml"), " ".repeat((1 << 20) + 1)).unwrap();
    let output = policy(&folder, &["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("larger than 1 MiB"));
    let output = policy(&folder, &["check", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("cannot read `nowhere.toml`"));
}

const EXPECTATIONS: &str = r#"
[[expect]]
request = "GET /api/items/7?x=1"
verdict = "allow"
route = "/api/items/{id}"

[[expect]]
request = "POST /api/contact"
headers = { content-type = "application/json" }
body = '{"name":"a"}'
peer = "203.0.113.9"
times = 3
verdict = "deny"
reason = "rate_limited"
status = 429
route = "/api/contact"

[[expect]]
request = "POST /api/login"
times = 3
answer = 401
verdict = "deny"

[[expect]]
request = "OPTIONS /api/contact"
verdict = "answer"

[[expect]]
request = "GET /api/items/7"
at = "2027-01-01"
verdict = "deny"
reason = "exception_expired"

[[expect]]
request = "GET /"
headers = { host = ["a.test", "b.test"] }
verdict = "deny"
reason = "host_repeated"
"#;

fn expecting(expectations: &str) -> Folder {
    Folder::with(&[("portcullis.toml", POLICY), ("expect.toml", expectations)])
}

#[test]
fn expectations_that_hold() {
    let folder = expecting(EXPECTATIONS);
    let output = policy(&folder, &["test", "expect.toml"]);
    assert_eq!(
        out(&output),
        "6 expectations: all hold\n",
        "{}",
        err(&output)
    );
    assert_eq!(output.status.code(), Some(0));
    let json = out(&policy(
        &folder,
        &["test", "expect.toml", "--format", "json"],
    ));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], "portcullis.policy-test/1");
    assert_eq!(json["expectations"], 6);
    assert_eq!(json["hold"], 6);
    assert_eq!(json["failed"], serde_json::json!([]));
}

#[test]
fn an_expectation_that_does_not_hold_is_one_line() {
    let folder = expecting(&EXPECTATIONS.replace("times = 3\nverdict", "times = 2\nverdict"));
    let output = policy(&folder, &["test", "expect.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        out(&output),
        "expect.toml:7: POST /api/contact (2 times): expected deny 429 rate_limited by /api/contact, was allow by \
         /api/contact (head limits: contact: 0 of 2 left by ip, portcullis.toml:7)\n\
         6 expectations: 5 hold, 1 does not\n"
    );
    let json = out(&policy(
        &folder,
        &["test", "expect.toml", "--format", "json"],
    ));
    let json: Value = serde_json::from_str(&json).unwrap();
    let failed = &json["failed"][0];
    assert_eq!(failed["line"], 7);
    assert_eq!(failed["expected"]["reason"], "rate_limited");
    assert_eq!(failed["was"]["verdict"], "allow");
    assert_eq!(failed["step"]["phase"], "head limits");
}

/// Every word that is expected is looked at.
#[test]
fn each_word_of_an_expectation_can_fail() {
    let holds = "[[expect]]\nrequest = \"GET /nowhere\"\nverdict = \"deny\"\nreason = \"route_unknown\"\nstatus = 404\n";
    assert_eq!(
        policy(&expecting(holds), &["test", "expect.toml"])
            .status
            .code(),
        Some(0)
    );
    for (right, wrong) in [
        ("\"deny\"", "\"answer\""),
        ("route_unknown", "host_unknown"),
        ("404", "403"),
        ("status = 404\n", "status = 404\nroute = \"/nowhere\"\n"),
    ] {
        let folder = expecting(&holds.replace(right, wrong));
        let output = policy(&folder, &["test", "expect.toml"]);
        assert_eq!(output.status.code(), Some(1), "{wrong}");
    }
}

#[test]
fn no_expectations_are_no_success() {
    let output = policy(&expecting("# none yet\n"), &["test", "expect.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        out(&output),
        "expect.toml: no `[[expect]]`, so nothing was tried\n"
    );
}

#[test]
fn what_is_wrong_with_expectations_is_told_at_once() {
    let text = r#"
[[expect]]
request = "GET"
verdict = "alow"

[[expect]]
reqest = "GET /"
verdict = "deny"
times = 0
peer = "nowhere"
at = "soon"
answer = 42
headers = { a = 1 }
body = 7
as = 7

[[expect]]
request = "GET /"
verdict = "allow"
reason = "route_unknown"
"#;
    let output = policy(&expecting(text), &["test", "expect.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "");
    let told = err(&output);
    for place in [
        "expect.toml:3: `GET` is no request",
        "expect.toml:4: unknown verdict `alow` (did you mean `allow`?)",
        "expect.toml:6: an expectation needs `request`",
        "expect.toml:7: unknown key `reqest` of an expectation (did you mean `request`?)",
        "expect.toml:9: `times` is a whole number from 1 to 100000",
        "expect.toml:10: `nowhere` is no IP address",
        "expect.toml:11: a time is written `2027-01-31T12:00:00Z`",
        "expect.toml:12: `answer` is a whole number from 100 to 599",
        "expect.toml:13: the header `a` is a string",
        "expect.toml:14: `body` is a string",
        "expect.toml:15: `as` is a string",
        "expect.toml:17: `reason` is of a refusal",
    ] {
        assert!(told.contains(place), "{place}\n{told}");
    }
}

const CALLERS: &str = r#"
version = 1
public_url = "https://shop.test"
upstream = "http://127.0.0.1:9"

[identity.session]
secret = "env:S"
[identity.csrf]
secret = "env:C"
[identity.application]
secret = "env:A"
audience = "shop"

[limits.orders]
rate = "2 per 1m"
by = ["user"]

[[route]]
path = "/me"
methods = ["GET"]
type = "protected_read"
[[route]]
path = "/orders"
methods = ["POST"]
type = "protected_mutation"
limits = ["orders"]
[[except]]
route = "POST /orders"
lacks = "validation"
because = "the application looks"
owner = "us"
until = 2099-12-31
"#;

const AS_SOMEBODY: &str = r#"
[[expect]]
request = "GET /me"
verdict = "deny"
status = 401

[[expect]]
request = "GET /me"
as = "u1"
verdict = "allow"

[[expect]]
request = "POST /orders"
as = "u1"
times = 2
verdict = "allow"

[[expect]]
request = "POST /orders"
as = "u1"
times = 3
verdict = "deny"
reason = "rate_limited"

# A page of another site has the cookie, and is refused all the same.
[[expect]]
request = "POST /orders"
as = "u1"
headers = { origin = "https://evil.test" }
verdict = "deny"
reason = "csrf_origin"
"#;

#[test]
fn what_becomes_of_somebody_who_is_known_can_be_expected() {
    let with = |policy: &str, expectations: &str| {
        Folder::with(&[("portcullis.toml", policy), ("expect.toml", expectations)])
    };
    let test = ["test", "expect.toml"];
    let output = policy(&with(CALLERS, AS_SOMEBODY), &test);
    let told = out(&output);
    assert_eq!(output.status.code(), Some(0), "{told}{}", err(&output));
    assert_eq!(told, "5 expectations: all hold\n");
    // Of nobody all the others say something else, and each says it.
    let anonymous = AS_SOMEBODY.replace("as = \"u1\"\n", "");
    let output = policy(&with(CALLERS, &anonymous), &test);
    assert_eq!(output.status.code(), Some(1));
    let told = out(&output);
    assert!(
        told.contains("GET /me: expected allow, was deny 401"),
        "{told}"
    );
    // A policy that lets everybody in does not hold what is expected of nobody.
    let open = CALLERS.replace("protected_read", "public_read");
    let output = policy(&with(&open, AS_SOMEBODY), &test);
    assert_eq!(output.status.code(), Some(1));
    let shut = CALLERS.replace("methods = [\"GET\"]", "methods = [\"HEAD\"]");
    let told = out(&policy(&with(&shut, AS_SOMEBODY), &test));
    assert!(
        told.contains("expect.toml:7: GET /me as u1: expected allow, was deny 405"),
        "{told}"
    );
}

#[test]
fn nothing_is_expected_of_callers_whom_the_policy_does_not_know() {
    let expectations =
        "[[expect]]\nrequest = \"GET /api/items\"\nas = \"u1\"\nverdict = \"deny\"\n";
    let output = policy(&expecting(expectations), &["test", "expect.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output);
    assert!(
        told.contains("expect.toml:1: the policy does not say how the guard knows who is calling"),
        "{told}"
    );
}

#[test]
fn hostile_files_of_expectations_are_refused() {
    let deep = format!("a = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    let dotted = format!("a{} = 1", ".a".repeat(400_000));
    let many = "[[expect]]\n".repeat(10_001);
    let often = "[[expect]]\nrequest = \"GET /\"\nverdict = \"deny\"\ntimes = 100000\n".repeat(11);
    let faults = "[[expect]]\n".repeat(500);
    for (text, said) in [
        (deep.as_str(), "this nests too deep"),
        (&dotted, "this nests too deep"),
        (&many, "at most 10000 expectations"),
        (&often, "at most 1000000 requests in all"),
        (&faults, "and 900 more"),
        ("expect = 1", "each expectation is a table of its own"),
        ("[[expect]\n", "no TOML: "),
        ("[[expect]]\n\"\\u001b[2J\" = 1", "unknown key `\\u{1b}[2J`"),
        ("[[expects]]\n", "(did you mean `expect`?)"),
    ] {
        let output = policy(&expecting(text), &["test", "expect.toml"]);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(err(&output).contains(said), "{said}: {:.500}", err(&output));
    }
    let folder = expecting("");
    fs::write(folder.join("expect.toml"), b"\n\n# \xff").unwrap();
    let output = policy(&folder, &["test", "expect.toml"]);
    assert_eq!(
        err(&output),
        "error: expect.toml:3: this is no UTF-8 text\n"
    );
    fs::write(folder.join("expect.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    let output = policy(&folder, &["test", "expect.toml"]);
    assert_eq!(output.status.code(), Some(2));
}
