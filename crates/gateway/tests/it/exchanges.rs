//! Whole exchanges as RFC 9110 and 9112 have them: bodies both ways, `100 Continue`, answers without content, HTTP/1.0,
//! requests one behind the other.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::support::{Answer, PATIENCE, Setup, Talk, Upstream, get, post};

/// Bytes in which no part is like another.
fn varied(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(len)
    .collect()
}

fn in_chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

/// One that sends back what it gets: in chunks where it is asked to, else with a length.
fn echo() -> Upstream {
    Upstream::by_request(|request| {
        if request.all("x-chunks").is_empty() {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                request.body.len()
            );
            [head.as_bytes(), &request.body].concat()
        } else {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            [head.as_bytes(), &in_chunks(&request.body, 10_007)].concat()
        }
    })
}

#[test]
fn large_bodies_arrive_as_they_were_sent() {
    let upstream = echo();
    let gate = Setup::simple(&upstream).workers(2).start();
    let body = varied(3 << 20);
    for (up, down) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut head =
            "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\n"
                .to_owned();
        head.push_str(if down { "X-Chunks: 1\r\n" } else { "" });
        let sent = if up {
            head.push_str("Transfer-Encoding: chunked\r\n\r\n");
            in_chunks(&body, 4_099)
        } else {
            write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
            body.clone()
        };
        let mut client = gate.client();
        client.send(head).send(sent);
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(
            answer.is_whole && answer.body == body,
            "chunks up {up}, down {down}"
        );
        assert_eq!(answer.all("transfer-encoding").len(), usize::from(down));
        assert_eq!(client.ask(post("/form", "next")).text(), "next");
    }
    for request in upstream.requests() {
        assert!(request.body == body || request.body == b"next");
    }
}

#[test]
fn a_body_of_every_small_size_and_cut() {
    let upstream = echo();
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for len in 0..40 {
        let body = varied(len);
        let chunks = in_chunks(&body, 7);
        let head = "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let whole = [head.as_bytes(), &chunks].concat();
        // In three parts, cut somewhere in the head and in the body.
        let cuts = [len * 3, head.len() + chunks.len() * len / 40];
        client
            .send(&whole[..cuts[0]])
            .send(&whole[cuts[0]..cuts[1]])
            .send(&whole[cuts[1]..]);
        assert_eq!(client.answer().body, body);
    }
    assert_eq!(upstream.bytes().len(), 1);
}

