//! `Shards`: a value in parts with a lock each, and the two protocols that keep several parts consistent.
//!
//! 1. Locks are taken in ascending order, each once, so that two askers never wait for each other.
//! 2. All is checked before anything is admitted, under all the locks, so that nobody sees half of it.
//!
//! `tests/loom.rs` runs every interleaving of these functions.

use smallvec::SmallVec;

#[cfg(portcullis_loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(portcullis_loom))]
use std::sync::{Mutex, MutexGuard};

/// Parts of one value, each behind a lock.
#[derive(Debug)]
pub struct Shards<T> {
    parts: Box<[Mutex<T>]>,
}

/// A panic broke a part: nobody knows what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl<T> Shards<T> {
    /// As many parts as asked for, rounded up to a power of two.
    #[must_use]
    pub fn new(parts: usize, mut make: impl FnMut() -> T) -> Self {
        let parts = parts.max(1).next_power_of_two();
        Self {
            parts: (0..parts).map(|_| Mutex::new(make())).collect(),
        }
    }

    /// How many parts there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// The part that something with this hash belongs to.
    #[must_use]
    pub fn place(&self, hash: u64) -> usize {
        let mask = u64::try_from(self.parts.len() - 1).unwrap_or(u64::MAX);
        usize::try_from(hash & mask).unwrap_or(0)
    }

    /// Uses one part.
    ///
    /// # Errors
    ///
    /// When a panic broke it, or there is no such part.
    pub fn with<R>(&self, place: usize, use_it: impl FnOnce(&mut T) -> R) -> Result<R, Broken> {
        let part = self.parts.get(place).ok_or(Broken)?;
        let mut part = part.lock().map_err(|_poisoned| Broken)?;
        Ok(use_it(&mut part))
    }

    /// Holds several parts at once. Places may come in any order, and more than once.
    ///
    /// # Errors
    ///
    /// When a panic broke one of them, or there is no such part.
    pub fn hold(&self, places: impl IntoIterator<Item = usize>) -> Result<Held<'_, T>, Broken> {
        let mut places: SmallVec<[usize; 8]> = places.into_iter().collect();
        places.sort_unstable();
        places.dedup();
        let mut held = SmallVec::new();
        for place in places {
            let part = self.parts.get(place).ok_or(Broken)?;
            held.push((place, part.lock().map_err(|_poisoned| Broken)?));
        }
        Ok(Held(held))
    }
}

/// Parts that are held.
#[derive(Debug)]
pub struct Held<'s, T>(SmallVec<[(usize, MutexGuard<'s, T>); 4]>);

impl<T> Held<'_, T> {
    /// One of them.
    ///
    /// # Errors
    ///
    /// When it is not held.
    pub fn part(&mut self, place: usize) -> Result<&mut T, Broken> {
        let found = self.0.iter_mut().find(|(held, _)| *held == place);
        found.map(|(_, part)| &mut **part).ok_or(Broken)
    }

    /// All of them.
    pub fn each(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, part)| &mut **part)
    }

    /// Checks all, then admits all if every one was admissible: else nothing is changed. Says whether it was.
    ///
    /// # Errors
    ///
    /// Those of `check`, before which nothing was admitted, and of `admit`.
    pub fn all_or_none<A, E>(
        &mut self,
        asks: &mut [A],
        mut check: impl FnMut(&mut Self, &mut A) -> Result<bool, E>,
        mut admit: impl FnMut(&mut Self, &mut A) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut all = true;
        for ask in &mut *asks {
            // Every one is checked, also after a no: each tells the client its own state.
            all &= check(self, ask)?;
        }
        if all {
            for ask in asks {
                admit(self, ask)?;
            }
        }
        Ok(all)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_a_panic_broke_says_so_and_the_others_go_on() {
        let shards = Shards::new(3, || 0);
        assert_eq!(shards.count(), 4);
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            shards.with(1, |_| panic!("in the middle"))
        }));
        assert!(broken.is_err());
        assert_eq!(shards.with(1, |part| *part), Err(Broken));
        assert!(shards.hold([0, 1]).is_err());
        assert_eq!(shards.with(0, |part| *part), Ok(0));
        assert_eq!(shards.with(4, |part| *part), Err(Broken));
    }

    #[test]
    fn a_part_that_is_not_held_cannot_be_used() {
        let shards = Shards::new(2, || 0);
        let mut held = shards.hold([1, 1]).unwrap();
        assert!(held.part(1).is_ok());
        assert!(held.part(0).is_err());
    }
}
