//! `BucketShard`: one part of the buckets, capped by bytes. A bucket that still counts is never given up.

use hashbrown::HashTable;
use portcullis_guard::clock::{Nanos, SECOND};
use portcullis_guard::limit::{ExactCell as LockingLog, GcraCell, LimitRule, LimitState};
use portcullis_guard::store::StoreError;

/// The keyed hash of a bucket's name, in two halves: one picks the shard, the other the place in it.
pub(crate) type BucketKey = [u64; 2];

/// What a bucket costs apart from its log: its size and its control byte, at 7/8 load, and twice that, as a table that
/// grows is half empty.
pub(crate) const SLOT_BYTES: usize = (size_of::<Bucket>() + 1) * 8 * 2 / 7;

/// Slots that are looked at for expired buckets whenever one is made.
const STEP: usize = 4;
/// Slots that are looked at when the shard is full and was swept only just now.
const FULL_STEP: usize = 64;
/// How often a full shard is swept as a whole.
const SWEEP_EVERY: Nanos = SECOND / 10;

/// What may still take room. Each has some that those before it cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A value of its own: three quarters of the room.
    Own,
    /// A coarser value: seven eighths.
    Coarser,
    /// The whole scope. There are as many as the policy has limits, so these always have room.
    Whole,
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) key: BucketKey,
    pub(crate) cell: Cell,
    /// Whether it is written to the snapshot.
    pub(crate) kept: bool,
}

/// How it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// GCRA.
    Smooth(GcraCell),
    /// A sliding log; behind a pointer, as most buckets are smooth.
    Exact(Box<ExactCell>),
}

/// A log, and what must be known of its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExactCell {
    pub(crate) log: LockingLog,
    /// When its last entry leaves the window, and it is open.
    pub(crate) until: Nanos,
    /// What is set aside for it.
    pub(crate) reserved: usize,
}

impl Cell {
    /// An untouched cell.
    pub(crate) fn new(rule: LimitRule) -> Self {
        match rule {
            LimitRule::Exact { .. } => Self::Exact(Box::new(ExactCell {
                log: LockingLog::default(),
                until: 0,
                reserved: log_bytes(rule),
            })),
            LimitRule::Smooth { .. } => Self::Smooth(GcraCell::default()),
        }
    }

    /// What it says of `cost` more.
    pub(crate) fn check(
        &mut self,
        rule: LimitRule,
        cost: u32,
        now: Nanos,
    ) -> Result<LimitState, StoreError> {
        match (self, rule) {
            (Self::Smooth(cell), LimitRule::Smooth { period, burst }) => {
                Ok(cell.check(period, burst, cost, now).0)
            }
            (
                Self::Exact(cell),
                LimitRule::Exact {
                    count,
                    window,
                    lockout,
                },
            ) => Ok(cell.log.check(count, window, lockout, cost, now)),
            (Self::Smooth(_) | Self::Exact(_), _) => Err(other_rule()),
        }
    }

    /// Counts `cost` more, which it said it admits.
    pub(crate) fn admit(
        &mut self,
        rule: LimitRule,
        cost: u32,
        now: Nanos,
    ) -> Result<(), StoreError> {
        match (self, rule) {
            (Self::Smooth(cell), LimitRule::Smooth { period, burst }) => {
                *cell = cell.check(period, burst, cost, now).1;
                Ok(())
            }
            (
                Self::Exact(cell),
                LimitRule::Exact {
                    count,
                    window,
                    lockout,
                },
            ) => {
                cell.log.admit(count, lockout, cost, now);
                cell.until = cell.log.until(window);
                Ok(())
            }
            (Self::Smooth(_) | Self::Exact(_), _) => Err(other_rule()),
        }
    }

    /// Gives back at `now` what was counted at `at`.
    pub(crate) fn release(
        &mut self,
        rule: LimitRule,
        cost: u32,
        at: Nanos,
        now: Nanos,
    ) -> Result<(), StoreError> {
        match (self, rule) {
            (Self::Smooth(cell), LimitRule::Smooth { period, .. }) => {
                *cell = cell.released(period, cost, at, now);
                Ok(())
            }
            (Self::Exact(cell), LimitRule::Exact { count, window, .. }) => {
                for _ in 0..cost {
                    cell.log.release(count, window, at, now);
                }
                Ok(())
            }
            (Self::Smooth(_) | Self::Exact(_), _) => Err(other_rule()),
        }
    }

    /// When it is as good as new.
    pub(crate) fn until(&self) -> Nanos {
        match self {
            Self::Smooth(cell) => cell.full_at,
            Self::Exact(cell) => cell.until,
        }
    }

    /// Bytes beside the slot.
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Smooth(_) => 0,
            Self::Exact(cell) => cell.reserved,
        }
    }
}

fn other_rule() -> StoreError {
    StoreError::Confused("a bucket counts by another rule than it is asked by".to_owned())
}

