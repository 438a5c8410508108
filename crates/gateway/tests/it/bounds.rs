//! What a gateway bounds in number and size: connections of one client and of all, and bodies in memory.

use std::time::Duration;

use crate::support::{Client, Gate, Setup, Upstream, eventually, get, post};

/// So many connections that have each been served once, and are open.
fn connected(gate: &Gate, count: usize) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..count).map(|_| gate.client()).collect();
    for client in &mut clients {
        assert_eq!(client.ask(get("/read/a")).status, 200);
    }
    clients
}

/// That one more is told why it is not served, and that a place that is given back is one.
fn is_bounded(gate: &Gate, upstream: &Upstream, places: usize) {
    let mut clients = connected(gate, places);
    for _ in 0..3 {
        let mut one_more = gate.client();
        let answer = one_more.answer();
        assert_eq!((answer.status, answer.closes()), (503, true));
        assert!(one_more.is_ended());
    }
    for client in &mut clients {
        assert_eq!(client.ask(get("/read/b")).status, 200, "who is there stays");
    }
    assert_eq!(upstream.requests().len(), places * 2);
    clients.pop();
    let is_served = || {
        let mut client = gate.client();
        client.try_send(get("/read/c"));
        client
            .next(false)
            .is_some_and(|answer| answer.status == 200)
    };
    assert!(eventually(is_served));
}

#[test]
fn connections_of_one_client() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .with(|live| live.settings.connections_per_ip_max = 3)
        .start();
    is_bounded(&gate, &upstream, 3);
}

#[test]
fn connections_of_a_trusted_proxy_are_those_of_many_clients() {
    let upstream = Upstream::ok();
    let policy = crate::support::simple(&[upstream.address()]);
    let gate = Setup::new(format!("trusted_proxies = [\"127.0.0.0/8\"]\n{policy}"))
        .with(|live| {
            live.settings.connections_per_ip_max = 2;
            live.settings.connections_max = 5;
        })
        .start();
    is_bounded(&gate, &upstream, 5);
}

#[test]
fn connections_of_all_clients() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .workers(2)
        .with(|live| live.settings.connections_max = 5)
        .start();
    is_bounded(&gate, &upstream, 5);
}

/// A route whose body is held until it is decided.
const HELD: &str = "[limits.login]\nrate = \"100 per 1m\"\nalgorithm = \"exact\"\nby = [\"ip\", \"body.email\"]\n[[route]]\npath = \"/login\"\nmethods = [\"POST\"]\ntype = \"auth_op\"\nlimits = [\"login\"]\nbody = { max = \"4 KiB\" }\n";

#[test]
fn bodies_in_memory() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .and(HELD)
        .with(|live| live.settings.buffer_max = "3 KiB".parse().unwrap())
        .start();
    let body = format!(
        "{{\"email\":\"a@example.com\",\"x\":\"{}\"}}",
        "x".repeat(2000)
    );
    // Two thirds of the memory are taken by a body that does not go on.
    let whole = post("/login", &body);
    let mut first = gate.client();
    first.send(whole.get(..whole.len() - 1).unwrap());
    let is_full = || gate.client().ask(post("/login", &body)).status == 503;
    assert!(eventually(is_full));
    assert_eq!(
        gate.client().ask(post("/form", &body)).status,
        200,
        "what streams takes none"
    );
    assert_eq!(first.ask("}").status, 200);
    assert_eq!(
        gate.client().ask(post("/login", &body)).status,
        200,
        "it was given back"
    );
    for how_it_ends in [true, false] {
        let mut gone = gate.client();
        gone.send(whole.get(..whole.len() - 1).unwrap());
        assert!(eventually(is_full));
        if how_it_ends {
            drop(gone);
        } else {
            assert_eq!(gone.ask("x").status, 400);
        }
        assert!(
            eventually(|| !is_full()),
            "it is given back when its client goes, too"
        );
    }
}

#[test]
fn what_was_held_of_a_body_is_not_taken_off_twice() {
    // The memory is full in the middle of a body, and a request follows it on the same connection. If the guard took the
    // whole length off the input once more, the end of that request would be read as a request of its own.
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .and(HELD)
        .with(|live| live.settings.buffer_max = "80 B".parse().unwrap())
        .start();
    let hidden = get("/read/hidden");
    let next = format!(
        "GET /read/next HTTP/1.1\r\nHost: victim.test\r\nX-Padding: {}",
        "x".repeat(7)
    );
    assert_eq!(next.len(), 62);
    for cut in 55..70 {
        let mut client = gate.client();
        let body = "x".repeat(100);
        let whole = post("/login", &body);
        let (first, second) = whole.split_at(whole.len() - 100 + cut);
        client.send(first);
        // The first part has to arrive alone. Where it does not, the body is refused at once, and nothing is shown.
        std::thread::sleep(Duration::from_millis(10));
        let padding = "x".repeat(cut.saturating_sub(60));
        client.try_send(format!(
            "{second}{}{padding}{hidden}",
            &next.get(..cut.min(60)).unwrap()
        ));
        assert_eq!(client.answer().status, 503);
        client.finish();
        while client.next(false).is_some() {}
    }
    let lines: Vec<String> = upstream
        .requests()
        .into_iter()
        .map(|one| one.line)
        .collect();
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn who_is_turned_away_is_told_even_if_it_has_asked_already() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .with(|live| live.settings.connections_max = 1)
        .start();
    let _first = connected(&gate, 1);
    let told = (0..200).filter(|_| {
        let mut client = gate.client();
        client.try_send(get("/read/a"));
        client
            .next(false)
            .is_some_and(|answer| answer.status == 503)
    });
    assert!(
        told.count() > 100,
        "the answer may be lost where the request comes between it and the end"
    );
    assert_eq!(upstream.requests().len(), 1);
}
