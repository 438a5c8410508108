//! `Scratch`: the buffers of a request, lent by the worker to the connection that has one.
//!
//! An idle connection holds none, so that ten thousand of them cost next to nothing. What was given back last is lent first:
//! its bytes are still in the processor's cache.

use std::sync::{Mutex, PoisonError};

use portcullis_guard::http1::Fields;

use crate::pool::IDLE_BYTES;

/// How many sets a worker keeps. More than there are busy connections at once is of no use.
const KEPT_MAX: usize = 64;

/// The buffers of one request. Without allocations until they are lent.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// What was read and not used yet.
    pub(crate) input: Vec<u8>,
    /// The bytes of the head that is being answered.
    pub(crate) head: Vec<u8>,
    /// What is being written.
    pub(crate) out: Vec<u8>,
    /// A list for the fields of a head.
    pub(crate) fields: Fields,
}

impl Scratch {
    /// Whether it has no memory: it is not a set that was lent and filled.
    pub(crate) fn is_none(&self) -> bool {
        [&self.input, &self.head, &self.out]
            .iter()
            .all(|buffer| buffer.capacity() == 0)
    }
}

/// One worker's buffers that are lent to nobody.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Vec<Scratch>>);

impl Shelf {
    /// The set that was given back last, or one without allocations.
    pub(crate) fn lend(&self) -> Scratch {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pop().unwrap_or_default()
    }

    /// Takes a set back. What a large request took is freed, and so is a set beyond the bound.
    pub(crate) fn keep(&self, mut scratch: Scratch) {
        if scratch.is_none() {
            return;
        }
        scratch.fields.clear();
        for buffer in [&mut scratch.input, &mut scratch.head, &mut scratch.out] {
            buffer.clear();
            buffer.shrink_to(IDLE_BYTES);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_lent_first_empty_and_small() {
        let shelf = Shelf::default();
        for bytes in [10, IDLE_BYTES * 4] {
            shelf.keep(Scratch {
                input: vec![1; bytes],
                ..Scratch::default()
            });
        }
        let lent = shelf.lend();
        assert!(lent.input.is_empty());
        assert_eq!(lent.input.capacity(), IDLE_BYTES);
        assert_eq!(shelf.lend().input.capacity(), 10);
        assert_eq!(shelf.lend().input.capacity(), 0);
    }

    #[test]
    fn no_more_are_kept_than_are_of_use() {
        let shelf = Shelf::default();
        for _ in 0..KEPT_MAX + 9 {
            shelf.keep(Scratch {
                out: vec![1],
                ..Scratch::default()
            });
        }
        shelf.keep(Scratch::default());
        assert_eq!(shelf.0.lock().unwrap().len(), KEPT_MAX);
    }
}
