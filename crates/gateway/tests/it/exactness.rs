//! How many pass: never one more than a limit says, however many ask at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Client, Gate, PATIENCE, Setup, Talk, Upstream, eventually, get, timed};

/// Asks so often on each of so many connections, from a few threads; the statuses, in the order of each connection.
fn asked(gate: &Gate, connections: usize, times: usize, request: &str) -> Vec<Vec<u16>> {
    const THREADS: usize = 8;
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let all = &all;
            scope.spawn(move || {
                let here = (0..connections).filter(|number| number % THREADS == thread);
                let mut clients: Vec<(Client, Vec<u16>)> =
                    here.map(|_| (gate.client(), Vec::new())).collect();
                for _ in 0..times {
                    // All at once, and then all answers: as many are on their way as there are connections.
                    for (client, _) in &mut clients {
                        client.send(request);
                    }
                    for (client, statuses) in &mut clients {
                        statuses.push(client.answer().status);
                    }
                }
                all.lock()
                    .unwrap()
                    .extend(clients.into_iter().map(|(_, statuses)| statuses));
            });
        }
    });
    all.into_inner().unwrap()
}

fn count(statuses: &[Vec<u16>], status: u16) -> usize {
    statuses
        .iter()
        .flatten()
        .filter(|one| **one == status)
        .count()
}

const ROUTE: &str = "[[route]]\npath = \"/limited\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"limited\"]\n";

#[test]
fn an_exact_limit_of_100_admits_100_of_10_000_over_64_connections() {
    let upstream = Upstream::ok();
    let limit = format!("[limits.limited]\nrate = \"100 per 1h\"\nalgorithm = \"exact\"\n{ROUTE}");
    let gate = Setup::simple(&upstream).and(&limit).workers(2).start();
    let statuses = asked(&gate, 64, 157, &get("/limited"));
    let total: usize = statuses.iter().map(Vec::len).sum();
    let (passed, refused) = (count(&statuses, 200), count(&statuses, 429));
    println!(
        "{total} requests over {} connections: {passed} admitted, {refused} refused",
        statuses.len()
    );
    assert_eq!(
        (statuses.len(), total, passed, refused),
        (64, 10_048, 100, 9_948)
    );
    assert_eq!(upstream.requests().len(), 100, "at the application");
}

#[test]
fn a_smooth_limit_admits_its_burst_and_what_is_earned() {
    let upstream = Upstream::ok();
    let limit = format!("[limits.limited]\nrate = \"50 per 1s\"\nburst = 20\n{ROUTE}");
    let gate = Setup::simple(&upstream).and(&limit).workers(2).start();
    let (time, statuses) = timed(|| asked(&gate, 16, 80, &get("/limited")));
    let passed = count(&statuses, 200);
    let most = 20 + usize::try_from(time.as_millis() * 50 / 1000).unwrap() + 1;
    println!("1,280 requests in {time:?}: {passed} admitted, at most {most}");
    assert!((20..=most).contains(&passed), "{passed} of {most}");
    assert_eq!(upstream.requests().len(), passed);
    // Once it is full again, the whole burst passes and no more than that and what came meanwhile.
    std::thread::sleep(Duration::from_millis(450));
    let (time, statuses) = timed(|| asked(&gate, 16, 2, &get("/limited")));
    let most = 20 + usize::try_from(time.as_millis() * 50 / 1000).unwrap() + 1;
    assert!((20..=most).contains(&count(&statuses, 200)), "{most}");
}

/// A limit of failures, before an application that refuses as long as it is told to.
fn failing(rate: &str) -> (Gate, Upstream, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&fails);
    let upstream = Upstream::by_request(move |request| {
        let status = match request.one("x-want") {
            "as-told" if told.load(Ordering::SeqCst) => "401",
            "as-told" => "200",
            other => other,
        };
        format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into_bytes()
    });
    let limit = format!(
        "[limits.\"default.public_read\"]\nrate = \"1000000 per 1s\"\n[limits.limited]\nrate = \"{rate}\"\nalgorithm = \"exact\"\ncounts = \"failures\"\n{ROUTE}"
    );
    let gate = Setup::simple(&upstream).and(&limit).workers(2).start();
    (gate, upstream, fails)
}

