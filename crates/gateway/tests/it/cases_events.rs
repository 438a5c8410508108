//! Cases 109 to 111: what is written down is one line an event with nothing of the request's text in it, and nothing of
//! the guard's inside can be asked for through its public port.

use std::io::Cursor;

use portcullis_guard::store::StoreError;
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::{MemoryOptions, MemoryStore};

use crate::support::{Gate, Setup, Upstream, get, post};

/// The events of a gateway that has ended: all of them read back, in one chain.
fn lines(gate: Gate) -> Vec<String> {
    let text = gate.events();
    let verified = portcullis_state::events::verify(Cursor::new(&text)).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(u64::try_from(lines.len()).unwrap(), verified.lines);
    lines
}

const ALL: &str = "[events]\nrecord = \"all\"\n";

#[test]
fn case_109_no_byte_of_a_request_is_written_raw() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).and(ALL).start();
    let marks = [
        "\r\nINJECTED: 1",
        "\nINJECTED {\"a\":1}",
        "\u{1b}[31mINJECTED",
        "\u{202e}INJECTED",
        "\0INJECTED",
        "\"INJECTED\\",
    ];
    for mark in marks {
        for request in [
            format!("{mark} / HTTP/1.1\r\nHost: victim.test\r\n\r\n"),
            format!("GET /read/{mark} HTTP/1.1\r\nHost: victim.test\r\n\r\n"),
            format!("GET /read/%0d%0aINJECTED{mark} HTTP/1.1\r\nHost: victim.test\r\n\r\n"),
            format!("GET /read/a?{mark} HTTP/1.1\r\nHost: victim.test\r\n\r\n"),
            format!("GET /read/a HTTP/1.1\r\nHost: {mark}\r\n\r\n"),
            format!("GET /read/a HTTP/1.1\r\nHost: victim.test\r\nUser-Agent: {mark}\r\n\r\n"),
            format!(
                "GET /read/a HTTP/1.1\r\nHost: victim.test\r\nX-Request-Id: {mark}\r\ntraceparent: {mark}\r\n\r\n"
            ),
            format!(
                "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: {mark}\r\nContent-Length: 0\r\n\r\n"
            ),
        ] {
            let mut client = gate.client();
            client.try_send(&request);
            client.finish().answers();
        }
    }
    let lines = lines(gate);
    assert!(lines.len() > 10);
    for line in &lines {
        assert!(line.is_ascii() && !line.contains("INJECTED"), "{line}");
        assert!(!line.chars().any(char::is_control), "{line}");
    }
}

#[test]
fn case_110_no_address_query_or_credential_is_written() {
    let upstream = Upstream::ok();
    let fault = Fault::Error(StoreError::Unreachable(
        "redis://portcullis:SECRET@10.9.8.7:6379/0".to_owned(),
    ));
    let memory = MemoryStore::new(MemoryOptions::default()).unwrap();
    let store = std::sync::Arc::new(FaultyStore::new(memory, [], fault));
    let gate = Setup::simple(&upstream)
        .and(ALL)
        .store(store)
        .admin()
        .start();
    let secrets = "Authorization: Bearer SECRET\r\nCookie: sid=SECRET\r\nX-Api-Key: SECRET\r\nReferer: https://a.example.com/?SECRET\r\nUser-Agent: SECRET\r\n";
    let mut answers = Vec::new();
    for line in [
        "GET /read/SECRET?token=SECRET",
        "GET /SECRET?token=SECRET",
        "GET /read//SECRET",
        "GET http://user:SECRET@victim.test/read/a",
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: victim.test\r\n{secrets}\r\n");
        answers.push(gate.client().ask(request).text());
    }
    let with_body =
        post("/form", "{\"password\":\"SECRET\"}").replacen("\r\n", &format!("\r\n{secrets}"), 1);
    answers.push(gate.client().ask(with_body).text());
    answers.push(
        gate.admin()
            .ask("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            .text(),
    );
    let said = gate.said();
    let lines = lines(gate);
    assert!(lines.len() >= 5);
    for text in lines.iter().chain(&answers).chain(&said) {
        for mark in ["SECRET", "redis://", "10.9.8.7", "127.0.0.1", "token="] {
            assert!(!text.contains(mark), "{mark}: {text}");
        }
    }
}

#[test]
fn case_111_nothing_of_the_inside_is_at_the_public_port() {
    let upstream = Upstream::ok();
    let every = "[[route]]\npath = \"/{rest...}\"\nmethods = [\"GET\"]\ntype = \"public_read\"\n";
    let paths = [
        "/live",
        "/ready",
        "/metrics",
        "/policy",
        "/debug/pprof",
        "/debug/vars",
        "/config_dump",
        "/stats",
        "/.portcullis/metrics",
        "/.portcullis/debug",
    ];
    let gate = Setup::simple(&upstream).admin().start();
    for path in paths {
        assert_eq!(gate.client().ask(get(path)).status, 404, "{path}");
    }
    assert!(upstream.requests().is_empty());
    // Where the policy gives such a path to the application, it is the application's; `/.portcullis/` is nobody's.
    let gate = Setup::simple(&upstream).and(every).admin().start();
    for path in paths {
        let answer = gate.client().ask(get(path));
        if path.starts_with("/.portcullis") {
            assert_eq!(answer.status, 404, "{path}");
        } else {
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, "ok"),
                "{path}"
            );
        }
    }
    assert_eq!(upstream.requests().len(), 8);
}

