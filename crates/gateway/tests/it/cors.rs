//! Pages of other sites through a running gateway: preflights, refusals, and what caches are told.

use crate::answers::{ask, assert_dressed};
use crate::support::{Answer, Setup, Upstream, get, post};

const ORIGIN: &str = "https://app.example.com";
const CORS: &str = "[cors]\norigins = [\"https://app.example.com\", \"http://localhost:5173\"]\nheaders = [\"authorization\", \"content-type\"]\nexpose = [\"x-total\"]\nmax_age = \"5m\"\n";
const ROUTES: &str = "[[route]]\npath = \"/item/{id}\"\nmethods = [\"GET\", \"DELETE\"]\ntype = \"public_read\"\n[[route]]\npath = \"/any\"\nmethods = [\"ANY\"]\ntype = \"public_read\"\n[[route]]\npath = \"/inside\"\nmethods = [\"PUT\"]\ntype = \"internal\"\n[limits.one]\nrate = \"1 per 1h\"\nalgorithm = \"exact\"\n[[route]]\npath = \"/limited\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"one\"]\n";

fn allowed(answer: &Answer) -> Vec<String> {
    let mut all: Vec<String> = answer
        .fields
        .iter()
        .filter(|(name, _)| name.to_lowercase().starts_with("access-control-"))
        .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
        .collect();
    all.sort();
    all
}

fn options(path: &str) -> String {
    get(path).replace("GET", "OPTIONS")
}

#[test]
fn preflights_are_answered_by_the_policy() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(CORS).and(ROUTES).start();
    let origin = format!("Origin: {ORIGIN}");
    let granted = |methods: &str| {
        let mut all = vec![
            "access-control-allow-headers: authorization, content-type".to_owned(),
            format!("access-control-allow-methods: {methods}"),
            format!("access-control-allow-origin: {ORIGIN}"),
            "access-control-max-age: 300".to_owned(),
        ];
        all.sort();
        all
    };
    let method = |method: &str| format!("Access-Control-Request-Method: {method}");
    let (get_it, delete, put) = (method("GET"), method("DELETE"), method("PUT"));
    let evil_headers = "Access-Control-Request-Headers: x-evil";
    for (path, lines, status, fields) in [
        ("/item/1", vec![&*origin, &delete], 204, granted("GET, HEAD, DELETE, OPTIONS")),
        // What is asked is not echoed: the browser compares, and refuses.
        ("/item/1", vec![&*origin, &put], 204, granted("GET, HEAD, DELETE, OPTIONS")),
        ("/item/1", vec![&*origin, &delete, evil_headers], 204, granted("GET, HEAD, DELETE, OPTIONS")),
        ("/any", vec![&*origin, &put], 204, granted("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")),
        ("/item/1", vec!["Origin: https://evil.example.com", &delete], 204, vec![]),
        ("/item/1", vec!["Origin: http://app.example.com", &delete], 204, vec![]),
        ("/item/1", vec!["Origin: https://app.example.com.evil.test", &delete], 204, vec![]),
        ("/item/1", vec!["Origin: https://app.example.com:8443", &delete], 204, vec![]),
        ("/item/1", vec!["Origin: HTTPS://APP.EXAMPLE.COM", &delete], 204, vec![]),
        ("/item/1", vec!["Origin: null", &delete], 204, vec![]),
        ("/item/1", vec!["Origin: *", &delete], 204, vec![]),
        ("/item/1", vec!["Origin:", &delete], 204, vec![]),
        ("/item/1", vec![&*origin, &origin, &delete], 204, vec![]),
        ("/item/1", vec![&*origin, "Origin: null", &delete], 204, vec![]),
        ("/nowhere", vec![&*origin, &get_it], 404, vec![
            "access-control-allow-origin: https://app.example.com".to_owned(),
            "access-control-expose-headers: RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, x-total".to_owned(),
        ]),
        ("/inside", vec![&*origin, &put], 404, vec![
            "access-control-allow-origin: https://app.example.com".to_owned(),
            "access-control-expose-headers: RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, x-total".to_owned(),
        ]),
        // What is the guard's own is for its own pages.
        ("/.portcullis/a", vec![&*origin, &get_it], 404, vec![]),
    ] {
        let mut client = gate.client();
        let answer = ask(&mut client, &options(path), &lines);
        assert_eq!((answer.status, allowed(&answer)), (status, fields), "{path} {lines:?}");
        assert_dressed(path, &answer);
        if answer.status == 204 {
            let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
            assert_eq!(answer.one("vary"), vary);
        }
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[test]
fn cookies_come_along_only_where_the_policy_says() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .and(&format!("{CORS}credentials = true\n{ROUTES}"))
        .start();
    let lines = [
        "Origin: http://localhost:5173",
        "Access-Control-Request-Method: DELETE",
    ];
    for request in [options("/item/1"), get("/item/1")] {
        let answer = ask(&mut gate.client(), &request, &lines);
        assert_eq!(answer.one("access-control-allow-credentials"), "true");
        assert_eq!(
            answer.one("access-control-allow-origin"),
            "http://localhost:5173"
        );
    }
    for origin in ["Origin: null", "Origin: https://evil.example.com"] {
        let answer = ask(&mut gate.client(), &get("/item/1"), &[origin]);
        assert_eq!(allowed(&answer), [""; 0], "{origin}");
    }
}

