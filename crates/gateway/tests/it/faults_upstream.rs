//! An application that fails, in every way and place: the client gets a plain refusal, or a part that it can see is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Answer, PATIENCE, Setup, Talk, Upstream, eventually, get, post, timed};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The answer to a GET before an application that does this with each connection and has so long to answer, and how many
/// connections it had.
fn answer_within(
    time: Duration,
    talk: impl Fn(&mut Talk) + Send + Sync + 'static,
) -> (Option<Answer>, usize) {
    let upstream = Upstream::talking(talk);
    let gate = Setup::simple(&upstream)
        .with(move |live| live.settings.response_timeout = time)
        .start();
    let mut client = gate.client();
    client.send(get("/read/a"));
    let answer = client.next(false);
    if answer.as_ref().is_none_or(|answer| !answer.is_whole) {
        assert!(client.is_ended());
    }
    (answer, upstream.bytes().len())
}

fn answer_of(talk: impl Fn(&mut Talk) + Send + Sync + 'static) -> (Option<Answer>, usize) {
    answer_within(PATIENCE, talk)
}

/// The status of the refusal, which tells nothing of the inside.
fn refused(talk: impl Fn(&mut Talk) + Send + Sync + 'static) -> u16 {
    refusal(answer_of(talk))
}

fn refusal((answer, connections): (Option<Answer>, usize)) -> u16 {
    assert_eq!(
        connections, 1,
        "a connection that was never used before is tried once"
    );
    let answer = answer.unwrap();
    assert_eq!(answer.one("content-type"), "application/problem+json");
    assert!(
        answer.all("server").is_empty() && !answer.text().contains("127.0.0.1"),
        "{}",
        answer.text()
    );
    answer.status
}

#[test]
fn nobody_listens() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gate = Setup::new(crate::support::simple(&[gone])).start();
    assert_eq!(gate.client().ask(get("/read/a")).status, 502);
    let mut client = gate.client();
    assert_eq!(client.ask(post("/form", "{}")).status, 502);
    assert_eq!(
        client.ask(get("/read/a")).status,
        502,
        "the connection of the client is as good as before"
    );
    assert!(
        gate.said()
            .iter()
            .any(|words| words.contains("no connection to the upstream"))
    );
}

#[test]
fn a_connection_that_is_never_accepted() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    // Fills the queue of those who wait; the system then drops what else asks.
    let waiting: Vec<socket2::Socket> = (0..8)
        .map(|_| {
            let one =
                socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            one.set_nonblocking(true).unwrap();
            drop(one.connect(&address.into()));
            one
        })
        .collect();
    let gate = Setup::new(crate::support::simple(&[address]))
        .with(|live| live.settings.connect_timeout = Duration::from_millis(200))
        .start();
    let (time, status) = timed(|| gate.client().ask(get("/read/a")).status);
    assert!(
        status == 502 && time < Duration::from_secs(3),
        "{status} {time:?}"
    );
    drop(waiting);
}

#[test]
fn it_closes_or_resets_before_its_head_is_whole() {
    assert_eq!(refused(|_| {}), 502);
    assert_eq!(refused(Talk::reset), 502);
    assert_eq!(refused(|talk| drop(talk.request())), 502);
    for part in [
        "H",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        assert_eq!(
            refused(move |talk| {
                talk.request();
                talk.send(part);
            }),
            502,
            "{part}"
        );
        assert_eq!(
            refused(move |talk| {
                talk.request();
                talk.send(part);
                talk.reset();
            }),
            502,
            "{part}"
        );
    }
}

#[test]
fn it_closes_or_resets_within_its_body() {
    for (part, resets) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
            false,
        ),
    ] {
        let (answer, _) = answer_of(move |talk| {
            talk.request();
            talk.send(part);
            // The part has arrived before the reset; one that overtakes it would be a reset before the head.
            std::thread::sleep(Duration::from_millis(20));
            if resets {
                talk.reset();
            }
        });
        let is_whole = answer
            .as_ref()
            .is_some_and(|answer| answer.is_whole && answer.status == 200);
        assert!(!is_whole, "{part:?}: {answer:?}");
    }
}

#[test]
fn it_answers_what_is_no_strict_http() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\u{0}\u{1}\u{2}",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: a\r\n\r\n",
    ] {
        assert_eq!(
            refused(move |talk| {
                talk.request();
                talk.send(garbage);
                talk.more();
            }),
            502,
            "{garbage:?}"
        );
    }
    let large = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(
        refused(move |talk| {
            talk.request();
            talk.send(&large);
            talk.more();
        }),
        502
    );
}

#[test]
fn it_says_nothing_in_time() {
    let short = Duration::from_millis(300);
    for part in ["", "HTTP/1.1 200"] {
        let talk = move |talk: &mut Talk| {
            talk.request();
            talk.send(part);
            talk.more();
        };
        let (time, status) = timed(|| refusal(answer_within(short, talk)));
        assert!(
            status == 504 && time >= short && time < PATIENCE / 2,
            "{time:?}"
        );
    }
}

#[test]
fn interim_answers_are_for_nobody_behind_the_guard() {
    let (answer, _) = answer_of(|talk| {
        talk.request();
        talk.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
        talk.send(OK);
        talk.more();
    });
    let answer = answer.unwrap();
    assert_eq!(
        (
            answer.status,
            answer.text().as_str(),
            answer.all("link").len()
        ),
        (200, "ok", 0)
    );
}

#[test]
fn bytes_behind_an_answer_are_given_to_nobody() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        while talk.request().is_some() {
            talk.send(format!(
                "{OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            ));
        }
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for _ in 0..5 {
        assert_eq!(client.ask(get("/read/a")).text(), "ok");
    }
    assert_eq!(
        upstream.bytes().len(),
        5,
        "no such connection was used again"
    );
    // Bytes that come later, on a connection that is idle by then.
    let said = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&said);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        while talk.request().is_some() {
            talk.send(OK);
            std::thread::sleep(Duration::from_millis(30));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for number in 1..=3 {
        assert_eq!(client.ask(get("/read/a")).text(), "ok");
        assert!(eventually(|| said.load(Ordering::SeqCst) == number));
    }
    assert_eq!(upstream.bytes().len(), 3);
}

#[test]
fn an_answer_that_ends_with_its_connection() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nX-Powered-By: PHP\r\nServer: a\r\n\r\nhello");
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for _ in 0..2 {
        let answer = client.ask(get("/read/a"));
        assert_eq!(
            (answer.one("transfer-encoding"), answer.text().as_str()),
            ("chunked", "hello")
        );
        assert!(
            answer.is_whole
                && answer.all("server").is_empty()
                && answer.all("x-powered-by").is_empty()
        );
    }
    let old = gate
        .client()
        .ask(get("/read/a").replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!((old.text().as_str(), old.closes()), ("hello", true));
    assert!(old.all("transfer-encoding").is_empty() && old.all("content-length").is_empty());
}
