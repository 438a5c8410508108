//! What a hostile reader of this proxy found once, each held by a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Setup, Talk, Upstream, eventually, get, post};

/// An application that writes the content of an answer to HEAD as well, a moment after the head.
fn talkative() -> Upstream {
    Upstream::talking(|talk: &mut Talk| {
        while let Some(request) = talk.request() {
            let page = format!("page of {}", request.line);
            talk.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                page.len()
            ));
            std::thread::sleep(Duration::from_millis(20));
            talk.send(page);
        }
    })
}

#[test]
fn what_is_written_after_an_answer_to_head_is_nobodys_answer() {
    let upstream = talkative();
    let gate = Setup::simple(&upstream).workers(1).start();
    let mut attacker = gate.client();
    attacker.send("HEAD /read/echo HTTP/1.1\r\nHost: victim.test\r\n\r\n");
    assert_eq!(attacker.answer_to_head().status, 200);
    for path in ["/read/one", "/read/two", "/read/three"] {
        let answer = gate.client().ask(get(path));
        assert_eq!(answer.text(), format!("page of GET {path} HTTP/1.1"));
    }
}

#[test]
fn a_connection_is_not_used_again_after_304() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.request();
        talk.send("HTTP/1.1 304 Not Modified\r\n\r\n");
        std::thread::sleep(Duration::from_millis(20));
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen");
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine");
    });
    let gate = Setup::simple(&upstream).workers(1).start();
    assert_eq!(gate.client().ask(get("/read/a")).status, 304);
    // A connection of its own, and on that the first answer is again a 304.
    assert_eq!(gate.client().ask(get("/read/b")).status, 304);
    assert_eq!(upstream.bytes().len(), 2);
}

#[test]
fn who_asks_and_goes_has_no_more_done_at_once_than_it_may_have_connections() {
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (working, peak) = (Arc::clone(&at_once), Arc::clone(&most));
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        while talk.request().is_some() {
            peak.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(300));
            working.fetch_sub(1, Ordering::SeqCst);
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = Setup::simple(&upstream)
        .with(|live| live.settings.connections_per_ip_max = 4)
        .start();
    for _ in 0..40 {
        let mut client = gate.client();
        client.try_send(get("/read/a"));
        let socket = socket2::SockRef::from(client.stream());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(eventually(|| at_once.load(Ordering::SeqCst) == 0));
    let most = most.load(Ordering::SeqCst);
    assert!((1..=4).contains(&most), "{most} at once");
}

#[test]
fn an_interim_answer_is_a_sign_that_the_request_was_seen() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        if talk.request().is_some() {
            talk.send("HTTP/1.1 103 Early Hints\r\n\r\n");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let gate = Setup::simple(&upstream).workers(1).start();
    let mut client = gate.client();
    assert_eq!(client.ask(get("/read/first")).status, 200);
    assert_eq!(client.ask(get("/read/second")).status, 502);
    assert_eq!(upstream.requests().len(), 2, "and not three");
}

#[test]
fn what_the_guard_cannot_read_has_an_id_too() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).start();
    let answer = gate.client().ask("GET  / HTTP/1.1\r\n\r\n");
    assert_eq!((answer.status, answer.one("x-request-id").len()), (400, 32));
    let id = answer.one("x-request-id").to_owned();
    assert!(gate.drained_events().contains(&id));
}

#[test]
fn a_failure_of_the_application_is_a_failure() {
    let upstream = Upstream::answering("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    let gate = Setup::simple(&upstream)
        .and("[limits.tries]\nrate = \"2 per 15m\"\nalgorithm = \"exact\"\nby = [\"ip\"]\ncounts = \"failures\"\n[[route]]\npath = \"/try\"\nmethods = [\"POST\"]\ntype = \"public_form\"\nlimits = [\"tries\"]\n")
        .start();
    let statuses: Vec<u16> = (0..3)
        .map(|_| gate.client().ask(post("/try", "{}")).status)
        .collect();
    assert_eq!(statuses, [500, 500, 429]);
}
