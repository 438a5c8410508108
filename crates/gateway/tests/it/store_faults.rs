//! A store that fails: whoever cannot be counted is not let through, and waits no longer than the store's budget.

use std::sync::Arc;
use std::time::Duration;

use portcullis_guard::store::{Durability, StoreError};
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::{MemoryOptions, MemoryStore};

use crate::support::{AtOnce, Gate, Setup, Upstream, get, post, timed};

fn faulty(then: Fault) -> (Gate, Upstream, Arc<FaultyStore<MemoryStore>>) {
    faulty_as(then, false)
}

/// The same, of a store that says that it answers at once, or does not.
fn faulty_as(then: Fault, at_once: bool) -> (Gate, Upstream, Arc<FaultyStore<MemoryStore>>) {
    let upstream = Upstream::ok();
    let memory = MemoryStore::new(MemoryOptions::default()).unwrap();
    let store = Arc::new(FaultyStore::new(memory, [], then));
    let setup = Setup::simple(&upstream);
    let setup = if at_once {
        setup.store(Arc::new(AtOnce(store.clone())))
    } else {
        setup.store(store.clone())
    };
    (setup.start(), upstream, store)
}

#[test]
fn every_fault_of_the_store_is_a_503_that_is_never_forwarded() {
    let errors = [
        StoreError::Unreachable("gone".to_owned()),
        StoreError::TimedOut,
        StoreError::Full,
        StoreError::Unwritable("disk full".to_owned()),
        StoreError::Confused("what".to_owned()),
        StoreError::NotKept(Durability::Durable),
    ];
    let faults = errors
        .iter()
        .flat_map(|error| {
            [
                Fault::Error(error.clone()),
                Fault::ErrorAfter(error.clone()),
            ]
        })
        .chain([
            Fault::Never,
            Fault::NeverAfter,
            Fault::TooFew,
            Fault::TooMany,
            Fault::OtherKind,
            Fault::FewerStates,
        ])
        .chain([Fault::Late(Duration::from_secs(5))]);
    let ways = faults.flat_map(|fault| [(fault.clone(), false), (fault, true)]);
    for (fault, at_once) in ways {
        let (gate, upstream, store) = faulty_as(fault.clone(), at_once);
        let mut client = gate.client();
        for _ in 0..3 {
            let (time, answer) = timed(|| client.ask(post("/form", "{}")));
            assert_eq!(answer.status, 503, "{fault:?}");
            assert!(
                answer.all("ratelimit").is_empty(),
                "{fault:?}: nothing is known"
            );
            // The budget is 30 ms; the rest is what a busy machine may take.
            assert!(time < Duration::from_secs(2), "{fault:?} {time:?}");
        }
        assert_eq!(
            (store.asked(), upstream.requests().len()),
            (3, 0),
            "{fault:?}"
        );
        assert_eq!(
            client.ask(get("/read/a")).status,
            200,
            "{fault:?}: who needs no store"
        );
        let events = gate.events();
        assert!(events.contains("\"limit_unknown\""), "{events}");
    }
}

#[test]
fn a_store_that_is_only_slow_is_waited_for() {
    for fault in [
        Fault::Polls(50),
        Fault::Late(Duration::from_millis(5)),
        Fault::None,
    ] {
        let (gate, upstream, _) = faulty(fault.clone());
        assert_eq!(
            gate.client().ask(post("/form", "{}")).status,
            200,
            "{fault:?}"
        );
        assert_eq!(upstream.requests().len(), 1);
    }
}

#[test]
fn one_that_never_answers_stops_nobody_else() {
    let (gate, _upstream, _) = faulty(Fault::Never);
    let mut waiting: Vec<_> = (0..50).map(|_| gate.client()).collect();
    let (time, ()) = timed(|| {
        for client in &mut waiting {
            client.send(post("/form", "{}"));
        }
        for client in &mut waiting {
            assert_eq!(client.answer().status, 503);
        }
    });
    assert!(
        time < Duration::from_secs(1),
        "side by side, not one after the other: {time:?}"
    );
}

#[test]
fn a_fault_after_the_answer_changes_no_answer() {
    let upstream = Upstream::ok();
    let memory = MemoryStore::new(MemoryOptions::default()).unwrap();
    // The request is counted, and what it gives back is lost: three pass, and the fourth is refused.
    let plan = [
        Fault::None,
        Fault::Never,
        Fault::None,
        Fault::Error(StoreError::Full),
        Fault::None,
        Fault::Never,
    ];
    let store = Arc::new(FaultyStore::new(memory, plan, Fault::None));
    let tries = "[limits.\"default.public_read\"]\nrate = \"1000000 per 1s\"\n[limits.tries]\nrate = \"3 per 1m\"\ncounts = \"failures\"\n[[route]]\npath = \"/try\"\nmethods = [\"GET\"]\ntype = \"public_read\"\nlimits = [\"tries\"]\n";
    let gate = Setup::simple(&upstream).and(tries).store(store).start();
    let statuses: Vec<u16> = (0..4)
        .map(|_| gate.client().ask(get("/try")).status)
        .collect();
    assert_eq!(
        statuses,
        [200, 200, 200, 429],
        "what cannot be given back stays counted"
    );
}
