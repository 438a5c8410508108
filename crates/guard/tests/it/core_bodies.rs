//! The phases that look at a body: its head lines, and itself where the policy asks about it.

use portcullis_guard::plan::Plan;

use crate::core_made::{Counting, Made, ask, plan, route};

fn all(plan: &Plan, cases: &[(Made, &str)]) {
    for (request, verdict) in cases {
        assert_eq!(
            request.verdict(plan, &mut Counting::default()),
            *verdict,
            "{request:?}"
        );
    }
}

#[test]
fn shape() {
    let plan = plan(
        &[
            "[limits.by-email]\nrate = \"100 per 1m\"\nby = [\"ip\", \"body.email\"]\n".to_owned(),
            route("/form", "GET POST", "public_read"),
            "body = { max = \"10 B\" }\n".to_owned(),
            route("/json", "POST", "public_read"),
            "limits = [\"by-email\"]\n".to_owned(),
        ]
        .concat(),
    );
    let form = |body: &str| ask("POST /form").body("application/x-www-form-urlencoded", body);
    all(
        &plan,
        &[
            (ask("POST /form"), "allow /form"),
            (form("0123456789"), "allow /form"),
            (form("01234567890"), "deny 413 body_too_large"),
            (
                ask("POST /form").with("Content-Length: 99999999999"),
                "deny 413 body_too_large",
            ),
            (ask("POST /form").with("Content-Length: 0"), "allow /form"),
            (
                ask("POST /form").with("Content-Length: 1"),
                "deny 415 content_type_refused",
            ),
            (
                ask("POST /form").body("text/plain", "a"),
                "deny 415 content_type_refused",
            ),
            (
                ask("POST /form").body("Application/JSON; charset=x", "a"),
                "allow /form",
            ),
            (
                form("a").with("Content-Type: application/json"),
                "deny 415 content_type_refused",
            ),
            (form("a").with("Content-Encoding: gzip"), "allow /form"),
            (
                ask("GET /form").body("application/json", "{}"),
                "deny 400 body_unexpected",
            ),
            (
                ask("HEAD /form").with("Content-Length: 1"),
                "deny 400 body_unexpected",
            ),
            (
                ask("GET /form").with("Transfer-Encoding: chunked"),
                "deny 400 body_unexpected",
            ),
            (ask("GET /form").with("Content-Length: 0"), "allow /form"),
            (ask("POST /json").json("{}"), "allow /json"),
            (
                ask("POST /json").json("{}").with("Content-Encoding: gzip"),
                "deny 415 content_encoding_refused",
            ),
            (
                ask("POST /json")
                    .json("{}")
                    .with("Content-Encoding: identity"),
                "deny 415 content_encoding_refused",
            ),
            (
                ask("POST /json").body("application/json; charset=UTF-8", "{}"),
                "allow /json",
            ),
            (
                ask("POST /json").body("application/json; charset=latin1", "{}"),
                "deny 415 content_type_refused",
            ),
            (
                ask("POST /json").body("multipart/form-data", "{}"),
                "deny 415 content_type_refused",
            ),
            (
                ask("POST /json").body("application/json5", "{}"),
                "deny 415 content_type_refused",
            ),
        ],
    );
}

#[test]
fn body() {
    let plan = plan(
        &[
            "[limits.by-email]\nrate = \"100 per 1m\"\nby = [\"ip\", \"body.email\"]\n".to_owned(),
            route("/json", "POST", "public_read"),
            "limits = [\"by-email\"]\nbody = { max = \"64 B\" }\n".to_owned(),
        ]
        .concat(),
    );
    let long = format!("\"{}\"", "a".repeat(70));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let unclosed = "[".repeat(60);
    for (body, verdict) in [
        ("{}", "allow /json"),
        ("null", "allow /json"),
        ("[1, 2]", "allow /json"),
        ("{\"email\": 7}", "allow /json"),
        ("", "allow /json"),
        ("{", "deny 400 body_malformed"),
        ("{} {}", "deny 400 body_malformed"),
        ("{\"a\": 1, \"a\": 2}", "deny 400 body_malformed"),
        ("{\"a\": 1, \"\\u0061\": 2}", "deny 400 body_malformed"),
        (
            "{\"email\": \"a\", \"EMAIL\": \"b\"}",
            "deny 400 body_malformed",
        ),
        ("{\"email\": 1, \"a\": 1, \"A\": 1}", "allow /json"),
        ("\u{feff}{}", "deny 400 body_malformed"),
        ("NaN", "deny 400 body_malformed"),
        (&unclosed, "deny 400 body_malformed"),
        (&long, "deny 413 body_too_large"),
        (&deep, "deny 413 body_too_large"),
    ] {
        for request in [
            ask("POST /json").json(body),
            ask("POST /json").chunked_json(body),
        ] {
            // An empty body in chunks is a body, and no JSON.
            let empty_chunks = body.is_empty() && !request.lines[1].starts_with("Content-Length");
            let verdict = if empty_chunks {
                "deny 400 body_malformed"
            } else {
                verdict
            };
            assert_eq!(
                request.verdict(&plan, &mut Counting::default()),
                verdict,
                "{body}"
            );
        }
    }
}