fn wanting(status: &str) -> String {
    format!("GET /limited HTTP/1.1\r\nHost: victim.test\r\nX-Want: {status}\r\n\r\n")
}

#[test]
fn of_a_limit_of_failures_what_succeeds_is_given_back() {
    let (gate, _upstream, _) = failing("3 per 1h");
    let mut client = gate.client();
    let mut ask = |status: &str| client.ask(wanting(status)).status;
    for _ in 0..5 {
        for status in ["200", "204", "301", "304"] {
            assert_eq!(ask(status).to_string(), status);
        }
    }
    for status in ["401", "200", "503", "301", "422"] {
        assert_eq!(ask(status).to_string(), status);
    }
    assert_eq!(ask("200"), 429, "three have failed");
}

#[test]
fn a_limit_of_failures_that_is_used_up_stays_shut_whoever_tries() {
    let (gate, upstream, _) = failing("3 per 1s\"\nlockout = \"5m");
    let mut client = gate.client();
    for status in ["401", "200", "401", "200", "401"] {
        assert_eq!(client.ask(wanting(status)).status.to_string(), status);
    }
    let reached = upstream.requests().len();
    for _ in 0..4 {
        // The window of a second is over after two of these, and the password may be right by now.
        std::thread::sleep(Duration::from_millis(600));
        let refused = client.ask(wanting("200"));
        assert_eq!(refused.status, 429);
        let wait: u64 = refused.one("retry-after").parse().unwrap();
        assert!((290..=300).contains(&wait), "{wait}");
    }
    assert_eq!(upstream.requests().len(), reached, "at the application");
}

#[test]
fn parallel_failures_never_exceed_their_limit() {
    let (gate, upstream, fails) = failing("10 per 1h");
    let statuses = asked(&gate, 32, 10, &wanting("as-told"));
    assert_eq!((count(&statuses, 401), count(&statuses, 429)), (10, 310));
    assert_eq!(upstream.requests().len(), 10);
    fails.store(false, Ordering::SeqCst);
    assert_eq!(
        gate.client().ask(wanting("as-told")).status,
        429,
        "until the window is over"
    );
}

#[test]
fn parallel_successes_leave_nothing_counted() {
    let (gate, upstream, fails) = failing("10 per 1h");
    fails.store(false, Ordering::SeqCst);
    let statuses = asked(&gate, 8, 100, &wanting("as-told"));
    assert_eq!(count(&statuses, 200) + count(&statuses, 429), 800);
    assert_eq!(upstream.requests().len(), count(&statuses, 200));
    // What is given back is given back when the exchange is over, and can be had again.
    assert!(eventually(|| gate.gateway().busy() == 0));
    fails.store(true, Ordering::SeqCst);
    let statuses = asked(&gate, 32, 2, &wanting("as-told"));
    assert_eq!(count(&statuses, 401), 10);
}

#[test]
fn a_success_that_takes_long_gives_back_no_more_than_is_left_of_it() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::talking(move |talk: &mut Talk| {
        while let Some(request) = talk.request() {
            if request.line.contains("slow") {
                wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            }
            let status = request.one("x-want");
            talk.send(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    let limit = format!(
        "[limits.\"default.public_read\"]\nrate = \"1000000 per 1s\"\n[limits.limited]\nrate = \"1 per 1s\"\ncounts = \"failures\"\n{ROUTE}"
    );
    let gate = Setup::simple(&upstream).and(&limit).start();
    let mut slow = gate.client();
    slow.send(wanting("200").replace("/limited", "/limited?slow"));
    upstream.wait_for_heads(1);
    // The one that it took is earned back while it waits, and is taken by a failure.
    std::thread::sleep(Duration::from_millis(1050));
    let mut client = gate.client();
    assert_eq!(client.ask(wanting("401")).status, 401);
    go.send(()).unwrap();
    assert_eq!(slow.answer().status, 200);
    assert!(eventually(|| gate.gateway().busy() == 0));
    // There is nothing left of it that could be given back.
    assert_eq!(client.ask(wanting("401")).status, 429);
}
