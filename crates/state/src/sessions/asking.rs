//! What sessions ask of their store, each of it answered or an error.

use portcullis_guard::clock::Now;
use portcullis_guard::session::{Record, SessionRef, Stored};
use portcullis_guard::store::{
    Answer, Answers, Ask, Condition, Durability, Effect, Key, StoreError, Value,
};

use super::index::{self, Index, Line};
use super::{SessionError, Sessions};

impl Sessions<'_> {
    /// The list of a user's sessions, with the bytes that it is kept in.
    pub(super) async fn index(
        &self,
        user: &str,
        now: Now,
    ) -> Result<(Option<Value>, Index), SessionError> {
        let was = self.get(index::key(user), now).await?;
        let index = match &was {
            None => Index::default(),
            Some(bytes) => Index::decode(bytes, now).ok_or(SessionError::Corrupt)?,
        };
        Ok((was, index))
    }

    /// What is known of each of these sessions, where it is alive. A line says when it is over in any case, and a session may be
    /// over for idleness before that.
    pub(super) async fn alive(
        &self,
        lines: &[Line],
        now: Now,
    ) -> Result<Vec<Option<Record>>, SessionError> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let get = |line: &Line| Ask::Get {
            key: line.session.key(),
        };
        let batch: Vec<Ask<'_>> = lines.iter().map(get).collect();
        let answers = self.ask_all(&batch, now).await?;
        answers
            .into_iter()
            .map(|answer| match answer {
                Answer::Found(stored) => alive(stored.as_deref(), now),
                other => Err(confused(&other)),
            })
            .collect()
    }

    /// What is known of one session, if it is alive.
    pub(super) async fn record(
        &self,
        session: SessionRef,
        now: Now,
    ) -> Result<Option<Record>, SessionError> {
        alive(self.get(session.key(), now).await?.as_deref(), now)
    }

    async fn get(&self, key: Key, now: Now) -> Result<Option<Value>, SessionError> {
        match self.ask(Ask::Get { key }, now).await? {
            Answer::Found(value) => Ok(value),
            other => Err(confused(&other)),
        }
    }

    pub(super) async fn commit(
        &self,
        conditions: Vec<Condition>,
        effects: Vec<Effect>,
        now: Now,
    ) -> Result<Result<(), usize>, SessionError> {
        let durability = self.store.keeps();
        let ask = Ask::Commit {
            conditions,
            effects,
            durability: if durability < Durability::Durable {
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

    pub(super) async fn ask(&self, ask: Ask<'_>, now: Now) -> Result<Answer, SessionError> {
        let mut answers = self.ask_all(&[ask], now).await?.into_iter();
        answers.next().ok_or_else(|| count().into())
    }

    async fn ask_all(&self, batch: &[Ask<'_>], now: Now) -> Result<Answers, SessionError> {
        let answers = self.store.ask(batch, now).wait().await?;
        if answers.len() == batch.len() {
            Ok(answers)
        } else {
            Err(count().into())
        }
    }
}

fn alive(stored: Option<&[u8]>, now: Now) -> Result<Option<Record>, SessionError> {
    let stored = stored.map(Stored::decode).transpose();
    Ok(match stored.map_err(|_corrupt| SessionError::Corrupt)? {
        Some(Stored::Live(record)) if record.is_alive(now.unix_millis) => Some(record),
        Some(Stored::Live(_) | Stored::Ended) | None => None,
    })
}

fn count() -> StoreError {
    StoreError::Confused("another number of answers".to_owned())
}

pub(super) fn confused(answer: &Answer) -> SessionError {
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
