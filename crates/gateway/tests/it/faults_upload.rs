//! An application that fails or answers while the body of a request is on its way to it.

use std::time::Duration;

use crate::support::{PATIENCE, Setup, Talk, Upstream, eventually, get, post, split, timed};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn an_interim_answer_does_not_end_the_body_of_a_request() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.head();
        // In two parts, so that one look sees half of it.
        talk.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n");
        talk.more();
        talk.send("\r\nHTTP/1.1 102 Processing\r\n\r\n");
        if talk.request().is_some() {
            talk.send(OK);
        }
    });
    let gate = Setup::simple(&upstream).start();
    let request = post("/form", &"x".repeat(300_000));
    let mut client = gate.client();
    for part in request.as_bytes().chunks(100_000) {
        client.send(part);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(client.answer().text(), "ok");
    assert_eq!(upstream.requests()[0].body.len(), 300_000);
}

#[test]
fn it_answers_before_it_has_the_body() {
    for closes in [true, false] {
        let upstream = Upstream::talking(move |talk: &mut Talk| {
            talk.head();
            talk.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
            while !closes && talk.more() {}
        });
        let gate = Setup::simple(&upstream).start();
        let mut client = gate.client();
        client.send("POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nContent-Length: 4194304\r\n\r\n");
        let part = vec![b'x'; 64 * 1024];
        for _ in 0..16 {
            client.try_send(&part);
        }
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.closes(), answer.text().as_str()),
            (413, true, "big")
        );
        // Behind an unread body nothing is read as a request.
        client.try_send(get("/read/hidden"));
        assert!(client.finish().is_ended());
        assert!(eventually(|| gate.gateway().busy() == 0));
        assert_eq!(upstream.bytes().len(), 1);
        assert!(split(&upstream.bytes()[0]).0.is_empty());
    }
}

#[test]
fn it_goes_away_within_the_body_of_a_request() {
    for resets in [true, false] {
        let upstream = Upstream::talking(move |talk: &mut Talk| {
            talk.head();
            if resets {
                talk.reset();
            }
        });
        let gate = Setup::simple(&upstream).start();
        let mut client = gate.client();
        client.send("POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nContent-Length: 4194304\r\n\r\n");
        for _ in 0..16 {
            client.try_send(vec![b'x'; 64 * 1024]);
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (502, true));
        assert_eq!(upstream.bytes().len(), 1, "a POST is never sent twice");
    }
}

#[test]
fn it_never_reads_the_body() {
    let upstream = Upstream::talking(|_: &mut Talk| std::thread::sleep(PATIENCE));
    let gate = Setup::simple(&upstream)
        .with(|live| live.settings.body_timeout = Duration::from_millis(300))
        .start();
    let mut client = gate.client();
    client.send("POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nContent-Length: 8388608\r\n\r\n");
    let mut sender = client.stream().try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        use std::io::Write as _;
        drop(sender.write_all(&vec![b'x'; 8 << 20]));
    });
    let (time, answer) = timed(|| client.answer());
    assert_eq!((answer.status, answer.closes()), (504, true));
    assert!(time < PATIENCE / 2, "{time:?}");
    drop(client);
    sending.join().unwrap();
}
