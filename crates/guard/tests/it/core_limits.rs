//! Limits: whose bucket a request counts in, what is counted together, what is given back.

use portcullis_guard::clock::SECOND;
use portcullis_guard::plan::Plan;
use portcullis_guard::store::{Ask, StoreError};

use crate::core_made::{Counting, Made, NOON, Outcome, ask, except, later, plan, policy, route};

fn by(store: &mut Counting, request: &Made, plan: &Plan) -> String {
    request.verdict(plan, store)
}

fn outcome<'p>(store: &mut Counting, request: &Made, plan: &'p Plan, after: u64) -> Outcome<'p> {
    let now = later(after);
    request.decided(plan, now, &mut |batch| Ok(store.answer(batch, now)))
}

fn login() -> Plan {
    plan(&[
        "[limits.login]\nrate = \"2 per 1m\"\nalgorithm = \"exact\"\nby = [\"ip\", \"body.email\"]\n".to_owned(),
        route("/login", "POST", "auth_op"),
        "limits = [\"login\"]\n".to_owned(),
    ]
    .concat())
}

fn mail(address: &str) -> Made {
    ask("POST /login").json(&format!("{{\"email\": {address}}}"))
}

#[test]
fn an_account_is_one_bucket_however_it_is_written() {
    let plan = login();
    let mut store = Counting::default();
    for (place, address) in [
        "\"A@B.example\"",
        "\" a@b.example\\t\"",
        "\"\\u0041@b.EXAMPLE\"",
    ]
    .iter()
    .enumerate()
    {
        let request = mail(address).from(&format!("203.0.113.{place}"));
        let verdict = by(&mut store, &request, &plan);
        assert_eq!(
            verdict,
            ["allow /login", "allow /login", "deny 429 rate_limited"][place]
        );
    }
    // Another account from the same place, and the same account once the window has passed.
    assert_eq!(
        by(
            &mut store,
            &mail("\"c@b.example\"").from("203.0.113.7"),
            &plan
        ),
        "allow /login"
    );
    let request = mail("\"a@b.example\"").from("203.0.113.8");
    assert_eq!(
        outcome(&mut store, &request, &plan, 59 * SECOND).words,
        "deny 429 rate_limited"
    );
    assert_eq!(
        outcome(&mut store, &request, &plan, 60 * SECOND).words,
        "allow /login"
    );
}

/// What is not sent, is no text, or is no whole number is one bucket and no free pass.
#[test]
fn no_account_is_a_bucket_too() {
    let plan = login();
    let mut store = Counting::default();
    let requests = ["null", "{}", "[]", "1.5", "true", "\"\"", "\"  \""].map(mail);
    let others = [
        ask("POST /login").json("[]"),
        ask("POST /login"),
        ask("POST /login").json("{\"e\":1}"),
    ];
    let mut allowed = 0;
    for (place, request) in requests.iter().chain(&others).enumerate() {
        let request = request.clone().from(&format!("198.51.100.{place}"));
        allowed += u32::from(by(&mut store, &request, &plan) == "allow /login");
    }
    assert_eq!(allowed, 2);
    // A number is the account that its digits name.
    for (place, address) in ["7", "\"7\"", "7"].iter().enumerate() {
        let request = mail(address).from(&format!("198.51.101.{place}"));
        assert_eq!(
            by(&mut store, &request, &plan).starts_with("allow"),
            place < 2
        );
    }
}

#[test]
fn addresses_count_as_the_rules_say() {
    let plan = plan(
        &[
            "trusted_proxies = [\"10.0.0.0/8\"]\n".to_owned(),
            "[limits.two]\nrate = \"2 per 1m\"\nalgorithm = \"exact\"\n".to_owned(),
            route("/a", "GET", "public_read"),
            "limits = [\"two\"]\n".to_owned(),
        ]
        .concat(),
    );
    let mut store = Counting::default();
    let get = || ask("GET /a");
    let one_client = [
        get().from("203.0.113.9"),
        get().from("::ffff:203.0.113.9"),
        get()
            .from("10.0.0.1")
            .with("X-Forwarded-For: 1.1.1.1, 203.0.113.9"),
        get().from("203.0.113.9").with("X-Forwarded-For: 8.8.8.8"),
    ];
    let verdicts: Vec<String> = one_client
        .iter()
        .map(|one| by(&mut store, one, &plan))
        .collect();
    let (yes, no) = ("allow /a", "deny 429 rate_limited");
    assert_eq!(verdicts, [yes, yes, no, no]);
    let one_network = [
        "2001:db8:0:1::1",
        "2001:db8:0:1:ffff::2",
        "2001:db8:0:1::3",
        "2001:db8:0:2::1",
    ];
    let verdicts = one_network.map(|peer| by(&mut store, &get().from(peer), &plan));
    assert_eq!(verdicts, [yes, yes, no, yes]);
}

