//! Counts a request in several buckets at once: in all, if all of them admit it, else in none.
//!
//! 1. Each ask has a chain of buckets: its own, the coarser ones, the one of the whole scope.
//! 2. It counts in the first of them that is there or has room. The last always has.
//! 3. A bucket that is made while a later one of its chain counts begins as a copy of that one: what was counted
//!    coarsely is not forgiven when there is room again.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_guard::clock::Nanos;
use portcullis_guard::limit::LimitState;
use portcullis_guard::store::{Durability, LimitAsk, StoreError};
use smallvec::SmallVec;

use super::MemoryStore;
use super::bucket::{Bucket, BucketKey, BucketShard, Cell, Level};
use super::hash::{COARSER, OWN, WHOLE};
use crate::store::shards::{Broken, Held, Shards};

/// The buckets of a store.
#[derive(Debug)]
pub(crate) struct Buckets {
    pub(crate) shards: Shards<BucketShard>,
    /// Until when something that was counted coarsely still counts. It is written under the locks of every chain that
    /// it is about.
    pub(crate) coarse_until: AtomicU64,
}

impl Buckets {
    pub(crate) fn place(&self, key: BucketKey) -> usize {
        self.shards.place(key[0])
    }
}

/// One ask while it is answered.
struct Counting<'a, 's> {
    ask: &'a LimitAsk<'s>,
    own: BucketKey,
    /// What earlier asks of the batch count in the same bucket.
    cost_before: u32,
    chosen: BucketKey,
    made: bool,
    state: Option<LimitState>,
}

/// Why nothing was answered.
enum Stopped {
    /// A bucket is not there, and its chain is not held.
    NeedsChains,
    Error(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Error(error)
    }
}

impl From<Broken> for Stopped {
    fn from(broken: Broken) -> Self {
        Self::Error(broken.into())
    }
}

