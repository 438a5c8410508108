//! `Sessions`: what is done to sessions besides looking at them: they begin, go on under a new id, end, and are listed.
//!
//! Each step is one commit of the store, all of it or nothing: a session and its line in the list of its user are there together or not
//! at all, so that "end all" misses none that is begun beside it. Where two do so at the same time, one of them sees the other and
//! tries again.
//!
//! Sources: OWASP Session Management Cheat Sheet; ASVS v5.0.0-7.2.4 (a new id at login), 7.4.1 to 7.4.5 (ends, and ends of all),
//! 7.5.2 (sessions are listed).

mod index;

use std::time::Duration;

use portcullis_guard::clock::{Nanos, Now};
use portcullis_guard::session::{Caller, Record, SessionRef, Stored};
use portcullis_guard::store::{
    Answer, Ask, Condition, Durability, Effect, Key, Store, StoreError, Value,
};

use index::{Index, Line};

use crate::random_bytes;

/// How many sessions a user has at most. The one that began first makes room.
pub const SESSIONS_MAX: usize = 64;

/// How often a step is tried that another one came between.
const TRIES: usize = 8;

const MILLION: u64 = 1_000_000;

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// That nobody uses.
    pub idle: Duration,
    /// At most.
    pub absolute: Duration,
}

/// Who a session is begun for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user, as the application calls them.
    pub user: String,
    /// Their tenant.
    pub tenant: Option<String>,
    /// Their roles.
    pub roles: Vec<String>,
}

/// What a session is changed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The tenant, where it is another.
    pub tenant: Option<String>,
    /// The roles, where they are others.
    pub roles: Option<Vec<String>>,
}

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The store did not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// A name is empty, too long, or has control characters; or there are too many roles.
    #[error("the user, the tenant or a role is no name that is kept")]
    Subject,
    /// The session is over, or another step changed it.
    #[error("the session is over, or was changed meanwhile")]
    Gone,
    /// Others came between, again and again.
    #[error("the sessions of the user are changed by too many at a time")]
    Contended,
    /// What the store has cannot be read.
    #[error("what is kept of the user's sessions cannot be read")]
    Corrupt,
}

/// A session, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub session: SessionRef,
    /// What is known of it.
    pub record: Record,
}

/// Sessions in a store.
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'s> {
    store: &'s dyn Store,
}

impl<'s> Sessions<'s> {
    /// Those of a store.
    #[must_use]
    pub const fn new(store: &'s dyn Store) -> Self {
        Self { store }
    }

    /// Begins a session under an id that nobody has had, and ends the one that the browser had before: an id from before a login is
    /// worth nothing after it (CVE-2022-25896).
    ///
    /// # Errors
    ///
    /// When it did not begin.
    pub async fn create(
        &self,
        subject: Subject,
        before: Option<&Caller>,
        lives: Lives,
        now: Now,
    ) -> Result<[u8; 32], SessionError> {
        let record = Record {
            user: subject.user,
            tenant: subject.tenant,
            roles: subject.roles,
            authenticated: now.unix_millis,
            version: 1,
            idle_until: after(now, lives.idle),
            absolute_until: after(now, lives.absolute),
        };
        if let Some(before) = before.filter(|before| before.record.user != record.user) {
            self.end(before, now).await?;
        }
        let replaced = before.filter(|before| before.record.user == record.user);
        match self.put_new(&record, replaced, now).await {
            // The one before has ended meanwhile: there is nothing to replace, and somebody has logged in.
            Err(SessionError::Gone) => self.put_new(&record, None, now).await,
            done => done,
        }
    }

    /// Lets a session go on under a new id, as what its user may do has changed.
    ///
    /// # Errors
    ///
    /// When it does not; then it is as it was, or over.
    pub async fn rotate(
        &self,
        caller: &Caller,
        change: Change,
        lives: Lives,
        now: Now,
    ) -> Result<[u8; 32], SessionError> {
        let was = &caller.record;
        let record = Record {
            tenant: change.tenant.or_else(|| was.tenant.clone()),
            roles: change.roles.unwrap_or_else(|| was.roles.clone()),
            version: was.version.saturating_add(1),
            idle_until: after(now, lives.idle),
            ..was.clone()
        };
        self.put_new(&record, Some(caller), now).await
    }

