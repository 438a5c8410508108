//! Case 60: who is slow, and who never comes to an end: every wait has its end, and others are served meanwhile.

use std::time::Duration;

use portcullis_gateway::Live;

use crate::support::{
    Client, Gate, PATIENCE, Setup, Upstream, eventually, get, post, split, timed,
};

const SHORT: Duration = Duration::from_millis(300);

/// Far less than the waits that are not shortened.
const SOON: Duration = Duration::from_secs(3);

fn guarded(change: impl Fn(&mut Live) + Send + Sync + 'static) -> (Gate, Upstream) {
    let upstream = Upstream::ok();
    (Setup::simple(&upstream).with(change).start(), upstream)
}

/// Sends byte after byte, until the other side has had enough.
fn drip(client: &mut Client, bytes: &str) {
    for byte in bytes.as_bytes() {
        if !client.try_send([*byte]) || !client.is_silent_for(Duration::from_millis(40)) {
            return;
        }
    }
    panic!("all of it was taken");
}

#[test]
fn case_60_a_head_that_drips() {
    let (gate, upstream) = guarded(|live| live.settings.head_timeout = SHORT);
    let mut client = gate.client();
    let (time, answer) = timed(|| {
        drip(&mut client, &get("/read/a"));
        client.answer()
    });
    assert_eq!((answer.status, answer.closes()), (408, true));
    assert!(time >= SHORT && time < SOON, "{time:?}");
    // Of a second head on the same connection the time is counted anew, and is no longer.
    let mut client = gate.client();
    assert_eq!(client.ask(get("/read/a")).status, 200);
    std::thread::sleep(SHORT);
    drip(&mut client, &get("/read/b"));
    assert_eq!(client.answer().status, 408);
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn case_60_a_body_that_drips() {
    let held = "[limits.login]\nrate = \"100 per 1m\"\nalgorithm = \"exact\"\nby = [\"ip\", \"body.email\"]\n[[route]]\npath = \"/login\"\nmethods = [\"POST\"]\ntype = \"auth_op\"\nlimits = [\"login\"]\n";
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .and(held)
        .with(|live| live.settings.body_timeout = SHORT)
        .start();
    for path in ["/form", "/login"] {
        let request = post(path, &"1".repeat(60));
        let (head, body) = request.split_at(request.len() - 60);
        let mut client = gate.client();
        client.send(head);
        let (time, answer) = timed(|| {
            drip(&mut client, body);
            client.answer()
        });
        assert_eq!((answer.status, answer.closes()), (408, true), "{path}");
        assert!(time >= SHORT && time < SOON, "{time:?}");
    }
    let chunked = "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = gate.client();
    client.send(chunked);
    drip(&mut client, &"1\r\nx\r\n".repeat(12));
    assert_eq!(client.answer().status, 408);
    for bytes in upstream.bytes() {
        assert!(split(&bytes).0.is_empty(), "none came to its end");
    }
}

#[test]
fn case_60_who_says_nothing() {
    let (gate, _upstream) = guarded(|live| live.settings.idle_timeout = SHORT);
    let mut silent = gate.client();
    let (time, ended) = timed(|| silent.is_ended());
    assert!(ended && time < SOON, "{time:?}");
    let mut idle = gate.client();
    assert_eq!(idle.ask(get("/read/a")).status, 200);
    let (time, ended) = timed(|| idle.is_ended());
    assert!(
        ended && time + Duration::from_millis(50) >= SHORT && time < SOON,
        "{time:?}"
    );
}

#[test]
fn case_60_a_reader_that_takes_nothing() {
    let big = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n".to_vec(),
        vec![b'x'; 32 << 20],
    ]
    .concat();
    let upstream = Upstream::by_request(move |request| {
        if request.line.contains("/big") {
            big.clone()
        } else {
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
        }
    });
    let gate = Setup::simple(&upstream)
        .with(|live| live.settings.write_timeout = SHORT)
        .start();
    let mut lazy = gate.client();
    socket2::SockRef::from(lazy.stream())
        .set_recv_buffer_size(4096)
        .unwrap();
    lazy.send(get("/read/big"));
    upstream.wait_for_heads(1);
    assert_eq!(
        gate.client().ask(get("/read/a")).status,
        200,
        "others are served"
    );
    let (time, ended) = timed(|| eventually(|| gate.gateway().busy() == 0));
    assert!(ended && time < SOON, "{time:?}");
}

#[test]
fn case_60_an_exchange_that_never_ends() {
    let upstream = Upstream::talking(|talk| {
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..PATIENCE.as_millis() / 20 {
            talk.send("1\r\nx\r\n");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let gate = Setup::simple(&upstream)
        .with(|live| live.settings.request_deadline = SHORT)
        .start();
    let (time, answer) = timed(|| gate.client().ask(get("/read/a")));
    assert!(
        !answer.is_whole && time >= SHORT && time < SOON,
        "{time:?} {answer:?}"
    );
}

#[test]
fn case_60_many_slow_ones_stop_nobody() {
    let (gate, upstream) = guarded(|_| {});
    let mut slow: Vec<Client> = (0..200).map(|_| gate.client()).collect();
    for client in &mut slow {
        client.send("GET /read/a HTTP/1.1\r\nHost: vic");
    }
    let (time, status) = timed(|| gate.client().ask(get("/read/b")).status);
    assert!(status == 200 && time < SOON, "{time:?}");
    for client in &mut slow {
        assert_eq!(client.ask("tim.test\r\n\r\n").status, 200);
    }
    assert_eq!(upstream.requests().len(), 201);
}
