//! The phases one by one: what each lets pass and what it refuses, and that the first one that refuses is the one that
//! answers.

use portcullis_guard::plan::Plan;
use portcullis_guard::trace::Outcome as Step;
use portcullis_policy::Policy;

use crate::core_made::{Counting, Made, NOON, ask, except, plan, route};

fn all(plan: &Plan, cases: &[(Made, &str)]) {
    let mut store = Counting::default();
    for (request, verdict) in cases {
        assert_eq!(request.verdict(plan, &mut store), *verdict, "{request:?}");
    }
}

fn shop() -> Plan {
    plan(&[
        "hosts = [\"shop.example.com:8443\", \"127.0.0.1\"]\nstatic = [\"/favicon.ico\", \"/assets/{*rest}\"]\n".to_owned(),
        route("/items/{id}", "GET PUT", "public_read"),
        route("/items/new", "POST", "public_read"),
        route("/items/{name}.json", "GET", "public_read"),
        route("/inside/{*rest}", "ANY", "internal"),
        route("/inside-read", "GET", "internal"),
        route("/health", "GET", "public_read"),
        "hosts = [\"127.0.0.1\"]\n".to_owned(),
        route("/both", "GET", "public_read"),
        "hosts = [\"127.0.0.1\"]\n".to_owned(),
        route("/both", "GET", "public_form"),
        "hosts = [\"shop.example.com\"]\n".to_owned(),
    ]
    .concat())
}

#[test]
fn host() {
    let plan = shop();
    let get = || ask("GET /items/1");
    all(
        &plan,
        &[
            (get(), "allow /items/{id}"),
            (get().on("SHOP.example.com"), "allow /items/{id}"),
            (get().on("shop.example.com:443"), "allow /items/{id}"),
            (get().on("shop.example.com:80"), "allow /items/{id}"),
            (get().on("shop.example.com:8443"), "allow /items/{id}"),
            (get().on("127.0.0.1"), "allow /items/{id}"),
            (get().on("shop.example.com:81"), "deny 421 host_unknown"),
            (get().on("127.0.0.1:8443"), "deny 421 host_unknown"),
            (get().on("evil.example.com"), "deny 421 host_unknown"),
            (get().on("a.shop.example.com"), "deny 421 host_unknown"),
            (get().on("shop.example.com."), "deny 400 host_trailing_dot"),
            (get().on("localhost"), "deny 421 host_unknown"),
            // Nobody is believed who is not trusted.
            (
                get()
                    .on("evil.example.com")
                    .with("X-Forwarded-Host: shop.example.com"),
                "deny 421 host_unknown",
            ),
            // The host comes before all else.
            (ask("GET /.portcullis/x").on("b"), "deny 421 host_unknown"),
            (ask("GET /inside/x").on("b"), "deny 421 host_unknown"),
        ],
    );
}

/// A proxy that passes on the client's own `X-Forwarded-Host` would let it choose the host, and with it the routes.
#[test]
fn a_trusted_proxy_chooses_no_host_and_no_scheme_unless_it_is_believed() {
    let with = |proxy: &str| {
        plan(
            &[
                "hosts = [\"admin.example.com\"]\ntrusted_proxies = [\"10.0.0.0/8\"]\n".to_owned(),
                format!("[proxy]\n{proxy}\n"),
                route("/who", "GET", "public_read"),
                "hosts = [\"shop.example.com\"]\n".to_owned(),
                route("/who", "GET", "public_form"),
                "hosts = [\"admin.example.com\"]\n".to_owned(),
                route("/admin", "GET", "public_read"),
                "hosts = [\"admin.example.com\"]\n".to_owned(),
            ]
            .concat(),
        )
    };
    let lines = [
        "X-Forwarded-Host: admin.example.com",
        "X-Forwarded-Proto: http",
        "Forwarded: for=1.1.1.1;host=admin.example.com;proto=http",
        "X-Forwarded-For: 1.1.1.1",
    ];
    let asked = |peer: &str| {
        let request = ask("GET /admin").from(peer);
        lines.iter().fold(request, |made, line| made.with(line))
    };
    let unknown = "deny 404 route_unknown";
    for (by, host, proto, origin, verdict) in [
        ("", "", "", "https://shop.example.com", unknown),
        (
            "",
            "",
            "forwarded_proto = true",
            "http://shop.example.com",
            unknown,
        ),
        (
            "",
            "forwarded_host = true",
            "",
            "https://admin.example.com",
            "allow /admin",
        ),
        (
            "forwarded = \"forwarded\"",
            "forwarded_host = false",
            "forwarded_proto = false",
            "https://shop.example.com",
            unknown,
        ),
        (
            "forwarded = \"forwarded\"",
            "forwarded_host = true",
            "forwarded_proto = true",
            "http://admin.example.com",
            "allow /admin",
        ),
        (
            "forwarded = \"both\"",
            "",
            "",
            "https://shop.example.com",
            unknown,
        ),
    ] {
        let plan = with(&format!("{by}\n{host}\n{proto}"));
        let proxied = asked("10.0.0.1");
        assert_eq!(proxied.origin(&plan), origin, "{by} {host} {proto}");
        let found = proxied.verdict(&plan, &mut Counting::default());
        assert_eq!(found, verdict, "{by} {host} {proto}");
        // Nobody else is ever believed, and came to the guard itself, without TLS.
        let own = asked("203.0.113.9");
        assert_eq!(own.origin(&plan), "http://shop.example.com");
        assert_eq!(own.verdict(&plan, &mut Counting::default()), unknown);
        // What a believed proxy does not say is as if it were not believed.
        let silent = ask("GET /who").from("10.0.0.1");
        assert_eq!(silent.origin(&plan), "https://shop.example.com");
    }
    let text = "version = 1\nhosts = [\"shop.example.com\"]\nupstream = \"http://127.0.0.1:3000\"\nstatic = [\"/a\"]\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    let unnamed = Plan::of(&Policy::parse(text).unwrap(), "sha256:00").unwrap();
    assert_eq!(
        asked("10.0.0.1").origin(&unnamed),
        "http://shop.example.com"
    );
}

