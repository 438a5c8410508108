//! Fields that a gateway writes itself and fields that it leaves alone, in requests and answers.

use crate::support::{Setup, Upstream, get};

#[test]
fn every_request_has_one_id_and_one_trace_context() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let lines = [
        String::new(),
        format!("traceparent: {good}\r\ntracestate: a=b\r\n"),
        format!("traceparent: {good}\r\ntraceparent: {good}\r\ntracestate: a=b\r\n"),
        "traceparent: nonsense\r\ntracestate: a=b\r\n".to_owned(),
        "X-Request-Id: mine\r\nx_request_id: mine\r\n".to_owned(),
    ];
    let ids: Vec<String> = lines
        .iter()
        .map(|lines| client.ask(get("/read/a").replace("\r\n\r\n", &format!("\r\n{lines}\r\n"))))
        .map(|answer| answer.one("x-request-id").to_owned())
        .collect();
    let requests = upstream.requests();
    for (number, request) in requests.iter().enumerate() {
        assert_eq!(
            request.one("x-request-id"),
            ids[number],
            "the client is told the same"
        );
        assert_eq!(
            (ids[number].len(), request.all("x_request_id").len()),
            (32, 0)
        );
        let parent = request.one("traceparent");
        let goes_on = number == 1;
        assert_eq!(
            (parent == good, request.all("tracestate").len()),
            (goes_on, usize::from(goes_on))
        );
        assert!(goes_on || parent.contains(&ids[number]), "{parent}");
    }
    let mut told_apart = ids;
    told_apart.sort();
    told_apart.dedup();
    assert_eq!(told_apart.len(), 5);
}

#[test]
fn what_is_between_browser_and_application_arrives_as_it_was() {
    let answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nContent-Disposition: attachment; filename=\"\xe9.txt\"\r\nServer: nginx\r\nX-Powered-By: Express\r\nX-AspNet-Version: 4\r\nPortcullis-Session: a\r\nX-Accel-Redirect: /b\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok";
    let upstream = Upstream::answering(*answer);
    let gate = Setup::simple(&upstream).start();
    let mut request = get("/read/a").into_bytes();
    request.truncate(request.len() - 2);
    let lines = "Cookie: sid=1; a=b\r\nAccept: text/html\r\naccept: application/json\r\nAuthorization: Bearer \u{e9}\r\nRSC: 1\r\nX-Empty:\r\n\r\n";
    request.extend_from_slice(lines.as_bytes());
    let answer = gate.client().ask(request);
    assert_eq!(answer.all("set-cookie"), ["a=1; Path=/", "b=2"]);
    assert_eq!(
        answer.one("content-disposition"),
        "attachment; filename=\"\u{fffd}.txt\""
    );
    for name in [
        "server",
        "x-powered-by",
        "x-aspnet-version",
        "portcullis-session",
        "x-accel-redirect",
        "keep-alive",
    ] {
        assert!(answer.all(name).is_empty(), "{name}");
    }
    let request = upstream.requests().remove(0);
    assert_eq!(request.all("accept"), ["text/html", "application/json"]);
    assert_eq!(
        (
            request.one("cookie"),
            request.one("rsc"),
            request.one("x-empty")
        ),
        ("sid=1; a=b", "1", "")
    );
    assert_eq!(request.one("authorization"), "Bearer \u{e9}");
}
