//! What keys ask of their store, each of it answered or an error.

use portcullis_guard::api_key::{ApiKeyId, StoredKey};
use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answer, Ask, Condition, Durability, Effect, Key, StoreError, Value};

use super::index::{self, Index};
use super::{ApiKeyError, ApiKeys};

impl ApiKeys<'_> {
    /// The list of a user's keys, with the bytes that it is kept in.
    pub(super) async fn index(
        &self,
        user: &str,
        now: Now,
    ) -> Result<(Option<Value>, Index), ApiKeyError> {
        let was = self.get(index::key(user), now).await?;
        let index = match &was {
            None => Index::default(),
            Some(bytes) => Index::decode(bytes, now).ok_or(ApiKeyError::Corrupt)?,
        };
        Ok((was, index))
    }

    /// What there is of a key.
    pub(super) async fn stored(
        &self,
        id: ApiKeyId,
        now: Now,
    ) -> Result<Option<StoredKey>, ApiKeyError> {
        let stored = self.get(id.key(), now).await?;
        let stored = stored.as_deref().map(StoredKey::decode).transpose();
        stored.map_err(|_corrupt| ApiKeyError::Corrupt)
    }

    pub(super) async fn get(&self, key: Key, now: Now) -> Result<Option<Value>, ApiKeyError> {
        match self.ask(Ask::Get { key }, now).await? {
            Answer::Found(value) => Ok(value),
            other => Err(confused(&other)),
        }
    }

    /// As well kept as the store can: on the disk, where it has one.
    pub(super) async fn commit(
        &self,
        conditions: Vec<Condition>,
        effects: Vec<Effect>,
        now: Now,
    ) -> Result<Result<(), usize>, ApiKeyError> {
        let ask = Ask::Commit {
            conditions,
            effects,
            durability: if self.store.keeps() < Durability::Durable {
                Durability::Volatile
            } else {
                Durability::Durable
            },
        };
        match self.ask(ask, now).await? {
            Answer::Committed(done) => Ok(done),
            other => Err(confused(&other)),
        }
    }

    pub(super) async fn ask(&self, ask: Ask<'_>, now: Now) -> Result<Answer, ApiKeyError> {
        let batch = [ask];
        let mut answers = self.store.ask(&batch, now).wait().await?.into_iter();
        match (answers.next(), answers.next()) {
            (Some(answer), None) => Ok(answer),
            _ => Err(StoreError::Confused("another number of answers".to_owned()).into()),
        }
    }
}

pub(super) fn confused(answer: &Answer) -> ApiKeyError {
    let what = match answer {
        Answer::Limits(_) => "limits",
        Answer::Done => "done",
        Answer::Put(_) => "put",
        Answer::Found(_) => "found",
        Answer::Set(_) => "set",
        Answer::Committed(_) => "committed",
    };
    StoreError::Confused(what.to_owned()).into()
}
