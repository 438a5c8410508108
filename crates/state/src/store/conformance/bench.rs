//! `Bench`: a store with short words for its operations, at a moment.

use std::fmt::Debug;

use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::limit::{LimitRule, LimitState};
use portcullis_guard::store::{
    Answer, Ask, Condition, Durability, Effect, Key, LimitAsk, Scope, Space, Store, StoreError,
    Value,
};

use crate::store::wait::wait;

/// How long an entry lives where a rule does not look at it.
pub(super) const LIVES: Nanos = 60 * SECOND;

/// What a rule gives: nothing, or what is wrong.
pub(super) type Held = Result<(), String>;

/// A store at a moment.
#[derive(Clone, Copy)]
pub(super) struct Bench<'s> {
    store: &'s dyn Store,
    now: Now,
    class: Durability,
}

impl<'s> Bench<'s> {
    /// All that is written is of this class.
    pub(super) fn new(store: &'s dyn Store, class: Durability) -> Self {
        let now = Now {
            monotonic: 1_000_000 * SECOND,
            unix_millis: 1_800_000_000_000,
        };
        Self { store, now, class }
    }

    /// So long after the beginning of the rule.
    pub(super) fn after(self, nanos: Nanos) -> Self {
        let start = Self::new(self.store, self.class).now;
        let now = Now {
            monotonic: start.monotonic + nanos,
            unix_millis: start.unix_millis + nanos / 1_000_000,
        };
        Self { now, ..self }
    }

    /// With another reading of the system's clock, and the same of the monotonic one.
    pub(super) fn at_unix_millis(self, unix_millis: u64) -> Self {
        let monotonic = self.now.monotonic;
        Self {
            now: Now {
                monotonic,
                unix_millis,
            },
            ..self
        }
    }

    pub(super) fn monotonic(self) -> Nanos {
        self.now.monotonic
    }

    pub(super) fn unix_millis(self) -> u64 {
        self.now.unix_millis
    }

    /// How often something is done to find a race: less often where each waits for a disk.
    pub(super) fn rounds(self) -> usize {
        if self.class == Durability::Durable {
            100
        } else {
            1_000
        }
    }

    pub(super) fn keeps(self) -> Durability {
        self.store.keeps()
    }

    pub(super) fn raw(self, batch: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        let answers = wait(self.store.ask(batch, self.now))?;
        Ok(answers.into_vec())
    }

    fn one(self, ask: Ask<'_>) -> Result<Answer, String> {
        let answers = self.raw(&[ask]).map_err(|error| error.to_string())?;
        match <[Answer; 1]>::try_from(answers) {
            Ok([answer]) => Ok(answer),
            Err(answers) => Err(format!("{} answers to one ask", answers.len())),
        }
    }

    pub(super) fn limits(self, asks: &[LimitAsk<'_>]) -> Result<Vec<LimitState>, String> {
        match self.one(Ask::Limits(asks.iter().cloned().collect()))? {
            Answer::Limits(states) if states.len() == asks.len() => Ok(states.into_vec()),
            other => Err(unexpected(&other)),
        }
    }

    /// Of one bucket.
    pub(super) fn limit(self, ask: &LimitAsk<'_>) -> Result<LimitState, String> {
        let states = self.limits(std::slice::from_ref(ask))?;
        states.first().copied().ok_or_else(|| "no state".to_owned())
    }

    pub(super) fn release(self, asks: &[LimitAsk<'_>], at: Nanos) -> Held {
        let limits = asks.iter().cloned().collect();
        match self.one(Ask::Release { limits, at })? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn put(self, key: &Key, text: &str, lives: Nanos) -> Result<bool, String> {
        match self.one(put_ask(key, text, lives, self.class))? {
            Answer::Put(written) => Ok(written),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn get(self, key: &Key) -> Result<Option<String>, String> {
        match self.one(Ask::Get { key: key.clone() })? {
            Answer::Found(found) => Ok(found.map(|value| text(&value))),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn take(self, key: &Key) -> Result<Option<String>, String> {
        let ask = Ask::Take {
            key: key.clone(),
            durability: self.class,
        };
        match self.one(ask)? {
            Answer::Found(found) => Ok(found.map(|value| text(&value))),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn set(
        self,
        key: &Key,
        expected: Option<&str>,
        text: &str,
        lives: Nanos,
    ) -> Result<bool, String> {
        let ask = Ask::CompareAndSet {
            key: key.clone(),
            expected: expected.map(value),
            value: value(text),
            lives,
            durability: self.class,
        };
        match self.one(ask)? {
            Answer::Set(written) => Ok(written),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) fn revoke(self, key: &Key, until_unix_millis: u64) -> Held {
        let ask = Ask::RevokeUntil {
            key: key.clone(),
            until_unix_millis,
            durability: self.class,
        };
        match self.one(ask)? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// An entry in a ring of so many.
    pub(super) fn ring(self, ring: &Key, key: &Key, text: &str, at_most: usize) -> Held {
        self.ring_for(ring, key, text, at_most, LIVES)
    }

    /// The same for another time than usual.
    pub(super) fn ring_for(
        self,
        ring: &Key,
        key: &Key,
        text: &str,
        at_most: usize,
        lives: Nanos,
    ) -> Held {
        let ask = Ask::PutInRing {
            ring: ring.clone(),
            key: key.clone(),
            value: value(text),
            lives,
            at_most,
            durability: self.class,
        };
        match self.one(ask)? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Which of these entries live, by their numbers.
    pub(super) fn living(self, keys: &[Key]) -> Result<Vec<usize>, String> {
        let mut living = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            if self.get(key)?.is_some() {
                living.push(number);
            }
        }
        Ok(living)
    }

    pub(super) fn commit(
        self,
        conditions: Vec<Condition>,
        effects: Vec<Effect>,
    ) -> Result<Result<(), usize>, String> {
        let ask = Ask::Commit {
            conditions,
            effects,
            durability: self.class,
        };
        match self.one(ask)? {
            Answer::Committed(done) => Ok(done),
            other => Err(unexpected(&other)),
        }
    }
}

fn unexpected(answer: &Answer) -> String {
    format!("an answer to something else: {answer:?}")
}

pub(super) fn put_ask<'s>(key: &Key, text: &str, lives: Nanos, durability: Durability) -> Ask<'s> {
    Ask::PutIfAbsent {
        key: key.clone(),
        value: value(text),
        lives,
        durability,
    }
}

pub(super) fn put_effect(key: &Key, text: &str) -> Effect {
    Effect::Put {
        key: key.clone(),
        value: value(text),
        lives: LIVES,
    }
}

pub(super) fn value(text: &str) -> Value {
    Value::from_slice(text.as_bytes())
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value).into_owned()
}

pub(super) fn key(name: &str) -> Key {
    Key::new(Space::Nonce, name.as_bytes())
}

/// A bucket that counts one, nowhere coarser.
pub(super) fn ask<'s>(scope: &'s Scope, value: &str, rule: LimitRule) -> LimitAsk<'s> {
    LimitAsk {
        scope,
        value: value.as_bytes().into(),
        coarser: smallvec::SmallVec::new(),
        rule,
        cost: 1,
        durability: Durability::Volatile,
    }
}

/// Says what was found where something else must be.
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Held {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found:?} and not {expected:?}"))
}