#[test]
fn reserved() {
    let plan = plan(&route("/{*rest}", "ANY", "public_read"));
    all(
        &plan,
        &[
            (
                ask("GET /.portcullis/jwks.json"),
                "deny 404 reserved_unknown",
            ),
            (ask("GET /.portcullis"), "deny 404 reserved_unknown"),
            (ask("GET /.portcullis/"), "deny 404 reserved_unknown"),
            (ask("GET /.%70ortcullis/x"), "deny 404 reserved_unknown"),
            (ask("OPTIONS /.portcullis/x"), "deny 404 reserved_unknown"),
            (
                ask("GET http://shop.example.com/.portcullis/x"),
                "deny 404 reserved_unknown",
            ),
            (ask("GET /.portculli"), "allow /{*rest}"),
            (ask("GET /.portcullis2"), "allow /{*rest}"),
            (ask("GET /a/.portcullis"), "allow /{*rest}"),
        ],
    );
    let watching = plan.only_watching();
    all(
        &watching,
        &[(ask("GET /.portcullis/x"), "deny 404 reserved_unknown")],
    );
}

#[test]
fn route_and_method() {
    let plan = shop();
    all(
        &plan,
        &[
            (ask("GET /items/1"), "allow /items/{id}"),
            (ask("HEAD /items/1"), "allow /items/{id}"),
            (ask("GET /items/new"), "allow /items/{id}"),
            (ask("POST /items/new"), "allow /items/new"),
            (ask("GET /items/a.json"), "allow /items/{name}.json"),
            (ask("PUT /items/a.json"), "allow /items/{id}"),
            (
                ask("DELETE /items/1"),
                "deny 405 method_not_allowed (GET PUT)",
            ),
            (
                ask("DELETE /items/new"),
                "deny 405 method_not_allowed (GET POST PUT)",
            ),
            (ask("HEAD /items/new"), "allow /items/{id}"),
            (ask("OPTIONS /items/1"), "own GET PUT"),
            (ask("OPTIONS /items/new"), "own GET POST PUT"),
            (ask("OPTIONS /nothing"), "deny 404 route_unknown"),
            (ask("OPTIONS *"), "deny 404 route_unknown"),
            (ask("GET /"), "deny 404 route_unknown"),
            (ask("GET /items"), "deny 404 route_unknown"),
            (ask("GET /items/"), "deny 404 route_unknown"),
            (ask("GET /Items/1"), "deny 404 route_unknown"),
            (ask("GET /items/1/"), "deny 404 route_unknown"),
            (ask("GET /favicon.ico"), "allow /favicon.ico"),
            (ask("HEAD /assets/a/b.js"), "allow /assets/{*rest}"),
            (
                ask("POST /favicon.ico"),
                "deny 405 method_not_allowed (GET)",
            ),
            (
                ask("GET /items/../favicon.ico"),
                "deny 400 path_dot_segment",
            ),
            (ask("GET //items/1"), "deny 400 path_empty_segment"),
        ],
    );
}

#[test]
fn hosts_of_routes() {
    let plan = shop();
    all(
        &plan,
        &[
            (ask("GET /health"), "deny 404 route_unknown"),
            (ask("GET /health").on("127.0.0.1"), "allow /health"),
            (ask("POST /health"), "deny 404 route_unknown"),
            (ask("OPTIONS /health"), "deny 404 route_unknown"),
            (
                ask("POST /health").on("127.0.0.1"),
                "deny 405 method_not_allowed (GET)",
            ),
        ],
    );
    let kinds: Vec<_> = ["127.0.0.1", "shop.example.com"]
        .map(|host| {
            let store = &mut Counting::default();
            let outcome = ask("GET /both")
                .on(host)
                .decided(&plan, NOON, &mut |batch| Ok(store.answer(batch, NOON)));
            (outcome.words, outcome.limits.len())
        })
        .into();
    assert_eq!(
        kinds,
        [("allow /both".to_owned(), 0), ("allow /both".to_owned(), 1)]
    );
}

