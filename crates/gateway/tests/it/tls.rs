//! Clients who come in TLS get what others get, and nothing is lost or doubled on the way.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use portcullis_gateway::Live;
use portcullis_guard::plan::Plan;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion};

use crate::support::{Client, Gate, Made, PATIENCE, Setup, Upstream, eventually, get, post, timed};

/// A gate that speaks TLS before an application, and a client's configuration for it.
fn secured(upstream: &Upstream) -> (Gate, Arc<ClientConfig>) {
    let made = Made::new();
    let tls = made.tls();
    let setup = Setup::simple(upstream).with(move |live| live.tls = Some(tls.clone()));
    (setup.start(), made.client(&[&TLS13, &TLS12], &["http/1.1"]))
}

fn client(gate: &Gate, config: &Arc<ClientConfig>) -> Client {
    Client::secure(gate.address(), config, "victim.test").unwrap()
}

#[test]
fn both_versions_are_spoken_and_the_application_knows_that_it_was_tls() {
    let upstream = Upstream::ok();
    let made = Made::new();
    let tls = made.tls();
    let gate = Setup::simple(&upstream)
        .with(move |live| live.tls = Some(tls.clone()))
        .start();
    for (version, name) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        for protocols in [&["h2", "http/1.1"][..], &[]] {
            let mut client = client(&gate, &made.client(&[version], protocols));
            for _ in 0..3 {
                let answer = client.ask(get("/read/a"));
                assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
            }
            assert_eq!(client.tls().protocol_version(), Some(name));
            let chosen = client.tls().alpn_protocol();
            assert_eq!(chosen.is_some(), !protocols.is_empty());
            assert!(chosen.is_none_or(|chosen| chosen == b"http/1.1"));
        }
    }
    let requests = upstream.requests();
    assert_eq!(requests.len(), 12);
    for request in &requests {
        assert_eq!(request.one("x-forwarded-proto"), "https");
    }
}

#[test]
fn what_is_not_spoken_is_no_handshake() {
    let upstream = Upstream::ok();
    let made = Made::new();
    let tls = made.tls();
    let gate = Setup::simple(&upstream)
        .with(move |live| live.tls = Some(tls.clone()))
        .admin()
        .start();
    let h2 = made.client(&[&TLS13], &["h2"]);
    assert!(Client::secure(gate.address(), &h2, "victim.test").is_err());
    // A certificate of another name, and another certificate of the same name: clients see which it is.
    let ours = made.client(&[&TLS13], &[]);
    assert!(Client::secure(gate.address(), &ours, "other.test").is_err());
    let theirs = Made::new().client(&[&TLS13], &[]);
    assert!(Client::secure(gate.address(), &theirs, "victim.test").is_err());
    let failed = || {
        let metrics = gate
            .admin()
            .ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        metrics
            .text()
            .contains("portcullis_handshake_failed_total 3")
    };
    assert!(eventually(failed));
    assert_eq!(client(&gate, &ours).ask(get("/read/a")).status, 200);
}

