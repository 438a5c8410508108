//! Cases 47 to 52, 59, 61 and 63 to 65: what a running gateway makes of framing, and what then reaches the application.

use crate::support::{Client, Gate, Setup, Talk, Upstream, assert_normal, split};

const FORM: &str = "Host: victim.test\r\nContent-Type: application/x-www-form-urlencoded\r\n";

/// A POST to `/form` with some fields, and what follows its head.
fn post(fields: &str, rest: &str) -> String {
    format!("POST /form HTTP/1.1\r\n{FORM}{fields}\r\n{rest}")
}

/// A refusal of framing: one answer, nothing at the application, and the connection ends, whatever came behind.
fn is_refused(gate: &Gate, upstream: &Upstream, request: &str, status: u16) {
    let mut client = gate.client();
    client.send(request).send(post("Content-Length: 0\r\n", ""));
    let answers = client.answers();
    assert_eq!(answers.len(), 1, "{request:?}");
    assert_eq!(answers[0].status, status, "{request:?}");
    assert!(answers[0].closes(), "{request:?}");
    assert!(upstream.requests().is_empty(), "{request:?}");
}

fn guarded() -> (Gate, Upstream) {
    let upstream = Upstream::ok();
    (Setup::simple(&upstream).start(), upstream)
}

#[test]
fn case_47_length_and_chunks() {
    let (gate, upstream) = guarded();
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "transfer-encoding: CHUNKED\r\ncontent-length: 0\r\n",
        "Content_Length: 4\r\n",
        "Transfer.Encoding: chunked\r\n",
    ] {
        is_refused(&gate, &upstream, &post(fields, "0\r\n\r\n"), 400);
    }
}

#[test]
fn case_48_several_codings_and_codings_of_http10() {
    let (gate, upstream) = guarded();
    for fields in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
    ] {
        is_refused(&gate, &upstream, &post(fields, "0\r\n\r\n"), 400);
    }
    let old = post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0");
    is_refused(&gate, &upstream, &old, 400);
}

#[test]
fn case_49_a_length_is_digits() {
    let (gate, upstream) = guarded();
    for length in [
        "+5", "-5", "5 ", "0x5", "5.0", "5,5", "5, 5", "\u{ff15}", "5e0", "",
    ] {
        let fields = format!("Content-Length: {length}\r\n");
        let status = if length == "5 " { 200 } else { 400 };
        if status == 400 {
            is_refused(&gate, &upstream, &post(&fields, "hello"), status);
        }
    }
    let twice = "Content-Length: 5\r\nContent-Length: 5\r\n";
    is_refused(&gate, &upstream, &post(twice, "hello"), 400);
    let over = "Content-Length: 18446744073709551616\r\n";
    is_refused(&gate, &upstream, &post(over, "hello"), 400);
    // The spaces around a value are none of it (RFC 9110 §5.5), and zeros before a number change nothing.
    for length in ["5 ", " \t5", "0005"] {
        let fields = format!("Content-Length:{length}\r\n");
        assert_eq!(gate.client().ask(post(&fields, "hello")).status, 200);
    }
    for request in upstream.requests() {
        assert_normal(&request);
        assert_eq!(
            (request.one("content-length"), request.body.as_slice()),
            ("5", &b"hello"[..])
        );
    }
}

#[test]
fn case_50_bytes_behind_an_upgrade_are_a_request() {
    let (gate, upstream) = guarded();
    let smuggled = "GET /read/second HTTP/1.1\r\nHost: victim.test\r\n\r\n";
    for name in ["websocket", "h2c", "TLS/1.2"] {
        let first = format!(
            "GET /read/first HTTP/1.1\r\nHost: victim.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {name}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        );
        let mut client = gate.client();
        client.send(first + smuggled);
        assert_eq!((client.answer().status, client.answer().status), (200, 200));
    }
    let requests = upstream.requests();
    assert_eq!(requests.len(), 6);
    for request in &requests {
        // Nobody behind is asked for another protocol, so nobody can agree to one.
        assert_normal(request);
        assert!(request.all("http2-settings").is_empty());
    }
    assert!(
        requests[1].line.contains("/read/second"),
        "judged as a request of its own"
    );
}

#[test]
fn case_50_an_application_that_switches_unasked_is_refused() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.head();
        talk.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad");
        talk.more();
    });
    let gate = Setup::simple(&upstream).start();
    let answer = gate.client().ask(
        "GET /read/socket HTTP/1.1\r\nHost: victim.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert_eq!((answer.status, answer.all("upgrade")), (502, vec![]));
}

/// The answer to what is refused for its type before its body is read, on a connection on which something follows.
fn after_early_refusal(gate: &Gate, body: &str, chunked: bool) -> (Client, u16) {
    let framing = if chunked {
        "Transfer-Encoding: chunked".to_owned()
    } else {
        format!("Content-Length: {}", body.len())
    };
    let mut client = gate.client();
    client.send(format!(
        "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: image/png\r\n{framing}\r\n\r\n{body}"
    ));
    let status = client.answer().status;
    (client, status)
}

