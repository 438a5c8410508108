//! `UserList`: what one user has of something, sessions or keys, as the store keeps it: which, and when each is over.

use portcullis_guard::api_key::{ApiKeyId, REMEMBERED_MILLIS};
use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_guard::session::SessionRef;
use portcullis_guard::store::{Condition, Effect, Key, Space, StoreError, Value};

use crate::api_keys::KEYS_MAX;
use crate::asking::Asking;
use crate::sessions::SESSIONS_MAX;

/// The version of the encoding, which is its first byte.
const VERSION: u8 = 1;

/// The bytes of a moment.
const MOMENT_BYTES: usize = 8;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// What there is a list of.
pub(crate) trait Listed: Copy + PartialEq {
    /// How many bytes say which it is.
    const BYTES: usize;
    /// Where its entries and the lists of them are.
    const SPACE: Space;
    /// How many lines a list has at most.
    const LINES_MAX: usize;
    /// For how long one that is over is still in it, in milliseconds.
    const REMEMBERED_MILLIS: u64;

    fn read(bytes: &[u8]) -> Option<Self>;

    fn write(self, out: &mut Value);
}

impl Listed for SessionRef {
    const BYTES: usize = 32;
    const SPACE: Space = Space::Session;
    const LINES_MAX: usize = SESSIONS_MAX;
    const REMEMBERED_MILLIS: u64 = 0;

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn write(self, out: &mut Value) {
        out.extend_from_slice(&self.0);
    }
}

impl Listed for ApiKeyId {
    const BYTES: usize = 8;
    const SPACE: Space = Space::ApiKey;
    /// Beyond those that may be alive, as many that are over: of more, those that have been over the longest are forgotten.
    const LINES_MAX: usize = 2 * KEYS_MAX;
    const REMEMBERED_MILLIS: u64 = REMEMBERED_MILLIS;

    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    fn write(self, out: &mut Value) {
        out.extend_from_slice(&self.bytes());
    }
}

/// The list of one user, the first one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserList<I> {
    pub(crate) lines: Vec<Line<I>>,
}

/// One of its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<I> {
    /// Which.
    pub(crate) id: I,
    /// When it is over in any case, in milliseconds since 1970-01-01.
    pub(crate) until: u64,
}

impl<I: Listed> UserList<I> {
    /// The list of a user, with the bytes that it is kept in; nothing where these are no list.
    pub(crate) async fn of(
        user: &str,
        asking: Asking<'_>,
        now: Now,
    ) -> Result<Option<(Option<Value>, Self)>, StoreError> {
        let was = asking.get(Self::key(user), now).await?;
        let list = match &was {
            None => Some(Self { lines: Vec::new() }),
            Some(bytes) => Self::decode(bytes, now),
        };
        Ok(list.map(|list| (was, list)))
    }

    /// The entry of a user's list. A digest, as names are long, and in front of it what no key of a thing itself begins with.
    fn key(user: &str) -> Key {
        let digest = sha256(user.as_bytes());
        Key::new(I::SPACE, &[b"user".as_slice(), &digest].concat())
    }

    /// Reads a list, without what has been over for long. Nothing for bytes that are none.
    fn decode(bytes: &[u8], now: Now) -> Option<Self> {
        let mut lines = bytes
            .strip_prefix(&[VERSION])?
            .chunks_exact(I::BYTES + MOMENT_BYTES);
        if lines.len() > I::LINES_MAX || !lines.remainder().is_empty() {
            return None;
        }
        let lines: Option<Vec<Line<I>>> = lines
            .by_ref()
            .map(|line| {
                let (id, until) = line.split_at_checked(I::BYTES)?;
                Some(Line {
                    id: I::read(id)?,
                    until: u64::from_be_bytes(until.try_into().ok()?),
                })
            })
            .collect();
        let mut lines = lines?;
        lines.retain(|line| line.until.saturating_add(I::REMEMBERED_MILLIS) > now.unix_millis);
        Some(Self { lines })
    }

    fn encode(&self) -> Value {
        let mut out = Value::new();
        out.push(VERSION);
        for line in &self.lines {
            line.id.write(&mut out);
            out.extend_from_slice(&line.until.to_be_bytes());
        }
        out
    }