    /// Ends a session. One that is over has ended.
    ///
    /// # Errors
    ///
    /// When nobody can say that it has ended.
    pub async fn end(&self, caller: &Caller, now: Now) -> Result<(), SessionError> {
        let user = &caller.record.user;
        if self.end_some(user, Some(caller.session), now).await? > 0 {
            return Ok(());
        }
        // It is in no list: it has ended, or the list was lost. Its tombstone is written all the same.
        let effects = vec![tombstone(caller.session, caller.record.absolute_until, now)];
        match self.commit(Vec::new(), effects, now).await? {
            Ok(()) => Ok(()),
            Err(_) => Err(SessionError::Contended),
        }
    }

    /// Ends all sessions of a user; gives how many that were.
    ///
    /// # Errors
    ///
    /// When nobody can say that all have ended.
    pub async fn end_all(&self, user: &str, now: Now) -> Result<usize, SessionError> {
        self.end_some(user, None, now).await
    }

    /// Ends one session of a user by its reference; gives whether it was there.
    ///
    /// # Errors
    ///
    /// When nobody can say that it has ended.
    pub async fn end_one(
        &self,
        user: &str,
        session: SessionRef,
        now: Now,
    ) -> Result<bool, SessionError> {
        Ok(self.end_some(user, Some(session), now).await? > 0)
    }

    /// The sessions of a user that are alive, the first one first.
    ///
    /// # Errors
    ///
    /// When the store does not say, or what it says cannot be read.
    pub async fn list(&self, user: &str, now: Now) -> Result<Vec<Listed>, SessionError> {
        let (_, index) = self.index(user, now).await?;
        let mut listed = Vec::new();
        for line in &index.lines {
            let stored = self.get(line.session.key(), now).await?;
            let stored = stored.as_deref().map(Stored::decode).transpose();
            match stored.map_err(|_corrupt| SessionError::Corrupt)? {
                Some(Stored::Live(record)) if record.is_alive(now.unix_millis) => {
                    listed.push(Listed {
                        session: line.session,
                        record,
                    });
                }
                Some(Stored::Live(_) | Stored::Ended) | None => {}
            }
        }
        Ok(listed)
    }

    /// Writes that a session is used, so that it does not end for idleness. Nothing is lost where another was faster.
    ///
    /// # Errors
    ///
    /// When the store did not do it: then the session ends sooner.
    pub async fn renew(
        &self,
        caller: &Caller,
        lives: Lives,
        now: Now,
    ) -> Result<bool, SessionError> {
        let record = Record {
            idle_until: after(now, lives.idle),
            ..caller.record.clone()
        };
        let ask = Ask::CompareAndSet {
            key: caller.session.key(),
            expected: Some(caller.record.encode()),
            lives: left(&record, now),
            value: record.encode(),
            durability: match self.store.keeps() {
                Durability::Durable => Durability::Snapshot,
                Durability::Snapshot | Durability::Volatile => Durability::Volatile,
            },
        };
        match self.ask(ask, now).await? {
            Answer::Set(is_set) => Ok(is_set),
            other => Err(confused(&other)),
        }
    }

    /// Writes a record under a new id, with its line in the list, and a tombstone where the session was before.
    async fn put_new(
        &self,
        record: &Record,
        replaced: Option<&Caller>,
        now: Now,
    ) -> Result<[u8; 32], SessionError> {
        if !record.is_valid() {
            return Err(SessionError::Subject);
        }
        for _ in 0..TRIES {
            let id = random_bytes().map_err(|_none| SessionError::NoRandomness)?;
            let session = SessionRef::of(&id);
            let (was, mut index) = self.index(&record.user, now).await?;
            let mut effects = Vec::new();
            // Creating is not saving: an id that is there already, or was, is nobody's to take (91).
            let mut conditions = vec![Condition::Absent(session.key())];
            if let Some(before) = replaced {
                conditions.push(Condition::Equals(
                    before.session.key(),
                    before.record.encode(),
                ));
                effects.push(tombstone(before.session, before.record.absolute_until, now));
                index.remove(before.session);
            }
            while index.lines.len() >= SESSIONS_MAX {
                let oldest = index.lines.remove(0);
                effects.push(tombstone(oldest.session, oldest.until, now));
            }
            index.lines.push(Line {
                session,
                until: record.absolute_until,
            });
            effects.push(Effect::Put {
                key: session.key(),
                value: record.encode(),
                lives: left(record, now),
            });
            let at_replaced = conditions.len() > 1;
            index.replace(&record.user, was, now, &mut conditions, &mut effects);
            match self.commit(conditions, effects, now).await? {
                Ok(()) => return Ok(id),
                // The session that is replaced was renewed meanwhile, or is over.
                Err(1) if at_replaced => match self.again(replaced, now).await? {
                    Some(caller) => {
                        return Box::pin(self.put_new(record, Some(&caller), now)).await;
                    }
                    None => return Err(SessionError::Gone),
                },
                Err(_) => {}
            }
        }
        Err(SessionError::Contended)
    }