#[test]
fn case_51_an_unread_body_is_never_the_next_request() {
    let (gate, upstream) = guarded();
    let hidden = "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Length: 0\r\n\r\n";
    // It has arrived whole: it is taken off, and the connection goes on behind it.
    let (mut client, status) = after_early_refusal(&gate, hidden, false);
    assert_eq!(status, 415);
    assert_eq!(client.ask(post("Content-Length: 2\r\n", "hi")).status, 200);
    // It has not, or nobody has counted it: the connection ends.
    let chunks = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let (mut client, status) = after_early_refusal(&gate, &chunks, true);
    assert_eq!((status, client.finish().is_ended()), (415, true));
    let mut client = gate.client();
    client.send(format!(
        "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n{hidden}"
    ));
    assert_eq!(client.answer().status, 415);
    client.try_send(hidden.repeat(20));
    assert!(client.finish().is_ended());
    let requests = upstream.requests();
    assert_eq!(
        (requests.len(), requests[0].body.as_slice()),
        (1, &b"hi"[..])
    );
}

#[test]
fn case_52_extensions_bare_line_feeds_and_trailers() {
    let (gate, upstream) = guarded();
    let chunked = "Transfer-Encoding: chunked\r\n";
    for body in [
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n",
        "5\r\nhello\r\n0\n\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut client = gate.client();
        client.send(post(chunked, body)).finish();
        let answers = client.answers();
        assert_eq!(answers.len(), 1, "{body:?}");
        assert_eq!(
            (answers[0].status, answers[0].closes()),
            (400, true),
            "{body:?}"
        );
    }
    for line in [
        "Host: victim.test\n",
        "X: a\rb\r\n",
        "X: a\nTransfer-Encoding: chunked\r\n",
    ] {
        let mut client = gate.client();
        client.send(format!(
            "POST /form HTTP/1.1\r\n{FORM}Content-Length: 0\r\n{line}\r\n"
        ));
        assert_eq!(client.answers()[0].status, 400, "{line:?}");
    }
    // The heads were judged before the bodies came, so the application may have seen some begin. None was ever ended:
    // to who reads chunks these are broken uploads, and no request.
    for bytes in upstream.bytes() {
        let (whole, rest) = split(&bytes);
        assert!(whole.is_empty(), "{}", bytes.escape_ascii());
        if let Some(head) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            assert!(
                !rest[head + 4..].ends_with(b"0\r\n\r\n"),
                "{}",
                rest.escape_ascii()
            );
        }
    }
    assert_eq!(
        gate.client()
            .ask(post(chunked, "5\r\nhello\r\n0\r\n\r\n"))
            .status,
        200
    );
    let last = upstream.bytes().pop().unwrap();
    assert!(
        last.ends_with(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        "{}",
        last.escape_ascii()
    );
}

#[test]
fn case_59_copies_of_host_are_counted() {
    let (gate, upstream) = guarded();
    for line in ["Host: victim.test\r\n", "host: other.test\r\n", "HOST:\r\n"] {
        is_refused(
            &gate,
            &upstream,
            &post(&format!("{line}Content-Length: 0\r\n"), ""),
            400,
        );
    }
    let many = "Host: victim.test\r\n".repeat(90);
    is_refused(
        &gate,
        &upstream,
        &post(&format!("{many}Content-Length: 0\r\n"), ""),
        400,
    );
}

#[test]
fn case_61_a_body_over_the_bound_with_and_without_a_length() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream)
        .and("[[route]]\npath = \"/small\"\nmethods = [\"POST\"]\ntype = \"public_form\"\nbody = { max = \"16 B\" }\n")
        .start();
    let small = |fields: &str, rest: &str| post(fields, rest).replacen("/form", "/small", 1);
    let body = "x".repeat(17);
    // Said: refused by its head. Said falsely: what is behind the length is another request, and no body.
    assert_eq!(
        gate.client()
            .ask(small("Content-Length: 17\r\n", &body))
            .status,
        413
    );
    let mut client = gate.client();
    client.send(small("Content-Length: 16\r\n", &body)).finish();
    let answers = client.answers();
    assert_eq!(
        (answers[0].status, answers[1].status, answers.len()),
        (200, 400, 2)
    );
    // Not said: refused where the chunks pass the bound, and never ended at the application.
    for chunks in [
        format!("11\r\n{body}\r\n0\r\n\r\n"),
        format!("10\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", &"x".repeat(16)),
        "1\r\nx\r\n".repeat(17) + "0\r\n\r\n",
        "ffffffffffffffff\r\nx".to_owned(),
    ] {
        let mut client = gate.client();
        client
            .send(small("Transfer-Encoding: chunked\r\n", &chunks))
            .finish();
        let answers = client.answers();
        assert_eq!((answers.len(), answers[0].status), (1, 413), "{chunks}");
    }
    let whole: usize = upstream
        .bytes()
        .iter()
        .map(|bytes| split(bytes).0.len())
        .sum();
    assert_eq!(whole, 1, "the one of 16 bytes");
}