/// What a log costs when it is full. It is set aside when the bucket is made: else a bucket could not grow when the
/// shard is full, and its client would be refused for what others do.
pub(crate) fn log_bytes(rule: LimitRule) -> usize {
    match rule {
        LimitRule::Exact { count, .. } => {
            let entries = usize::try_from(count).unwrap_or(usize::MAX).max(4);
            let entries = entries.checked_next_power_of_two().unwrap_or(usize::MAX);
            // The allocator keeps some bytes of its own for each of the two blocks.
            let blocks = size_of::<ExactCell>() + 32;
            entries
                .saturating_mul(size_of::<Nanos>())
                .saturating_add(blocks)
        }
        LimitRule::Smooth { .. } => 0,
    }
}

/// Buckets behind one lock.
#[derive(Debug)]
pub(crate) struct BucketShard {
    table: HashTable<Bucket>,
    bytes_max: usize,
    heap_bytes: usize,
    cursor: usize,
    swept_at: Nanos,
    /// Until when something still counts coarsely that had no room here.
    pub(crate) coarse_until: Nanos,
}

impl BucketShard {
    /// A shard that takes at most so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            table: HashTable::new(),
            bytes_max,
            heap_bytes: 0,
            cursor: 0,
            swept_at: 0,
            coarse_until: 0,
        }
    }

    /// The bucket, if it is there; it may have expired.
    pub(crate) fn find(&mut self, key: BucketKey) -> Option<&mut Bucket> {
        self.table.find_mut(key[1], |bucket| bucket.key == key)
    }

    /// Makes room for a bucket, if there can be any. Those in `used` are left alone: this request counts in them too, and
    /// until it does they are as good as new.
    pub(crate) fn make_room(
        &mut self,
        level: Level,
        rule: LimitRule,
        used: &[BucketKey],
        now: Nanos,
    ) -> bool {
        self.step(STEP, used, now);
        let heap = log_bytes(rule);
        if self.has_room(level, heap) {
            return true;
        }
        if now.saturating_sub(self.swept_at) >= SWEEP_EVERY {
            self.sweep(used, now);
        } else {
            self.step(FULL_STEP, used, now);
        }
        self.has_room(level, heap)
    }

    fn has_room(&self, level: Level, heap: usize) -> bool {
        let bytes = self.bytes().saturating_add(SLOT_BYTES).saturating_add(heap);
        let max = match level {
            Level::Own => self.bytes_max / 4 * 3,
            Level::Coarser => self.bytes_max / 8 * 7,
            Level::Whole => return true,
        };
        bytes <= max
    }

    /// Puts a bucket in, which must not be there. The caller made room.
    pub(crate) fn insert(&mut self, bucket: Bucket) {
        self.heap_bytes += bucket.cell.heap_bytes();
        self.table
            .insert_unique(bucket.key[1], bucket, |bucket| bucket.key[1]);
    }

    /// Takes a bucket out.
    pub(crate) fn remove(&mut self, key: BucketKey) {
        if let Ok(entry) = self.table.find_entry(key[1], |bucket| bucket.key == key) {
            let (bucket, _) = entry.remove();
            self.heap_bytes = self.heap_bytes.saturating_sub(bucket.cell.heap_bytes());
        }
    }

    /// What is charged for all that is here.
    pub(crate) fn bytes(&self) -> usize {
        self.table.len() * SLOT_BYTES + self.heap_bytes
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bucket> {
        self.table.iter()
    }

    /// Forgets what is as good as new, and gives memory back after a flood.
    pub(crate) fn sweep(&mut self, used: &[BucketKey], now: Nanos) -> usize {
        self.swept_at = now;
        let before = self.table.len();
        let heap_bytes = &mut self.heap_bytes;
        self.table.retain(|bucket| {
            let lives = bucket.cell.until() > now || used.contains(&bucket.key);
            if !lives {
                *heap_bytes = heap_bytes.saturating_sub(bucket.cell.heap_bytes());
            }
            lives
        });
        if self.table.len() < self.table.capacity() / 8 {
            let twice = self.table.len() * 2;
            self.table.shrink_to(twice, |bucket| bucket.key[1]);
        }
        before - self.table.len()
    }

    /// Looks at the next few slots, so that a sweep costs every operation a little and none of them much.
    fn step(&mut self, slots: usize, used: &[BucketKey], now: Nanos) {
        let all = self.table.num_buckets();
        for _ in 0..slots.min(all) {
            self.cursor = if self.cursor + 1 < all {
                self.cursor + 1
            } else {
                0
            };
            let Ok(entry) = self.table.get_bucket_entry(self.cursor) else {
                continue;
            };
            let bucket = entry.get();
            if bucket.cell.until() <= now && !used.contains(&bucket.key) {
                let (bucket, _) = entry.remove();
                self.heap_bytes = self.heap_bytes.saturating_sub(bucket.cell.heap_bytes());
            }
        }
    }
}
