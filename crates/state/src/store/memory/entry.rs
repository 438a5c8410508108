//! `EntryShard`: one part of the entries under keys and of their rings, capped by bytes. A full one refuses; it forgets nothing that lives.

use hashbrown::HashTable;
use portcullis_guard::clock::{Nanos, Now, SECOND};
use portcullis_guard::store::{Key, StoreError, Value};

use super::change::Change;
use super::ring::RingTable;

/// What an entry costs apart from long keys and values.
pub(crate) const ENTRY_BYTES: usize = (size_of::<Entry>() + 1) * 8 * 2 / 7;

/// Slots that are looked at for expired entries whenever one is written.
pub(super) const STEP: usize = 4;
/// How often a full shard is swept as a whole.
const SWEEP_EVERY: Nanos = SECOND / 10;

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    hash: u64,
    key: Key,
    value: Value,
    life: Life,
}

/// Until when an entry lives: as long as either clock says so. A clock that jumps must not end a revocation early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) monotonic: Nanos,
    pub(crate) unix_millis: u64,
    /// Whether it goes on after a restart.
    pub(crate) kept: bool,
}

impl Life {
    /// So long from now.
    pub(crate) fn of(lives: Nanos, kept: bool, now: Now) -> Self {
        Self {
            monotonic: now.monotonic.saturating_add(lives),
            unix_millis: 0,
            kept,
        }
    }

    pub(crate) fn goes_on(self, now: Now) -> bool {
        self.monotonic > now.monotonic || self.unix_millis > now.unix_millis
    }

    /// The later of two ends.
    pub(crate) fn longer(self, other: Self) -> Self {
        Self {
            monotonic: self.monotonic.max(other.monotonic),
            unix_millis: self.unix_millis.max(other.unix_millis),
            kept: self.kept || other.kept,
        }
    }
}

impl Entry {
    /// The entry as it is kept.
    fn change(&self) -> Change {
        Change::Entry {
            key: self.key.clone(),
            value: self.value.clone(),
            life: self.life,
        }
    }

    /// That it is not there any more, where it was kept.
    fn end(&self) -> Option<Change> {
        self.life.kept.then(|| Change::NoEntry {
            key: self.key.clone(),
        })
    }
}

/// Entries behind one lock.
#[derive(Debug)]
pub(crate) struct EntryShard {
    table: HashTable<Entry>,
    pub(crate) rings: RingTable,
    bytes_max: usize,
    heap_bytes: usize,
    cursor: usize,
    swept_at: Option<Nanos>,
    /// What became of things that are kept, until whoever holds the lock takes it.
    pub(crate) changes: Vec<Change>,
}

/// Bytes of a key and value that do not fit into the entry itself.
pub(crate) fn heap_bytes(key: &Key, value: &Value) -> usize {
    let key = if key.bytes.spilled() {
        key.bytes.capacity() + 16
    } else {
        0
    };
    let value = if value.spilled() {
        value.capacity() + 16
    } else {
        0
    };
    key + value
}