#[test]
fn whoever_waits_for_a_word_gets_one() {
    let upstream = echo();
    let gate = Setup::simple(&upstream).start();
    let expecting = |kind: &str| {
        format!(
            "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: {kind}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
    };
    let mut client = gate.client();
    client.send(expecting("application/json"));
    assert_eq!(client.answer().status, 100, "go on");
    assert_eq!(client.ask("hello").text(), "hello");
    // What is refused is never asked for its body.
    client.send(expecting("image/png"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (415, true));
    assert!(client.finish().is_ended());
    // Who does not wait is told nothing.
    let answer = gate.client().ask(expecting("application/json") + "hello");
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    // HTTP/1.0 knows no such word (RFC 9110 §10.1.1).
    let old = expecting("application/json").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(gate.client().ask(old + "hello").status, 200);
    assert_eq!(
        gate.client()
            .ask(get("/read/a").replace("\r\n\r\n", "\r\nExpect: magic\r\n\r\n"))
            .status,
        417
    );
    for request in upstream.requests() {
        assert!(request.all("expect").is_empty());
    }
}

#[test]
fn answers_without_content() {
    let upstream = Upstream::by_request(|request| {
        let path = request.line.split(' ').nth(1).unwrap();
        match path {
            "/read/304" => {
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\nETag: \"a\"\r\n\r\n".into()
            }
            "/read/204" => "HTTP/1.1 204 No Content\r\n\r\n".into(),
            "/read/205" => "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n".into(),
            _ if request.line.starts_with("HEAD") => {
                "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".into()
            }
            _ => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
        }
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    for (path, status, length) in [
        ("/read/304", 304, vec!["100"]),
        ("/read/204", 204, vec![]),
        ("/read/205", 205, vec!["0"]),
    ] {
        let answer = client.ask(get(path));
        assert_eq!(
            (answer.status, answer.all("content-length")),
            (status, length)
        );
        assert_eq!(client.ask(get("/read/a")).text(), "ok", "behind {path}");
    }
    client.send(get("/read/a").replace("GET", "HEAD"));
    let answer = client.answer_to_head();
    assert_eq!((answer.status, answer.one("content-length")), (200, "100"));
    assert_eq!(client.ask(get("/read/a")).text(), "ok");
    // A refusal of HEAD has no content either.
    client.send(get("/nothing").replace("GET", "HEAD"));
    assert_eq!(client.answer_to_head().status, 404);
    assert_eq!(client.ask(get("/read/a")).text(), "ok");
    // 304, 204 and HEAD end by a rule and not by their framing: none of these connections is used again.
    assert_eq!(upstream.bytes().len(), 4);
}

#[test]
fn a_client_of_http10() {
    let upstream = Upstream::by_request(|_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_vec()
    });
    let gate = Setup::simple(&upstream).start();
    let old = get("/read/a").replace("HTTP/1.1", "HTTP/1.0");
    let answer = gate.client().ask(&old);
    assert_eq!(
        (
            answer.text().as_str(),
            answer.all("transfer-encoding").len(),
            answer.closes()
        ),
        ("ok", 0, true)
    );
    let kept = old.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
    let answer = gate.client().ask(&kept);
    assert_eq!(
        (answer.text().as_str(), answer.closes()),
        ("ok", true),
        "chunks are unknown to it"
    );
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).start();
    // Kept is a connection only where the answer says so, which ours never does.
    for request in [&old, &kept] {
        let mut client = gate.client();
        let answer = client.ask(request);
        assert_eq!((answer.text().as_str(), answer.closes()), ("ok", true));
        assert!(client.is_ended());
    }
    for request in upstream.requests() {
        assert!(request.line.ends_with(" HTTP/1.1"));
    }
}

#[test]
fn requests_one_behind_the_other_are_answered_in_their_order() {
    let upstream = Upstream::by_request(|request| {
        let line = request.line.clone() + &String::from_utf8_lossy(&request.body);
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}",
            line.len()
        )
        .into_bytes()
    });
    let gate = Setup::simple(&upstream).start();
    let mut all = String::new();
    for number in 0..100 {
        all += &match number % 4 {
            0 => get(&format!("/read/{number}")),
            1 => post("/form", &number.to_string()),
            2 => get("/nothing"),
            _ => post(
                "/nothing",
                "GET /read/hidden HTTP/1.1\r\nHost: victim.test\r\n\r\n",
            ),
        };
    }
    let mut client = gate.client();
    client.send(&all).finish();
    let answers: Vec<Answer> = client.answers();
    assert_eq!(answers.len(), 100);
    for (number, answer) in answers.iter().enumerate() {
        let expected = match number % 4 {
            0 => format!("GET /read/{number} HTTP/1.1"),
            1 => format!("POST /form HTTP/1.1{number}"),
            _ => String::new(),
        };
        assert_eq!(
            answer.status,
            if expected.is_empty() { 404 } else { 200 },
            "{number}"
        );
        assert!(expected.is_empty() || answer.text() == expected, "{number}");
    }
    assert_eq!(upstream.requests().len(), 50);
}

#[test]
fn a_client_that_goes_takes_its_request_with_it() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.head();
        while talk.more() {}
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    client.send("POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\nhalf");
    upstream.wait(|all| all.iter().any(|bytes| bytes.ends_with(b"half")));
    drop(client);
    // The application sees the end of the connection in the middle of the body, and nothing that looks whole.
    assert!(crate::support::eventually(|| gate.gateway().busy() == 0));
    let (whole, rest) = crate::support::split(&upstream.bytes()[0]);
    assert!(whole.is_empty() && rest.ends_with(b"half"));
}

#[test]
fn what_comes_in_parts_is_passed_on_in_parts() {
    // Each side goes on only when the other has got the part before.
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        talk.head();
        while !talk.seen().ends_with(b"first\r\n") && talk.more() {}
        talk.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n");
        wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        talk.send("3\r\nend\r\n0\r\n\r\n");
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    client.send("POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    client.wait_for(b"answer");
    go.send(()).unwrap();
    let answer = client.answer();
    // It was answered before its body was whole, so nothing can follow it.
    assert_eq!(
        (answer.text().as_str(), answer.closes()),
        ("answerend", true)
    );
}
