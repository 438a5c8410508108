//! `Asking`: asks a store, and takes no other answer than one to what was asked.

use portcullis_guard::clock::{Nanos, Now};
use portcullis_guard::store::{
    Answer, Answers, Ask, Condition, Durability, Effect, Key, Store, StoreError, Value,
};

/// A store that is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'s> {
    store: &'s dyn Store,
}

impl<'s> Asking<'s> {
    pub(crate) const fn new(store: &'s dyn Store) -> Self {
        Self { store }
    }

    /// The answers to several things, as many as they are.
    pub(crate) async fn all(self, batch: &[Ask<'_>], now: Now) -> Result<Answers, StoreError> {
        let answers = self.store.ask(batch, now).wait().await?;
        if answers.len() == batch.len() {
            Ok(answers)
        } else {
            Err(count())
        }
    }

    /// The answer to one thing.
    pub(crate) async fn one(self, ask: Ask<'_>, now: Now) -> Result<Answer, StoreError> {
        let mut answers = self.all(&[ask], now).await?.into_iter();
        answers.next().ok_or_else(count)
    }

    /// What there is of an entry.
    pub(crate) async fn get(self, key: Key, now: Now) -> Result<Option<Value>, StoreError> {
        match self.one(Ask::Get { key }, now).await? {
            Answer::Found(value) => Ok(value),
            other => Err(confused(&other)),
        }
    }

    /// Writes an entry if it is as it was read, and says whether it did. Not on the disk when it is acknowledged: what may be lost in a
    /// crash, nobody waits for.
    pub(crate) async fn set_lazily(
        self,
        key: Key,
        expected: Option<Value>,
        (value, lives): (Value, Nanos),
        now: Now,
    ) -> Result<bool, StoreError> {
        let ask = Ask::CompareAndSet {
            key,
            expected,
            value,
            lives,
            durability: match self.store.keeps() {
                Durability::Durable => Durability::Snapshot,
                Durability::Snapshot | Durability::Volatile => Durability::Volatile,
            },
        };
        match self.one(ask, now).await? {
            Answer::Set(is_set) => Ok(is_set),
            other => Err(confused(&other)),
        }
    }

    /// Does all effects if all conditions hold, or says which does not. As well kept as the store can: on the disk, where it has
    /// one.
    pub(crate) async fn commit(
        self,
        conditions: Vec<Condition>,
        effects: Vec<Effect>,
        now: Now,
    ) -> Result<Result<(), usize>, StoreError> {
        let ask = Ask::Commit {
            conditions,
            effects,
            durability: if self.store.keeps() < Durability::Durable {
                Durability::Volatile
            } else {
                Durability::Durable
            },
        };
        match self.one(ask, now).await? {
            Answer::Committed(done) => Ok(done),
            other => Err(confused(&other)),
        }
    }
}

fn count() -> StoreError {
    StoreError::Confused("another number of answers".to_owned())
}

/// That an answer is one to something else.
pub(crate) fn confused(answer: &Answer) -> StoreError {
    let what = match answer {
        Answer::Limits(_) => "limits",
        Answer::Done => "done",
        Answer::Put(_) => "put",
        Answer::Found(_) => "found",
        Answer::Set(_) => "set",
        Answer::Committed(_) => "committed",
    };
    StoreError::Confused(what.to_owned())
}
