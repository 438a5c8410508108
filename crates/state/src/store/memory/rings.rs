//! Writes an entry and counts it in a ring, under the locks of all that are in it.
//!
//! 1. What is in the ring is read, and the shards of all of it are held.
//! 2. If the ring changed in between, once more; after some tries every shard is held, so that it comes to an end.
//! 3. Room is made before the oldest is deleted: a full store refuses, and gives up nothing.

use portcullis_guard::clock::Now;
use portcullis_guard::store::{Answer, Key, StoreError, Value};

use super::MemoryStore;
use super::change::Change;
use super::entry::{EntryShard, Life, heap_bytes};
use super::ring::ring_bytes;
use crate::store::shards::Held;

/// How often the shards of a ring are held that has other keys by then.
const TRIES: usize = 3;

/// What is put in a ring.
pub(super) struct RingPut<'a> {
    pub(super) ring: &'a Key,
    pub(super) key: &'a Key,
    pub(super) value: &'a Value,
    pub(super) life: Life,
    pub(super) at_most: usize,
}

impl MemoryStore {
    /// Writes an entry, and deletes the oldest of the ring where it has no place for one more.
    pub(super) fn put_in_ring(&self, put: &RingPut<'_>, now: Now) -> Result<Answer, StoreError> {
        let (place, hash) = self.ring_place(put.ring);
        for _ in 0..TRIES {
            let seen = self.entries.with(place, |shard| {
                shard.rings.members(hash, put.ring, now).to_vec()
            })?;
            let keys = seen.iter().chain([put.key]);
            let places = keys.map(|key| self.place(key).0).chain([place]);
            let mut held = self.entries.hold(places)?;
            if held.part(place)?.rings.members(hash, put.ring, now) == seen {
                let answer = self.put_held(&mut held, put, seen, now);
                self.tell_held(&mut held, now);
                return answer;
            }
        }
        let mut held = self.entries.hold(0..self.entries.count())?;
        let members = held.part(place)?.rings.members(hash, put.ring, now);
        let members = members.to_vec();
        let answer = self.put_held(&mut held, put, members, now);
        self.tell_held(&mut held, now);
        answer
    }

    /// The same, where the shards of all the members are held.
    fn put_held(
        &self,
        held: &mut Held<'_, EntryShard>,
        put: &RingPut<'_>,
        mut members: Vec<Key>,
        now: Now,
    ) -> Result<Answer, StoreError> {
        let (ring_place, ring_hash) = self.ring_place(put.ring);
        let (place, hash) = self.place(put.key);
        let mut alive = Vec::with_capacity(members.len() + 1);
        for member in members.drain(..).filter(|member| member != put.key) {
            let (place, hash) = self.place(&member);
            if held.part(place)?.get(hash, &member, now).is_some() {
                alive.push(member);
            }
        }
        let others = put.at_most.max(1) - 1;
        let mut over: Vec<Key> = alive.drain(..alive.len().saturating_sub(others)).collect();
        alive.push(put.key.clone());
        // All of it at once where both are in one shard: each alone could find the room that is there for one of them.
        let entry = heap_bytes(put.key, put.value);
        let ring = ring_bytes(put.ring, &alive);
        let has_room = if place == ring_place {
            held.part(place)?.make_room(1, entry + ring, now)
        } else {
            held.part(place)?.make_room(1, entry, now)
                && held.part(ring_place)?.make_room(0, ring, now)
        };
        if !has_room {
            return Err(StoreError::Full);
        }
        for key in over.drain(..) {
            let (place, hash) = self.place(&key);
            drop(held.part(place)?.take(hash, &key, now));
        }
        held.part(place)?
            .put(hash, put.key.clone(), put.value.clone(), put.life, now)?;
        let part = held.part(ring_place)?;
        let life = part.rings.life(ring_hash, put.ring);
        let life = life.map_or(put.life, |life| life.longer(put.life));
        if life.kept {
            part.changes.push(Change::Ring {
                name: put.ring.clone(),
                members: alive.clone(),
                life,
            });
        }
        part.rings.put(ring_hash, put.ring.clone(), alive, life);
        Ok(Answer::Done)
    }

    /// The shard of a ring, and its hash in it.
    pub(super) fn ring_place(&self, ring: &Key) -> (usize, u64) {
        let [shard, hash] = self.hash.ring(ring);
        (self.entries.place(shard), hash)
    }
}