    /// How many are not over.
    pub(crate) fn alive(&self, now: Now) -> usize {
        let is_alive = |line: &&Line<I>| now.unix_millis < line.until;
        self.lines.iter().filter(is_alive).count()
    }

    /// Adds a line, or changes the one that is there. Where there are too many, what is over first makes room.
    pub(crate) fn put(&mut self, line: Line<I>) {
        match self.lines.iter_mut().find(|one| one.id == line.id) {
            Some(one) => *one = line,
            None => self.lines.push(line),
        }
        while self.lines.len() > I::LINES_MAX {
            let first = self.lines.iter().map(|line| line.until).min();
            let at = self.lines.iter().position(|line| Some(line.until) == first);
            self.lines.remove(at.unwrap_or_default());
        }
    }

    pub(crate) fn remove(&mut self, id: I) {
        self.lines.retain(|line| line.id != id);
    }

    /// Adds to a commit that the list becomes this one, if it still is as it was read.
    pub(crate) fn replace(
        &self,
        user: &str,
        was: Option<Value>,
        now: Now,
        conditions: &mut Vec<Condition>,
        effects: &mut Vec<Effect>,
    ) {
        let key = Self::key(user);
        conditions.push(match was {
            Some(was) => Condition::Equals(key.clone(), was),
            None => Condition::Absent(key.clone()),
        });
        let until = self.lines.iter().map(|line| line.until).max();
        effects.push(match until {
            Some(until) => Effect::Put {
                key,
                value: self.encode(),
                lives: until
                    .saturating_add(I::REMEMBERED_MILLIS)
                    .saturating_sub(now.unix_millis)
                    .saturating_mul(NANOS_PER_MILLI),
            },
            None => Effect::Delete(key),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix_millis: u64) -> Now {
        Now {
            monotonic: 0,
            unix_millis,
        }
    }

    fn reads_what_it_has_written<I: Listed + std::fmt::Debug>(id: impl Fn(u8) -> I) {
        let line = |byte, until| Line {
            id: id(byte),
            until,
        };
        let now = at(I::REMEMBERED_MILLIS + 100);
        let list = UserList {
            lines: vec![line(1, 200), line(2, 99), line(3, u64::MAX), line(4, 100)],
        };
        let read = UserList::decode(&list.encode(), now).unwrap();
        assert_eq!(read.lines, [line(1, 200), line(3, u64::MAX)]);
        let bytes = I::BYTES + MOMENT_BYTES;
        let whole = vec![VERSION; 1 + bytes * I::LINES_MAX];
        assert!(UserList::<I>::decode(&whole, at(0)).is_some());
        for wrong in [
            vec![],
            vec![2],
            vec![1, 0],
            vec![1; bytes],
            vec![1; 1 + bytes * (I::LINES_MAX + 1)],
        ] {
            assert_eq!(UserList::<I>::decode(&wrong, now), None, "{}", wrong.len());
        }
    }

    #[test]
    fn what_is_kept_is_read_and_nothing_else() {
        reads_what_it_has_written(|byte| SessionRef([byte; 32]));
        reads_what_it_has_written(|byte| ApiKeyId::new([byte; 8]));
    }

    #[test]
    fn what_is_over_makes_room_and_what_is_alive_does_not() {
        let line = |byte: u8, until| Line {
            id: ApiKeyId::new([byte; 8]),
            until,
        };
        let mut list = UserList { lines: Vec::new() };
        for byte in 0..=u8::MAX {
            let until = if byte % 4 == 0 { u64::MAX } else { byte.into() };
            list.put(line(byte, until));
        }
        assert_eq!(list.lines.len(), ApiKeyId::LINES_MAX);
        assert_eq!(list.alive(at(1_000)), KEYS_MAX);
        list.put(line(252, 5));
        assert_eq!(list.lines.len(), ApiKeyId::LINES_MAX);
        assert_eq!(list.alive(at(1_000)), KEYS_MAX - 1);
        list.remove(ApiKeyId::new([252; 8]));
        assert_eq!(list.lines.len(), ApiKeyId::LINES_MAX - 1);
    }
}
