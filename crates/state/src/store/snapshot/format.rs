//! The bytes of a snapshot, version 1, all numbers with their lowest byte first.
//!
//! 1. `PCLIMITS`, version (4 bytes), the two halves of the hash's key (8 each), milliseconds since 1970 when it was
//!    written (8), how long coarse counts still last (8), the number of buckets (8).
//! 2. Each bucket: the two halves of its key (8 each), its kind (1). Smooth: when it is full (8). Exact: when it may be
//!    forgotten (8), what is set aside for its log (8), the length of the log (4), each moment in it (8). Exact and shut when
//!    it was used up: until when (8), and then as exact. Moments are nanoseconds after the writing, negative before it.
//! 3. SHA-256 of all before (32).

use aws_lc_rs::digest::{SHA256, digest};
use portcullis_guard::clock::{Nanos, Now};
use portcullis_guard::limit::{ExactCell as LockingLog, GcraCell, LogCell};

use crate::store::memory::{Bucket, BucketHash, BucketKey, Cell, ExactCell};

const MAGIC: &[u8; 8] = b"PCLIMITS";
const VERSION: u32 = 1;
const SMOOTH: u8 = 0;
const EXACT: u8 = 1;
const EXACT_SHUT: u8 = 2;
const DIGEST_BYTES: usize = 32;
/// Where it is written how long coarse counts last.
const COARSE_AT: usize = 8 + 4 + 16 + 8;
/// Where the number of buckets is written when it is known.
const COUNT_AT: usize = COARSE_AT + 8;
/// The fewest bytes of a bucket.
const BUCKET_BYTES_MIN: usize = 25;

/// Writes a snapshot.
pub(super) struct Writer {
    bytes: Vec<u8>,
    count: usize,
    coarse_until: Nanos,
    now: Nanos,
}

impl Writer {
    pub(super) fn new(hash: BucketHash, now: Now) -> Self {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        for key in hash.keys {
            bytes.extend_from_slice(&key.to_le_bytes());
        }
        bytes.extend_from_slice(&now.unix_millis.to_le_bytes());
        bytes.extend_from_slice(&0_u64.to_le_bytes());
        bytes.extend_from_slice(&0_u64.to_le_bytes());
        Self {
            bytes,
            count: 0,
            coarse_until: 0,
            now: now.monotonic,
        }
    }

    /// Until when coarse counts of one shard last.
    pub(super) fn coarse_until(&mut self, until: Nanos) {
        self.coarse_until = self.coarse_until.max(until);
    }

    pub(super) fn add(&mut self, bucket: &Bucket) {
        self.count += 1;
        for half in bucket.key {
            self.bytes.extend_from_slice(&half.to_le_bytes());
        }
        match &bucket.cell {
            Cell::Smooth(cell) => {
                self.bytes.push(SMOOTH);
                self.moment(cell.full_at);
            }
            Cell::Exact(cell) => {
                match cell.log.shut_until() {
                    0 => self.bytes.push(EXACT),
                    until => {
                        self.bytes.push(EXACT_SHUT);
                        self.moment(until);
                    }
                }
                self.moment(cell.until);
                let reserved = u64::try_from(cell.reserved).unwrap_or(u64::MAX);
                self.bytes.extend_from_slice(&reserved.to_le_bytes());
                let length_at = self.bytes.len();
                self.bytes.extend_from_slice(&0_u32.to_le_bytes());
                let mut length = 0_u32;
                for at in cell.log.log().entries() {
                    self.moment(at);
                    length += 1;
                }
                self.patch(length_at, &length.to_le_bytes());
            }
        }
    }

    /// The bytes, and how many buckets are in them.
    pub(super) fn finish(mut self) -> (Vec<u8>, usize) {
        let count = u64::try_from(self.count).unwrap_or(u64::MAX);
        self.patch(COUNT_AT, &count.to_le_bytes());
        let coarse = self.coarse_until.saturating_sub(self.now);
        self.patch(COARSE_AT, &coarse.to_le_bytes());
        let digest = digest(&SHA256, &self.bytes);
        self.bytes.extend_from_slice(digest.as_ref());
        (self.bytes, self.count)
    }

    /// With its sign, as a request may have been counted after the writing began.
    fn moment(&mut self, at: Nanos) {
        let after = i128::from(at) - i128::from(self.now);
        let after = i64::try_from(after).unwrap_or(if after < 0 { i64::MIN } else { i64::MAX });
        self.bytes.extend_from_slice(&after.to_le_bytes());
    }

    fn patch(&mut self, at: usize, with: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + with.len()) {
            place.copy_from_slice(with);
        }
    }
}

/// A snapshot that was read.
#[derive(Debug)]
pub(crate) struct Snapshot {
    hash: BucketHash,
    written_unix_millis: u64,
    coarse_left: Nanos,
    buckets: Vec<(BucketKey, Saved)>,
}

