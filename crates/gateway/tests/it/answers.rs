//! The header fields of answers through a running gateway: the application's and the guard's own.

use crate::support::{Answer, Client, Setup, Upstream, get, post};

/// What every answer has.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "0"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Names that stand once at most.
const ONCE: [&str; 8] = [
    "strict-transport-security",
    "content-security-policy",
    "referrer-policy",
    "permissions-policy",
    "cache-control",
    "access-control-allow-origin",
    "x-request-id",
    "server",
];

pub(super) fn assert_dressed(what: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.one(name), value, "{what}");
    }
    for name in ONCE {
        assert!(answer.all(name).len() <= 1, "{what}: {name} in {answer:?}");
    }
    assert_eq!(answer.all("referrer-policy").len(), 1, "{what}");
    assert_eq!(answer.all("permissions-policy").len(), 1, "{what}");
    assert_eq!(answer.all("x-powered-by"), [""; 0], "{what}");
}

/// A request with more lines.
pub(super) fn with(request: &str, lines: &[&str]) -> String {
    let (first, rest) = request.split_once("\r\n").unwrap();
    let mut text = format!("{first}\r\n");
    for line in lines {
        text += &format!("{line}\r\n");
    }
    text + rest
}

const LIMITED: &str = "[limits.one]\nrate = \"1 per 1h\"\nalgorithm = \"exact\"\n[[route]]\npath = \"/limited\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"one\"]\n";

#[test]
fn every_answer_of_our_own_is_dressed() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(LIMITED).start();
    let ask = |request: &str| gate.client().ask(request);
    ask(&get("/limited"));
    for (what, request, status) in [
        ("unknown path", get("/nowhere"), 404),
        ("reserved", get("/.portcullis/x"), 404),
        ("method", get("/form"), 405),
        ("type", post("/", "{}").replace("json", "grpc"), 415),
        ("limit", get("/limited"), 429),
        ("other host", get("/read/a").replace("victim", "other"), 421),
        ("no head", "nonsense\r\n\r\n".to_owned(), 400),
        ("ambiguous", get("/read/a//b"), 400),
        ("options", get("/read/a").replace("GET", "OPTIONS"), 204),
    ] {
        let answer = ask(&request);
        assert_eq!(answer.status, status, "{what}");
        assert_dressed(what, &answer);
        assert_eq!(answer.one("cache-control"), "no-store", "{what}");
        assert!(
            answer
                .one("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert_eq!(answer.all("strict-transport-security"), [""; 0]);
        for name in ["location", "refresh", "access-control-allow-origin"] {
            assert_eq!(answer.all(name), [""; 0], "{what}: {name}");
        }
    }
    let mut client = gate.client();
    client.send(get("/nowhere").replace("GET", "HEAD"));
    assert_dressed("HEAD", &client.answer_to_head());
    for (what, upstream, status) in [
        ("nonsense", Upstream::answering("nonsense\r\n\r\n"), 502),
        (
            "silence",
            Upstream::talking(|talk| assert!(talk.head())),
            502,
        ),
    ] {
        let gate = Setup::simple(&upstream).start();
        let answer = gate.client().ask(post("/", "{}"));
        assert_eq!(answer.status, status, "{what}");
        assert_dressed(what, &answer);
        assert_eq!(answer.one("cache-control"), "no-store", "{what}");
    }
}

#[test]
fn every_answer_of_the_application_is_dressed() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Frame-Options: ALLOWALL\r\nX-Powered-By: Express\r\nServer: x\r\nContent-Length: 2\r\n\r\nok";
    for (what, sent, policy) in [
        ("page", page.to_owned(), Some("base-uri 'none'")),
        (
            "failure",
            page.replace("200 OK", "500 Oops"),
            Some("base-uri 'none'"),
        ),
        (
            "data",
            page.replace("text/html", "application/json"),
            Some("default-src 'none'"),
        ),
        (
            "nothing",
            "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            Some("default-src 'none'"),
        ),
        (
            "unchanged",
            "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n".to_owned(),
            None,
        ),
        ("style", page.replace("text/html", "text/css"), None),
    ] {
        let upstream = Upstream::answering(sent);
        let gate = Setup::simple(&upstream).start();
        let answer = gate.client().ask(get("/read/a"));
        assert_dressed(what, &answer);
        let policies = answer.all("content-security-policy");
        assert_eq!(policies.len(), usize::from(policy.is_some()), "{what}");
        for (written, begins) in policies.iter().zip(policy) {
            assert!(written.starts_with(begins), "{what}: {written}");
        }
        assert_eq!(answer.all("server"), [""; 0], "{what}");
    }
    let sent = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n";
    let upstream = Upstream::answering(sent);
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    client.send(get("/read/a").replace("GET", "HEAD"));
    let answer = client.answer_to_head();
    assert_dressed("HEAD", &answer);
    assert!(
        answer
            .one("content-security-policy")
            .starts_with("base-uri")
    );
}

