//! Connections to the application: used again, left when they are stale, and never a reason to send anything twice that
//! changes something; several instances, and their health.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_policy::HealthCheck;

use crate::support::{Setup, Talk, Upstream, eventually, get, post, simple};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn one_connection_serves_one_client_after_the_other() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).start();
    for number in 0..10 {
        assert_eq!(gate.client().ask(get("/read/a")).status, 200);
        assert_eq!(
            gate.client().ask(post("/form", &number.to_string())).status,
            200
        );
    }
    assert_eq!((upstream.bytes().len(), upstream.requests().len()), (1, 20));
}

/// One that answers the first request of each connection and closes without an answer when it gets another.
fn closes_at_the_second() -> Upstream {
    Upstream::talking(|talk: &mut Talk| {
        talk.request();
        talk.send(OK);
        talk.request();
    })
}

#[test]
fn what_changes_nothing_is_sent_again_once() {
    let upstream = closes_at_the_second();
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    assert_eq!(client.ask(get("/read/first")).status, 200);
    assert_eq!(client.ask(get("/read/second")).status, 200);
    let lines: Vec<String> = upstream
        .requests()
        .into_iter()
        .map(|one| one.line)
        .collect();
    assert_eq!(
        lines,
        [
            "GET /read/first HTTP/1.1",
            "GET /read/second HTTP/1.1",
            "GET /read/second HTTP/1.1"
        ],
        "on the connection that was idle, and on a new one"
    );
}

#[test]
fn what_changes_something_is_never_sent_again() {
    let upstream = closes_at_the_second();
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    assert_eq!(client.ask(get("/read/first")).status, 200);
    assert_eq!(client.ask(post("/form", "{}")).status, 502);
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(client.ask(post("/form", "")).status, 200);
    assert_eq!(client.ask(post("/form", "")).status, 502);
    assert_eq!(upstream.requests().len(), 4);
}

#[test]
fn a_second_failure_is_the_last() {
    // Only the very first request is answered.
    let answered = AtomicBool::new(false);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        talk.request();
        if !answered.swap(true, Ordering::SeqCst) {
            talk.send(OK);
            talk.request();
        }
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    assert_eq!(client.ask(get("/read/first")).status, 200);
    assert_eq!(client.ask(get("/read/second")).status, 502);
    assert_eq!(upstream.requests().len(), 3);
}

#[test]
fn what_has_begun_to_be_answered_is_not_asked_again() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.request();
        talk.send(OK);
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\n");
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    assert_eq!(client.ask(get("/read/first")).status, 200);
    assert_eq!(client.ask(get("/read/second")).status, 502);
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn a_connection_that_was_closed_while_it_was_idle_is_not_used() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        talk.request();
        talk.send(OK);
        talk.close();
        count.fetch_add(1, Ordering::SeqCst);
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for number in 1..=5 {
        // A POST has no second try: it passes only because the old connection is seen to be closed.
        assert_eq!(client.ask(post("/form", "{}")).status, 200, "{number}");
        assert!(eventually(|| closed.load(Ordering::SeqCst) == number));
    }
    assert_eq!(upstream.requests().len(), 5);
}

#[test]
fn an_answer_that_says_so_ends_its_connection() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for _ in 0..3 {
        let answer = client.ask(get("/read/a"));
        assert!(
            answer.status == 200 && !answer.closes(),
            "it is the application's connection that ends"
        );
    }
    assert_eq!(upstream.bytes().len(), 3);
}

#[test]
fn of_several_instances_one_is_down() {
    let (one, two) = (Upstream::ok(), Upstream::ok());
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gate = Setup::new(simple(&[one.address(), gone, two.address()])).start();
    for _ in 0..12 {
        assert_eq!(gate.client().ask(get("/read/a")).status, 200);
        assert_eq!(gate.client().ask(post("/form", "{}")).status, 200);
    }
    let (first, second) = (one.requests().len(), two.requests().len());
    assert_eq!(first + second, 24, "each was sent once");
    assert!(first >= 6 && second >= 6, "{first} {second}");
}

/// One that is well as long as it is told, and says who it is.
fn checked(name: &'static str) -> (Upstream, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&well);
    let upstream = Upstream::by_request(move |request| {
        let status = if request.line.contains("/healthz") && !told.load(Ordering::SeqCst) {
            500
        } else {
            200
        };
        format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{name}",
            name.len()
        )
        .into_bytes()
    });
    (upstream, well)
}

#[test]
fn an_instance_that_is_ill_gets_no_requests_until_it_is_well() {
    let ((one, one_is_well), (two, _)) = (checked("one"), checked("two"));
    let gate = Setup::new(simple(&[one.address(), two.address()]))
        .with(|live| {
            live.settings.health = Some(HealthCheck {
                path: "/healthz".to_owned(),
                every: Duration::from_millis(20),
                timeout: Duration::from_millis(500),
                fails: NonZeroU8::new(2).unwrap(),
                passes: NonZeroU8::new(2).unwrap(),
            });
        })
        .start();
    let who = || gate.client().ask(get("/read/a")).text();
    let both = || (0..4).map(|_| who()).collect::<Vec<String>>();
    assert!(both().contains(&"one".to_owned()));
    one_is_well.store(false, Ordering::SeqCst);
    let said = |words: &str| {
        let words = format!("{} {words}", one.address());
        move |gate: &crate::support::Gate| gate.said().iter().any(|line| line.ends_with(&words))
    };
    assert!(eventually(|| said("is down")(&gate)));
    for _ in 0..10 {
        assert_eq!(who(), "two");
    }
    one_is_well.store(true, Ordering::SeqCst);
    assert!(eventually(|| said("is well again")(&gate)));
    assert!(both().contains(&"one".to_owned()));
    // Where nothing is well, what is left is tried.
    let health = one.bytes().concat();
    assert!(
        String::from_utf8(health)
            .unwrap()
            .contains("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    );
}
