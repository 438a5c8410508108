//! The embedded store on a disk that fails at every call in turn: nothing acknowledged is lost, nothing is half done.

use std::thread;
use std::time::Duration;

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answer, Durability, StoreError};
use portcullis_state::{EmbeddedStore, MemoryOptions, MemoryStore, StateError};

use crate::support::sim_disk::{SimDisk, Trouble};
use crate::support::{
    DURABLE, LIVES, at, get, one, put, put_ask, revoke_ask, ring_ask, set_ask, swap_ask, take,
};

pub(crate) fn open_on(disk: &SimDisk, now: Now) -> Result<EmbeddedStore, StateError> {
    let memory = MemoryStore::new(MemoryOptions::default()).unwrap();
    EmbeddedStore::open_on(disk.clone(), memory, now)
}

/// What was acknowledged, so what must be true after every loss of power.
#[derive(Clone, Debug, Default)]
struct Acknowledged {
    there: Vec<String>,
    gone: Vec<String>,
    swapped: Vec<(String, String)>,
    /// Nobody knows which of the two is there; but it is one of them.
    one_of: Vec<(String, String)>,
    counter: Option<u32>,
    counter_tried: u32,
    ring: Vec<String>,
}

impl Acknowledged {
    /// Does some of everything; goes on after errors.
    fn work(&mut self, store: &EmbeddedStore, from: u32, to: u32, now: Now) {
        for number in from..to {
            let (name, other) = (format!("a{number}"), format!("b{number}"));
            let lazy = put_ask(&format!("lazy{number}"), "x", LIVES, Durability::Snapshot);
            assert!(one(store, lazy, now).is_ok());
            if put(store, &name, DURABLE, now) == Ok(Answer::Put(true)) {
                match number % 3 {
                    0 => match one(store, swap_ask(&name, &other, DURABLE), now) {
                        Ok(Answer::Committed(Ok(()))) => self.swapped.push((name, other)),
                        Err(_) => self.one_of.push((name, other)),
                        done => panic!("another answer: {done:?}"),
                    },
                    1 => match take(store, &name, DURABLE, now) {
                        Ok(Answer::Found(Some(_))) => self.gone.push(name),
                        Err(_) => {}
                        done => panic!("another answer: {done:?}"),
                    },
                    _ => self.there.push(name),
                }
            }
            let counted = match number {
                0 => set_ask("counter", None, "0", DURABLE),
                _ => set_ask(
                    "counter",
                    Some(&(number - 1).to_string()),
                    &number.to_string(),
                    DURABLE,
                ),
            };
            self.counter_tried = number;
            if one(store, counted, now) == Ok(Answer::Set(true)) {
                self.counter = Some(number);
            }
            let until = now.unix_millis + 1_000_000;
            drop(one(
                store,
                revoke_ask(&format!("token{number}"), until),
                now,
            ));
            let ringed = format!("ring{number}");
            if one(store, ring_ask("ring", &ringed, 2, DURABLE), now) == Ok(Answer::Done) {
                self.ring.push(ringed);
            } else {
                // It may have pushed out an older one, or not.
                self.ring.clear();
            }
        }
    }

    fn holds(&self, store: &EmbeddedStore, now: Now, context: &str) {
        let is_there = |name: &str| get(store, name, now).is_some();
        for name in &self.there {
            assert!(is_there(name), "{context}: {name} is lost");
        }
        for name in &self.gone {
            assert!(!is_there(name), "{context}: {name} is back");
        }
        for (from, to) in &self.swapped {
            assert!(
                !is_there(from) && is_there(to),
                "{context}: {from} and {to} are back"
            );
        }
        for (from, to) in &self.one_of {
            assert!(
                is_there(from) != is_there(to),
                "{context}: {from} and {to} are half done"
            );
        }
        if let Some(counter) = self.counter {
            let found: u32 = get(store, "counter", now).unwrap().parse().unwrap();
            assert!(
                found >= counter && found <= self.counter_tried,
                "{context}: {counter}, {found}"
            );
        }
        for name in self.ring.iter().rev().take(2) {
            assert!(is_there(name), "{context}: {name} is lost");
        }
        for name in self.ring.iter().rev().skip(2) {
            assert!(!is_there(name), "{context}: {name} is back");
        }
    }
}

const OPERATIONS: u32 = 7;

/// How many calls all of it takes when nothing fails.
fn calls() -> usize {
    let disk = SimDisk::new();
    let store = open_on(&disk, at(0)).unwrap();
    let mut done = Acknowledged::default();
    done.work(&store, 0, OPERATIONS, at(1));
    drop(store);
    done.holds(&open_on(&disk, at(2)).unwrap(), at(2), "nothing failed");
    assert_eq!(done.counter, Some(OPERATIONS - 1));
    disk.calls()
}

/// Many at a time: most of the time they wait for the next try of a store.
fn for_each(numbers: impl Iterator<Item = usize>, check: impl Fn(usize) + Sync) {
    let numbers: Vec<usize> = numbers.collect();
    for some in numbers.chunks(32) {
        thread::scope(|scope| {
            for number in some {
                let check = &check;
                scope.spawn(move || check(*number));
            }
        });
    }
}

