//! Our stores pass the suite, and the suite finds stores that should not pass it.

use portcullis_guard::store::{Durability, Store, StoreError};
use portcullis_state::store::conformance::{BrokenRule, run, run_as, run_small};
use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::{EmbeddedStore, MemoryOptions, MemoryStore, StateDir, SystemClock};

fn memory(shards: usize) -> Box<dyn Store> {
    let options = MemoryOptions {
        shards,
        ..MemoryOptions::default()
    };
    Box::new(MemoryStore::new(options).unwrap())
}

fn small(shards: usize, bytes: usize) -> Box<dyn Store> {
    let options = MemoryOptions {
        bucket_bytes: bytes,
        entry_bytes: bytes,
        shards,
    };
    Box::new(MemoryStore::new(options).unwrap())
}

fn told(broken: &[BrokenRule]) -> String {
    let lines: Vec<String> = broken.iter().map(BrokenRule::to_string).collect();
    lines.join("\n")
}

#[test]
fn the_store_in_memory_conforms() {
    for shards in [1, 2, 64] {
        let broken = run(|| memory(shards));
        assert!(broken.is_empty(), "{shards} shards:\n{}", told(&broken));
    }
}

#[test]
fn the_store_in_memory_conforms_when_it_is_full() {
    for (shards, bytes) in [(1, 4_000), (1, 100_000), (4, 50_000), (64, 300_000)] {
        let broken = run_small(|| small(shards, bytes));
        assert!(
            broken.is_empty(),
            "{shards} shards of {bytes}:\n{}",
            told(&broken)
        );
    }
}

#[test]
fn the_store_with_snapshots_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let broken = run(|| {
        number.set(number.get() + 1);
        let path = directory.path().join(number.get().to_string());
        let snapshots = StateDir::open(&path).unwrap();
        let now = SystemClock::start().now();
        Box::new(MemoryStore::open(MemoryOptions::default(), snapshots, now).unwrap())
    });
    assert!(broken.is_empty(), "{}", told(&broken));
}

#[test]
fn the_embedded_store_conforms_in_every_class() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    for class in [
        Durability::Volatile,
        Durability::Snapshot,
        Durability::Durable,
    ] {
        let broken = run_as(class, || {
            number.set(number.get() + 1);
            let path = directory.path().join(number.get().to_string());
            Box::new(embedded(&path, MemoryOptions::default()))
        });
        assert!(broken.is_empty(), "{class:?}: {}", told(&broken));
    }
}

#[test]
fn the_embedded_store_conforms_when_it_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let broken = run_small(|| {
        number.set(number.get() + 1);
        let path = directory.path().join(number.get().to_string());
        let options = MemoryOptions {
            bucket_bytes: 50_000,
            entry_bytes: 50_000,
            shards: 4,
        };
        Box::new(embedded(&path, options))
    });
    assert!(broken.is_empty(), "{}", told(&broken));
}

fn embedded(path: &std::path::Path, options: MemoryOptions) -> EmbeddedStore {
    let directory = StateDir::open(path).unwrap();
    let now = SystemClock::start().now();
    EmbeddedStore::open(options, directory, now).unwrap()
}

#[test]
fn a_store_that_is_slow_still_conforms() {
    let broken = run(|| Box::new(faulty(Fault::Polls(1))));
    assert!(broken.is_empty(), "{}", told(&broken));
}

#[test]
fn the_suite_finds_every_kind_of_fault() {
    for fault in [
        Fault::Error(StoreError::TimedOut),
        Fault::ErrorAfter(StoreError::TimedOut),
        Fault::TooFew,
        Fault::TooMany,
        Fault::OtherKind,
        Fault::FewerStates,
    ] {
        let broken = run(|| Box::new(faulty(fault.clone())));
        assert!(broken.len() >= 6, "{fault:?}:\n{}", told(&broken));
    }
}

#[test]
fn an_embedded_store_that_is_slow_still_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let broken = run_as(Durability::Snapshot, || {
        number.set(number.get() + 1);
        let path = directory.path().join(number.get().to_string());
        let store = embedded(&path, MemoryOptions::default());
        Box::new(FaultyStore::new(store, [], Fault::Polls(1)))
    });
    assert!(broken.is_empty(), "{}", told(&broken));
}

fn faulty(fault: Fault) -> FaultyStore<MemoryStore> {
    let store = MemoryStore::new(MemoryOptions::default()).unwrap();
    FaultyStore::new(store, [], fault)
}
