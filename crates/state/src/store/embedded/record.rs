//! The bytes of one thing that is kept, version 1, all numbers with their lowest byte first.
//!
//! 1. Name: `e` for an entry, `r` for a ring; the length of its space's word (1), the word, the bytes of its key.
//! 2. Value: when it is over in the time of the store (8); when it is over by the system's clock in milliseconds since 1970,
//!    or zero (8); the value, or of a ring each of its keys, the oldest first: the length of its space's word (1), the word,
//!    the length of its bytes (4), its bytes.
//! 3. The first eight bytes of SHA-256 of the length of the name (8), the name and the value.
//!
//! There is one spelling of each record: what is read and written again is the same bytes.

use aws_lc_rs::digest::{Context, SHA256};
use portcullis_guard::store::{Key, Space, Value};

use super::timeline::Timeline;
use crate::store::memory::{Change, Life};

const ENTRY: u8 = b'e';
const RING: u8 = b'r';
const SEAL_BYTES: usize = 8;

/// A record, or the name of one that is deleted.
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

/// How a change is written.
pub(super) fn encode(change: &Change, timeline: Timeline) -> Record {
    match change {
        Change::Entry { key, value, life } => {
            let name = name(ENTRY, key);
            let mut body = ends(*life, timeline);
            body.extend_from_slice(value);
            let value = Some(seal(&name, body));
            Record { name, value }
        }
        Change::Ring {
            name: ring,
            members,
            life,
        } => {
            let name = name(RING, ring);
            let mut body = ends(*life, timeline);
            for member in members {
                push_space(&mut body, member.space);
                let length = u32::try_from(member.bytes.len()).unwrap_or(u32::MAX);
                body.extend_from_slice(&length.to_le_bytes());
                body.extend_from_slice(&member.bytes);
            }
            let value = Some(seal(&name, body));
            Record { name, value }
        }
        Change::NoEntry { key } => Record {
            name: name(ENTRY, key),
            value: None,
        },
        Change::NoRing { name: ring } => Record {
            name: name(RING, ring),
            value: None,
        },
    }
}

/// Reads a record, or says what is wrong with it.
pub(super) fn decode(name: &[u8], value: &[u8], timeline: Timeline) -> Result<Change, String> {
    let sealed = value.split_last_chunk::<SEAL_BYTES>();
    let (body, found) = sealed.ok_or("a record is cut off")?;
    if digest(name, body) != *found {
        return Err("the checksum of a record does not match: it was changed".to_owned());
    }
    let mut name = Reader(name);
    let kind = name.array::<1>().ok_or("a record has no name")?;
    let space = name.space()?;
    let key = Key::new(space, name.0);
    let mut body = Reader(body);
    let life = body.life(timeline).ok_or("a record is cut off")?;
    match kind {
        [ENTRY] => Ok(Change::Entry {
            key,
            value: Value::from_slice(body.0),
            life,
        }),
        [RING] => Ok(Change::Ring {
            name: key,
            members: body.members()?,
            life,
        }),
        _ => Err("a record is of no kind that this version knows".to_owned()),
    }
}

/// A value of a record with its checksum: what a fuzzer makes of bytes that shall be looked at.
#[must_use]
pub fn seal(name: &[u8], mut body: Vec<u8>) -> Vec<u8> {
    let digest = digest(name, &body);
    body.extend_from_slice(&digest);
    body
}

/// Reads a record and writes it again: the same name and value, or what is wrong with them.
///
/// # Errors
///
/// When it is none.
pub fn rewritten(name: &[u8], value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
    let change = decode(name, value, Timeline::default())?;
    let record = encode(&change, Timeline::default());
    Ok((record.name, record.value.unwrap_or_default()))
}

fn digest(name: &[u8], body: &[u8]) -> [u8; SEAL_BYTES] {
    let mut context = Context::new(&SHA256);
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
    context.update(&length.to_le_bytes());
    context.update(name);
    context.update(body);
    let digest = context.finish();
    let first = digest.as_ref().first_chunk::<SEAL_BYTES>();
    first.copied().unwrap_or_default()
}