/// Counted by what the application never reads, a client would have as many buckets as it likes.
#[test]
fn a_header_that_is_not_forwarded_is_no_bucket() {
    let lines = [
        "[limits.tenant]\nrate = \"1 per 1m\"\nby = [\"ip\", \"header.x-tenant\"]\n".to_owned(),
        route("/t", "GET", "public_read"),
        "limits = [\"tenant\"]\n".to_owned(),
    ]
    .concat();
    let plan = plan(&lines);
    let refused = "deny 400 header_not_forwarded";
    for (connection, verdict) in [
        ("X-Tenant", refused),
        ("keep-alive, x-tenant", refused),
        ("x_tenant", refused),
        ("X.Tenant, close", refused),
        ("x-tenant-2", "allow /t"),
        ("close", "allow /t"),
    ] {
        let request = ask("GET /t").with("X-Tenant: r1");
        let request = request.with(&format!("Connection: {connection}"));
        let found = by(&mut Counting::default(), &request, &plan);
        assert_eq!(found, verdict, "{connection}");
        // Where there is no such field, nothing is taken off.
        let request = ask("GET /t").with(&format!("Connection: {connection}"));
        let found = by(&mut Counting::default(), &request, &plan);
        assert_eq!(found, "allow /t", "{connection}");
    }
    for name in ["x-request-id", "x-original-url", "proxy"] {
        let lines = lines.replace("x-tenant", name);
        let error = Plan::of(&policy(&lines), "sha256:00").unwrap_err();
        let words = format!("the limit `tenant` counts by `header.{name}`, which is not forwarded");
        assert!(error.to_string().starts_with(&words), "{error}");
    }
}

#[test]
fn headers_and_routes_are_buckets() {
    let plan = plan(
        &[
            "[limits.keyed]\nrate = \"1 per 1m\"\nby = [\"header.x-api-key\"]\n".to_owned(),
            "[limits.whole]\nrate = \"2 per 1m\"\nby = [\"route\"]\n".to_owned(),
            route("/keyed", "GET", "public_read"),
            "limits = [\"keyed\"]\n".to_owned(),
            route("/whole/{id}", "GET", "public_read"),
            "limits = [\"whole\"]\n".to_owned(),
            route("/whole/other", "GET", "public_read"),
            "limits = [\"whole\"]\n".to_owned(),
        ]
        .concat(),
    );
    let mut store = Counting::default();
    let keyed = |key: &str| ask("GET /keyed").with(&format!("X-Api-Key: {key}"));
    for (request, verdict) in [
        (keyed("a"), "allow /keyed"),
        (keyed("a"), "deny 429 rate_limited"),
        (keyed("A"), "allow /keyed"),
        (keyed("b"), "allow /keyed"),
        (keyed("b").with("X-Api-Key: c"), "deny 400 header_repeated"),
        (keyed("b").with("x_api_key: c"), "deny 400 header_repeated"),
        (ask("GET /keyed"), "allow /keyed"),
        (ask("GET /keyed"), "deny 429 rate_limited"),
        (keyed(""), "deny 429 rate_limited"),
        (ask("GET /whole/1"), "allow /whole/{id}"),
        (
            ask("GET /whole/2").from("198.51.100.1"),
            "allow /whole/{id}",
        ),
        (
            ask("GET /whole/3").from("198.51.100.2"),
            "deny 429 rate_limited",
        ),
        // By its route a limit is counted for each.
        (ask("GET /whole/other"), "allow /whole/other"),
    ] {
        assert_eq!(by(&mut store, &request, &plan), verdict, "{request:?}");
    }
}

