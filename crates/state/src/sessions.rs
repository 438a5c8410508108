//! `Sessions`: what is done to sessions besides looking at them: they begin, go on under a new id, end, and are listed.
//!
//! Each step is one commit of the store, all of it or nothing: a session and its line in the list of its user are there together or not
//! at all, so that "end all" misses none that is begun beside it. Where two do so at the same time, one of them sees the other and
//! tries again.
//!
//! Sources: OWASP Session Management Cheat Sheet; ASVS v5.0.0-7.2.4 (a new id at login), 7.4.1 to 7.4.5 (ends, and ends of all),
//! 7.5.2 (sessions are listed).

use std::time::Duration;

use portcullis_guard::clock::{Nanos, Now};
use portcullis_guard::session::{Caller, Record, SessionRef, Stored};
use portcullis_guard::store::{Answer, Ask, Condition, Effect, Store, StoreError, Value};

use crate::asking::{Asking, confused};
use crate::random_bytes;
use crate::user_list::{self, UserList};

/// How many sessions a user has at most. The one that began first makes room.
pub const SESSIONS_MAX: usize = 64;

/// How often a step is tried that another one came between.
const TRIES: usize = 8;

const MILLION: u64 = 1_000_000;

/// The sessions of one user.
type Index = UserList<SessionRef>;

/// One of them.
type Line = user_list::Line<SessionRef>;

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

/// A session that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its id, for its cookie alone.
    pub id: [u8; 32],
    /// The sessions that ended with it.
    pub ended: Vec<Ended>,
}

/// A session that has ended because another one began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub session: SessionRef,
    /// Whose it was.
    pub user: String,
    /// Why.
    pub why: EndedBy,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// Its browser logged in again.
    Login,
    /// It was the oldest of as many as a user may have, and made room.
    Room,
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
    store: Asking<'s>,
}

impl<'s> Sessions<'s> {
    /// Those of a store.
    #[must_use]
    pub const fn new(store: &'s dyn Store) -> Self {
        Self {
            store: Asking::new(store),
        }
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
    ) -> Result<Begun, SessionError> {
        let record = Record {
            user: subject.user,
            tenant: subject.tenant,
            roles: subject.roles,
            authenticated: now.unix_millis,
            version: 1,
            idle_until: after(now, lives.idle),
            absolute_until: after(now, lives.absolute),
        };
        let login = |before: &Caller| Ended {
            session: before.session,
            user: before.record.user.clone(),
            why: EndedBy::Login,
        };
        let mut ended = Vec::new();
        if let Some(before) = before.filter(|before| before.record.user != record.user)
            && self.end(before, now).await?
        {
            ended.push(login(before));
        }
        let replaced = before.filter(|before| before.record.user == record.user);
        let mut begun = match self.put_new(&record, replaced, now).await {
            // The one before has ended meanwhile: there is nothing to replace, and somebody has logged in.
            Err(SessionError::Gone) => self.put_new(&record, None, now).await?,
            done => {
                ended.extend(replaced.map(login));
                done?
            }
        };
        ended.append(&mut begun.ended);
        Ok(Begun { ended, ..begun })
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
    ) -> Result<Begun, SessionError> {
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

    /// Ends a session. One that is over has ended; gives whether it was alive.
    ///
    /// # Errors
    ///
    /// When nobody can say that it has ended.
    pub async fn end(&self, caller: &Caller, now: Now) -> Result<bool, SessionError> {
        let ended = self
            .end_some(
                &caller.record.user,
                Which::One(caller.session),
                Some(caller),
                now,
            )
            .await?;
        Ok(!ended.is_empty())
    }

    /// Ends all sessions of a user, and that of the caller also where it is in no list; gives those that were alive.
    ///
    /// # Errors
    ///
    /// When nobody can say that all have ended.
    pub async fn end_all(
        &self,
        user: &str,
        caller: Option<&Caller>,
        now: Now,
    ) -> Result<Vec<SessionRef>, SessionError> {
        self.end_some(user, Which::All, caller, now).await
    }

    /// Ends one session of a user by its reference; gives whether it was there, and alive.
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
        let ended = self.end_some(user, Which::One(session), None, now).await?;
        Ok(!ended.is_empty())
    }

    /// The sessions of a user that are alive, the first one first.
    ///
    /// # Errors
    ///
    /// When the store does not say, or what it says cannot be read.
    pub async fn list(&self, user: &str, now: Now) -> Result<Vec<Listed>, SessionError> {
        let (_, index) = self.index(user, now).await?;
        let records = self.alive(&index.lines, now).await?;
        let listed = index
            .lines
            .iter()
            .zip(records)
            .filter_map(|(line, record)| {
                Some(Listed {
                    session: line.id,
                    record: record?,
                })
            });
        Ok(listed.collect())
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
        let (key, was) = (caller.session.key(), caller.record.encode());
        let next = (record.encode(), left(&record, now));
        Ok(self.store.set_lazily(key, Some(was), next, now).await?)
    }

