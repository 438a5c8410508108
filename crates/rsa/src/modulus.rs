//! `Modulus`: a modulus with what Montgomery's method knows of it beforehand.

use crate::number::{LIMB_BITS, LIMB_MAX, Number};

/// An odd modulus that leaves two bits of a [`Number`] free. R is 2 to [`Number::BITS`], so over four times the modulus: that is what
/// keeps a product below twice the modulus, so there is no other `Modulus`.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(target_arch = "x86_64"),
    expect(dead_code, reason = "`Ifma` alone reads all of it")
)]
pub(crate) struct Modulus<const V: usize> {
    pub(crate) number: Number<V>,
    /// R² modulo the modulus: by it a number is brought into Montgomery's form.
    pub(crate) r_squared: Number<V>,
    /// -1 / modulus modulo 2^52.
    pub(crate) inverse: u64,
}

impl<const V: usize> Modulus<V> {
    /// Makes a number ready. None where it is even or 1, or leaves no two bits free.
    pub(crate) fn new(number: Number<V>) -> Option<Self> {
        let lowest = number.lowest();
        let leaves_two_bits = number.highest() >> (LIMB_BITS - 2) == 0;
        if lowest.is_multiple_of(2) || number == Number::ONE || !leaves_two_bits {
            return None;
        }
        // Newton's method doubles the bits that are right: an odd number is its own inverse modulo 8, so 3, 6, 12, 24, 48, 96.
        let inverse = (0..5).fold(lowest, |inverse: u64, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        Some(Self {
            r_squared: Number::power_of_two(2 * Number::<V>::BITS, &number),
            inverse: inverse.wrapping_neg() & LIMB_MAX,
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one(limbs: [(usize, u64); 2]) -> bool {
        let mut number = Number::<5>::ZERO;
        for (at, limb) in limbs {
            number.vectors.as_flattened_mut()[at] = limb;
        }
        Modulus::new(number).is_some()
    }

    #[test]
    fn what_the_method_cannot_take_is_none() {
        assert!(is_one([(0, 3), (39, LIMB_MAX >> 2)]));
        assert!(!is_one([(0, 3), (39, LIMB_MAX >> 1)]));
        assert!(!is_one([(0, 3), (39, 1 << 51)]));
        assert!(!is_one([(0, 2), (39, 1)]));
        assert!(!is_one([(0, 0), (1, 0)]));
        assert!(!is_one([(0, 1), (1, 0)]));
        assert!(is_one([(0, 1), (1, 1)]));
        assert!(is_one([(0, 3), (1, 0)]));
    }
}
