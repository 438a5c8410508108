//! The asks about entries under keys: each under the lock of its shard, a commit under all of its locks.

use portcullis_guard::clock::{Nanos, Now};
use portcullis_guard::store::{Answer, Condition, Durability, Effect, Key, StoreError, Value};
use smallvec::SmallVec;

use super::MemoryStore;
use super::change::Change;
use super::entry::{EntryShard, Life, heap_bytes};
use crate::store::shards::Held;

impl MemoryStore {
    /// The shard of a key, and its hash in it.
    pub(super) fn place(&self, key: &Key) -> (usize, u64) {
        let [shard, hash] = self.hash.entry(key);
        (self.entries.place(shard), hash)
    }

    fn in_shard<R>(
        &self,
        key: &Key,
        now: Now,
        use_it: impl FnOnce(&mut EntryShard, u64) -> R,
    ) -> Result<R, StoreError> {
        let (place, hash) = self.place(key);
        Ok(self.entries.with(place, |shard| {
            let used = use_it(shard, hash);
            self.tell(&mut shard.changes, now);
            used
        })?)
    }

    /// Hands on what became of things that are kept. Under the lock, so that the order is that of the locks.
    pub(super) fn tell(&self, changes: &mut Vec<Change>, now: Now) {
        if changes.is_empty() {
            return;
        }
        match &self.journal {
            Some(journal) => journal.push(changes.drain(..), now),
            None => changes.clear(),
        }
    }

    /// The same of several shards, all of it at once: half of it must never be written.
    pub(super) fn tell_held(&self, held: &mut Held<'_, EntryShard>, now: Now) {
        let mut changes = Vec::new();
        for shard in held.each() {
            changes.append(&mut shard.changes);
        }
        self.tell(&mut changes, now);
    }

    /// How long something lives that is written now.
    pub(super) fn life(&self, lives: Nanos, durability: Durability, now: Now) -> Life {
        Life::of(lives, self.keeps_entries_as(durability), now)
    }

    fn keeps_entries_as(&self, durability: Durability) -> bool {
        self.journal.is_some() && durability > Durability::Volatile
    }

    pub(super) fn put_if_absent(
        &self,
        key: &Key,
        value: &Value,
        life: Life,
        now: Now,
    ) -> Result<Answer, StoreError> {
        self.in_shard(key, now, |shard, hash| {
            if shard.get(hash, key, now).is_some() {
                return Ok(Answer::Put(false));
            }
            shard.put(hash, key.clone(), value.clone(), life, now)?;
            Ok(Answer::Put(true))
        })?
    }

    pub(super) fn take(&self, key: &Key, now: Now) -> Result<Answer, StoreError> {
        self.in_shard(key, now, |shard, hash| {
            Answer::Found(shard.take(hash, key, now))
        })
    }

    pub(super) fn get(&self, key: &Key, now: Now) -> Result<Answer, StoreError> {
        self.in_shard(key, now, |shard, hash| {
            let found = shard.get(hash, key, now);
            Answer::Found(found.map(|value| Value::from_slice(value)))
        })
    }

    pub(super) fn compare_and_set(
        &self,
        key: &Key,
        expected: Option<&Value>,
        value: &Value,
        life: Life,
        now: Now,
    ) -> Result<Answer, StoreError> {
        self.in_shard(key, now, |shard, hash| {
            if shard.get(hash, key, now) != expected {
                return Ok(Answer::Set(false));
            }
            shard.put(hash, key.clone(), value.clone(), life, now)?;
            Ok(Answer::Set(true))
        })?
    }

    pub(super) fn revoke_until(
        &self,
        key: &Key,
        until_unix_millis: u64,
        durability: Durability,
        now: Now,
    ) -> Result<Answer, StoreError> {
        let left = until_unix_millis.saturating_sub(now.unix_millis);
        let life = Life {
            monotonic: now.monotonic.saturating_add(left.saturating_mul(1_000_000)),
            unix_millis: until_unix_millis,
            kept: self.keeps_entries_as(durability),
        };
        self.in_shard(key, now, |shard, hash| shard.revoke(hash, key, life, now))??;
        Ok(Answer::Done)
    }