    /// Writes a record under a new id, with its line in the list, and a tombstone where the session was before.
    async fn put_new(
        &self,
        record: &Record,
        replaced: Option<&Caller>,
        now: Now,
    ) -> Result<Begun, SessionError> {
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
            let ended = self
                .make_room(&mut index, record, &mut effects, now)
                .await?;
            index.lines.push(Line {
                id: session,
                until: record.absolute_until,
            });
            effects.push(Effect::Put {
                key: session.key(),
                value: record.encode(),
                lives: left(record, now),
            });
            let at_replaced = conditions.len() > 1;
            index.replace(&record.user, was, now, &mut conditions, &mut effects);
            match self.store.commit(conditions, effects, now).await? {
                Ok(()) => return Ok(Begun { id, ended }),
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

    /// Takes lines out of a list that is full: those of sessions that are over, and only if there are none the oldest. Each leaves a
    /// tombstone, those that are over too: who has just used one must not bring it back, past the list.
    async fn make_room(
        &self,
        index: &mut Index,
        record: &Record,
        effects: &mut Vec<Effect>,
        now: Now,
    ) -> Result<Vec<Ended>, SessionError> {
        if index.lines.len() < SESSIONS_MAX {
            return Ok(Vec::new());
        }
        let records = self.alive(&index.lines, now).await?;
        let mut alive = records.iter().map(Option::is_some);
        let (kept, over): (Vec<Line>, Vec<Line>) = std::mem::take(&mut index.lines)
            .into_iter()
            .partition(|_| alive.next().unwrap_or(true));
        let room = (kept.len() + 1).saturating_sub(SESSIONS_MAX);
        let (oldest, kept) = kept.split_at(room.min(kept.len()));
        index.lines = kept.to_vec();
        let taken = over.iter().chain(oldest);
        effects.extend(taken.map(|line| tombstone(line.id, line.until, now)));
        let ended = oldest.iter().map(|line| Ended {
            session: line.id,
            user: record.user.clone(),
            why: EndedBy::Room,
        });
        Ok(ended.collect())
    }

    /// The list of a user's sessions, with the bytes that it is kept in.
    async fn index(&self, user: &str, now: Now) -> Result<(Option<Value>, Index), SessionError> {
        let list = UserList::of(user, self.store, now).await?;
        list.ok_or(SessionError::Corrupt)
    }

    /// What is known of each of these sessions, where it is alive. A line says when it is over in any case, and a session may be
    /// over for idleness before that.
    async fn alive(&self, lines: &[Line], now: Now) -> Result<Vec<Option<Record>>, SessionError> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let get = |line: &Line| Ask::Get { key: line.id.key() };
        let batch: Vec<Ask<'_>> = lines.iter().map(get).collect();
        let answers = self.store.all(&batch, now).await?;
        answers
            .into_iter()
            .map(|answer| match answer {
                Answer::Found(stored) => alive(stored.as_deref(), now),
                other => Err(confused(&other).into()),
            })
            .collect()
    }

    /// What is known of one session, if it is alive.
    async fn record(&self, session: SessionRef, now: Now) -> Result<Option<Record>, SessionError> {
        alive(self.store.get(session.key(), now).await?.as_deref(), now)
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
        let record = self.record(caller.session, now).await?;
        let changed = record.filter(|record| *record != caller.record);
        Ok(changed.map(|record| Caller {
            record,
            session: caller.session,
        }))
    }

    /// Ends those of a user's sessions, and that of the caller whether it is in the list or not: a list may be lost. Gives those
    /// that were alive.
    async fn end_some(
        &self,
        user: &str,
        which: Which,
        caller: Option<&Caller>,
        now: Now,
    ) -> Result<Vec<SessionRef>, SessionError> {
        for _ in 0..TRIES {
            let (was, mut index) = self.index(user, now).await?;
            let (listed, kept): (Vec<Line>, Vec<Line>) =
                index.lines.drain(..).partition(|line| which.has(line.id));
            index.lines = kept;
            let mut ended = listed.clone();
            if let Some(caller) = caller
                && !ended.iter().any(|line| line.id == caller.session)
            {
                ended.push(Line {
                    id: caller.session,
                    until: caller.record.absolute_until,
                });
            }
            if ended.is_empty() {
                return Ok(Vec::new());
            }
            let alive = self.alive(&ended, now).await?;
            let mut conditions = Vec::new();
            let mut effects: Vec<Effect> = ended
                .iter()
                .map(|line| tombstone(line.id, line.until, now))
                .collect();
            if !listed.is_empty() {
                index.replace(user, was, now, &mut conditions, &mut effects);
            }
            if self.store.commit(conditions, effects, now).await?.is_ok() {
                let ended = ended.iter().zip(alive);
                return Ok(ended
                    .filter_map(|(line, alive)| alive.map(|_| line.id))
                    .collect());
            }
        }
        Err(SessionError::Contended)
    }
}

/// Which of a user's sessions.
#[derive(Clone, Copy)]
enum Which {
    All,
    One(SessionRef),
}

impl Which {
    fn has(self, session: SessionRef) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == session,
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