impl EntryShard {
    /// A shard that takes at most so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            table: HashTable::new(),
            rings: RingTable::default(),
            bytes_max,
            heap_bytes: 0,
            cursor: 0,
            swept_at: None,
            changes: Vec::new(),
        }
    }

    /// The value, if the entry lives.
    pub(crate) fn get(&self, hash: u64, key: &Key, now: Now) -> Option<&Value> {
        self.table
            .find(hash, |entry| entry.key == *key)
            .filter(|entry| entry.life.goes_on(now))
            .map(|entry| &entry.value)
    }

    /// Takes an entry out. Gives its value, if it lived.
    pub(crate) fn take(&mut self, hash: u64, key: &Key, now: Now) -> Option<Value> {
        let entry = self
            .table
            .find_entry(hash, |entry| entry.key == *key)
            .ok()?;
        let (entry, _) = entry.remove();
        self.forgot(&entry);
        entry.life.goes_on(now).then_some(entry.value)
    }

    /// Whether so many entries with so many bytes beside them fit in, after a sweep if it must be.
    pub(crate) fn make_room(&mut self, entries: usize, heap: usize, now: Now) -> bool {
        self.step(now);
        self.rings.step(now, &mut self.changes);
        if self.has_room(entries, heap) {
            return true;
        }
        let swept_long_ago = self
            .swept_at
            .is_none_or(|at| now.monotonic.saturating_sub(at) >= SWEEP_EVERY);
        if swept_long_ago {
            self.sweep(now);
        }
        self.has_room(entries, heap)
    }

    fn has_room(&self, entries: usize, heap: usize) -> bool {
        let new = entries.saturating_mul(ENTRY_BYTES).saturating_add(heap);
        self.bytes().saturating_add(new) <= self.bytes_max
    }

    /// Writes an entry, whatever was there.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    pub(crate) fn put(
        &mut self,
        hash: u64,
        key: Key,
        value: Value,
        life: Life,
        now: Now,
    ) -> Result<(), StoreError> {
        // An entry that is replaced gives its room back only after the new one has some: else a full shard would lose
        // the old one and refuse the new one.
        if !self.make_room(1, heap_bytes(&key, &value), now) {
            return Err(StoreError::Full);
        }
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.key == key) {
            let (entry, _) = entry.remove();
            self.forgot(&entry);
        }
        let entry = Entry {
            hash,
            key,
            value,
            life,
        };
        self.wrote(&entry);
        self.insert(entry);
        Ok(())
    }

    /// Writes an entry that was kept over a restart. It has room, whatever is there: what was promised is not given up because
    /// entries lie otherwise in shards this time.
    pub(crate) fn restore(&mut self, hash: u64, key: Key, value: Value, life: Life) {
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.key == key) {
            let (entry, _) = entry.remove();
            self.gave_back(&entry);
        }
        self.insert(Entry {
            hash,
            key,
            value,
            life,
        });
    }

    /// All that is kept here, as if it had just been written.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Change> {
        let kept = self.table.iter().filter(|entry| entry.life.kept);
        kept.map(Entry::change).chain(self.rings.kept())
    }

    fn insert(&mut self, entry: Entry) {
        self.heap_bytes += heap_bytes(&entry.key, &entry.value);
        self.table
            .insert_unique(entry.hash, entry, |entry| entry.hash);
    }

    /// Puts an entry on a deny list, or leaves it there longer; its value is the end that holds, in eight bytes, the
    /// highest first.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    pub(crate) fn revoke(
        &mut self,
        hash: u64,
        key: &Key,
        life: Life,
        now: Now,
    ) -> Result<(), StoreError> {
        if let Some(entry) = self.table.find_mut(hash, |entry| entry.key == *key) {
            let life = entry.life.longer(life);
            entry.life = life;
            self.heap_bytes = self
                .heap_bytes
                .saturating_sub(heap_bytes(&entry.key, &entry.value));
            entry.value = Value::from_slice(&life.unix_millis.to_be_bytes());
            self.heap_bytes += heap_bytes(&entry.key, &entry.value);
            if life.kept {
                self.changes.push(entry.change());
            }
            return Ok(());
        }
        let value = Value::from_slice(&life.unix_millis.to_be_bytes());
        self.put(hash, key.clone(), value, life, now)
    }

    /// What is charged for all that is here.
    pub(crate) fn bytes(&self) -> usize {
        self.table.len() * ENTRY_BYTES + self.heap_bytes + self.rings.bytes()
    }

    /// Forgets what has ended, and gives memory back after a flood.
    pub(crate) fn sweep(&mut self, now: Now) -> usize {
        self.swept_at = Some(now.monotonic);
        let before = self.table.len();
        self.rings.sweep(now, &mut self.changes);
        let (heap, changes) = (&mut self.heap_bytes, &mut self.changes);
        self.table.retain(|entry| {
            let lives = entry.life.goes_on(now);
            if !lives {
                *heap = heap.saturating_sub(heap_bytes(&entry.key, &entry.value));
                changes.extend(entry.end());
            }
            lives
        });
        if self.table.len() < self.table.capacity() / 8 {
            let twice = self.table.len() * 2;
            self.table.shrink_to(twice, |entry| entry.hash);
        }
        before - self.table.len()
    }

    fn step(&mut self, now: Now) {
        let all = self.table.num_buckets();
        for _ in 0..STEP.min(all) {
            self.cursor = if self.cursor + 1 < all {
                self.cursor + 1
            } else {
                0
            };
            let Ok(entry) = self.table.get_bucket_entry(self.cursor) else {
                continue;
            };
            if !entry.get().life.goes_on(now) {
                let (entry, _) = entry.remove();
                self.forgot(&entry);
            }
        }
    }

    /// Notes what has to be kept of an entry that is written.
    fn wrote(&mut self, entry: &Entry) {
        if entry.life.kept {
            self.changes.push(entry.change());
        }
    }

    /// Notes that an entry is not there any more.
    fn forgot(&mut self, entry: &Entry) {
        self.gave_back(entry);
        self.changes.extend(entry.end());
    }

    fn gave_back(&mut self, entry: &Entry) {
        let bytes = heap_bytes(&entry.key, &entry.value);
        self.heap_bytes = self.heap_bytes.saturating_sub(bytes);
    }
}
