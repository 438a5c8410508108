//! `Index`: the list of one user's sessions, as the store keeps it.

use portcullis_guard::clock::Now;
use portcullis_guard::digest::sha256;
use portcullis_guard::session::SessionRef;
use portcullis_guard::store::{Condition, Effect, Key, Space, Value};

use super::{SESSIONS_MAX, millis};

/// The version of the encoding, which is its first byte.
const VERSION: u8 = 1;

const LINE_BYTES: usize = 40;

/// The sessions of one user, the first one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) lines: Vec<Line>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) session: SessionRef,
    /// When it is over in any case, in milliseconds since 1970-01-01.
    pub(super) until: u64,
}

/// The entry of a user's list. A digest, as names are long, and in front of it what no key of a session begins with.
pub(super) fn key(user: &str) -> Key {
    let digest = sha256(user.as_bytes());
    Key::new(Space::Session, &[b"user".as_slice(), &digest].concat())
}

impl Index {
    /// Reads a list, without what is over by now. Nothing for bytes that are none.
    pub(super) fn decode(bytes: &[u8], now: Now) -> Option<Self> {
        let lines = bytes.strip_prefix(&[VERSION])?;
        let (lines, []) = lines.as_chunks::<LINE_BYTES>() else {
            return None;
        };
        if lines.len() > SESSIONS_MAX {
            return None;
        }
        let lines = lines.iter().filter_map(|line| {
            let (session, until) = line.split_first_chunk::<32>()?;
            let until = u64::from_be_bytes(until.try_into().ok()?);
            Some(Line {
                session: SessionRef(*session),
                until,
            })
        });
        Some(Self {
            lines: lines.filter(|line| line.until > now.unix_millis).collect(),
        })
    }

    fn encode(&self) -> Value {
        let mut out = Value::new();
        out.push(VERSION);
        for line in &self.lines {
            out.extend_from_slice(&line.session.0);
            out.extend_from_slice(&line.until.to_be_bytes());
        }
        out
    }

    pub(super) fn remove(&mut self, session: SessionRef) {
        self.lines.retain(|line| line.session != session);
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
                lives: millis(until.saturating_sub(now.unix_millis)),
            },
            None => Effect::Delete(key),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_are_kept() {
        let now = Now {
            monotonic: 0,
            unix_millis: 100,
        };
        let line = |byte, until| Line {
            session: SessionRef([byte; 32]),
            until,
        };
        let index = Index {
            lines: vec![line(1, 101), line(2, 100), line(3, u64::MAX)],
        };
        let read = Index::decode(&index.encode(), now).unwrap();
        assert_eq!(read.lines, [line(1, 101), line(3, u64::MAX)]);
        for bytes in [&b""[..], &[2], &[1, 0], &[1; 40]] {
            assert_eq!(Index::decode(bytes, now), None, "{bytes:?}");
        }
        assert_eq!(Index::decode(&[1], now), Some(Index::default()));
    }
}