#[derive(Debug)]
enum Saved {
    Smooth {
        full_at: i64,
    },
    Exact {
        shut_until: Option<i64>,
        until: i64,
        reserved: usize,
        log: Vec<i64>,
    },
}

impl Snapshot {
    /// Reads one, or says what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(MAGIC) {
            return Err("it is no snapshot of limits".to_owned());
        }
        let torn = || "it is cut off".to_owned();
        let (body, expected) = bytes.split_last_chunk::<DIGEST_BYTES>().ok_or_else(torn)?;
        let mut reader = Reader(body.get(MAGIC.len()..).ok_or_else(torn)?);
        let version = reader.u32().ok_or_else(torn)?;
        if version != VERSION {
            return Err(format!(
                "it is of version {version}, and this program reads version {VERSION}"
            ));
        }
        if digest(&SHA256, body).as_ref() != expected.as_slice() {
            return Err("its checksum does not match: it was cut off or changed".to_owned());
        }
        let snapshot = reader.snapshot().ok_or_else(torn)?;
        if !reader.0.is_empty() {
            return Err("it goes on after its last bucket".to_owned());
        }
        Ok(snapshot)
    }

    /// The hash that its buckets are named by.
    pub(crate) fn hash(&self) -> BucketHash {
        self.hash
    }

    /// Until when coarse counts last.
    pub(crate) fn coarse_until(&self, now: Now) -> Nanos {
        let left = i64::try_from(self.coarse_left).unwrap_or(i64::MAX);
        self.moved(left, now)
    }

    /// Its buckets, with their moments as this process counts them. What is over is left out.
    pub(crate) fn buckets(&self, now: Now) -> impl Iterator<Item = Bucket> {
        let made = self.buckets.iter().map(move |(key, saved)| Bucket {
            key: *key,
            cell: self.cell(saved, now),
            kept: true,
        });
        made.filter(move |bucket| bucket.cell.until() > now.monotonic)
    }

    fn cell(&self, saved: &Saved, now: Now) -> Cell {
        match saved {
            Saved::Smooth { full_at } => Cell::Smooth(GcraCell {
                full_at: self.moved(*full_at, now),
            }),
            Saved::Exact {
                shut_until,
                until,
                reserved,
                log,
            } => Cell::Exact(Box::new(ExactCell {
                log: LockingLog::of(
                    LogCell::of(log.iter().map(|at| self.moved(*at, now)).collect()),
                    shut_until.map_or(0, |until| self.moved(until, now)),
                ),
                until: self.moved(*until, now),
                reserved: *reserved,
            })),
        }
    }

    /// A moment as this process counts it. By the system's clock some time has passed since the writing; where that
    /// clock went back none has, so that the limit holds longer and never shorter.
    fn moved(&self, after_writing: i64, now: Now) -> Nanos {
        let passed = now.unix_millis.saturating_sub(self.written_unix_millis);
        let passed = i128::from(passed) * 1_000_000;
        let moment = i128::from(now.monotonic) + i128::from(after_writing) - passed;
        // Before the beginning is at the beginning: what was admitted then seems younger than it is.
        Nanos::try_from(moment.max(0)).unwrap_or(Nanos::MAX)
    }
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        let hash = BucketHash {
            keys: [self.u64()?, self.u64()?],
        };
        let written_unix_millis = self.u64()?;
        let coarse_left = self.u64()?;
        let count = usize::try_from(self.u64()?).ok()?;
        // No more is set aside than the bytes can hold, whatever the number says.
        let mut buckets = Vec::with_capacity(count.min(self.0.len() / BUCKET_BYTES_MIN));
        for _ in 0..count {
            buckets.push(([self.u64()?, self.u64()?], self.saved()?));
        }
        Some(Snapshot {
            hash,
            written_unix_millis,
            coarse_left,
            buckets,
        })
    }

    fn saved(&mut self) -> Option<Saved> {
        let [kind] = self.array()?;
        match kind {
            SMOOTH => Some(Saved::Smooth {
                full_at: self.i64()?,
            }),
            EXACT | EXACT_SHUT => {
                let shut_until = if kind == EXACT_SHUT {
                    Some(self.i64()?)
                } else {
                    None
                };
                let until = self.i64()?;
                let reserved = usize::try_from(self.u64()?).ok()?;
                let length = usize::try_from(self.u32()?).ok()?;
                let mut log = Vec::with_capacity(length.min(self.0.len() / 8));
                for _ in 0..length {
                    log.push(self.i64()?);
                }
                Some(Saved::Exact {
                    shut_until,
                    until,
                    reserved,
                    log,
                })
            }
            _ => None,
        }
    }
}
