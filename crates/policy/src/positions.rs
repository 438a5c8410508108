//! `Positions`: which entries of a list are meant, one bit for each.

/// How many bits a word has.
const BITS: usize = 64;

/// A few positions, as the words that are not zero: thousands of short lists take little room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Positions(Vec<(usize, u64)>);

impl Positions {
    /// Adds a position that is none of the earlier ones, or the last.
    pub(crate) fn push(&mut self, position: usize) {
        let (word, bit) = (position / BITS, 1 << (position % BITS));
        match self.0.last_mut() {
            Some((last, bits)) if *last == word => *bits |= bit,
            _ => self.0.push((word, bit)),
        }
    }
}

/// Positions that are being worked out, as every word of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen(Vec<u64>);

impl Chosen {
    /// None of so many.
    pub(crate) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(BITS)])
    }

    /// Takes these as well.
    pub(crate) fn add(&mut self, more: &Positions) {
        for (word, bits) in &more.0 {
            if let Some(mine) = self.0.get_mut(*word) {
                *mine |= bits;
            }
        }
    }

    /// Takes what another has as well.
    pub(crate) fn add_chosen(&mut self, more: &Self) {
        for (mine, bits) in self.0.iter_mut().zip(&more.0) {
            *mine |= bits;
        }
    }

    /// Keeps what is among the others. Whether anything is left.
    pub(crate) fn keep(&mut self, others: &Self) -> bool {
        let mut left = 0;
        for (mine, bits) in self.0.iter_mut().zip(&others.0) {
            *mine &= bits;
            left |= *mine;
        }
        left != 0
    }

    /// The positions, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            let mut bits = *bits;
            std::iter::from_fn(move || {
                let lowest = usize::try_from(bits.trailing_zeros()).ok()?;
                // Without the lowest bit that is set; of zero it is zero.
                let rest = bits & bits.wrapping_sub(1);
                (bits != 0).then(|| {
                    bits = rest;
                    word * BITS + lowest
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// As a set does it.
        #[test]
        fn as_sets_do(
            one in prop::collection::btree_set(0_usize..300, 0..40),
            more in prop::collection::btree_set(0_usize..300, 0..40),
            others in prop::collection::btree_set(0_usize..300, 0..40),
        ) {
            let chosen = |set: &BTreeSet<usize>| {
                let mut positions = Positions::default();
                set.iter().for_each(|position| positions.push(*position));
                let mut chosen = Chosen::none(300);
                chosen.add(&positions);
                chosen
            };
            let mut mine = chosen(&one);
            mine.add_chosen(&chosen(&more));
            let is_left = mine.keep(&chosen(&others));
            let expected: Vec<usize> = one.union(&more).copied().filter(|it| others.contains(it)).collect();
            prop_assert_eq!(is_left, !expected.is_empty());
            prop_assert_eq!(mine.iter().collect::<Vec<_>>(), expected);
        }
    }
}
