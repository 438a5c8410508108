//! Browsers that go to a page for which somebody must be known are led to the login; everybody else reads a 401. Case 112.

use crate::support::browser::{Browser, application, logged_in, send, shop};
use crate::support::{Answer, Gate, Setup, Upstream};

const LOGIN: &str = r#"
[[route]]
path = "/login"
methods = ["GET"]
type = "public_read"

[[route]]
path = "/users/{id}"
methods = ["GET"]
type = "protected_read"
"#;

fn gate(upstream: &Upstream, login: &str) -> Gate {
    let key = "secret = \"env:SESSION\"\n";
    let policy = shop(upstream).replace(key, &format!("{key}{login}")) + LOGIN;
    Setup::new(policy).start()
}

const HTML: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
const NAVIGATES: &str = "Sec-Fetch-Mode: navigate";

fn ask(gate: &Gate, line: &str, lines: &[&str]) -> Answer {
    let sent = lines
        .iter()
        .fold(send(line).unsaid(), |sent, one| sent.with(*one));
    Browser::default().ask(&mut gate.client(), sent)
}

#[test]
fn a_browser_that_navigates_is_led_to_the_login_with_its_way_back() {
    let upstream = application();
    let gate = gate(&upstream, "login = \"/login\"\n");
    for (path, place) in [
        ("/me", "/login?return_to=/me"),
        ("/me?token=secret&a=b", "/login?return_to=/me"),
        ("/users/a%20b&c", "/login?return_to=/users/a%2520b%26c"),
        (
            "/users/http:evil.example",
            "/login?return_to=/users/http%3Aevil.example",
        ),
    ] {
        let led = ask(&gate, &format!("GET {path}"), &[HTML, NAVIGATES]);
        assert_eq!(led.status, 302, "{path}: {led:?}");
        assert_eq!(led.one("location"), place);
        assert_eq!(led.one("cache-control"), "no-store");
        assert_eq!(led.one("content-length"), "0");
        assert!(!led.one("content-security-policy").is_empty());
        assert_eq!(led.all("www-authenticate").len(), 0);
    }
    assert_eq!(upstream.requests().len(), 0);
    let login = ask(&gate, "GET /login?return_to=/me", &[HTML, NAVIGATES]);
    assert_eq!(login.status, 200);
    // One whose session is over is led there as well, without it.
    let (mut browser, mut client, token) = logged_in(&gate, "u1");
    let mut stale = browser.clone();
    let end = send("POST /logout").token(&token).says(r#""op":"end""#);
    assert_eq!(browser.ask(&mut client, end).status, 200);
    let led = stale.ask(&mut client, send("GET /me").with(HTML).with(NAVIGATES));
    assert_eq!(
        (led.status, led.one("location")),
        (302, "/login?return_to=/me")
    );
    assert_eq!(stale.cookie("__Host-pc-sid"), None);
    let events = gate.drained_events();
    for (reason, status) in [("caller_unknown", 302), ("session_over", 302)] {
        let told = |line: &&str| line.contains(reason) && line.contains(&format!(":{status}"));
        assert!(events.lines().any(|line| told(&line)), "{events}");
    }
}

#[test]
fn whoever_does_not_navigate_reads_a_401() {
    let upstream = application();
    let with = gate(&upstream, "login = \"/login\"\n");
    let without = gate(&upstream, "");
    for (gate, line, lines) in [
        (&with, "GET /me", &[][..]),
        (&with, "GET /me", &[HTML]),
        (&with, "GET /me", &[NAVIGATES]),
        (&with, "GET /me", &[NAVIGATES, "Accept: application/json"]),
        (&with, "GET /me", &[NAVIGATES, "Accept: */*"]),
        (&with, "GET /me", &[HTML, "Sec-Fetch-Mode: cors"]),
        (&with, "GET /me", &[HTML, "Sec-Fetch-Mode: Navigate"]),
        (&with, "GET /me", &[HTML, NAVIGATES, NAVIGATES]),
        (&without, "GET /me", &[HTML, NAVIGATES]),
    ] {
        let refused = ask(gate, line, lines);
        assert_eq!(refused.status, 401, "{line} {lines:?}");
        assert_eq!(refused.all("location").len(), 0);
        assert_eq!(refused.one("content-type"), "application/problem+json");
    }
    let mut client = with.client();
    client.send(format!(
        "HEAD /me HTTP/1.1\r\nHost: shop.test\r\n{HTML}\r\n{NAVIGATES}\r\n\r\n"
    ));
    assert_eq!(client.answer_to_head().status, 401);
    // Nor is one that sends something: it would be lost on the way.
    let refused = ask(&with, "POST /items", &[HTML, NAVIGATES]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.all("location").len(), 0);
}

#[test]
fn case_112_no_path_leads_to_another_host() {
    let upstream = application();
    let gate = gate(&upstream, "login = \"/login\"\n");
    for path in [
        "//evil.example",
        "/\\evil.example",
        "/%5cevil.example",
        "/%5Cevil.example/%2e%2e",
        "/users//evil.example",
        "/users/..//evil.example",
        "/%2f/evil.example",
        "/users/%2F%2Fevil.example",
        "/users/%09/evil.example",
        "http://evil.example/me",
        "https:/evil.example",
    ] {
        let answer = ask(&gate, &format!("GET {path}"), &[HTML, NAVIGATES]);
        assert!(
            matches!(answer.status, 400 | 404 | 421),
            "{path}: {answer:?}"
        );
        assert_eq!(answer.all("location").len(), 0, "{path}");
    }
    assert_eq!(upstream.requests().len(), 0);
}