#[test]
fn large_bodies_pass_whole_both_ways() {
    let upstream = Upstream::by_request(|request| {
        let body = &request.body;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    });
    let (gate, config) = secured(&upstream);
    let mut client = client(&gate, &config);
    for bytes in [0, 1, 16_384, 16_385, 3_000_000] {
        let body: String = (0..bytes)
            .map(|at| char::from(b"abcdefghijklmnopqrs"[at % 19]))
            .collect();
        let answer = client.ask(post("/form", &body));
        assert_eq!(answer.status, 200);
        assert!(answer.body == body.as_bytes(), "{bytes}");
    }
    // In pieces that are no records of their own, and after a word of the guard's.
    client.send("POST /form HTTP/1.1\r\nHost: victim.test\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.answer().status, 100);
    for part in ["a", "bc", "d"] {
        client.send(part);
    }
    assert_eq!(client.answer().text(), "abcd");
}

#[test]
fn heads_come_in_any_pieces_and_several_at_once() {
    let upstream = Upstream::ok();
    let (gate, config) = secured(&upstream);
    let mut client = client(&gate, &config);
    for byte in get("/read/a").as_bytes() {
        client.send([*byte]);
    }
    assert_eq!(client.answer().status, 200);
    client.send(get("/read/b").repeat(5));
    for _ in 0..5 {
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(upstream.requests().len(), 6);
}

#[test]
fn the_end_is_said_and_a_cut_is_none() {
    let upstream = Upstream::talking(|talk| {
        while let Some(request) = talk.request() {
            if request.line.contains("/cut") {
                talk.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf");
                return;
            }
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let (gate, config) = secured(&upstream);
    let closing = get("/read/a").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let mut ended = client(&gate, &config);
    assert_eq!(ended.ask(closing).status, 200);
    assert!(ended.is_ended() && !ended.is_cut());
    let mut refused = client(&gate, &config);
    assert_eq!(refused.ask("no request\r\n\r\n").status, 400);
    assert!(refused.is_ended() && !refused.is_cut());
    let mut cut = client(&gate, &config);
    let answer = cut.ask(get("/read/cut"));
    assert!(!answer.is_whole && cut.is_ended() && cut.is_cut());
}

#[test]
fn who_has_said_all_still_hears_the_answer() {
    let upstream = Upstream::talking(|talk| {
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        std::thread::sleep(Duration::from_millis(300));
        talk.send("1\r\nb\r\n0\r\n\r\n");
    });
    let (gate, config) = secured(&upstream);
    let mut client = client(&gate, &config);
    client.send(get("/read/a")).finish();
    let answer = client.answer();
    assert!(answer.is_whole);
    assert_eq!(answer.text(), "ab");
}

#[test]
fn a_stream_ends_when_its_reader_has_gone() {
    let upstream = Upstream::talking(|talk| {
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        while talk.more() {}
    });
    let (gate, config) = secured(&upstream);
    let mut client = client(&gate, &config);
    client.send(get("/read/a")).wait_for(b"1\r\na\r\n");
    assert_eq!(gate.gateway().busy(), 1);
    drop(client);
    let (time, ended) = timed(|| eventually(|| gate.gateway().busy() == 0));
    assert!(ended && time < PATIENCE / 2, "{time:?}");
}

#[test]
fn another_certificate_is_shown_to_who_comes_next() {
    let upstream = Upstream::ok();
    let (gate, before) = secured(&upstream);
    let mut old = client(&gate, &before);
    let next = Made::new();
    let live = gate.gateway().live();
    gate.gateway().replace(Live {
        tokens: None,
        mint: None,
        plan: Plan::closed(),
        settings: live.settings.clone(),
        upstreams: Arc::clone(&live.upstreams),
        upstreams_generation: live.upstreams_generation,
        record: live.record,
        tls: Some(next.tls()),
        generation: live.generation + 1,
    });
    assert!(Client::secure(gate.address(), &before, "victim.test").is_err());
    let config = next.client(&[&TLS13], &[]);
    // Nothing is let through by an empty plan, which is an answer in TLS all the same.
    assert_eq!(client(&gate, &config).ask(get("/read/a")).status, 421);
    assert_eq!(old.ask(get("/read/a")).status, 421);
}

/// Programs that share no code with us agree that it is TLS.
#[test]
fn curl_and_openssl_speak_with_it() {
    let upstream = Upstream::ok();
    let made = Made::new();
    let tls = made.tls();
    let gate = Setup::simple(&upstream)
        .with(move |live| live.tls = Some(tls.clone()))
        .start();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("made.pem");
    std::fs::write(&trusted, made.pem()).unwrap();
    let port = gate.address().port();
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--cacert"])
        .arg(&trusted)
        .args(["--resolve", &format!("victim.test:{port}:127.0.0.1")])
        .args(["--header", "Host: victim.test"])
        .arg(format!("https://victim.test:{port}/read/a"))
        .output();
    match curl {
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "ok", "{told}");
        }
        Err(error) => writeln!(std::io::stderr(), "skipped: curl: {error}").unwrap(),
    }
    for (version, is_spoken) in [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false)] {
        let openssl = Command::new("openssl")
            .args([
                "s_client",
                version,
                "-brief",
                "-verify_return_error",
                "-CAfile",
            ])
            .arg(&trusted)
            .args(["-servername", "victim.test", "-connect"])
            .arg(gate.address().to_string())
            .stdin(std::process::Stdio::null())
            .output();
        match openssl {
            Ok(output) => assert_eq!(output.status.success(), is_spoken, "{version}: {output:?}"),
            Err(error) => writeln!(std::io::stderr(), "skipped: openssl: {error}").unwrap(),
        }
    }
}