#[test]
fn internal_routes_are_not_there() {
    let plan = shop();
    let requests = [
        ask("GET /inside/x"),
        ask("POST /inside/x"),
        ask("OPTIONS /inside/x"),
        ask("GET /inside-read"),
        ask("HEAD /inside-read"),
        // With other methods neither: a 405 would tell that there is something.
        ask("POST /inside-read"),
        ask("OPTIONS /inside-read"),
    ];
    for request in requests {
        let verdict = request.verdict(&plan, &mut Counting::default());
        assert_eq!(verdict, "deny 404 route_internal", "{request:?}");
    }
    let watching = plan.only_watching();
    for line in ["GET /inside-read", "POST /inside-read", "PUT /inside/a/b"] {
        let verdict = ask(line).verdict(&watching, &mut Counting::default());
        assert_eq!(verdict, "deny 404 route_internal", "{line}");
    }
}

/// An exception opens the method that it names, and no other.
#[test]
fn an_internal_route_is_open_by_exception_only() {
    let inside = route("/inside", "GET POST", "internal");
    let opened = plan(&format!(
        "{inside}{}",
        except("GET /inside", "authentication", "2027-01-01", false)
    ));
    all(
        &opened,
        &[
            (ask("GET /inside"), "allow /inside"),
            (ask("HEAD /inside"), "allow /inside"),
            (ask("POST /inside"), "deny 404 route_internal"),
        ],
    );
    for (lacks, shadow) in [
        ("authentication", true),
        ("csrf", false),
        ("rate_limit", false),
    ] {
        let closed = plan(&format!(
            "{inside}{}",
            except("GET /inside", lacks, "2027-01-01", shadow)
        ));
        all(&closed, &[(ask("GET /inside"), "deny 404 route_internal")]);
    }
}

#[test]
fn the_closed_plan_refuses_everything() {
    let closed = Plan::closed();
    assert!(!closed.is_only_watching() && closed.routes.is_empty() && closed.hosts.is_empty());
    for line in [
        "GET /",
        "GET /a",
        "OPTIONS *",
        "POST /a",
        "GET /.portcullis/x",
        "OPTIONS /",
    ] {
        for host in ["shop.example.com", "localhost", "127.0.0.1", "[::1]"] {
            let verdict = ask(line)
                .on(host)
                .verdict(&closed, &mut Counting::default());
            assert_eq!(verdict, "deny 421 host_unknown", "{line} {host}");
        }
    }
    let watching = Plan::closed().only_watching();
    assert_eq!(
        ask("GET /").verdict(&watching, &mut Counting::default()),
        "deny 421 host_unknown"
    );
}

/// The trace has the phases in their order, each once, and ends with the phase that refused.
#[test]
fn a_trace_ends_where_the_decision_ends() {
    let plan = shop();
    let order = [
        "host",
        "reserved",
        "route",
        "internal",
        "standing",
        "shape",
        "head limits",
        "cookies",
        "csrf",
        "session",
        "caller limits",
        "body",
        "body limits",
        "form token",
        "commit",
    ];
    for (request, last) in [
        (ask("GET /").on("b"), "host"),
        (ask("GET /.portcullis/x"), "reserved"),
        (ask("GET /nothing"), "route"),
        (ask("OPTIONS /items/1"), "route"),
        (ask("GET /inside/x"), "internal"),
        (ask("GET /items/1").with("Content-Length: 3"), "shape"),
        (ask("GET /items/1"), "body limits"),
    ] {
        let mut store = Counting::default();
        let traced = request.driven(
            &plan,
            NOON,
            &mut |batch| Ok(store.answer(batch, NOON)),
            true,
        );
        let phases: Vec<&str> = traced.trace.iter().map(|step| step.phase).collect();
        assert_eq!(phases.last(), Some(&last));
        let mut expected = order.iter();
        assert!(
            phases.iter().all(|phase| expected.any(|one| one == phase)),
            "{phases:?}"
        );
        let plain = request.verdict(&plan, &mut Counting::default());
        assert_eq!(plain, traced.words);
        let ended = traced.trace.last().map(|step| step.outcome);
        match ended.unwrap() {
            Step::Refused(reason) => assert_eq!(plain.split(' ').nth(2), Some(reason.code)),
            Step::Own => assert!(plain.starts_with("own")),
            Step::Passed | Step::NotNeeded => assert!(plain.starts_with("allow")),
            Step::Watched(_) => panic!("{plain}"),
        }
    }
}
