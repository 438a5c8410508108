//! `verify`: reads a whole trail and finds the first place at which somebody touched it.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead};

use portcullis_policy::event::{EventTime, HexBytes};

use super::body::{Body, BodyFault, hash_of};
use super::checkpoint::Checkpoint;
use super::database::{Columns, Head, Row};
use super::error::TrailError;
use super::kind::TrailKind;
use super::reader::TrailReader;
use super::second_place::CheckpointLines;

/// Records that are read at once: so much memory a trail of any length takes.
const PAGE: u32 = 1_000;

/// The most different keys that are remembered of a trail; a stranger could have signed each checkpoint by another.
const KEYS_MAX: usize = 64;

/// What a trail is held against.
#[derive(Debug, Default)]
pub struct VerifyOptions<R> {
    /// The keys that may sign it. With none any key may, and is told.
    pub keys: BTreeSet<HexBytes<32>>,
    /// Checkpoints that were kept in a second place, in their order.
    pub checkpoints: Option<R>,
}

/// What was read of a trail that is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many records; the last has this number.
    pub records: u64,
    /// When the first was written, in milliseconds since 1970.
    pub first_millis: Option<u64>,
    /// When the last was written.
    pub last_millis: Option<u64>,
    /// Checkpoints in it, all of them signed as they should be.
    pub checkpoints: u64,
    /// Records after the last checkpoint: nothing but the chain speaks for them, and nothing would show if they were cut off.
    pub unsigned: u64,
    /// The keys that signed, at most 64.
    pub keys: BTreeSet<HexBytes<32>>,
    /// Checkpoints of the second place that were found in it.
    pub second_place: u64,
    /// Lines of the second place that are no checkpoint.
    pub unreadable_lines: u64,
}

/// Why a trail is not whole.
#[derive(Debug)]
pub enum VerifyError {
    /// It was touched.
    Broken {
        /// The first record at which that shows.
        seq: u64,
        /// What is wrong there.
        fault: TrailFault,
    },
    /// It cannot be read.
    Trail(TrailError),
    /// The second place cannot be read.
    SecondPlace(io::Error),
}

impl From<TrailError> for VerifyError {
    fn from(error: TrailError) -> Self {
        Self::Trail(error)
    }
}

/// How a trail can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailFault {
    /// Another record stands where it should: records were dropped or added.
    Missing {
        /// What stands there.
        found: i64,
    },
    /// Its bytes are no record.
    Unreadable(BodyFault),
    /// Its bytes or its hash were changed.
    Edited,
    /// It does not follow the record before it: that one was changed, or this one was moved or put in.
    NotNext,
    /// What stands beside its bytes to be searched is not what they say.
    Columns,
    /// It is a checkpoint whose signature is not of what is before it.
    Forged,
    /// It is a checkpoint that none of the given keys signed.
    OtherKey,
    /// A checkpoint of the second place signs another record of this number: the trail was written anew.
    Rewritten,
    /// A checkpoint of the second place signs more than there is: the trail was cut off.
    CutOff {
        /// The last record that was signed.
        signed: u64,
    },
    /// A checkpoint of the second place is not signed as it says.
    ForgedOutside,
    /// The checkpoints of the second place are not in their order.
    Unordered,
}

impl fmt::Display for TrailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { found } => write!(
                f,
                "record {found} stands where it belongs: records were dropped, added or moved"
            ),
            Self::Unreadable(fault) => write!(f, "its bytes are no record: {fault}"),
            Self::Edited => f.write_str("its bytes or its hash were changed"),
            Self::NotNext => f.write_str(
                "it does not follow the record before it: that one was changed, or this one was put in",
            ),
            Self::Columns => f.write_str("what is searched by is not what its bytes say"),
            Self::Forged => f.write_str("it is a checkpoint whose signature does not fit what is before it"),
            Self::OtherKey => f.write_str("it is a checkpoint signed by a key that was not named"),
            Self::Rewritten => f.write_str(
                "a checkpoint of the second place signs another record of this number: the trail was written anew",
            ),
            Self::CutOff { signed } => write!(
                f,
                "it is missing, and a checkpoint of the second place signs all up to record {signed}: the trail was cut off"
            ),
            Self::ForgedOutside => f.write_str("the checkpoint of the second place for it is not signed by a key that may"),
            Self::Unordered => f.write_str("the checkpoints of the second place are not in their order"),
        }
    }
}

/// Follows the chain of one trail.
#[derive(Debug)]
pub(super) struct Chain {
    expected: u64,
    head: Option<Head>,
}

impl Chain {
    /// From a record on. What is before it is not looked at, and of the first nothing may be.
    pub(super) const fn from(seq: u64) -> Self {
        Self {
            expected: seq,
            head: if seq == 1 { Some(Head::NEW) } else { None },
        }
    }

    pub(super) const fn next_seq(&self) -> u64 {
        self.expected
    }

