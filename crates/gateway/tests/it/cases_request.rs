//! Cases 21, 22, 25 to 28, 31 to 39 and 45 as the application sees them: which requests reach it, and with which fields.

use crate::support::{Client, Request, Setup, Upstream, assert_normal};

/// What the application gets of a request with these lines, if it gets any; else the status of the refusal.
fn seen(setup: &dyn Fn(&Upstream) -> Setup, request: &str) -> Result<Request, u16> {
    let upstream = Upstream::ok();
    let gate = setup(&upstream).start();
    let answer = gate.client().ask(request);
    let mut requests = upstream.requests();
    requests.iter().for_each(assert_normal);
    match (answer.status, requests.pop()) {
        (200, Some(request)) if requests.is_empty() => Ok(request),
        (status, None) => Err(status),
        other => panic!("{other:?}"),
    }
}

/// The same of a GET with some lines in its head.
fn with_lines(setup: &dyn Fn(&Upstream) -> Setup, lines: &str) -> Result<Request, u16> {
    seen(
        setup,
        &format!("GET /read/a HTTP/1.1\r\nHost: victim.test\r\n{lines}\r\n"),
    )
}

/// This machine is a proxy before the guard.
fn behind_proxy(upstream: &Upstream) -> Setup {
    let text = crate::support::simple(&[upstream.address()]);
    Setup::new(format!(
        "trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\n{text}"
    ))
}

#[test]
fn case_21_connect_and_targets_without_a_path() {
    for (line, status) in [
        ("CONNECT victim.test:443 HTTP/1.1", 501),
        ("CONNECT /read/a HTTP/1.1", 501),
        ("TRACE /read/a HTTP/1.1", 501),
        ("GET victim.test HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET ? HTTP/1.1", 400),
        ("GET http://victim.test HTTP/1.1", 400),
        ("OPTIONS * HTTP/1.1", 404),
        ("GET  HTTP/1.1", 400),
        ("GET /read/a", 400),
    ] {
        let request = format!("{line}\r\nHost: victim.test\r\n\r\n");
        assert_eq!(seen(&Setup::simple, &request), Err(status), "{line}");
    }
}

#[test]
fn case_22_a_whole_address_and_another_host() {
    for target in [
        "http://other.test/read/a",
        "http://victim.test:81/read/a",
        "http://victim.test@other.test/read/a",
        "ftp://victim.test/read/a",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: victim.test\r\n\r\n");
        assert_eq!(seen(&Setup::simple, &request), Err(400), "{target}");
    }
    let request = "GET http://victim.test/read/a?b=c HTTP/1.1\r\nHost: VICTIM.test\r\n\r\n";
    let request = seen(&Setup::simple, request).unwrap();
    assert_eq!(
        (request.line.as_str(), request.one("host")),
        ("GET /read/a?b=c HTTP/1.1", "victim.test")
    );
}

#[test]
fn case_25_two_hosts() {
    assert_eq!(
        with_lines(&Setup::simple, "Host: victim.test\r\n"),
        Err(400)
    );
    assert_eq!(with_lines(&Setup::simple, "host: other.test\r\n"), Err(400));
    assert_eq!(
        seen(&Setup::simple, "GET /read/a HTTP/1.1\r\n\r\n"),
        Err(400)
    );
    assert_eq!(
        seen(
            &Setup::simple,
            "GET /read/a HTTP/1.1\r\nHost: victim.test, other.test\r\n\r\n"
        ),
        Err(400)
    );
}

