//! `Index`: the list of one user's keys, as the store keeps it.

use portcullis_guard::api_key::{ApiKeyId, REMEMBERED_MILLIS};
use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_guard::store::{Condition, Effect, Key, Space, Value};

use super::{KEYS_MAX, remembered};

/// The version of the encoding, which is its first byte.
const VERSION: u8 = 1;

const LINE_BYTES: usize = 16;

/// How many lines there are at most: beyond, those that have been over the longest are forgotten.
const LINES_MAX: usize = 2 * KEYS_MAX;

/// The keys of one user, the first one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    lines: Vec<Line>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: ApiKeyId,
    /// When it is over, in milliseconds since 1970-01-01.
    pub(super) until: u64,
}

/// The entry of a user's list: a digest, as names are long.
pub(super) fn key(user: &str) -> Key {
    let digest = sha256(user.as_bytes());
    Key::new(Space::ApiKey, &[b"user".as_slice(), &digest].concat())
}

impl Index {
    /// Reads a list, without what has been over for long. Nothing for bytes that are none.
    pub(super) fn decode(bytes: &[u8], now: Now) -> Option<Self> {
        let lines = bytes.strip_prefix(&[VERSION])?;
        let (lines, []) = lines.as_chunks::<LINE_BYTES>() else {
            return None;
        };
        if lines.len() > LINES_MAX {
            return None;
        }
        let lines = lines.iter().filter_map(|line| {
            let (id, until) = line.split_first_chunk::<8>()?;
            let until = u64::from_be_bytes(until.try_into().ok()?);
            let id = ApiKeyId::new(*id);
            Some(Line { id, until })
        });
        let is_remembered =
            |line: &Line| line.until.saturating_add(REMEMBERED_MILLIS) > now.unix_millis;
        Some(Self {
            lines: lines.filter(is_remembered).collect(),
        })
    }

    fn encode(&self) -> Value {
        let mut out = Value::new();
        out.push(VERSION);
        for line in &self.lines {
            out.extend_from_slice(&line.id.bytes());
            out.extend_from_slice(&line.until.to_be_bytes());
        }
        out
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many are not over.
    pub(super) fn alive(&self, now: Now) -> usize {
        let is_alive = |line: &&Line| now.unix_millis < line.until;
        self.lines.iter().filter(is_alive).count()
    }

    /// Adds a line, or changes the one of its key. As no more than [`KEYS_MAX`] are alive, what makes room is over.
    pub(super) fn put(&mut self, line: Line) {
        match self.lines.iter_mut().find(|one| one.id == line.id) {
            Some(one) => *one = line,
            None => self.lines.push(line),
        }
        while self.lines.len() > LINES_MAX {
            let first = self.lines.iter().map(|line| line.until).min();
            let at = self.lines.iter().position(|line| Some(line.until) == first);
            self.lines.remove(at.unwrap_or_default());
        }
    }

    pub(super) fn remove(&mut self, id: ApiKeyId) {
        self.lines.retain(|line| line.id != id);
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Line> {
        self.lines.drain(..)
    }

    /// Adds to a commit that the list becomes this one, if it still is as it was read.
    pub(super) fn replace(
        &self,
        user: &str,
        was: Option<Value>,
        now: Now,
        conditions: &mut Vec<Condition>,
        effects: &mut Vec<Effect>,
    ) {
        let key = key(user);
        conditions.push(match was {
            Some(was) => Condition::Equals(key.clone(), was),
            None => Condition::Absent(key.clone()),
        });
        let until = self.lines.iter().map(|line| line.until).max();
        effects.push(match until {
            Some(until) => Effect::Put {
                key,
                value: self.encode(),
                lives: remembered(until, now),
            },
            None => Effect::Delete(key),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(byte: u8, until: u64) -> Line {
        let id = ApiKeyId::new([byte; 8]);
        Line { id, until }
    }

    fn at(unix_millis: u64) -> Now {
        Now {
            monotonic: 0,
            unix_millis,
        }
    }

    #[test]
    fn lists_are_read_as_they_are_kept() {
        let now = at(REMEMBERED_MILLIS + 100);
        let index = Index {
            lines: vec![line(1, 101), line(2, 100), line(3, u64::MAX)],
        };
        let read = Index::decode(&index.encode(), now).unwrap();
        assert_eq!(read.lines, [line(1, 101), line(3, u64::MAX)]);
        assert_eq!(read.alive(now), 1);
        for bytes in [&b""[..], &[2], &[1, 0], &[1; 16], &[1; 1 + 16 * 129]] {
            assert_eq!(Index::decode(bytes, now), None, "{}", bytes.len());
        }
        assert_eq!(Index::decode(&[1], now), Some(Index::default()));
    }

    #[test]
    fn what_is_over_makes_room_and_what_is_alive_does_not() {
        let mut index = Index::default();
        for byte in 0..=u8::MAX {
            let until = if byte % 4 == 0 { u64::MAX } else { byte.into() };
            index.put(line(byte, until));
        }
        assert_eq!(index.lines.len(), LINES_MAX);
        assert_eq!(index.alive(at(1_000)), KEYS_MAX);
        index.put(line(252, 5));
        assert_eq!(index.lines.len(), LINES_MAX);
        assert_eq!(index.alive(at(1_000)), KEYS_MAX - 1);
        index.remove(ApiKeyId::new([252; 8]));
        assert_eq!(index.lines.len(), LINES_MAX - 1);
    }
}