/// A limit by name is one budget wherever it is named; a default one is each route's own.
#[test]
fn named_limits_are_shared_and_default_ones_are_not() {
    let named = plan(
        &[
            "[limits.three]\nrate = \"3 per 1m\"\n".to_owned(),
            route("/a", "POST", "public_form"),
            "limits = [\"three\"]\n".to_owned(),
            route("/b", "POST", "public_form"),
            "limits = [\"three\"]\n".to_owned(),
        ]
        .concat(),
    );
    let mut store = Counting::default();
    let verdicts: Vec<bool> = ["/a", "/b", "/a", "/b"]
        .map(|path| by(&mut store, &ask(&format!("POST {path}")), &named).starts_with("allow"))
        .into();
    assert_eq!(verdicts, [true, true, true, false]);
    let default = plan(&format!(
        "{}{}",
        route("/a", "POST", "public_form"),
        route("/b", "POST", "public_form")
    ));
    for path in ["/a", "/b"] {
        let allowed = (0..12).filter(|_| {
            by(&mut store, &ask(&format!("POST {path}")), &default).starts_with("allow")
        });
        assert_eq!(allowed.count(), 10, "{path}");
    }
}

/// What one of two limits refuses costs nothing of the other; what another phase refuses does.
#[test]
fn all_or_nothing_within_a_phase() {
    let plan = plan(
        &[
            "[limits.wide]\nrate = \"5 per 1m\"\nalgorithm = \"exact\"\n".to_owned(),
            "[limits.narrow]\nrate = \"1 per 1m\"\nalgorithm = \"exact\"\nby = [\"route\"]\n"
                .to_owned(),
            "[limits.mail]\nrate = \"1 per 1h\"\nalgorithm = \"exact\"\nby = [\"body.email\"]\n"
                .to_owned(),
            route("/both", "GET", "public_read"),
            "limits = [\"wide\", \"narrow\"]\n".to_owned(),
            route("/wide", "GET", "public_read"),
            "limits = [\"wide\"]\n".to_owned(),
            route("/mail", "POST", "public_form"),
            "limits = [\"wide\", \"mail\"]\n".to_owned(),
        ]
        .concat(),
    );
    let mut store = Counting::default();
    assert_eq!(by(&mut store, &ask("GET /both"), &plan), "allow /both");
    for _ in 0..9 {
        let refused = outcome(&mut store, &ask("GET /both"), &plan, 0);
        assert_eq!(refused.words, "deny 429 rate_limited");
        // Told is only what refused, and when it would not.
        let told: Vec<&str> = refused
            .limits
            .iter()
            .map(|(limit, _)| limit.name.as_str())
            .collect();
        assert_eq!(
            (told, refused.retry_after),
            (vec!["narrow"], Some(60 * SECOND))
        );
    }
    let left = |store: &mut Counting| {
        let request = ask("GET /wide");
        outcome(store, &request, &plan, 0).limits[0].1.remaining
    };
    assert_eq!(left(&mut store), 3);
    // The address stays counted when the account is refused behind it.
    let mail = ask("POST /mail").json("{\"email\": \"a\"}");
    assert_eq!(by(&mut store, &mail, &plan), "allow /mail");
    assert_eq!(by(&mut store, &mail, &plan), "deny 429 rate_limited");
    assert_eq!(left(&mut store), 0);
    // So it does when the body is no JSON.
    assert_eq!(
        by(&mut store, &ask("POST /mail").json("{"), &plan),
        "deny 429 rate_limited"
    );
}

