//! Exceptions and watching: what a control that only watches lets pass, what it never does, and until when.

use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::plan::Plan;
use portcullis_guard::store::StoreError;
use portcullis_guard::trace::Outcome as Step;

use crate::core_made::{Counting, Made, NOON, Outcome, ask, except, plan, route};

const DAY: u64 = 24 * 60 * 60;

fn on_day<'p>(days: u64, request: &Made, plan: &'p Plan, store: &mut Counting) -> Outcome<'p> {
    let seconds = days * DAY;
    let now = Now {
        monotonic: NOON.monotonic + seconds * SECOND,
        unix_millis: NOON.unix_millis + seconds * 1000,
    };
    request.driven(plan, now, &mut |batch| Ok(store.answer(batch, now)), true)
}

#[test]
fn an_exception_holds_to_the_end_of_its_day() {
    let plan = plan(&format!(
        "{}{}{}",
        route("/a", "GET POST", "protected_mutation"),
        except("POST /a", "csrf", "2026-11-29", false),
        except("POST /a", "authentication", "2026-12-05", false),
    ));
    let mut store = Counting::default();
    for (days, verdict) in [
        (0, "allow /a"),
        (1, "allow /a"),
        (2, "unavailable 503 exception_expired"),
        (1000, "unavailable 503 exception_expired"),
    ] {
        let outcome = on_day(days, &ask("POST /a"), &plan, &mut store);
        assert_eq!(outcome.words, verdict, "{days}");
        // The line of the one that is over.
        assert_eq!(outcome.line.is_some(), verdict.starts_with("unavailable"));
    }
    assert_eq!(
        on_day(2, &ask("GET /a"), &plan, &mut store).words,
        "allow /a"
    );
}

/// One that only watches a control that the guard does not judge is as good as any other, and as bad when it is over.
#[test]
fn watching_what_is_not_judged_ends_in_a_refusal() {
    let made = |lacks: &str, more: &str| {
        plan(&format!(
            "{}{more}{}",
            route("/a", "POST", "protected_mutation"),
            except("POST /a", lacks, "2026-11-29", true)
        ))
    };
    let body = "body = { schema = \"a.json\" }\n";
    for (lacks, more, after) in [
        ("csrf", "", "unavailable 503 exception_expired"),
        ("authentication", "", "unavailable 503 exception_expired"),
        ("validation", body, "unavailable 503 exception_expired"),
        ("validation", "", "allow /a"),
        ("rate_limit", "", "allow /a"),
        ("body_limit", "", "allow /a"),
    ] {
        let plan = made(lacks, more);
        let mut store = Counting::default();
        assert_eq!(
            on_day(1, &ask("POST /a"), &plan, &mut store).words,
            "allow /a",
            "{lacks}"
        );
        assert_eq!(
            on_day(2, &ask("POST /a"), &plan, &mut store).words,
            after,
            "{lacks}"
        );
    }
}

