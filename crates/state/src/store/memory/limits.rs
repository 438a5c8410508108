//! Counts a request in several buckets at once: in all, if all of them admit it, else in none.
//!
//! 1. Each ask has a chain of buckets: its own, the coarser ones, the one of the whole scope.
//! 2. It counts in the first of them that is there or has room. The last always has.
//! 3. A bucket that is made where there was no room a moment ago begins as a copy of the next one of its chain that is
//!    there: what was counted coarsely is not forgiven when there is room again.

use portcullis_guard::clock::Nanos;
use portcullis_guard::limit::LimitState;
use portcullis_guard::store::{Durability, LimitAsk, LimitStates, StoreError};
use smallvec::{SmallVec, smallvec};

use super::MemoryStore;
use super::bucket::{Bucket, BucketKey, BucketShard, Cell, Level};
use super::hash::{COARSER, OWN, WHOLE};
use crate::store::shards::{Broken, Held};

/// One ask while it is answered.
struct Counting<'a, 's> {
    ask: &'a LimitAsk<'s>,
    own: BucketKey,
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
    ) -> Result<LimitStates, StoreError> {
        if let [ask] = asks
            && let Some(state) = self.count_one(ask, now)?
        {
            return Ok(smallvec![state]);
        }
        let mut counting: SmallVec<[Counting<'_, '_>; 4]> = asks
            .iter()
            .map(|ask| {
                let own = self.hash.key(ask.scope, OWN, &ask.value);
                Counting {
                    ask,
                    own,
                    chosen: own,
                    made: false,
                    state: None,
                }
            })
            .collect();
        // Nearly always the buckets are there or have room, and only their own shards are held.
        let own = counting.iter().map(|one| self.bucket_place(one.own));
        let held = self.buckets.hold(own)?;
        let counted = match self.count_held(held, &mut counting, false, now) {
            Err(Stopped::NeedsChains) => {
                let chains = asks.iter().flat_map(|ask| self.chain(ask));
                let places = chains.map(|(_, key)| self.bucket_place(key));
                let held = self.buckets.hold(places)?;
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

    /// Answers for one bucket, if it is there: what is asked most, under one lock.
    fn count_one(&self, ask: &LimitAsk<'_>, now: Nanos) -> Result<Option<LimitState>, StoreError> {
        let key = self.hash.key(ask.scope, OWN, &ask.value);
        self.buckets.with(self.bucket_place(key), |part| {
            let Some(bucket) = part.find(key) else {
                return Ok(None);
            };
            let state = bucket.cell.check(ask.rule, ask.cost, now)?;
            if state.admitted {
                bucket.cell.admit(ask.rule, ask.cost, now)?;
                bucket.kept |= ask.durability == Durability::Snapshot;
            }
            Ok(Some(state))
        })?
    }

    /// Checks all, then admits all or none, in shards that are held.
    fn count_held(
        &self,
        mut held: Held<'_, BucketShard>,
        counting: &mut [Counting<'_, '_>],
        chains: bool,
        now: Nanos,
    ) -> Result<(), Stopped> {
        // The buckets of the asks so far, and what each counts in its own.
        let mut used: SmallVec<[BucketKey; 4]> = SmallVec::new();
        let mut costs: SmallVec<[u32; 4]> = SmallVec::new();
        let done = held.all_or_none(
            counting,
            |held, one| {
                (one.chosen, one.made) = self.choose(held, one, chains, &used, now)?;
                let before = used
                    .iter()
                    .zip(&costs)
                    .filter(|(key, _)| **key == one.chosen);
                let cost = before.fold(one.ask.cost, |sum, (_, cost)| sum.saturating_add(*cost));
                used.push(one.chosen);
                costs.push(one.ask.cost);
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
                    self.had_no_room(held, one, until)?;
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
            held.part(self.bucket_place(one.chosen))?.remove(one.chosen);
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
        used: &[BucketKey],
        now: Nanos,
    ) -> Result<(BucketKey, bool), Stopped> {
        let part = held.part(self.bucket_place(one.own))?;
        if part.find(one.own).is_some() {
            return Ok((one.own, false));
        }
        if !chains {
            if part.coarse_until > now || !part.make_room(Level::Own, one.ask.rule, used, now) {
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
            let part = held.part(self.bucket_place(*key))?;
            if part.find(*key).is_some() {
                return Ok((*key, false));
            }
            if !part.make_room(*level, one.ask.rule, used, now) {
                continue;
            }
            let mut bucket = Bucket {
                key: *key,
                cell: Cell::new(one.ask.rule),
                kept: false,
            };
            let had_no_room = part.coarse_until > now;
            for (_, later) in chain.iter().skip(at + 1).filter(|_| had_no_room) {
                let part = held.part(self.bucket_place(*later))?;
                if let Some(counted) = part.find(*later) {
                    bucket.cell = counted.cell.clone();
                    bucket.kept = counted.kept;
                    break;
                }
            }
            held.part(self.bucket_place(*key))?.insert(bucket);
            return Ok((*key, true));
        }
        Err(StoreError::Full.into())
    }

    /// Remembers, where an ask had no room, until when what it counted elsewhere still counts.
    fn had_no_room(
        &self,
        held: &mut Held<'_, BucketShard>,
        one: &Counting<'_, '_>,
        until: Nanos,
    ) -> Result<(), StoreError> {
        for (_, key) in self.chain(one.ask) {
            if key == one.chosen {
                break;
            }
            let part = held.part(self.bucket_place(key))?;
            part.coarse_until = part.coarse_until.max(until);
        }
        Ok(())
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
            let places = chain.iter().map(|(_, key)| self.bucket_place(*key));
            let mut held = self.buckets.hold(places)?;
            for (_, key) in &chain {
                if let Some(bucket) = held.part(self.bucket_place(*key))?.find(*key) {
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

    pub(super) fn bucket_place(&self, key: BucketKey) -> usize {
        self.buckets.place(key[0])
    }

    fn bucket<'h>(
        &self,
        held: &'h mut Held<'_, BucketShard>,
        key: BucketKey,
    ) -> Result<&'h mut Bucket, StoreError> {
        let part = held.part(self.bucket_place(key))?;
        part.find(key).ok_or_else(|| Broken.into())
    }
}