#[test]
fn whatever_call_is_the_last_nothing_acknowledged_is_lost() {
    let calls = calls();
    assert!(calls > 100, "{calls}");
    for_each(0..calls, |number| {
        let disk = SimDisk::new();
        disk.make(Trouble::From(number));
        let mut done = Acknowledged::default();
        if let Ok(store) = open_on(&disk, at(0)) {
            done.work(&store, 0, OPERATIONS, at(1));
            // Before the store ends: it would write what is left.
            after_power_losses(&disk, &done, number);
        }
        after_power_losses(&disk, &done, number);
    });
}

fn after_power_losses(disk: &SimDisk, done: &Acknowledged, number: usize) {
    for seed in 1..4 {
        let context = format!("call {number}, seed {seed}");
        let left = disk.after_power_loss(seed * 7_919 + number as u64);
        let store = open_on(&left, at(2)).unwrap_or_else(|error| panic!("{context}: {error}"));
        done.holds(&store, at(2), &context);
        // And it can go on.
        assert_eq!(
            put(&store, "later", DURABLE, at(2)),
            Ok(Answer::Put(true)),
            "{context}"
        );
    }
}

fn recovers_from(trouble: impl Fn(usize) -> Trouble + Sync) {
    let calls = calls();
    for_each(0..calls, |number| {
        let disk = SimDisk::new();
        disk.make(trouble(number));
        let mut done = Acknowledged::default();
        let store = open_on(&disk, at(0)).or_else(|_failed| open_on(&disk, at(0)));
        let store = store.unwrap_or_else(|error| panic!("call {number}: {error}"));
        done.work(&store, 0, OPERATIONS, at(1));
        recovered(&store, at(1));
        done.work(&store, OPERATIONS, OPERATIONS + 3, at(1));
        assert!(!done.there.is_empty() || !done.gone.is_empty() || !done.swapped.is_empty());
        // What nobody waited for may be what fails.
        if store.flush().is_err() {
            recovered(&store, at(1));
            store.flush().unwrap();
        }
        for lazy in 0..OPERATIONS {
            assert!(get(&store, &format!("lazy{lazy}"), at(1)).is_some());
        }
        after_power_losses(&disk, &done, number);
        drop(store);
        after_power_losses(&disk, &done, number);
        let store = open_on(&disk, at(2)).unwrap();
        for lazy in 0..OPERATIONS {
            assert!(
                get(&store, &format!("lazy{lazy}"), at(2)).is_some(),
                "call {number}"
            );
        }
    });
}

/// Waits until the disk can be written again, as the store finds by itself.
pub(crate) fn recovered(store: &EmbeddedStore, now: Now) {
    for _ in 0..3_000 {
        if store.fault(now).is_none() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not recover: {:?}", store.fault(now));
}

#[test]
fn after_a_failure_of_any_call_the_store_recovers_by_itself() {
    recovers_from(Trouble::Once);
}

#[test]
fn after_a_call_that_stopped_half_way_the_store_recovers_by_itself() {
    recovers_from(Trouble::Half);
}

#[test]
fn while_nothing_can_be_written_memory_stays_the_stricter_one() {
    let disk = SimDisk::new();
    let store = open_on(&disk, at(0)).unwrap();
    for name in ["code", "other"] {
        assert_eq!(put(&store, name, DURABLE, at(0)), Ok(Answer::Put(true)));
    }
    disk.make(Trouble::From(0));
    // The first is done and not acknowledged; whoever comes later is refused before anything is done.
    let taken = take(&store, "code", DURABLE, at(1));
    assert!(matches!(taken, Err(StoreError::Unwritable(_))), "{taken:?}");
    assert_eq!(get(&store, "code", at(1)), None, "it could be used again");
    let taken = take(&store, "other", DURABLE, at(1));
    assert!(matches!(taken, Err(StoreError::Unwritable(_))), "{taken:?}");
    assert!(get(&store, "other", at(1)).is_some());
    // What need not be on the disk goes on.
    assert_eq!(
        put(&store, "volatile", Durability::Volatile, at(1)),
        Ok(Answer::Put(true))
    );
    assert_eq!(
        put(&store, "lazy", Durability::Snapshot, at(1)),
        Ok(Answer::Put(true))
    );
    assert!(store.sweep(at(1)).is_err(), "health tells it");
    disk.make(Trouble::None);
    recovered(&store, at(2));
    assert!(take(&store, "other", DURABLE, at(2)).is_ok());
    store.flush().unwrap();
    let store = open_on(&disk.after_power_loss(1), at(3)).unwrap();
    assert_eq!(
        get(&store, "code", at(3)),
        None,
        "what was done in memory is written when it can be"
    );
    assert_eq!(get(&store, "other", at(3)), None);
    assert!(get(&store, "lazy", at(3)).is_some());
    assert!(get(&store, "volatile", at(3)).is_none());
}