    /// The last record that was taken.
    pub(super) const fn head(&self) -> Option<Head> {
        self.head
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, row: &Row) -> Result<Body, TrailFault> {
        if i64::try_from(self.expected).ok() != Some(row.seq) {
            return Err(TrailFault::Missing { found: row.seq });
        }
        let hash = hash_of(&row.body);
        if row.hash != hash.0 {
            return Err(TrailFault::Edited);
        }
        let body = Body::parse(&row.body).map_err(TrailFault::Unreadable)?;
        if body.seq != self.expected {
            return Err(TrailFault::NotNext);
        }
        if self.head.is_some_and(|head| head.hash != body.prev_hash) {
            return Err(TrailFault::NotNext);
        }
        if row.columns != Columns::of(&body) {
            return Err(TrailFault::Columns);
        }
        if let Some(fault) = self.seal_fault(&body) {
            return Err(fault);
        }
        self.head = Some(Head {
            seq: body.seq,
            hash,
        });
        self.expected = self.expected.saturating_add(1);
        Ok(body)
    }

    /// A checkpoint signs the record before it, and nothing else has a signature.
    fn seal_fault(&self, body: &Body) -> Option<TrailFault> {
        let is_checkpoint = body.kind == TrailKind::Checkpoint;
        let Some(seal) = body.seal else {
            return is_checkpoint.then_some(TrailFault::Forged);
        };
        let time = EventTime::of_unix_millis(body.unix_millis);
        let before = body.seq.saturating_sub(1);
        let checkpoint = Checkpoint::of_seal(seal, before, body.prev_hash, time);
        (!is_checkpoint || !checkpoint.is_signed()).then_some(TrailFault::Forged)
    }
}

/// Reads a whole trail and holds it against what is known of it.
///
/// # Errors
///
/// The first place at which it was touched; and when it or the second place cannot be read.
pub fn verify<R: BufRead>(
    reader: &mut TrailReader,
    options: VerifyOptions<R>,
) -> Result<Verified, VerifyError> {
    let mut outside = Outside::new(options.checkpoints)?;
    let mut chain = Chain::from(1);
    let mut verified = Verified::default();
    loop {
        let rows = reader.rows(chain.next_seq().saturating_sub(1), PAGE)?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let seq = chain.next_seq();
            let broken = |fault| VerifyError::Broken { seq, fault };
            let body = chain.take(row).map_err(broken)?;
            if let Some(seal) = body.seal {
                if !options.keys.is_empty() && !options.keys.contains(&seal.key) {
                    return Err(broken(TrailFault::OtherKey));
                }
                if verified.keys.len() < KEYS_MAX {
                    verified.keys.insert(seal.key);
                }
                verified.checkpoints += 1;
                verified.unsigned = 0;
            } else {
                verified.unsigned += 1;
            }
            outside.hold(chain.head().unwrap_or(Head::NEW), &options.keys)?;
            verified.records = body.seq;
            verified.first_millis.get_or_insert(body.unix_millis);
            verified.last_millis = Some(body.unix_millis);
        }
    }
    no_records_before_the_first(reader)?;
    outside.end(verified.records)?;
    verified.second_place = outside.found;
    verified.unreadable_lines = outside.lines.map_or(0, |lines| lines.unreadable);
    Ok(verified)
}

/// Numbers that are not positive would be passed over by whoever reads from the first record on.
fn no_records_before_the_first(reader: &mut TrailReader) -> Result<(), VerifyError> {
    match reader.first_seq()? {
        Some(found) if found != 1 => Err(VerifyError::Broken {
            seq: 1,
            fault: TrailFault::Missing { found },
        }),
        _ => Ok(()),
    }
}

/// The checkpoints of the second place, one at a time.
struct Outside<R> {
    lines: Option<CheckpointLines<R>>,
    next: Option<Checkpoint>,
    found: u64,
}

impl<R: BufRead> Outside<R> {
    fn new(lines: Option<R>) -> Result<Self, VerifyError> {
        let mut outside = Self {
            lines: lines.map(CheckpointLines::new),
            next: None,
            found: 0,
        };
        outside.advance()?;
        Ok(outside)
    }

    fn advance(&mut self) -> Result<(), VerifyError> {
        self.next = match &mut self.lines {
            Some(lines) => lines.next().map_err(VerifyError::SecondPlace)?,
            None => None,
        };
        Ok(())
    }

    /// Holds a record against the checkpoints of it.
    fn hold(&mut self, head: Head, keys: &BTreeSet<HexBytes<32>>) -> Result<(), VerifyError> {
        while let Some(next) = self.next.filter(|next| next.seq <= head.seq) {
            let fault = if next.seq < head.seq {
                Some(TrailFault::Unordered)
            } else if !next.is_signed() || (!keys.is_empty() && !keys.contains(&next.key)) {
                Some(TrailFault::ForgedOutside)
            } else if next.hash != head.hash {
                Some(TrailFault::Rewritten)
            } else {
                None
            };
            if let Some(fault) = fault {
                return Err(VerifyError::Broken {
                    seq: next.seq,
                    fault,
                });
            }
            self.found += 1;
            self.advance()?;
        }
        Ok(())
    }

    /// Nothing may be left that signs more than there is.
    fn end(&self, records: u64) -> Result<(), VerifyError> {
        match self.next {
            Some(next) => Err(VerifyError::Broken {
                seq: records.saturating_add(1),
                fault: TrailFault::CutOff { signed: next.seq },
            }),
            None => Ok(()),
        }
    }
}