#[test]
fn failures_are_given_back_when_there_was_none() {
    let plan = plan(&[
        "[limits.fails]\nrate = \"2 per 1h\"\nalgorithm = \"exact\"\ncounts = \"failures\"\nby = [\"ip\"]\n".to_owned(),
        "[limits.wrong]\nrate = \"2 per 1h\"\nburst = 2\ncounts = \"failures\"\nby = [\"body.email\", \"route\"]\n".to_owned(),
        "[limits.all]\nrate = \"100 per 1m\"\nalgorithm = \"exact\"\n".to_owned(),
        route("/login", "POST", "auth_op"),
        "limits = [\"all\", \"fails\", \"wrong\"]\n".to_owned(),
    ]
    .concat());
    let mut store = Counting::default();
    let request = ask("POST /login").json("{\"email\": \"a\"}");
    for round in 0..5 {
        let now = later(round);
        let mut counted = Vec::new();
        let passed = request.decided(&plan, now, &mut |batch| {
            let Ask::Limits(limits) = &batch[0] else {
                panic!()
            };
            counted.extend(limits.iter().map(|one| one.scope.as_str().to_owned()));
            Ok(store.answer(batch, now))
        });
        assert_eq!(passed.words, "allow /login", "{round}");
        // Exactly the buckets of failures, each as it was counted.
        let given: Vec<_> = passed
            .released
            .iter()
            .flat_map(|(limits, _)| limits)
            .collect();
        let failing: Vec<&String> = counted
            .iter()
            .filter(|one| one.contains("failures"))
            .collect();
        assert_eq!(counted.len(), 4);
        assert_eq!(
            given
                .iter()
                .map(|one| one.scope.as_str())
                .collect::<Vec<_>>(),
            failing
        );
        assert!(given.iter().all(|one| one.cost == 1));
        for (limits, at) in &passed.released {
            assert_eq!(*at, now.monotonic);
            let before: Vec<_> = limits
                .iter()
                .map(|one| store.look(one, now.monotonic).remaining)
                .collect();
            let release = Ask::Release {
                limits: limits.iter().cloned().collect(),
                at: *at,
            };
            drop(store.answer(&[release], now));
            let after: Vec<_> = limits
                .iter()
                .map(|one| store.look(one, now.monotonic).remaining)
                .collect();
            assert!(
                before
                    .iter()
                    .zip(&after)
                    .all(|(before, after)| before + 1 == *after)
            );
        }
    }
    // Failures are not given back, and the third is refused.
    let verdicts: Vec<String> = (0..3)
        .map(|_| outcome(&mut store, &request, &plan, 9).words)
        .collect();
    assert_eq!(
        verdicts,
        ["allow /login", "allow /login", "deny 429 rate_limited"]
    );
    let refused = outcome(&mut store, &request, &plan, 9);
    assert!(refused.released.is_empty());
}

/// Who may be without a limit is the method that the exception names.
#[test]
fn an_exception_takes_the_default_limit_from_its_method_only() {
    let form = route("/a", "GET POST", "public_form");
    let plan = plan(&format!(
        "{form}{}",
        except("GET /a", "rate_limit", "2027-01-01", false)
    ));
    let mut store = Counting::default();
    let mut allowed = |line: &str| {
        (0..20)
            .filter(|_| by(&mut store, &ask(line), &plan) == "allow /a")
            .count()
    };
    assert_eq!(
        (allowed("GET /a"), allowed("HEAD /a"), allowed("POST /a")),
        (20, 20, 10)
    );
}

/// Nobody is known yet, so a limit by who is calling refuses.
#[test]
fn who_is_not_known_is_counted_by_the_address() {
    for key in ["user", "tenant", "session"] {
        let plan = plan(
            &[
                format!("[limits.mine]\nrate = \"10 per 1m\"\nby = [\"{key}\"]\n"),
                route("/a", "GET", "protected_read"),
                "limits = [\"mine\"]\n".to_owned(),
            ]
            .concat(),
        );
        let mut values = Vec::new();
        for peer in ["203.0.113.9", "203.0.113.9", "203.0.113.10"] {
            let refused = ask("GET /a").from(peer).decided(&plan, NOON, &mut |batch| {
                let [Ask::Limits(limits)] = batch else {
                    panic!("{batch:?}");
                };
                values.extend(limits.iter().map(|limit| limit.value.clone()));
                Err(StoreError::Full)
            });
            assert_eq!(refused.words, "unavailable 503 limit_unknown");
        }
        assert_eq!(values[0], values[1]);
        assert_ne!(values[0], values[2]);
    }
}
