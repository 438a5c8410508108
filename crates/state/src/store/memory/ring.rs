//! `RingTable`: which entries an owner has, the oldest first. It charges its bytes to the shard that it is in.

use hashbrown::HashTable;
use portcullis_guard::clock::Now;
use portcullis_guard::store::Key;

use super::change::Change;
use super::entry::{Life, STEP};

/// What a ring costs apart from its keys.
const RING_BYTES: usize = (size_of::<Ring>() + 1) * 8 * 2 / 7;

/// One ring. It lives as long as the longest of its entries.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    hash: u64,
    name: Key,
    members: Vec<Key>,
    life: Life,
}

impl Ring {
    /// That it is not there any more, where it was kept.
    fn end(&self) -> Option<Change> {
        self.life.kept.then(|| Change::NoRing {
            name: self.name.clone(),
        })
    }
}

/// The rings behind one lock.
#[derive(Debug, Default)]
pub(crate) struct RingTable {
    table: HashTable<Ring>,
    heap_bytes: usize,
    cursor: usize,
}

/// What a ring of these keys is charged.
pub(crate) fn ring_bytes(name: &Key, members: &[Key]) -> usize {
    RING_BYTES + heap_bytes(name, members)
}

fn heap_bytes(name: &Key, members: &[Key]) -> usize {
    let long = |key: &Key| {
        if key.bytes.spilled() {
            key.bytes.capacity() + 16
        } else {
            0
        }
    };
    let keys: usize = members.iter().map(long).sum();
    long(name) + keys + size_of_val(members)
}

impl RingTable {
    /// The keys in a ring, the oldest first; none of one that is not there or is over. Which of them live, their own shards
    /// know.
    pub(crate) fn members(&self, hash: u64, name: &Key, now: Now) -> &[Key] {
        self.table
            .find(hash, |ring| ring.name == *name)
            .filter(|ring| ring.life.goes_on(now))
            .map_or(&[], |ring| &ring.members)
    }

    /// Until when a ring lives.
    pub(crate) fn life(&self, hash: u64, name: &Key) -> Option<Life> {
        let ring = self.table.find(hash, |ring| ring.name == *name);
        ring.map(|ring| ring.life)
    }

    /// All rings that are kept, as if they had just been written.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Change> {
        let kept = self.table.iter().filter(|ring| ring.life.kept);
        kept.map(|ring| Change::Ring {
            name: ring.name.clone(),
            members: ring.members.clone(),
            life: ring.life,
        })
    }

    /// Writes a ring, whatever was there. The caller has made room for it.
    pub(crate) fn put(&mut self, hash: u64, name: Key, members: Vec<Key>, life: Life) {
        if let Ok(ring) = self.table.find_entry(hash, |ring| ring.name == name) {
            let (ring, _) = ring.remove();
            self.gave_back(&ring);
        }
        self.heap_bytes += heap_bytes(&name, &members);
        let ring = Ring {
            hash,
            name,
            members,
            life,
        };
        self.table.insert_unique(hash, ring, |ring| ring.hash);
    }

    /// What is charged for all that is here.
    pub(crate) fn bytes(&self) -> usize {
        self.table.len() * RING_BYTES + self.heap_bytes
    }

    /// Forgets what is over.
    pub(crate) fn sweep(&mut self, now: Now, changes: &mut Vec<Change>) {
        let heap = &mut self.heap_bytes;
        self.table.retain(|ring| {
            let lives = ring.life.goes_on(now);
            if !lives {
                *heap = heap.saturating_sub(heap_bytes(&ring.name, &ring.members));
                changes.extend(ring.end());
            }
            lives
        });
        if self.table.len() < self.table.capacity() / 8 {
            let twice = self.table.len() * 2;
            self.table.shrink_to(twice, |ring| ring.hash);
        }
    }

    /// Looks at a few, and forgets what is over.
    pub(crate) fn step(&mut self, now: Now, changes: &mut Vec<Change>) {
        let all = self.table.num_buckets();
        for _ in 0..STEP.min(all) {
            self.cursor = if self.cursor + 1 < all {
                self.cursor + 1
            } else {
                0
            };
            let Ok(ring) = self.table.get_bucket_entry(self.cursor) else {
                continue;
            };
            if !ring.get().life.goes_on(now) {
                let (ring, _) = ring.remove();
                changes.extend(ring.end());
                self.gave_back(&ring);
            }
        }
    }

    fn gave_back(&mut self, ring: &Ring) {
        let bytes = heap_bytes(&ring.name, &ring.members);
        self.heap_bytes = self.heap_bytes.saturating_sub(bytes);
    }
}
