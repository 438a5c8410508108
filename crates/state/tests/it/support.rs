//! Short words for what a test asks of a store that keeps entries.

pub(crate) mod sim_disk;

use std::path::Path;

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::store::{
    Answer, Ask, Condition, Durability, Effect, Key, Space, Store, StoreError, Value,
};
use portcullis_state::store::wait::wait;
use portcullis_state::{EmbeddedStore, MemoryOptions, StateDir, StateError};

pub(crate) const DURABLE: Durability = Durability::Durable;
pub(crate) const LIVES: Nanos = 1_000 * SECOND;

/// So many seconds after the beginning, by both clocks. Each start of a store counts its monotonic time from elsewhere.
pub(crate) fn at(seconds: u64) -> Now {
    Now {
        monotonic: (1_000_000 + seconds) * SECOND,
        unix_millis: 1_800_000_000_000 + seconds * 1_000,
    }
}

pub(crate) fn open(path: &Path, now: Now) -> Result<EmbeddedStore, StateError> {
    EmbeddedStore::open(MemoryOptions::default(), StateDir::open(path)?, now)
}

pub(crate) fn key(name: &str) -> Key {
    Key::new(Space::Nonce, name.as_bytes())
}

pub(crate) fn value(text: &str) -> Value {
    Value::from_slice(text.as_bytes())
}

pub(crate) fn one(store: &dyn Store, ask: Ask<'_>, now: Now) -> Result<Answer, StoreError> {
    let answers = wait(store.ask(&[ask], now))?;
    assert_eq!(answers.len(), 1);
    Ok(answers[0].clone())
}

pub(crate) fn put_ask(
    name: &str,
    text: &str,
    lives: Nanos,
    durability: Durability,
) -> Ask<'static> {
    Ask::PutIfAbsent {
        key: key(name),
        value: value(text),
        lives,
        durability,
    }
}

pub(crate) fn put(
    store: &dyn Store,
    name: &str,
    durability: Durability,
    now: Now,
) -> Result<Answer, StoreError> {
    one(store, put_ask(name, "x", LIVES, durability), now)
}

pub(crate) fn take(
    store: &dyn Store,
    name: &str,
    durability: Durability,
    now: Now,
) -> Result<Answer, StoreError> {
    let key = key(name);
    one(store, Ask::Take { key, durability }, now)
}

pub(crate) fn get(store: &dyn Store, name: &str, now: Now) -> Option<String> {
    get_key(store, &key(name), now)
}

pub(crate) fn get_key(store: &dyn Store, key: &Key, now: Now) -> Option<String> {
    match one(store, Ask::Get { key: key.clone() }, now) {
        Ok(Answer::Found(found)) => found.map(|value| String::from_utf8_lossy(&value).into_owned()),
        other => panic!("another answer: {other:?}"),
    }
}

pub(crate) fn set_ask(
    name: &str,
    from: Option<&str>,
    to: &str,
    durability: Durability,
) -> Ask<'static> {
    Ask::CompareAndSet {
        key: key(name),
        expected: from.map(value),
        value: value(to),
        lives: LIVES,
        durability,
    }
}

pub(crate) fn revoke_ask(name: &str, until_unix_millis: u64) -> Ask<'static> {
    Ask::RevokeUntil {
        key: Key::new(Space::Revocation, name.as_bytes()),
        until_unix_millis,
        durability: DURABLE,
    }
}

pub(crate) fn ring_ask(
    ring: &str,
    name: &str,
    at_most: usize,
    durability: Durability,
) -> Ask<'static> {
    Ask::PutInRing {
        ring: key(ring),
        key: key(name),
        value: value("x"),
        lives: LIVES,
        at_most,
        durability,
    }
}

/// Takes one entry and leaves another in its place, both or none.
pub(crate) fn swap_ask(from: &str, to: &str, durability: Durability) -> Ask<'static> {
    Ask::Commit {
        conditions: vec![Condition::Exists(key(from)), Condition::Absent(key(to))],
        effects: vec![
            Effect::Delete(key(from)),
            Effect::Put {
                key: key(to),
                value: value("swapped"),
                lives: LIVES,
            },
        ],
        durability,
    }
}
