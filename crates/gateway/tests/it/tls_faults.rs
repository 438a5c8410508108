//! What is no TLS, or never becomes it: nobody else waits for it, and it ends.

use std::time::Duration;

use rustls::version::TLS13;

use crate::support::{
    Client, Gate, Made, PATIENCE, Setup, Upstream, eventually, get, split, timed,
};

const SHORT: Duration = Duration::from_millis(300);

/// The begin of a record that promises a handshake of 512 bytes.
const BEGUN: [u8; 5] = [22, 3, 1, 2, 0];

struct Secured {
    gate: Gate,
    made: Made,
    upstream: Upstream,
}

fn secured(change: impl Fn(&mut portcullis_gateway::Live) + Send + Sync + 'static) -> Secured {
    let (upstream, made) = (Upstream::ok(), Made::new());
    let tls = made.tls();
    let gate = Setup::simple(&upstream)
        .with(move |live| {
            live.tls = Some(tls.clone());
            change(live);
        })
        .start();
    Secured {
        gate,
        made,
        upstream,
    }
}

impl Secured {
    fn is_served(&self) -> bool {
        let config = self.made.client(&[&TLS13], &[]);
        Client::secure(self.gate.address(), &config, "victim.test")
            .is_ok_and(|mut client| client.ask(get("/read/a")).status == 200)
    }
}

#[test]
fn http_in_the_clear_is_told_so_and_ends() {
    let secured = secured(|_| {});
    for request in [
        get("/read/a"),
        "p".to_owned(),
        "POST / HTTP/1.1\r\n".repeat(400),
    ] {
        let mut client = secured.gate.client();
        client.try_send(request);
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (400, true));
        assert!(answer.is_whole && client.is_ended());
    }
    assert!(secured.is_served());
    assert_eq!(secured.upstream.requests().len(), 1);
    let events = secured.gate.drained_events();
    assert!(events.contains("\"reason\":\"tls_expected\""), "{events}");
}

#[test]
fn garbage_ends_and_others_are_served() {
    let secured = secured(|live| live.settings.head_timeout = SHORT);
    let long = [BEGUN.to_vec(), vec![0xff; 512]].concat();
    let too_long = [&[22, 3, 1, 0xff, 0xff][..], &[0; 70_000]].concat();
    for garbage in [
        &b"\0\0\0\0\0\0\0\0"[..],
        b"\x16\x03",
        b"\x80\x2e\x01\x00\x02",
        &BEGUN,
        &long,
        &too_long,
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x17\x03\x03\x00\x05hello",
    ] {
        let mut client = secured.gate.client();
        client.try_send(garbage);
        client.finish();
        let (time, ended) = timed(|| eventually(|| !client_waits(&mut client)));
        assert!(ended && time < PATIENCE / 2, "{garbage:?} {time:?}");
    }
    assert!(secured.is_served());
    assert_eq!(
        secured.upstream.bytes().len(),
        1,
        "nothing of it came through"
    );
}

/// Whether the other side has not ended yet; an alert may come first.
fn client_waits(client: &mut Client) -> bool {
    let mut byte = [0; 64];
    let stream = client.stream();
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    match std::io::Read::read(&mut &*stream, &mut byte) {
        Ok(count) => count > 0,
        Err(error) => error.kind() != std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_handshake_that_drips_has_its_time_and_stops_nobody() {
    let secured = secured(|live| live.settings.head_timeout = Duration::from_secs(2));
    let mut slow: Vec<Client> = (0..100).map(|_| secured.gate.client()).collect();
    for (number, client) in slow.iter_mut().enumerate() {
        // A third says nothing at all.
        client.send(&BEGUN[..number % 3]);
    }
    let (time, served) = timed(|| secured.is_served());
    assert!(served && time < Duration::from_secs(2), "{time:?}");
    let (time, ()) = timed(|| {
        for client in &mut slow {
            assert!(client.is_ended());
        }
    });
    assert!(time < PATIENCE, "{time:?}");
    assert!(secured.is_served());
}

#[test]
fn a_handshake_counts_among_the_connections_of_its_peer() {
    let secured = secured(|live| live.settings.connections_per_ip_max = 3);
    let mut open: Vec<Client> = (0..3).map(|_| secured.gate.client()).collect();
    for client in &mut open {
        client.send(BEGUN);
    }
    let turned_away = || {
        let mut client = secured.gate.client();
        client.is_ended()
    };
    // In the clear nothing is said to who expects TLS.
    assert!(turned_away());
    drop(open);
    assert!(eventually(|| secured.is_served()));
}

#[test]
fn a_reader_that_takes_nothing_is_let_go() {
    let big = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n".to_vec(),
        vec![b'x'; 32 << 20],
    ]
    .concat();
    let upstream = Upstream::answering(big);
    let made = Made::new();
    let tls = made.tls();
    let gate = Setup::simple(&upstream)
        .with(move |live| {
            live.tls = Some(tls.clone());
            live.settings.write_timeout = SHORT;
        })
        .start();
    let config = made.client(&[&TLS13], &[]);
    let mut lazy = Client::secure(gate.address(), &config, "victim.test").unwrap();
    lazy.send(get("/read/big"));
    upstream.wait_for_heads(1);
    let (time, ended) = timed(|| eventually(|| gate.gateway().busy() == 0));
    assert!(ended && time < PATIENCE / 2, "{time:?}");
    for bytes in upstream.bytes() {
        assert_eq!(split(&bytes).0.len(), 1);
    }
}

#[test]
fn a_drain_waits_for_who_is_being_answered_in_tls() {
    let upstream = Upstream::talking(|talk| {
        talk.request();
        std::thread::sleep(SHORT);
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let made = Made::new();
    let tls = made.tls();
    let gate = Setup::simple(&upstream)
        .with(move |live| live.tls = Some(tls.clone()))
        .start();
    let config = made.client(&[&TLS13], &[]);
    let mut client = Client::secure(gate.address(), &config, "victim.test").unwrap();
    client.send(get("/read/a"));
    upstream.wait_for_heads(1);
    let asking = std::thread::spawn(move || (client.answer(), client.is_ended(), client.is_cut()));
    assert!(gate.drain(PATIENCE));
    let (answer, ended, cut) = asking.join().unwrap();
    assert_eq!((answer.status, ended, cut), (200, true, false));
}