#[test]
fn case_26_an_unknown_host_reaches_nothing() {
    for host in [
        "other.test",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "victim.test:8080",
        "victim.test.other.test",
        "xvictim.test",
    ] {
        let request = format!("GET /read/a HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(seen(&Setup::simple, &request), Err(421), "{host}");
    }
}

#[test]
fn case_27_28_what_others_say_of_the_address_is_not_passed_on() {
    let lines = "X-Forwarded-Uri: /admin\r\nX-Forwarded-Prefix: /admin\r\nX-Forwarded-Method: DELETE\r\nX-Forwarded-Path: /admin\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Server: evil\r\n";
    for setup in [&Setup::simple as &dyn Fn(&Upstream) -> Setup, &behind_proxy] {
        let request = with_lines(setup, lines).unwrap();
        for name in ["uri", "prefix", "method", "path", "port", "server"] {
            assert!(
                request.all(&format!("x-forwarded-{name}")).is_empty(),
                "{name}"
            );
        }
        assert_eq!(request.line, "GET /read/a HTTP/1.1");
    }
}

#[test]
fn case_31_forwarding_fields_that_stand_twice() {
    let believed = |upstream: &Upstream| {
        behind_proxy(upstream).and("\n[proxy]\nforwarded_host = true\nforwarded_proto = true\n")
    };
    let twice = "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n";
    assert_eq!(with_lines(&believed, twice), Err(400));
    let twice = "X-Forwarded-Host: victim.test\r\nX-Forwarded-Host: other.test\r\n";
    assert_eq!(with_lines(&believed, twice), Err(400));
    // From who is no proxy of ours, or is not believed that much, it is not even read.
    for setup in [&Setup::simple as &dyn Fn(&Upstream) -> Setup, &behind_proxy] {
        let request = with_lines(setup, twice).unwrap();
        assert_eq!(request.one("x-forwarded-host"), "victim.test");
    }
}

#[test]
fn case_32_identity_comes_from_the_guard_alone() {
    let lines = "Portcullis-Identity: admin\r\nportcullis-user: 1\r\nPORTCULLIS-IDENTITY: b\r\nPortcullis_Identity: c\r\nPortcullis.Identity: d\r\n";
    let request = with_lines(&Setup::simple, lines).unwrap();
    let is_ours =
        |(name, _): &&(String, String)| name.to_ascii_lowercase().starts_with("portcullis");
    assert_eq!(request.fields.iter().find(is_ours), None);
}

#[test]
fn case_33_34_other_separators_make_no_other_field() {
    let lines = "X_Forwarded_For: 1.2.3.4\r\nX.Forwarded.For: 1.2.3.4\r\nx_real_ip: 1.2.3.4\r\nX_Original_URL: /admin\r\nX.Rewrite.Url: /admin\r\n";
    let request = with_lines(&Setup::simple, lines).unwrap();
    assert_eq!(request.one("x-forwarded-for"), "127.0.0.1");
    let is_alias = |(name, value): &&(String, String)| {
        name.contains(['_', '.']) || value.contains("1.2.3.4") || value.contains("/admin")
    };
    assert_eq!(request.fields.iter().find(is_alias), None);
    for line in [
        "Content_Length: 5\r\n",
        "Transfer.Encoding: chunked\r\n",
        "HO_ST: a\r\n",
    ] {
        let expected = if line.starts_with("HO_ST") {
            None
        } else {
            Some(400)
        };
        assert_eq!(with_lines(&Setup::simple, line).err(), expected, "{line}");
    }
}

#[test]
fn case_35_a_limit_finds_its_field_in_any_letter_case() {
    let upstream = Upstream::ok();
    let limited = "[limits.key]\nrate = \"1 per 1h\"\nby = [\"header.x-key\"]\n[[route]]\npath = \"/keyed\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"key\"]\n";
    let gate = Setup::simple(&upstream).and(limited).start();
    let ask = |line: &str| {
        gate.client()
            .ask(format!(
                "GET /keyed HTTP/1.1\r\nHost: victim.test\r\n{line}\r\n"
            ))
            .status
    };
    assert_eq!(ask("X-Key: a\r\n"), 200);
    for line in ["x-key: a\r\n", "X-KEY: a\r\n", "x-Key:a \r\n"] {
        assert_eq!(ask(line), 429, "{line}");
    }
    assert_eq!(ask("x-key: a\r\nX-Key: b\r\n"), 400);
    assert_eq!(ask("x-key: b\r\n"), 200);
}

#[test]
fn case_36_nothing_changes_a_request_after_it_was_judged() {
    let lines = "x-middleware-subrequest: middleware\r\nX-Middleware-Rewrite: /admin\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\nX-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\nX-Method-Override: DELETE\r\nX-Invoke-Path: /admin\r\nX-Matched-Path: /admin\r\nX-Nonce: a\r\n";
    let request = with_lines(&Setup::simple, lines).unwrap();
    let names: Vec<&str> = request
        .fields
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Host",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Request-Id",
            "traceparent"
        ]
    );
    assert_eq!(request.line, "GET /read/a HTTP/1.1");
}

