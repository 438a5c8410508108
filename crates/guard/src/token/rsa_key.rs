//! RSA public keys: what makes one too weak to be believed.

use super::jwk::UnusableKey;

/// The largest modulus. A larger one costs whoever verifies more than it protects.
const BITS_MAX: usize = 8_192;

/// The longest exponent: 33 bits, as the library has it.
const EXPONENT_BYTES_MAX: usize = 5;

/// Judges a modulus and an exponent, both big-endian without leading zeros (RFC 7518 §6.3.1).
pub(super) fn judge(modulus: &[u8], exponent: &[u8], bits_min: usize) -> Result<(), UnusableKey> {
    let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
        return Err(UnusableKey::Malformed);
    };
    if *first == 0 || exponent.first().is_none_or(|byte| *byte == 0) {
        return Err(UnusableKey::Malformed);
    }
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    if bits < bits_min {
        return Err(UnusableKey::TooShort);
    }
    if bits > BITS_MAX {
        return Err(UnusableKey::TooLong);
    }
    // FIPS 186-5 §5.1: odd, over 2^16. With 1 every message is its own signature; with 3 a sloppy padding check can be fooled.
    let is_large = exponent.len() >= 3 && exponent.len() <= EXPONENT_BYTES_MAX;
    if !is_large || exponent.last().is_none_or(|byte| byte % 2 == 0) {
        return Err(UnusableKey::ExponentWeak);
    }
    if last % 2 == 0 || is_of_infineon(modulus) {
        return Err(UnusableKey::ModulusWeak);
    }
    Ok(())
}

/// The primes by which the library of CVE-2017-15361 (ROCA) made its keys recognizable.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether a modulus is a power of 65537 modulo each of the small primes, as that library's are. One in 2^27 others is too.
fn is_of_infineon(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let rest = modulus
            .iter()
            .fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            let is_power = power == rest;
            power = power * (65_537 % prime) % prime;
            is_power
        })
    })
}