#[test]
fn a_limit_that_only_watches_counts_apart() {
    let lines = [
        "[limits.one]\nrate = \"1 per 1d\"\nalgorithm = \"exact\"\n".to_owned(),
        route("/watched", "GET", "public_read"),
        "limits = [\"one\"]\n".to_owned(),
        route("/held", "GET", "public_read"),
        "limits = [\"one\"]\n".to_owned(),
        except("GET /watched", "rate_limit", "2026-11-29", true),
    ]
    .concat();
    let plan = plan(&lines);
    let mut store = Counting::default();
    let watched =
        |days: u64, store: &mut Counting| on_day(days, &ask("GET /watched"), &plan, store);
    let first = watched(0, &mut store);
    assert!(first.shadowed.is_empty());
    assert!(
        first.limits.is_empty(),
        "who is not held to a limit is not told of it"
    );
    for _ in 0..3 {
        let outcome = watched(0, &mut store);
        assert_eq!(
            (outcome.words.as_str(), outcome.shadowed),
            ("allow /watched", vec!["rate_limited"])
        );
        assert!(
            outcome
                .trace
                .iter()
                .any(|step| matches!(step.outcome, Step::Watched(_)) && step.line.is_some())
        );
    }
    // Nobody else paid for it.
    let held = on_day(0, &ask("GET /held"), &plan, &mut store);
    assert_eq!((held.words.as_str(), held.limits.len()), ("allow /held", 1));
    assert_eq!(
        on_day(0, &ask("GET /held"), &plan, &mut store).words,
        "deny 429 rate_limited"
    );
    let scopes: Vec<String> = store
        .buckets()
        .into_iter()
        .map(|(scope, _)| scope)
        .collect();
    assert_eq!(
        scopes
            .iter()
            .filter(|scope| scope.starts_with("shadow|"))
            .count(),
        1
    );
    assert_eq!(scopes.len(), 2);
    // It watches to the end of its last day.
    assert_eq!(watched(1, &mut store).words, "allow /watched");
    assert_eq!(watched(1, &mut store).shadowed, ["rate_limited"]);
    // When watching is over, the limit holds: a day later the one request of the day, and then none.
    let verdicts: Vec<String> = (0..2).map(|_| watched(2, &mut store).words).collect();
    assert_eq!(verdicts, ["allow /watched", "deny 429 rate_limited"]);
}

/// Watching is no reason to be down with the store.
#[test]
fn a_limit_that_only_watches_needs_no_store() {
    let plan = plan(&format!(
        "{}{}",
        route("/a", "POST", "public_form"),
        except("POST /a", "rate_limit", "2026-11-29", true)
    ));
    let outcome = ask("POST /a").decided(&plan, NOON, &mut |_| Err(StoreError::TimedOut));
    assert_eq!(
        (outcome.words.as_str(), outcome.shadowed),
        ("allow /a", vec!["limit_unknown"])
    );
}

fn read_bodies(lacks: &[&str]) -> Plan {
    let mut lines = [
        "[limits.mail]\nrate = \"3 per 1m\"\nby = [\"ip\", \"body.email\"]\n".to_owned(),
        route("/read", "POST", "public_read"),
        "limits = [\"mail\"]\nbody = { max = \"16 B\" }\n".to_owned(),
        route("/stream", "POST", "public_read"),
        "body = { max = \"16 B\" }\n".to_owned(),
    ]
    .concat();
    for control in lacks {
        for path in ["/read", "/stream"] {
            lines.push_str(&except(
                &format!("POST {path}"),
                control,
                "2026-12-01",
                true,
            ));
        }
    }
    plan(&lines)
}

#[test]
fn bodies_that_are_only_watched() {
    let large = format!("\"{}\"", "a".repeat(20));
    let form = |path: &str| ask(&format!("POST {path}")).body("text/plain", "a=b");
    for (lacks, request, verdict, shadowed) in [
        (
            &["body_limit"][..],
            ask("POST /stream").json(&large),
            "allow /stream",
            &["body_too_large"][..],
        ),
        (
            &["body_limit"],
            ask("POST /read").json(&large),
            "allow /read",
            &["body_too_large"],
        ),
        (
            &["body_limit"],
            ask("POST /read").chunked_json(&large),
            "allow /read",
            &["body_too_large"],
        ),
        (
            &["body_limit"],
            ask("POST /read").json("{"),
            "deny 400 body_malformed",
            &[],
        ),
        (
            &["body_limit"],
            form("/stream"),
            "deny 415 content_type_refused",
            &[],
        ),
        (
            &["validation"],
            form("/stream"),
            "allow /stream",
            &["content_type_refused"],
        ),
        (
            &["validation"],
            form("/read"),
            "allow /read",
            &["content_type_refused", "body_malformed"],
        ),
        (
            &["validation"],
            ask("POST /read").json("{"),
            "allow /read",
            &["body_malformed"],
        ),
        (
            &["validation"],
            ask("POST /read").json(&large),
            "deny 413 body_too_large",
            &[],
        ),
        (
            &["validation"],
            ask("POST /read").chunked_json(&large),
            "deny 413 body_too_large",
            &[],
        ),
        (
            &["rate_limit"],
            ask("POST /read").json(&large),
            "deny 413 body_too_large",
            &[],
        ),
    ] {
        let plan = read_bodies(lacks);
        let outcome = on_day(0, &request, &plan, &mut Counting::default());
        assert_eq!(
            (outcome.words.as_str(), &outcome.shadowed[..]),
            (verdict, shadowed),
            "{lacks:?} {request:?}"
        );
    }
    // The bound that goes with the permit is the one that was judged.
    let bound =
        |plan: &Plan| on_day(0, &ask("POST /stream"), plan, &mut Counting::default()).body_max;
    assert_eq!(bound(&read_bodies(&[])), 16);
    assert_eq!(bound(&read_bodies(&["validation"])), 16);
    assert_eq!(bound(&read_bodies(&["body_limit"])), u64::MAX);
}

