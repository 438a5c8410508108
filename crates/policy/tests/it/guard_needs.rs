//! What a guard lacks to start, and what it is told when it does.

use portcullis_policy::{Control, Date, Method, Policy};

use crate::demands::one;

const SHOP: &str = include_str!("shop.toml");
const ENFORCED: &[Control] = &[Control::RateLimit, Control::BodyLimit];

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

#[test]
fn notices_are_told_in_the_order_of_the_file() {
    let text = one(
        "[limits.header]\nrate = \"1 per 1s\"\nby = [\"header.x-key\"]\n[limits.unused]\nrate = \"1 per 1s\"\n[limits.\"default.webhook\"]\nrate = \"1 per 1s\"\n[proxy]\nrequest_deadline = \"10s\"",
        "public_form",
        "limits = [\"header\"]\ntimeout = \"11s\"",
    );
    let policy = policy(&text);
    let notices: Vec<String> = policy.notices().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(notices.join("\n"), @r"
    2:1: the limit `header` is counted only by what the client itself chooses: add `ip` to `by`
    5:1: no route uses the limit `unused`
    7:1: no route uses the limit `default.webhook`
    11:1: the `timeout` of `POST /a` is longer than the `request_deadline` of `[proxy]`, which ends it
    ");
}

#[test]
fn the_empty_policy_lacks_everything() {
    let lacks = Policy::default()
        .for_guard(day("2026-12-01"), ENFORCED)
        .expect_err("nothing is there");
    let shown: Vec<String> = lacks.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "where the application listens is not said: add `upstream = \"http://127.0.0.1:3000\"`",
            "for which host to answer is not said: add `public_url = \"https://shop.example.com\"`, or `hosts`",
            "every request would be refused: add a `[[route]]`, or paths to `static`",
        ]
    );
}

#[test]
fn every_control_that_is_not_enforced_is_told_with_its_route() {
    let lacks = policy(SHOP)
        .for_guard(day("2026-12-01"), ENFORCED)
        .expect_err("much is lacking");
    let shown: Vec<String> = lacks.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

const GUARDED: &str = r#"version = 1
public_url = "https://shop.example.com"
upstream = "http://127.0.0.1:3000"
static = ["/favicon.ico"]
[[route]]
path = "/api/items/{id}"
methods = ["GET", "PATCH"]
type = "protected_read"
[[except]]
route = "GET /api/items/{slug}"
lacks = "authentication"
because = "the application checks its session"
owner = "platform"
until = 2027-01-31
[[except]]
route = "PATCH /api/items/{id}"
lacks = "authentication"
because = "the application checks its session"
owner = "platform"
until = 2027-02-28
shadow = true
"#;

#[test]
fn an_exception_lets_a_guard_start_until_its_day() {
    let policy = policy(GUARDED);
    assert_eq!(policy.for_guard(day("2027-01-31"), ENFORCED), Ok(()));
    let lacks = policy
        .for_guard(day("2027-02-01"), ENFORCED)
        .expect_err("one is over");
    assert_eq!(lacks.len(), 1);
    assert_eq!(
        (lacks[0].place.line, lacks[0].control),
        (5, Some(Control::Authentication))
    );
    for words in [
        "GET PATCH /api/items/{id}",
        "line 9 ended on 2027-01-31",
        "for `GET /api/items/{id}` with",
    ] {
        assert!(lacks[0].message.contains(words), "{}", lacks[0]);
    }
    assert!(!lacks[0].message.contains("`PATCH /api"), "{}", lacks[0]);
    // A later version enforces more.
    assert_eq!(
        policy.for_guard(
            day("2027-06-01"),
            &[Control::RateLimit, Control::Authentication]
        ),
        Ok(())
    );
    let route = &policy.routes()[0];
    let shadow = |method, date: &str| {
        policy
            .excepted_on(route, method, Control::Authentication, day(date))
            .map(|except| except.shadow)
    };
    // HEAD is answered by GET, and excepted with it.
    assert_eq!(shadow(Method::Head, "2027-01-31"), Some(false));
    assert_eq!(shadow(Method::Patch, "2027-01-31"), Some(true));
    assert_eq!(shadow(Method::Get, "2027-02-01"), None);
    assert_eq!(shadow(Method::Delete, "2027-01-31"), None);
}

#[test]
fn limits_by_who_is_calling_need_to_know_who_is_calling() {
    let text = |by: &str| {
        one(
            &format!(
                "public_url = \"https://a\"\nupstream = \"http://b\"\n[limits.l]\nrate = \"1 per 1s\"\nby = [{by}]"
            ),
            "public_read",
            "limits = [\"l\"]",
        )
    };
    for (by, control) in [
        ("user", Control::Authentication),
        ("tenant", Control::Authentication),
        ("session", Control::Session),
    ] {
        let policy = policy(&text(&format!("\"{by}\", \"ip\"")));
        let lacks = policy.for_guard(day("2026-12-01"), ENFORCED).expect_err(by);
        assert_eq!(lacks.len(), 1, "{by}");
        assert_eq!(lacks[0].place.line, 4, "{by}");
        assert!(
            lacks[0].message.contains(&format!("counted by `{by}`")),
            "{}",
            lacks[0]
        );
        assert_eq!(
            policy.for_guard(day("2026-12-01"), &[Control::RateLimit, control]),
            Ok(())
        );
    }
    let policy = policy(&text("\"ip\", \"route\", \"header.x-key\", \"body.email\""));
    assert_eq!(policy.for_guard(day("2026-12-01"), ENFORCED), Ok(()));
}
