//! The end: who has asked is answered, and who comes later finds nobody.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::{Client, PATIENCE, Setup, Talk, Upstream, eventually, get, timed};

#[test]
fn everybody_who_has_asked_is_answered() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        while talk.request().is_some() {
            wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = Setup::simple(&upstream).workers(2).admin().start();
    let (address, mut admin) = (gate.address(), gate.admin());
    let mut clients: Vec<Client> = (0..20).map(|_| gate.client()).collect();
    for client in &mut clients {
        client.send(get("/read/a"));
    }
    upstream.wait_for_heads(20);
    let draining = std::thread::spawn(move || timed(|| gate.drain(PATIENCE)));
    // From now on nobody is accepted, and who asks for its health is told.
    assert!(eventually(|| std::net::TcpStream::connect(address).is_err()));
    assert_eq!(
        admin
            .ask("GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            .status,
        503
    );
    for _ in 0..20 {
        go.send(()).unwrap();
    }
    for client in &mut clients {
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (200, true));
        assert!(client.is_ended());
    }
    let (time, answered) = draining.join().unwrap();
    assert!(answered && time < PATIENCE, "{time:?}");
}

#[test]
fn who_had_connected_before_is_answered() {
    let upstream = Upstream::ok();
    let gate = Setup::simple(&upstream).workers(2).start();
    let address = gate.address();
    let (answered, lost) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let has_begun = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Ok(mut client) = Client::try_connect(address) {
                    // Who connects in the very moment in which the listener is closed may find nobody.
                    let was_before = !has_begun.load(Ordering::SeqCst);
                    client.try_send(get("/read/a"));
                    match client.next(false) {
                        Some(answer) if answer.status == 200 => {
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        other if was_before => lost.lock().unwrap().push(other),
                        _ => {}
                    }
                }
            });
        }
        assert!(eventually(|| answered.load(Ordering::SeqCst) > 200));
        has_begun.store(true, Ordering::SeqCst);
        assert!(gate.drain(PATIENCE));
    });
    let lost = lost.into_inner().unwrap();
    println!("{} answered, {} lost", answered.into_inner(), lost.len());
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn who_never_ends_is_not_waited_for_longer_than_said() {
    let upstream = Upstream::talking(|talk: &mut Talk| {
        talk.request();
        talk.more();
    });
    let gate = Setup::simple(&upstream).start();
    let mut client = gate.client();
    client.send(get("/read/a"));
    upstream.wait_for_heads(1);
    let (time, answered) = timed(|| gate.drain(Duration::from_millis(200)));
    assert!(!answered && time < Duration::from_secs(3), "{time:?}");
    assert!(client.is_ended());
}