impl MemoryStore {
    /// Answers one ask for several buckets.
    pub(super) fn count(
        &self,
        asks: &[LimitAsk<'_>],
        now: Nanos,
    ) -> Result<SmallVec<[LimitState; 4]>, StoreError> {
        let mut counting: SmallVec<[Counting<'_, '_>; 4]> = asks
            .iter()
            .map(|ask| {
                let own = self.hash.key(ask.scope, OWN, &ask.value);
                Counting {
                    ask,
                    own,
                    cost_before: 0,
                    chosen: own,
                    made: false,
                    state: None,
                }
            })
            .collect();
        // Nearly always the buckets are there or have room, and only their own shards are held.
        let own = counting.iter().map(|one| self.buckets.place(one.own));
        let held = self.buckets.shards.hold(own)?;
        let counted = match self.count_held(held, &mut counting, false, now) {
            Err(Stopped::NeedsChains) => {
                let chains = asks.iter().flat_map(|ask| self.chain(ask));
                let places = chains.map(|(_, key)| self.buckets.place(key));
                let held = self.buckets.shards.hold(places)?;
                self.count_held(held, &mut counting, true, now)
            }
            answered => answered,
        };
        match counted {
            Ok(()) => counting
                .iter()
                .map(|one| one.state.ok_or_else(|| Broken.into()))
                .collect(),
            Err(Stopped::Error(error)) => Err(error),
            Err(Stopped::NeedsChains) => Err(Broken.into()),
        }
    }

    /// Checks all, then admits all or none, in shards that are held.
    fn count_held(
        &self,
        mut held: Held<'_, BucketShard>,
        counting: &mut [Counting<'_, '_>],
        chains: bool,
        now: Nanos,
    ) -> Result<(), Stopped> {
        let mut taken: SmallVec<[(BucketKey, u32); 4]> = SmallVec::new();
        let done = held.all_or_none(
            counting,
            |held, one| {
                (one.chosen, one.made) = self.choose(held, one, chains, now)?;
                one.cost_before = taken
                    .iter()
                    .filter(|(key, _)| *key == one.chosen)
                    .fold(0, |sum: u32, (_, cost)| sum.saturating_add(*cost));
                taken.push((one.chosen, one.ask.cost));
                let cost = one.ask.cost.saturating_add(one.cost_before);
                let bucket = self.bucket(held, one.chosen)?;
                let mut state = bucket.cell.check(one.ask.rule, cost, now)?;
                state.coarse = one.chosen != one.own;
                one.state = Some(state);
                Ok(state.admitted)
            },
            |held, one| {
                let bucket = self.bucket(held, one.chosen)?;
                bucket.cell.admit(one.ask.rule, one.ask.cost, now)?;
                bucket.kept |= one.ask.durability == Durability::Snapshot;
                if one.chosen != one.own {
                    let until = bucket.cell.until();
                    self.buckets.coarse_until.fetch_max(until, Ordering::AcqRel);
                }
                Ok::<(), Stopped>(())
            },
        );
        if !matches!(done, Ok(true)) {
            self.undo(&mut held, counting, now)?;
        }
        done.map(|_| ())
    }

    /// After a refusal: takes out what was made for this request, and says of the buckets that would have admitted it
    /// how they are without it.
    fn undo(
        &self,
        held: &mut Held<'_, BucketShard>,
        counting: &mut [Counting<'_, '_>],
        now: Nanos,
    ) -> Result<(), StoreError> {
        for one in &mut *counting {
            if let Some(state) = one.state.as_mut().filter(|state| state.admitted) {
                let cell = &mut self.bucket(held, one.chosen)?.cell;
                let untouched = cell.check(one.ask.rule, 0, now)?;
                state.remaining = untouched.remaining;
                state.reset_after = untouched.reset_after;
            }
        }
        for one in counting.iter_mut().filter(|one| one.made) {
            held.part(self.buckets.place(one.chosen))?
                .remove(one.chosen);
            one.made = false;
        }
        Ok(())
    }

    /// The bucket that an ask counts in, which is there from now on, and whether it was made for it.
    fn choose(
        &self,
        held: &mut Held<'_, BucketShard>,
        one: &Counting<'_, '_>,
        chains: bool,
        now: Nanos,
    ) -> Result<(BucketKey, bool), Stopped> {
        let part = held.part(self.buckets.place(one.own))?;
        if part.find(one.own).is_some() {
            return Ok((one.own, false));
        }
        if !chains {
            let coarse = self.buckets.coarse_until.load(Ordering::Acquire) > now;
            if coarse || !part.make_room(Level::Own, one.ask.rule, now) {
                return Err(Stopped::NeedsChains);
            }
            part.insert(Bucket {
                key: one.own,
                cell: Cell::new(one.ask.rule),
                kept: false,
            });
            return Ok((one.own, true));
        }
        let chain = self.chain(one.ask);
        for (at, (level, key)) in chain.iter().enumerate() {
            let part = held.part(self.buckets.place(*key))?;
            if part.find(*key).is_some() {
                return Ok((*key, false));
            }
            if !part.make_room(*level, one.ask.rule, now) {
                continue;
            }
            let mut bucket = Bucket {
                key: *key,
                cell: Cell::new(one.ask.rule),
                kept: false,
            };
            for (_, later) in chain.iter().skip(at + 1) {
                let part = held.part(self.buckets.place(*later))?;
                if let Some(counted) = part.find(*later) {
                    bucket.cell = counted.cell.clone();
                    bucket.kept = counted.kept;
                    break;
                }
            }
            held.part(self.buckets.place(*key))?.insert(bucket);
            return Ok((*key, true));
        }
        Err(StoreError::Full.into())
    }

    /// Gives back what was counted at `at`: from the first bucket of the chain that is there. What was counted in a
    /// later one was copied when the first was made.
    pub(super) fn release(
        &self,
        asks: &[LimitAsk<'_>],
        at: Nanos,
        now: Nanos,
    ) -> Result<(), StoreError> {
        for ask in asks {
            let chain = self.chain(ask);
            let places = chain.iter().map(|(_, key)| self.buckets.place(*key));
            let mut held = self.buckets.shards.hold(places)?;
            for (_, key) in &chain {
                if let Some(bucket) = held.part(self.buckets.place(*key))?.find(*key) {
                    bucket.cell.release(ask.rule, ask.cost, at, now)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The buckets that an ask may count in, the finest first.
    fn chain(&self, ask: &LimitAsk<'_>) -> SmallVec<[(Level, BucketKey); 4]> {
        let own = (Level::Own, self.hash.key(ask.scope, OWN, &ask.value));
        let whole = (Level::Whole, self.hash.key(ask.scope, WHOLE, &[]));
        let coarser = ask.coarser.iter().map(|value| {
            let key = self.hash.key(ask.scope, COARSER, value);
            (Level::Coarser, key)
        });
        std::iter::once(own)
            .chain(coarser)
            .chain(std::iter::once(whole))
            .collect()
    }

    fn bucket<'h>(
        &self,
        held: &'h mut Held<'_, BucketShard>,
        key: BucketKey,
    ) -> Result<&'h mut Bucket, StoreError> {
        let part = held.part(self.buckets.place(key))?;
        part.find(key).ok_or_else(|| Broken.into())
    }
}