#[test]
fn who_came_by_tls_is_bound_to_it() {
    let upstream = Upstream::ok();
    let policy = "public_url = \"https://victim.test\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let text = crate::support::simple(&[upstream.address()]);
    let text = text.replace("hosts = [\"victim.test\"]\n", policy);
    let gate = Setup::new(text).start();
    let behind = |request: &str| with(request, &["X-Forwarded-For: 203.0.113.9"]);
    for path in ["/read/a", "/nowhere"] {
        let answer = gate.client().ask(behind(&get(path)));
        assert_eq!(answer.one("strict-transport-security"), "max-age=31536000");
    }
}

#[test]
fn a_nonce_is_of_one_request_and_of_the_guard() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok";
    let upstream = Upstream::answering(page);
    let csp = "[csp]\npolicy = \"script-src 'nonce-{nonce}'\"\nnonce = true\nreport_only = false\n";
    let gate = Setup::simple(&upstream).and(csp).start();
    let mut client = gate.client();
    let claims = ["X-Nonce: mine", "x_nonce: mine", "X.Nonce: mine"];
    let mut nonces: Vec<String> = (0..50)
        .map(|_| client.ask(with(&get("/read/a"), &claims)))
        .map(|answer| answer.one("content-security-policy").to_owned())
        .collect();
    for (request, policy) in upstream.requests().iter().zip(&nonces) {
        let nonce = request.one("x-nonce");
        assert_eq!((nonce.len(), nonce.contains("mine")), (24, false));
        assert!(policy.starts_with(&format!("script-src 'nonce-{nonce}'; ")));
        let aliases = ["x_nonce", "x.nonce"].map(|name| request.all(name).len());
        assert_eq!(aliases, [0, 0]);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 50);
}

/// Case 112: what a client sends never becomes a place that an answer leads to, and the paths that browsers take for
/// another site reach no application.
#[test]
fn nobody_is_led_to_a_place_of_the_clients() {
    let upstream = Upstream::ok();
    let all = "[[route]]\npath = \"/{rest...}\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n";
    let gate = Setup::simple(&upstream).and(all).start();
    for path in [
        "/\\evil",
        "//evil",
        "/%5cevil",
        "/%5Cevil",
        "\\\\evil",
        "/a/..//evil",
        "/%2fevil",
        "/.portcullis/\\evil",
        "/%09/evil",
    ] {
        let mut client = gate.client();
        let answer = client.ask(get(path));
        assert_eq!(answer.status, 400, "{path}");
        for name in ["location", "content-location", "refresh"] {
            assert_eq!(answer.all(name), [""; 0], "{path}");
        }
    }
    assert_eq!(upstream.requests().len(), 0);
    // An application that makes one of a query is stopped as well.
    let sent = |place: &str| {
        format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n")
    };
    let upstream = Upstream::by_request(move |request| {
        let next = request.line.split(['=', ' ']).nth(2).unwrap_or_default();
        sent(next).into_bytes()
    });
    let gate = Setup::simple(&upstream).start();
    let port = upstream.address().port();
    for (next, status, leads) in [
        ("/\\evil", 502, None),
        ("\\/evil", 502, None),
        ("/home", 302, Some("/home".to_owned())),
        (
            &format!("http://localhost:{port}//evil"),
            302,
            Some("//victim.test//evil".to_owned()),
        ),
    ] {
        let answer = gate.client().ask(get(&format!("/read/a?next={next}")));
        let leads: Vec<&str> = leads.iter().map(String::as_str).collect();
        assert_eq!(
            (answer.status, answer.all("location")),
            (status, leads),
            "{next}"
        );
        assert_dressed(next, &answer);
    }
}

pub(super) fn ask(client: &mut Client, request: &str, lines: &[&str]) -> Answer {
    client.ask(with(request, lines))
}
