//! What a store in memory does for the one that keeps its entries: it takes them back, and gives all of them out.

use std::sync::Arc;

use portcullis_guard::clock::Now;
use portcullis_guard::store::StoreError;

use super::MemoryStore;
use super::change::Change;
use crate::store::journal::Journal;
use crate::store::shards::Broken;

impl MemoryStore {
    /// Tells the journal of all that is kept from now on.
    pub(in crate::store) fn with_journal(self, journal: Arc<Journal>) -> Self {
        Self {
            journal: Some(journal),
            ..self
        }
    }

    /// Takes back what was kept. The journal is not told of it: it is there. Gives what to write instead, where it is over.
    pub(in crate::store) fn restore(
        &self,
        change: Change,
        now: Now,
    ) -> Result<Option<Change>, Broken> {
        match change {
            Change::Entry { key, value, life } if life.goes_on(now) => {
                let (place, hash) = self.place(&key);
                self.entries
                    .with(place, |shard| shard.restore(hash, key, value, life))?;
            }
            Change::Ring {
                name,
                members,
                life,
            } if life.goes_on(now) => {
                let (place, hash) = self.ring_place(&name);
                self.entries
                    .with(place, |shard| shard.rings.put(hash, name, members, life))?;
            }
            Change::Entry { key, .. } => return Ok(Some(Change::NoEntry { key })),
            Change::Ring { name, .. } => return Ok(Some(Change::NoRing { name })),
            Change::NoEntry { .. } | Change::NoRing { .. } => {}
        }
        Ok(None)
    }

    /// How many shards have entries.
    pub(in crate::store) fn entry_shards(&self) -> usize {
        self.entries.count()
    }

    /// All that is kept in one shard, as it is at the moment.
    pub(in crate::store) fn kept_in(&self, place: usize) -> Result<Vec<Change>, StoreError> {
        Ok(self.entries.with(place, |shard| shard.kept().collect())?)
    }
}
