//! Cases 102, 103, 106 and 107: every request has a decision of its own, by one policy, and a panic is a refusal.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::support::{AtOnce, Gate, PanickingStore, Panics, SECRET, Setup, Talk, Upstream, simple};

const LIMITED: &str = r#"
[limits.few]
rate = "3 per 1h"
by = ["ip", "header.x-key"]

[[route]]
path = "/few/{id}"
methods = ["POST"]
type = "public_form"
limits = ["few"]
body = { max = "64 B" }
"#;

#[test]
fn case_102_two_requests_that_differ_in_one_input_have_each_their_decision() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(LIMITED).start();
    let ask = |method: &str, path: &str, host: &str, kind: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Key: same\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        gate.client().ask(request).status
    };
    let json = "application/json";
    let first = ("POST", "/few/1", "victim.test", json, "{}");
    let twice = |other: u16, ask_other: &dyn Fn() -> u16| {
        // The other one before and after its twin: neither leaves anything behind for the other.
        assert_eq!(ask_other(), other);
        let (method, path, host, kind, body) = first;
        let status = ask(method, path, host, kind, body);
        assert_eq!(ask_other(), other);
        status
    };
    assert_eq!(
        twice(405, &|| ask("PUT", "/few/1", "victim.test", json, "{}")),
        200
    );
    assert_eq!(
        twice(404, &|| ask("POST", "/few", "victim.test", json, "{}")),
        200
    );
    assert_eq!(
        twice(421, &|| ask("POST", "/few/1", "other.test", json, "{}")),
        200
    );
    // The same bytes once more: the limit is another input, and it has changed.
    assert_eq!(
        twice(415, &|| ask(
            "POST",
            "/few/1",
            "victim.test",
            "text/plain",
            "{}"
        )),
        429
    );
    assert_eq!(
        twice(413, &|| ask(
            "POST",
            "/few/1",
            "victim.test",
            json,
            &"x".repeat(65)
        )),
        429
    );
    assert_eq!(upstream.requests().len(), 3);
}

#[test]
fn case_103_letter_case_is_another_path() {
    let upstream = Upstream::ok();
    let more = "[[route]]\npath = \"/Admin/{id}\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n";
    let gate = Setup::simple(&upstream).and(more).start();
    let ask = |path: &str| {
        gate.client()
            .ask(format!("GET {path} HTTP/1.1\r\nHost: victim.test\r\n\r\n"))
            .status
    };
    assert_eq!(ask("/Admin/a"), 200);
    for path in [
        "/admin/a",
        "/ADMIN/a",
        "/aDMIN/a",
        "/\u{212a}dmin/a",
        "/Admin%2Fa",
    ] {
        assert!([400, 404].contains(&ask(path)), "{path}");
    }
    assert_eq!(ask("/Admin/A"), 200);
    let lines: Vec<String> = upstream
        .requests()
        .into_iter()
        .map(|one| one.line)
        .collect();
    assert_eq!(
        lines,
        ["GET /Admin/a HTTP/1.1", "GET /Admin/A HTTP/1.1"],
        "as they were matched"
    );
}

/// An application that answers `/read/slow` when it is told to.
fn slow() -> (Upstream, Sender<()>) {
    let (go, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        while let Some(request) = talk.request() {
            if request.line.contains("/slow") {
                wait.lock().unwrap().recv().unwrap_or_default();
            }
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
        }
    });
    (upstream, go)
}

fn get(gate: &Gate, path: &str) -> (u16, String) {
    let answer = gate
        .client()
        .ask(format!("GET {path} HTTP/1.1\r\nHost: victim.test\r\n\r\n"));
    (answer.status, answer.text())
}

#[test]
fn case_106_a_request_ends_by_the_policy_that_it_began_with() {
    let (old, go) = slow();
    let new = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
    let gate = Setup::simple(&old).start();
    let mut client = gate.client();
    client.send("GET /read/slow HTTP/1.1\r\nHost: victim.test\r\n\r\n");
    old.wait_for_heads(1);
    // The new policy has another application, and no `/read`.
    let next = simple(&[new.address()]).replace("/read/", "/moved/");
    gate.replace(&next);
    assert_eq!(get(&gate, "/moved/a"), (200, "new".to_owned()));
    assert_eq!(get(&gate, "/read/slow").0, 404);
    go.send(()).unwrap();
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "old"),
        "begun before"
    );
    // The next request of the same connection is judged by the new policy, and goes to the new application.
    let next = client.ask("GET /read/slow HTTP/1.1\r\nHost: victim.test\r\n\r\n");
    assert_eq!(next.status, 404);
    for _ in 0..3 {
        assert_eq!(
            get(&gate, "/moved/a"),
            (200, "new".to_owned()),
            "never to the old one again"
        );
    }
    assert_eq!(old.requests().len(), 1);
}

#[test]
fn case_107_a_store_that_panics_refuses_one_request() {
    for (when, at_once) in [
        (Panics::Asked, false),
        (Panics::Asked, true),
        (Panics::Awaited, false),
    ] {
        let upstream = Upstream::ok();
        let store = Arc::new(PanickingStore::new(when));
        let setup = Setup::simple(&upstream);
        let setup = if at_once {
            setup.store(Arc::new(AtOnce(store.clone())))
        } else {
            setup.store(store.clone())
        };
        let gate = setup.start();
        let post = "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Length: 0\r\n\r\n";
        for _ in 0..2 {
            let answer = gate.client().ask(post);
            assert_eq!(answer.status, 500, "{when:?}");
            assert!(!format!("{answer:?}{}", answer.text()).contains(SECRET));
        }
        // What needs no store is served by the same thread, on the same connection too.
        let mut client = gate.client();
        assert_eq!(client.ask(post).status, 500);
        assert_eq!(
            client
                .ask("GET /read/a HTTP/1.1\r\nHost: victim.test\r\n\r\n")
                .status,
            200
        );
        assert_eq!((upstream.requests().len(), store.asked()), (1, 3));
        assert!(!gate.said().concat().contains(SECRET));
        let events = gate.events();
        assert!(events.contains("\"internal\""), "{events}");
        assert!(!events.contains(SECRET), "{events}");
    }
}
