//! `Number`: a whole number of at most 416 · V bits, and what of arithmetic a public key needs before it is used.

use std::cmp::Ordering;

/// How many bits a limb has: as many as one multiplication of AVX-512 IFMA takes.
pub(crate) const LIMB_BITS: u32 = 52;

/// A limb with every bit set.
pub(crate) const LIMB_MAX: u64 = (1 << LIMB_BITS) - 1;

/// How many limbs stand in one vector register.
pub(crate) const LANES: usize = 8;

/// A number as 8 · V limbs, the least first, each below 2^52. It has one spelling, so equality is that of the limbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number<const V: usize> {
    pub(crate) vectors: [[u64; LANES]; V],
}

impl<const V: usize> Number<V> {
    /// How many bits the limbs have together: R of Montgomery's method is 2 to this.
    pub(crate) const BITS: usize = LANES * V * LIMB_BITS as usize;

    pub(crate) const ZERO: Self = Self {
        vectors: [[0; LANES]; V],
    };

    pub(crate) const ONE: Self = {
        let mut one = Self::ZERO;
        if let Some([lowest, ..]) = one.vectors.first_mut() {
            *lowest = 1;
        }
        one
    };

    /// Reads big-endian bytes; none where they are too many.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut number = Self::ZERO;
        let mut limbs = number.vectors.as_flattened_mut().iter_mut();
        let (mut held, mut held_bits) = (0_u64, 0);
        for byte in bytes.iter().rev() {
            held |= u64::from(*byte) << held_bits;
            held_bits += u8::BITS;
            if held_bits >= LIMB_BITS {
                *limbs.next()? = held & LIMB_MAX;
                held >>= LIMB_BITS;
                held_bits -= LIMB_BITS;
            }
        }
        if held > 0 {
            *limbs.next()? = held;
        }
        Some(number)
    }

    /// The limb of the least weight: what the number is modulo 2^52.
    pub(crate) fn lowest(&self) -> u64 {
        self.vectors.as_flattened().first().copied().unwrap_or(0)
    }

    /// The limb of the most weight.
    pub(crate) fn highest(&self) -> u64 {
        self.vectors.as_flattened().last().copied().unwrap_or(0)
    }

    /// 2 to a power, modulo `modulus`, which is larger than 1: doubled so many times. It is slow, and done when a key is read.
    pub(crate) fn power_of_two(exponent: usize, modulus: &Self) -> Self {
        let mut number = Self::ONE;
        for _ in 0..exponent {
            number.double();
            number.reduce_once(modulus);
        }
        number
    }

    /// Takes `modulus` away where that leaves something or nothing: of what is below twice the modulus it leaves what is below it.
    pub(crate) fn reduce_once(&mut self, modulus: &Self) {
        if *self < *modulus {
            return;
        }
        let mut borrowed = 0;
        let theirs = modulus.vectors.as_flattened();
        for (limb, other) in self.vectors.as_flattened_mut().iter_mut().zip(theirs) {
            // Below zero the bits above the limb are all set.
            let rest = limb.wrapping_sub(*other).wrapping_sub(borrowed);
            *limb = rest & LIMB_MAX;
            borrowed = rest >> (u64::BITS - 1);
        }
    }

    /// What does not fit any more is lost; a number below a modulus that leaves a bit free fits.
    fn double(&mut self) {
        let mut carried = 0;
        for limb in self.vectors.as_flattened_mut() {
            let twice = (*limb << 1) | carried;
            *limb = twice & LIMB_MAX;
            carried = twice >> LIMB_BITS;
        }
    }
}

impl<const V: usize> PartialOrd for Number<V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const V: usize> Ord for Number<V> {
    fn cmp(&self, other: &Self) -> Ordering {
        let ours = self.vectors.as_flattened().iter().rev();
        ours.cmp(other.vectors.as_flattened().iter().rev())
    }
}

/// The same numbers by another's arithmetic.
#[cfg(test)]
pub(crate) mod exact {
    use num_bigint::BigUint;

    use super::{LIMB_BITS, Number};

    pub(crate) fn number<const V: usize>(big: &BigUint) -> Number<V> {
        Number::of_bytes(&big.to_bytes_be()).unwrap()
    }

    pub(crate) fn big<const V: usize>(number: &Number<V>) -> BigUint {
        let limbs = number.vectors.as_flattened().iter().rev();
        limbs.fold(BigUint::ZERO, |sum, limb| (sum << LIMB_BITS) + *limb)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_long_is_none() {
        assert!(Number::<5>::of_bytes(&[0xff; 260]).is_some());
        assert!(Number::<5>::of_bytes(&[0xff; 261]).is_none());
        assert_eq!(Number::<5>::of_bytes(&[]), Some(Number::ZERO));
    }

    #[test]
    fn once_the_modulus_is_nothing() {
        let modulus = Number::<5>::of_bytes(&[0xfd; 256]).unwrap();
        let mut number = modulus;
        number.reduce_once(&modulus);
        assert_eq!(number, Number::ZERO);
    }

    proptest! {
        #[test]
        fn bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..260)) {
            let number = Number::<5>::of_bytes(&bytes).unwrap();
            prop_assert_eq!(exact::big(&number), BigUint::from_bytes_be(&bytes));
        }

        #[test]
        fn powers_of_two(exponent in 0_usize..5_000, modulus in prop::collection::vec(any::<u8>(), 2..256)) {
            let modulus = BigUint::from_bytes_be(&modulus) + 2_u8;
            let found = Number::<5>::power_of_two(exponent, &exact::number(&modulus));
            prop_assert_eq!(exact::big(&found), (BigUint::from(1_u8) << exponent) % modulus);
        }

        #[test]
        fn order_and_difference(a in prop::collection::vec(any::<u8>(), 0..256), b in prop::collection::vec(any::<u8>(), 0..256)) {
            let (a, b) = (BigUint::from_bytes_be(&a), BigUint::from_bytes_be(&b));
            let (x, y) = (exact::number::<5>(&a), exact::number::<5>(&b));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            let (mut rest, smaller) = if a < b { (y, x) } else { (x, y) };
            rest.reduce_once(&smaller);
            let expected = if a < b { b - a } else { a - b };
            prop_assert_eq!(exact::big(&rest), expected);
        }
    }
}
