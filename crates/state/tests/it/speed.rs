//! What an operation costs. Not run by default, as a number of a busy machine says nothing:
//! `cargo test -p portcullis-state --release --test it speed -- --ignored --nocapture --test-threads 1`.

use portcullis_guard::clock::SECOND;
use portcullis_guard::limit::LimitRule;
use portcullis_guard::store::{Ask, Durability, Scope, Store as _};
use portcullis_policy::event::{
    EventKind, EventLevel, EventText, EventTime, EventVerdict, SecurityEvent,
};
use portcullis_state::{
    EventSink, EventWriter, MemoryOptions, MemoryStore, Pseudonyms, SystemClock,
};
use smallvec::smallvec;

use crate::memory::{ask, at};

const ROUNDS: u32 = 1_000_000;

/// Prints the cost of one: of the best thousand and of the one in the middle, as a busy machine stops some of them.
fn measure(what: &str, rounds: u32, mut work: impl FnMut(u32)) {
    let clock = SystemClock::start();
    let mut thousands = Vec::new();
    for thousand in 0..rounds / 1_000 {
        let start = clock.monotonic();
        (thousand * 1_000..(thousand + 1) * 1_000).for_each(&mut work);
        thousands.push((clock.monotonic() - start) / 1_000);
    }
    thousands.sort_unstable();
    let middle = thousands[thousands.len() / 2];
    println!(
        "{what}: {} ns at best, {middle} ns in the middle",
        thousands[0]
    );
}

#[test]
#[ignore = "measures, and holds nothing"]
fn limits() {
    let scope = Scope::new("p:api_read:smooth:100:60000000000:100:ip");
    let smooth = LimitRule::smooth(100, SECOND, 100);
    let exact = LimitRule::exact(5, SECOND);
    for clients in [1, 1_000, 100_000] {
        for (name, rule) in [("smooth", smooth), ("exact", exact)] {
            let store = MemoryStore::new(MemoryOptions::default()).unwrap();
            let batches: Vec<[Ask<'_>; 1]> = (0..clients)
                .map(|client: u32| {
                    let value = client.to_be_bytes();
                    let one = ask(&scope, &value, rule, Durability::Volatile);
                    [Ask::Limits(smallvec![one])]
                })
                .collect();
            measure(
                &format!("one {name} bucket of {clients}"),
                ROUNDS,
                |round| {
                    let batch = &batches[usize::try_from(round % clients).unwrap()];
                    let now = at(SECOND + u64::from(round) * 1_000);
                    assert!(matches!(
                        store.ask(batch, now),
                        portcullis_guard::store::Reply::Ready(Ok(_))
                    ));
                },
            );
        }
    }
    let store = MemoryStore::new(MemoryOptions::default()).unwrap();
    let values = [b"a".as_slice(), b"b", b"c"];
    let three = values.map(|value| ask(&scope, value, smooth, Durability::Volatile));
    let batch = [Ask::Limits(three.into_iter().collect())];
    measure("three smooth buckets", ROUNDS, |round| {
        let now = at(SECOND + u64::from(round) * 1_000);
        assert!(matches!(
            store.ask(&batch, now),
            portcullis_guard::store::Reply::Ready(Ok(_))
        ));
    });
    let store = MemoryStore::new(MemoryOptions::default()).unwrap();
    measure(
        "a new client each time, the store fills up",
        2 * ROUNDS,
        |round| {
            let value = round.to_be_bytes();
            let long = LimitRule::smooth(100, 3_600 * SECOND, 100);
            let batch = [Ask::Limits(smallvec![ask(
                &scope,
                &value,
                long,
                Durability::Volatile
            )])];
            let now = at(SECOND + u64::from(round) * 1_000);
            assert!(matches!(
                store.ask(&batch, now),
                portcullis_guard::store::Reply::Ready(Ok(_))
            ));
        },
    );
    println!("{:?}", store.used().unwrap());
}

#[test]
#[ignore = "measures, and holds nothing"]
fn events() {
    let directory = tempfile::tempdir().unwrap();
    let sink = EventSink::File {
        path: directory.path().join("events.jsonl"),
        rotate_bytes: 64 << 20,
        keep: 2,
    };
    let writer = EventWriter::start(sink, SystemClock::start()).unwrap();
    let names = Pseudonyms::random().unwrap();
    measure("the name of a client", ROUNDS, |round| {
        assert!(matches!(
            names.client(&round.to_be_bytes()),
            portcullis_policy::event::EventClient::One(_)
        ));
    });
    let refused = |round: u32| {
        let mut event = SecurityEvent::new(
            EventTime::of_unix_millis(u64::from(round)),
            EventKind::ExcessRateLimitExceeded,
            EventLevel::Warn,
            EventVerdict::Refused,
            "rate_limited",
        );
        event.route = Some(EventText::new("/api/orders/{id}".to_owned()));
        event.request_id = Some(EventText::new(
            "0123456789abcdef0123456789abcdef".to_owned(),
        ));
        event.client = Some(portcullis_policy::event::EventClient::One(
            portcullis_policy::event::HexBytes([u8::try_from(round % 200).unwrap(); 16]),
        ));
        event
    };
    measure("making an event", ROUNDS, |round| drop(refused(round)));
    for _ in 0..5 {
        measure("making and offering an event", 10_000, |round| {
            writer.offer(refused(round))
        });
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let mut health = writer.health();
    println!("{health:?}");
    measure("offering without a pause", ROUNDS, |round| {
        writer.offer(refused(round))
    });
    health = writer.close();
    println!("{health:?}");
}