#[test]
fn case_37_private_words_of_proxies() {
    let lines = "X-Envoy-Internal: true\r\nX-Envoy-Original-Path: /admin\r\nX-Accel-Redirect: /etc\r\nX-Sendfile: /etc/passwd\r\nProxy: http://evil\r\nProxy-Authorization: Basic a\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5\r\nTE: trailers\r\n";
    let request = with_lines(&Setup::simple, lines).unwrap();
    assert_eq!(request.fields.len(), 6, "{request:?}");
}

#[test]
fn case_38_no_user_agent_is_a_way_in() {
    for agent in [
        "portcullis-health",
        "kube-probe/1.29",
        "ELB-HealthChecker/2.0",
        "GoogleHC/1.0",
        "Prometheus/2",
    ] {
        let request =
            format!("GET /admin HTTP/1.1\r\nHost: victim.test\r\nUser-Agent: {agent}\r\n\r\n");
        assert_eq!(seen(&Setup::simple, &request), Err(404), "{agent}");
        let rebound =
            format!("GET /read/a HTTP/1.1\r\nHost: other.test\r\nUser-Agent: {agent}\r\n\r\n");
        assert_eq!(seen(&Setup::simple, &rebound), Err(421), "{agent}");
    }
}

#[test]
fn case_39_the_left_end_of_the_list_buys_no_new_bucket() {
    let upstream = Upstream::ok();
    let limited = "[limits.few]\nrate = \"2 per 1h\"\n[[route]]\npath = \"/few\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"few\"]\n";
    let gate = behind_proxy(&upstream).and(limited).start();
    let ask = |client: &mut Client, list: &str| {
        client
            .ask(format!(
                "GET /few HTTP/1.1\r\nHost: victim.test\r\nX-Forwarded-For: {list}\r\n\r\n"
            ))
            .status
    };
    let mut client = gate.client();
    assert_eq!(ask(&mut client, "1.1.1.1, 203.0.113.9"), 200);
    assert_eq!(ask(&mut client, "2.2.2.2, 203.0.113.9, 10.1.2.3"), 200);
    for left in 3..20 {
        assert_eq!(ask(&mut client, &format!("{left}.1.1.1, 203.0.113.9")), 429);
    }
    assert_eq!(ask(&mut client, "203.0.113.10"), 200, "another client");
    for request in upstream.requests() {
        assert!(request.one("x-forwarded-for").starts_with("203.0.113."));
    }
}

#[test]
fn case_45_connection_takes_no_field_that_is_judged_by() {
    for name in [
        "Authorization",
        "Cookie",
        "X-Forwarded-For",
        "Portcullis-Identity",
        "X-Request-Id",
        "Content-Length",
        "Origin",
        "X-CSRF-Token",
        "Sec-Fetch-Site",
        "authori_zation",
    ] {
        let lines =
            format!("Authorization: Bearer a\r\nCookie: a=b\r\nConnection: close, {name}\r\n");
        let expected = if name == "authori_zation" {
            None
        } else {
            Some(400)
        };
        assert_eq!(with_lines(&Setup::simple, &lines).err(), expected, "{name}");
    }
    let lines = "Connection: x-hop, close\r\nX-Hop: 1\r\nX_Hop: 2\r\nX-Kept: 3\r\n";
    let request = with_lines(&Setup::simple, lines).unwrap();
    assert_eq!(
        (
            request.all("x-hop").len(),
            request.all("x_hop").len(),
            request.one("x-kept")
        ),
        (0, 0, "3")
    );
}