#[test]
fn case_26_111_the_admin_listener_is_asked_by_address() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).admin().start();
    let ask = |path: &str, host: &str| {
        gate.admin()
            .ask(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
            .status
    };
    for host in [
        "127.0.0.1",
        "127.0.0.1:9901",
        "[::1]",
        "localhost",
        "localhost:9901",
    ] {
        for path in ["/live", "/ready", "/metrics", "/policy"] {
            assert_eq!(ask(path, host), 200, "{path} {host}");
        }
        assert_eq!(ask("/read/a", host), 404);
    }
    // A page whose name leads here asks by its name (DNS rebinding).
    for host in [
        "evil.example.com",
        "127.0.0.1.evil.example.com",
        "victim.test",
        "localhost.evil.example.com",
        "a@127.0.0.1",
    ] {
        assert_eq!(ask("/policy", host), 421, "{host}");
    }
    assert_eq!(
        gate.admin()
            .ask("POST /live HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
            .status,
        405
    );
    assert_eq!(gate.admin().ask("GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n").status, 400);
    assert!(upstream.requests().is_empty());
}

#[test]
fn chunks_over_a_bound_that_is_only_watched_are_told_of_once() {
    let upstream = Upstream::ok();
    let policy = crate::support::simple(&[upstream.address()]);
    let watched = "\n[[except]]\nroute = \"POST /form\"\nlacks = \"body_limit\"\nbecause = \"measured first\"\nowner = \"web\"\nuntil = 2999-12-31\nshadow = true\n";
    let small = policy.replace("8 MiB", "1 KiB");
    let gate = Setup::new(small + watched).start();
    let head = "POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    for chunks in [1, 3] {
        let body = chunk.repeat(chunks) + "0\r\n\r\n";
        let mut client = gate.client();
        assert_eq!(client.ask(format!("{head}{body}")).status, 200);
    }
    let told: Vec<String> = lines(gate);
    let watched = told
        .iter()
        .filter(|line| line.contains("\"shadow_refused\"") && line.contains("body_too_large"));
    assert_eq!(watched.count(), 1, "{told:#?}");
}

#[test]
fn every_refusal_is_counted_to_the_last() {
    for drains in [false, true] {
        let upstream = Upstream::ok();
        let gate = Setup::simple(&upstream).start();
        let mut client = gate.client();
        for _ in 0..25 {
            assert_eq!(client.ask(get("/nothing")).status, 404);
        }
        let text = if drains {
            gate.drained_events()
        } else {
            gate.events()
        };
        let counts = text.lines().map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(event["reason"], "route_unknown");
            event["count"].as_u64().unwrap()
        });
        assert_eq!(counts.sum::<u64>(), 25, "{text}");
    }
}
