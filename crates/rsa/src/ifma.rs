//! `Ifma`: Montgomery's multiplication with AVX-512 IFMA, and the one place of the project that is `unsafe`.

use core::arch::x86_64::{
    __m512i, _mm_extract_epi64, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512,
    _mm512_castsi512_si128, _mm512_cmpeq_epu64_mask, _mm512_cmpgt_epu64_mask,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_epi64, _mm512_mask_set1_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64,
};

use crate::modulus::Modulus;
use crate::number::{LANES, LIMB_BITS, LIMB_MAX, Number};

/// A processor that has the instructions. Whoever has one may multiply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ifma {
    _detected: (),
}

impl Ifma {
    /// This processor, where it has them and the system saves their registers.
    pub(crate) fn detected() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma");
        has_all.then_some(Self { _detected: () })
    }

    /// `base`, which is below the modulus, to the power of 65537 modulo `modulus`, or that and once the modulus.
    #[expect(
        unsafe_code,
        reason = "the compiler cannot know what the processor has; `Ifma` is there only where it was asked"
    )]
    pub(crate) fn power_65537<const V: usize>(
        self,
        base: &Number<V>,
        modulus: &Modulus<V>,
    ) -> Number<V> {
        // SAFETY: the function is safe where the processor has the three features that it names, and an `Ifma` is made in
        // `detected` alone, which asks for the same three. It touches no memory but what the borrow checker sees.
        unsafe { power_65537(base, modulus) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn power_65537<const V: usize>(base: &Number<V>, modulus: &Modulus<V>) -> Number<V> {
    let mut power = multiply(base, &modulus.r_squared, modulus);
    for _ in 0..16 {
        power = multiply(&power, &power, modulus);
    }
    // By the base as it is, not in Montgomery's form: that is the last multiplication and the way back in one.
    multiply(&power, base, modulus)
}

/// `a · b / R` modulo the modulus, below twice of it where `a` and `b` are (R is over four times the modulus).
///
/// Montgomery's method by limbs of `b`. Every round adds `a · limb`, and as much of the modulus as makes the lowest limb zero, and
/// moves one limb down. A lane takes at most four times 2^52 in a round and is there for 80 rounds at most, so it stays below
/// 2^61, and carries wait for the end. Only the lowest limb must be exact in each round, since the next factor depends on it. It
/// is kept beside the vectors in `lowest`, with its carry; the lane that it belongs to is moved out unread.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn multiply<const V: usize>(a: &Number<V>, b: &Number<V>, modulus: &Modulus<V>) -> Number<V> {
    let zero = _mm512_setzero_si512();
    let a_vectors = loaded(a);
    let modulus_vectors = loaded(&modulus.number);
    let (a_lowest, modulus_lowest) = (a.lowest(), modulus.number.lowest());
    let modulus_second = second_limb(&modulus.number);
    // Two sums, so that neither waits for the other.
    let (mut of_a, mut of_modulus) = ([zero; V], [zero; V]);
    let mut lowest = 0_u64;
    for limb in b.vectors.as_flattened() {
        let limb_lanes = _mm512_set1_epi64(limb.cast_signed());
        for (sum, factor) in of_a.iter_mut().zip(&a_vectors) {
            *sum = _mm512_madd52lo_epu64(*sum, *factor, limb_lanes);
        }
        // The next lowest limb, but for what this round's multiple of the modulus adds: that is worked out here as well, since the
        // way through the vectors takes longer.
        let next = second_lane(&of_a).wrapping_add(second_lane(&of_modulus));
        let with_a = u128::from(a_lowest) * u128::from(*limb) + u128::from(lowest);
        let times = low_half(with_a).wrapping_mul(modulus.inverse) & LIMB_MAX;
        let with_modulus = u128::from(modulus_lowest) * u128::from(times) + with_a;
        lowest = low_half(with_modulus >> LIMB_BITS)
            .wrapping_add(next)
            .wrapping_add(modulus_second.wrapping_mul(times) & LIMB_MAX);

        let times_lanes = _mm512_set1_epi64(times.cast_signed());
        for (sum, factor) in of_modulus.iter_mut().zip(&modulus_vectors) {
            *sum = _mm512_madd52lo_epu64(*sum, *factor, times_lanes);
        }
        move_down(&mut of_a);
        move_down(&mut of_modulus);
        for (sum, factor) in of_a.iter_mut().zip(&a_vectors) {
            *sum = _mm512_madd52hi_epu64(*sum, *factor, limb_lanes);
        }
        for (sum, factor) in of_modulus.iter_mut().zip(&modulus_vectors) {
            *sum = _mm512_madd52hi_epu64(*sum, *factor, times_lanes);
        }
    }
    for (sum, other) in of_a.iter_mut().zip(&of_modulus) {
        *sum = _mm512_add_epi64(*sum, *other);
    }
    if let Some(first) = of_a.first_mut() {
        *first = _mm512_mask_set1_epi64(*first, 1, lowest.cast_signed());
    }
    carried(of_a)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn loaded<const V: usize>(number: &Number<V>) -> [__m512i; V] {
    let mut vectors = [_mm512_setzero_si512(); V];
    for (vector, limbs) in vectors.iter_mut().zip(&number.vectors) {
        *vector = bytemuck::cast(*limbs);
    }
    vectors
}

/// The limb above the lowest.
fn second_limb<const V: usize>(number: &Number<V>) -> u64 {
    number.vectors.as_flattened().get(1).copied().unwrap_or(0)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn second_lane<const V: usize>(vectors: &[__m512i; V]) -> u64 {
    let first = vectors.first().copied();
    let first = first.unwrap_or(_mm512_setzero_si512());
    _mm_extract_epi64::<1>(_mm512_castsi512_si128(first)).cast_unsigned()
}

/// Moves every limb down by one; the lowest is gone.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn move_down<const V: usize>(vectors: &mut [__m512i; V]) {
    let mut above = _mm512_setzero_si512();
    for vector in vectors.iter_mut().rev() {
        let here = *vector;
        *vector = _mm512_alignr_epi64::<1>(above, here);
        above = here;
    }
}

/// Makes limbs below 2^52 of lanes below 2^62.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn carried<const V: usize>(mut vectors: [__m512i; V]) -> Number<V> {
    let limb_max = _mm512_set1_epi64(LIMB_MAX.cast_signed());
    // What is over goes to the next lane, and leaves each below 2^52 + 2^10: at most one is still to be carried.
    let mut below = _mm512_setzero_si512();
    let (mut overflow, mut full) = (0_u128, 0_u128);
    for (place, vector) in vectors.iter_mut().enumerate() {
        let over = _mm512_srli_epi64::<LIMB_BITS>(*vector);
        let from_below = _mm512_alignr_epi64::<7>(over, below);
        *vector = _mm512_add_epi64(_mm512_and_si512(*vector, limb_max), from_below);
        below = over;
        overflow |= u128::from(_mm512_cmpgt_epu64_mask(*vector, limb_max)) << (LANES * place);
        full |= u128::from(_mm512_cmpeq_epu64_mask(*vector, limb_max)) << (LANES * place);
    }
    // One bit for each lane. A lane that overflows carries into the next, and a full one hands on what it gets: that is what an
    // addition does with its bits.
    let incremented = ((overflow << 1) + full) ^ full;
    let one = _mm512_set1_epi64(1);
    let mut number = Number::ZERO;
    for (place, (vector, limbs)) in vectors.iter().zip(&mut number.vectors).enumerate() {
        let lanes = (incremented >> (LANES * place)).to_le_bytes();
        let lanes = lanes.first().copied().unwrap_or(0);
        let sum = _mm512_mask_add_epi64(*vector, lanes, *vector, one);
        *limbs = bytemuck::cast(_mm512_and_si512(sum, limb_max));
    }
    number
}

/// The lower 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is above is left away on purpose"
)]
const fn low_half(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;
    use crate::number::exact;

    #[expect(unsafe_code, reason = "the processor was asked")]
    fn multiplied<const V: usize>(
        a: &Number<V>,
        b: &Number<V>,
        modulus: &Modulus<V>,
    ) -> Option<Number<V>> {
        Ifma::detected()?;
        // SAFETY: it has all three features.
        Some(unsafe { multiply(a, b, modulus) })
    }

    /// A modulus, and what is needed to multiply by the definition.
    struct Exact<const V: usize> {
        modulus: BigUint,
        inverse_of_r: BigUint,
        ready: Modulus<V>,
    }

    impl<const V: usize> Exact<V> {
        fn new(modulus: BigUint) -> Self {
            let r = BigUint::from(1_u8) << Number::<V>::BITS;
            Self {
                inverse_of_r: r.modinv(&modulus).unwrap(),
                ready: Modulus::new(exact::number(&modulus)).unwrap(),
                modulus,
            }
        }

        /// Multiplies; a processor without the instructions has nothing to show.
        fn multiplies(&self, a: &BigUint, b: &BigUint) {
            let (x, y) = (exact::number(a), exact::number(b));
            let Some(found) = multiplied(&x, &y, &self.ready) else {
                return;
            };
            let found = exact::big(&found);
            assert!(found < &self.modulus * 2_u8, "{a} {b} {}", self.modulus);
            let expected = a * b * &self.inverse_of_r % &self.modulus;
            assert_eq!(found % &self.modulus, expected);
        }

        fn raises(&self, base: &BigUint) {
            let Some(processor) = Ifma::detected() else {
                return;
            };
            let base = base % &self.modulus;
            let power = processor.power_65537(&exact::number(&base), &self.ready);
            let expected = base.modpow(&BigUint::from(65_537_u32), &self.modulus);
            assert_eq!(exact::big(&power) % &self.modulus, expected);
        }
    }

    /// Numbers at which a carry goes wrong first: limbs that are full, empty, or full but for one bit.
    fn edges(modulus: &BigUint) -> Vec<BigUint> {
        let one = BigUint::from(1_u8);
        let full: BigUint = (&one << modulus.bits()) - &one;
        let alternating = (0..modulus.bits())
            .step_by(104)
            .fold(BigUint::ZERO, |sum, at| {
                sum + (BigUint::from(LIMB_MAX) << at)
            });
        let limbs_of_one = (0..modulus.bits())
            .step_by(52)
            .fold(BigUint::ZERO, |sum, at| sum + (&one << at));
        let mut all = vec![
            BigUint::ZERO,
            one.clone(),
            BigUint::from(2_u8),
            modulus - 1_u8,
            modulus.clone(),
            modulus + 1_u8,
            modulus * 2_u8 - 1_u8,
            modulus >> 1,
            full,
            alternating,
            limbs_of_one,
        ];
        all.extend((1..8).map(|part| &one << (modulus.bits() * part / 8)));
        all.retain(|number| *number < modulus * 2_u8);
        all
    }

    fn at_edges<const V: usize>(bits: usize) {
        let one = BigUint::from(1_u8);
        let sparse = (&one << (bits - 1)) + &one;
        let full: BigUint = (&one << bits) - &one;
        let low_limb_full = (&one << (bits - 1)) + LIMB_MAX;
        let high_half = &full - ((&one << (bits / 2)) - &one) + 2_u8 - &one;
        for modulus in [sparse, full, low_limb_full, high_half] {
            assert!(modulus.bit(0) && modulus.bits() == bits as u64);
            let edges = edges(&modulus);
            let exact = Exact::<V>::new(modulus);
            for a in &edges {
                exact.raises(a);
                for b in &edges {
                    exact.multiplies(a, b);
                }
            }
        }
    }

    #[test]
    fn products_of_edges() {
        at_edges::<5>(1_024);
        at_edges::<5>(2_048);
        at_edges::<8>(3_072);
        at_edges::<10>(4_096);
    }

    /// R is over four times such a modulus, and not five times.
    #[test]
    fn products_of_edges_of_the_longest_moduli() {
        at_edges::<5>(Number::<5>::BITS - 2);
        at_edges::<8>(Number::<8>::BITS - 2);
        at_edges::<10>(Number::<10>::BITS - 2);
    }

    fn drawn(bytes: usize) -> impl Strategy<Value = (BigUint, BigUint, BigUint)> {
        // Bytes of all ones and all zeros are drawn as often as others.
        let byte = || prop_oneof![Just(0_u8), Just(0xff), any::<u8>()];
        let number = move || prop::collection::vec(byte(), bytes);
        (number(), number(), number()).prop_map(|(a, b, modulus)| {
            let modulus = BigUint::from_bytes_be(&modulus) | BigUint::from(3_u8);
            let twice = &modulus * 2_u8;
            (
                BigUint::from_bytes_be(&a) % &twice,
                BigUint::from_bytes_be(&b) % &twice,
                modulus,
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn products_of_2048_bits((a, b, modulus) in drawn(256)) {
            let exact = Exact::<5>::new(modulus);
            exact.multiplies(&a, &b);
            exact.raises(&a);
        }

        #[test]
        fn products_of_3072_bits((a, b, modulus) in drawn(384)) {
            let exact = Exact::<8>::new(modulus);
            exact.multiplies(&a, &b);
            exact.raises(&a);
        }

        #[test]
        fn products_of_4096_bits((a, b, modulus) in drawn(512)) {
            let exact = Exact::<10>::new(modulus);
            exact.multiplies(&a, &b);
            exact.raises(&a);
        }
    }

    #[expect(unsafe_code, reason = "the processor was asked")]
    fn carries(lanes: [[u64; LANES]; 5]) {
        if Ifma::detected().is_none() {
            return;
        }
        let expected = lanes
            .as_flattened()
            .iter()
            .enumerate()
            .fold(BigUint::ZERO, |sum, (place, lane)| {
                sum + (BigUint::from(*lane) << (52 * place))
            });
        let kept = expected % (BigUint::from(1_u8) << Number::<5>::BITS);
        // SAFETY: it has all three features.
        let found = unsafe { carried(lanes.map(bytemuck::cast)) };
        assert!(
            found
                .vectors
                .as_flattened()
                .iter()
                .all(|limb| *limb <= LIMB_MAX)
        );
        assert_eq!(exact::big(&found), kept);
    }

    #[test]
    fn a_carry_goes_through_full_limbs() {
        let mut lanes = [[LIMB_MAX; LANES]; 5];
        carries(lanes);
        lanes[0][0] = LIMB_MAX + 1;
        carries(lanes);
        lanes[2][7] = (1 << 62) - 1;
        carries(lanes);
        carries([[(1 << 62) - 1; LANES]; 5]);
        carries([[LIMB_MAX - 1; LANES]; 5]);
    }

    proptest! {
        #[test]
        fn any_lanes_are_carried(lanes in prop::array::uniform5(prop::array::uniform8(
            prop_oneof![Just(LIMB_MAX), Just(0), LIMB_MAX - 2..=LIMB_MAX + 2, 0..1_u64 << 62],
        ))) {
            carries(lanes);
        }
    }
}