#[test]
fn a_page_reads_what_it_is_refused_for() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(CORS).and(ROUTES).start();
    let mut client = gate.client();
    let origin = format!("Origin: {ORIGIN}");
    ask(&mut client, &get("/limited"), &[&origin]);
    for (what, request, status) in [
        ("limit", get("/limited"), 429),
        ("path", get("/nowhere"), 404),
        ("method", get("/form"), 405),
        ("type", post("/", "{}").replace("json", "grpc"), 415),
    ] {
        let answer = ask(&mut gate.client(), &request, &[&origin]);
        assert_eq!(answer.status, status, "{what}");
        assert_eq!(answer.one("access-control-allow-origin"), ORIGIN, "{what}");
        assert!(
            answer
                .one("access-control-expose-headers")
                .contains("Retry-After")
        );
        assert_eq!(answer.one("vary"), "Origin", "{what}");
        assert_dressed(what, &answer);
        let other = ask(
            &mut gate.client(),
            &request,
            &["Origin: https://b.example.com"],
        );
        assert_eq!((other.status, allowed(&other)), (status, vec![]), "{what}");
        assert_eq!(other.one("vary"), "Origin", "{what}");
    }
}

/// A cache that keeps one answer for each value of what `Vary` names gives no site's answer to another.
#[test]
fn no_cache_gives_one_sites_answer_to_another() {
    let sent = "HTTP/1.1 200 OK\r\nVary: Accept\r\nAccess-Control-Allow-Origin: *\r\naccess-control-allow-credentials: true\r\nAccess-Control-Future: a\r\nContent-Length: 2\r\n\r\nok";
    let upstream = Upstream::answering(sent);
    let gate = Setup::simple(&upstream).and(CORS).start();
    let asked = |lines: &[&str]| ask(&mut gate.client(), &get("/read/a"), lines);
    for (lines, origin) in [
        (&["Origin: https://app.example.com"][..], Some(ORIGIN)),
        (
            &["Origin: http://localhost:5173"],
            Some("http://localhost:5173"),
        ),
        (&["Origin: https://evil.example.com"], None),
        (&[], None),
    ] {
        let answer = asked(lines);
        assert_eq!(answer.all("vary"), ["Accept", "Origin"]);
        let origins = answer.all("access-control-allow-origin");
        assert_eq!(origins, Vec::from_iter(origin), "{lines:?}");
        let others = ["access-control-allow-credentials", "access-control-future"];
        assert!(others.iter().all(|name| answer.all(name).is_empty()));
    }
    // Without `[cors]` the application says it, and the guard adds nothing.
    let upstream = Upstream::answering(sent);
    let gate = Setup::simple(&upstream).start();
    let answer = ask(
        &mut gate.client(),
        &get("/read/a"),
        &["Origin: https://a.test"],
    );
    assert_eq!(answer.one("access-control-allow-origin"), "*");
    assert_eq!(answer.one("vary"), "Accept");
    let preflight = [
        "Origin: https://a.test",
        "Access-Control-Request-Method: GET",
    ];
    let answer = ask(&mut gate.client(), &options("/read/a"), &preflight);
    assert_eq!((answer.status, allowed(&answer)), (204, vec![]));
    assert_eq!(answer.one("allow"), "GET, HEAD, OPTIONS");
}
