//! `Modulus`: a modulus with what Montgomery's method knows of it beforehand.

use crate::number::{LIMB_MAX, Number};

/// An odd modulus that leaves two bits of a [`Number`] free. R is 2 to [`Number::BITS`], so over four times the modulus.
#[derive(Clone, Debug)]
pub(crate) struct Modulus<const V: usize> {
    pub(crate) number: Number<V>,
    /// R² modulo the modulus: by it a number is brought into Montgomery's form.
    pub(crate) r_squared: Number<V>,
    /// -1 / modulus modulo 2^52.
    pub(crate) inverse: u64,
}

impl<const V: usize> Modulus<V> {
    /// Makes an odd number over 1 ready.
    pub(crate) fn new(number: Number<V>) -> Self {
        let lowest = number.lowest();
        // Newton's method doubles the bits that are right: an odd number is its own inverse modulo 8, so 3, 6, 12, 24, 48, 96.
        let inverse = (0..5).fold(lowest, |inverse: u64, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        Self {
            r_squared: Number::power_of_two(2 * Number::<V>::BITS, &number),
            inverse: inverse.wrapping_neg() & LIMB_MAX,
            number,
        }
    }
}