fn name(kind: u8, key: &Key) -> Vec<u8> {
    let mut name = Vec::with_capacity(16 + key.bytes.len());
    name.push(kind);
    push_space(&mut name, key.space);
    name.extend_from_slice(&key.bytes);
    name
}

/// The word of a space and no number: nobody has to keep a list of numbers that must never change.
fn push_space(bytes: &mut Vec<u8>, space: Space) {
    let word = space.as_str().as_bytes();
    bytes.push(u8::try_from(word.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(word);
}

fn ends(life: Life, timeline: Timeline) -> Vec<u8> {
    let mut body = Vec::with_capacity(128);
    body.extend_from_slice(&timeline.time(life.monotonic).to_le_bytes());
    body.extend_from_slice(&life.unix_millis.to_le_bytes());
    body
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn space(&mut self) -> Result<Space, String> {
        let [length] = self.array().ok_or("a record is cut off")?;
        let word = self.bytes(length.into()).ok_or("a record is cut off")?;
        let mut spaces = Space::ALL.iter();
        let space = spaces.find(|space| space.as_str().as_bytes() == word);
        let unknown = "a record is of a space that this version does not know";
        space.copied().ok_or_else(|| unknown.to_owned())
    }

    fn life(&mut self, timeline: Timeline) -> Option<Life> {
        let time = u64::from_le_bytes(self.array()?);
        let unix_millis = u64::from_le_bytes(self.array()?);
        Some(Life {
            monotonic: timeline.monotonic(time),
            unix_millis,
            kept: true,
        })
    }

    fn members(&mut self) -> Result<Vec<Key>, String> {
        let mut members = Vec::new();
        while !self.0.is_empty() {
            let space = self.space()?;
            let length = self.array().map(u32::from_le_bytes);
            let length = length.and_then(|length| usize::try_from(length).ok());
            let bytes = length.and_then(|length| self.bytes(length));
            let bytes = bytes.ok_or("a ring is cut off")?;
            members.push(Key::new(space, bytes));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(monotonic: u64, unix_millis: u64) -> Life {
        Life {
            monotonic,
            unix_millis,
            kept: true,
        }
    }

    fn changes() -> Vec<Change> {
        let mut changes = Vec::new();
        for space in Space::ALL {
            for length in [0, 1, 48, 49, 300] {
                let key = Key::new(*space, &vec![7; length]);
                changes.push(Change::Entry {
                    key: key.clone(),
                    value: Value::from_vec(vec![9; length]),
                    life: life(5, 6),
                });
                changes.push(Change::Ring {
                    name: key.clone(),
                    members: vec![key.clone(); length.min(40)],
                    life: life(u64::MAX, 0),
                });
            }
        }
        changes
    }

    #[test]
    fn what_is_written_is_read_and_every_other_byte_is_found() {
        for change in changes() {
            let record = encode(&change, Timeline::default());
            let value = record.value.unwrap();
            let read = decode(&record.name, &value, Timeline::default());
            assert_eq!(read, Ok(change));
            for at in 0..value.len() {
                let mut other = value.clone();
                other[at] ^= 1;
                assert!(decode(&record.name, &other, Timeline::default()).is_err());
                assert!(decode(&record.name, &value[..at], Timeline::default()).is_err());
            }
            for at in 0..record.name.len() {
                let mut other = record.name.clone();
                other[at] ^= 1;
                assert!(decode(&other, &value, Timeline::default()).is_err());
            }
        }
    }

    #[test]
    fn a_record_of_another_version_is_told() {
        let body = ends(life(1, 1), Timeline::default());
        let unknown: [&[u8]; 4] = [b"", b"x\x04csrfa", b"e\x05otherab", b"e\xffcsrf"];
        for name in unknown {
            let value = seal(name, body.clone());
            assert!(decode(name, &value, Timeline::default()).is_err());
        }
        let ring = seal(
            b"r\x04csrfa",
            [body, b"\x04csrf\xff\xff\xff\xffa".to_vec()].concat(),
        );
        assert!(decode(b"r\x04csrfa", &ring, Timeline::default()).is_err());
    }
}