    /// A session as it is by now, if it is another record and alive.
    async fn again(
        &self,
        caller: Option<&Caller>,
        now: Now,
    ) -> Result<Option<Caller>, SessionError> {
        let Some(caller) = caller else {
            return Ok(None);
        };
        let stored = self.get(caller.session.key(), now).await?;
        let stored = stored.as_deref().map(Stored::decode).transpose();
        Ok(match stored.map_err(|_corrupt| SessionError::Corrupt)? {
            Some(Stored::Live(record))
                if record.is_alive(now.unix_millis) && record != caller.record =>
            {
                Some(Caller {
                    record,
                    session: caller.session,
                })
            }
            Some(Stored::Live(_) | Stored::Ended) | None => None,
        })
    }

    async fn end_some(
        &self,
        user: &str,
        only: Option<SessionRef>,
        now: Now,
    ) -> Result<usize, SessionError> {
        for _ in 0..TRIES {
            let (was, mut index) = self.index(user, now).await?;
            let (ended, kept): (Vec<Line>, Vec<Line>) = index
                .lines
                .drain(..)
                .partition(|line| only.is_none_or(|only| line.session == only));
            index.lines = kept;
            if ended.is_empty() {
                return Ok(0);
            }
            let mut conditions = Vec::new();
            let mut effects: Vec<Effect> = ended
                .iter()
                .map(|line| tombstone(line.session, line.until, now))
                .collect();
            index.replace(user, was, now, &mut conditions, &mut effects);
            if self.commit(conditions, effects, now).await?.is_ok() {
                return Ok(ended.len());
            }
        }
        Err(SessionError::Contended)
    }

    /// The list of a user's sessions, with the bytes that it is kept in.
    async fn index(&self, user: &str, now: Now) -> Result<(Option<Value>, Index), SessionError> {
        let was = self.get(index::key(user), now).await?;
        let index = match &was {
            None => Index::default(),
            Some(bytes) => Index::decode(bytes, now).ok_or(SessionError::Corrupt)?,
        };
        Ok((was, index))
    }

    async fn get(&self, key: Key, now: Now) -> Result<Option<Value>, SessionError> {
        match self.ask(Ask::Get { key }, now).await? {
            Answer::Found(value) => Ok(value),
            other => Err(confused(&other)),
        }
    }

    async fn commit(
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

    async fn ask(&self, ask: Ask<'_>, now: Now) -> Result<Answer, SessionError> {
        let batch = [ask];
        let mut answers = self.store.ask(&batch, now).wait().await?.into_iter();
        match (answers.next(), answers.next()) {
            (Some(answer), None) => Ok(answer),
            _ => Err(StoreError::Confused("another number of answers".to_owned()).into()),
        }
    }
}

fn confused(answer: &Answer) -> SessionError {
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

fn tombstone(session: SessionRef, until: u64, now: Now) -> Effect {
    Effect::Put {
        key: session.key(),
        value: Record::tombstone(),
        lives: millis(until.saturating_sub(now.unix_millis).max(1_000)),
    }
}

fn after(now: Now, length: Duration) -> u64 {
    let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    now.unix_millis.saturating_add(millis)
}

/// For how long a record is kept: until the first of its ends.
fn left(record: &Record, now: Now) -> Nanos {
    let until = record.idle_until.min(record.absolute_until);
    millis(until.saturating_sub(now.unix_millis))
}

const fn millis(millis: u64) -> Nanos {
    millis.saturating_mul(MILLION)
}