/// What cannot be read counts in one bucket for all of it, so that it is no way around a limit.
#[test]
fn what_is_only_watched_and_cannot_be_read_still_counts() {
    let plan = read_bodies(&["validation"]);
    let mut store = Counting::default();
    let verdicts: Vec<String> = (0..4)
        .map(|place| {
            let request = ask("POST /read")
                .json("{")
                .from(&format!("198.51.100.{place}"));
            on_day(0, &request, &plan, &mut store).words
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            "allow /read",
            "allow /read",
            "allow /read",
            "deny 429 rate_limited"
        ]
    );
}

#[test]
fn a_guard_that_only_watches() {
    let lines = [
        route("/form", "POST", "public_form"),
        "body = { max = \"8 B\" }\n".to_owned(),
        route("/old", "GET", "protected_read"),
        route("/inside", "GET", "internal"),
        except("GET /old", "authentication", "2026-11-01", false),
    ]
    .concat();
    let plan = plan(&lines).only_watching();
    assert!(plan.is_only_watching());
    let mut store = Counting::default();
    let mut is = |request: Made, verdict: &str, shadowed: &[&str]| {
        let outcome = on_day(0, &request, &plan, &mut store);
        assert_eq!(
            (outcome.words.as_str(), &outcome.shadowed[..]),
            (verdict, shadowed),
            "{request:?}"
        );
    };
    is(ask("GET /nothing"), "allow (no route)", &["route_unknown"]);
    is(
        ask("POST /nothing").body("x/y", "a"),
        "allow (no route)",
        &["route_unknown"],
    );
    is(
        ask("DELETE /form"),
        "allow (no route)",
        &["method_not_allowed"],
    );
    is(ask("OPTIONS /form"), "own POST", &[]);
    is(
        ask("OPTIONS /nothing"),
        "allow (no route)",
        &["route_unknown"],
    );
    is(
        ask("POST /form").body("text/plain", "a"),
        "allow /form",
        &["content_type_refused"],
    );
    is(
        ask("POST /form").json("123456789"),
        "allow /form",
        &["body_too_large"],
    );
    for _ in 0..8 {
        is(ask("POST /form"), "allow /form", &[]);
    }
    is(ask("POST /form"), "allow /form", &["rate_limited"]);
    // What never passes.
    is(ask("GET /form").json("{}"), "deny 400 body_unexpected", &[]);
    is(
        ask("GET /nothing").json("{}"),
        "deny 400 body_unexpected",
        &[],
    );
    is(ask("GET /nothing").on("b"), "deny 421 host_unknown", &[]);
    is(ask("GET /a/../b"), "deny 400 path_dot_segment", &[]);
    is(ask("GET /inside"), "deny 404 route_internal", &[]);
    is(ask("POST /inside"), "deny 404 route_internal", &[]);
    is(ask("OPTIONS /inside"), "deny 404 route_internal", &[]);
    is(ask("GET /.portcullis/x"), "deny 404 reserved_unknown", &[]);
    is(ask("OPTIONS *"), "deny 404 route_unknown", &[]);
    // Without a control and without an exception that still holds, there is nothing to watch with.
    is(ask("GET /old"), "unavailable 503 exception_expired", &[]);
}