    pub(super) fn commit(
        &self,
        conditions: &[Condition],
        effects: &[Effect],
        durability: Durability,
        now: Now,
    ) -> Result<Answer, StoreError> {
        // Each key is hashed once: most commits are about one.
        let mut places: SmallVec<[Place<'_>; 4]> = SmallVec::new();
        let asked = conditions.iter().map(|condition| match condition {
            Condition::Exists(key) | Condition::Absent(key) | Condition::Equals(key, _) => key,
        });
        let done = effects.iter().map(|effect| match effect {
            Effect::Delete(key) | Effect::Put { key, .. } => key,
        });
        for key in asked.chain(done) {
            let known = places.iter().find(|(known, _)| *known == key);
            let place = known.map_or_else(|| self.place(key), |(_, place)| *place);
            places.push((key, place));
        }
        let mut held = self
            .entries
            .hold(places.iter().map(|(_, (shard, _))| *shard))?;
        let (asked, effected) = places.split_at(conditions.len().min(places.len()));
        for (at, (condition, (_, place))) in conditions.iter().zip(asked).enumerate() {
            if !holds(&mut held, condition, *place, now)? {
                return Ok(Answer::Committed(Err(at)));
            }
        }
        let done = self.make_room(&mut held, effects, now).and_then(|()| {
            let mut placed = effects.iter().zip(effected);
            placed.try_for_each(|(effect, (_, place))| {
                self.put_effect(&mut held, effect, *place, durability, now)
            })
        });
        self.tell_held(&mut held, now);
        done.map(|()| Answer::Committed(Ok(())))
    }

    /// Makes room for all that is put, before any of it is: a commit that stops half way is none.
    fn make_room(
        &self,
        held: &mut Held<'_, EntryShard>,
        effects: &[Effect],
        now: Now,
    ) -> Result<(), StoreError> {
        let mut needed: SmallVec<[(usize, usize, usize); 4]> = SmallVec::new();
        for effect in effects {
            let Effect::Put { key, value, .. } = effect else {
                continue;
            };
            let (place, heap) = (self.place(key).0, heap_bytes(key, value));
            match needed.iter_mut().find(|(of, _, _)| *of == place) {
                Some((_, entries, bytes)) => {
                    *entries += 1;
                    *bytes = bytes.saturating_add(heap);
                }
                None => needed.push((place, 1, heap)),
            }
        }
        for (place, entries, bytes) in needed {
            if !held.part(place)?.make_room(entries, bytes, now) {
                return Err(StoreError::Full);
            }
        }
        Ok(())
    }

    fn put_effect(
        &self,
        held: &mut Held<'_, EntryShard>,
        effect: &Effect,
        (place, hash): (usize, u64),
        durability: Durability,
        now: Now,
    ) -> Result<(), StoreError> {
        match effect {
            Effect::Delete(key) => {
                drop(held.part(place)?.take(hash, key, now));
                Ok(())
            }
            Effect::Put { key, value, lives } => {
                let life = self.life(*lives, durability, now);
                let part = held.part(place)?;
                part.put(hash, key.clone(), value.clone(), life, now)
            }
        }
    }
}

/// A key, and its shard with its hash in it.
type Place<'k> = (&'k Key, (usize, u64));

fn holds(
    held: &mut Held<'_, EntryShard>,
    condition: &Condition,
    (place, hash): (usize, u64),
    now: Now,
) -> Result<bool, StoreError> {
    let part = held.part(place)?;
    Ok(match condition {
        Condition::Exists(key) => part.get(hash, key, now).is_some(),
        Condition::Absent(key) => part.get(hash, key, now).is_none(),
        Condition::Equals(key, value) => part.get(hash, key, now) == Some(value),
    })
}
