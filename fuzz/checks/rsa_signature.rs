//! Whatever a signature opens to, this crate and the library say the same of it.
//!
//! The private key of a modulus is needed to make a signature open to what the fuzzer likes, so the moduli are products of small
//! primes, by which anybody can sign.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use num_bigint::BigUint;
use portcullis_rsa::{Hash, PublicKey};

const EXPONENT: [u8; 3] = [1, 0, 1];

pub(crate) fn check(data: &[u8]) {
    let Some((head, rest)) = data.split_first_chunk::<8>() else {
        return;
    };
    let bits = 2_048 + u64::from(u16::from_be_bytes([head[0], head[1]])) % 2_040;
    let primes = primes(bits, [head[2], head[3], head[4]]);
    let modulus: BigUint = primes.iter().copied().map(BigUint::from).product();
    let modulus_bytes = modulus.to_bytes_be();
    let len = modulus_bytes.len();
    let message = head.as_slice();
    let good = encoded(message, len);
    let mut opened = good.clone();
    for change in rest.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % len;
        opened[at] ^= change[2];
    }
    let opened = BigUint::from_bytes_be(&opened);
    let signature = sign(&opened, &primes, &modulus);
    // Once more around the modulus it is the same number, and no signature.
    let around = if head[5].is_multiple_of(4) {
        &signature + &modulus
    } else {
        signature
    };
    let signature = around.to_bytes_be();
    let zeros = len.saturating_sub(signature.len());
    let signature = [vec![0; zeros], signature].concat();

    let (n, e) = (modulus_bytes.as_slice(), EXPONENT.as_slice());
    let library = RsaPublicKeyComponents { n, e };
    let library = library
        .verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature)
        .is_ok();
    // Another processor has nothing to compare.
    let Some(ours) = PublicKey::new(n, e) else {
        return;
    };
    assert_eq!(ours.verifies(message, Hash::Sha256, &signature), library);
    let is_one = opened == BigUint::from_bytes_be(&good) && !head[5].is_multiple_of(4);
    assert_eq!(library, is_one);
}

/// RFC 8017 §9.2, once more.
fn encoded(message: &[u8], len: usize) -> Vec<u8> {
    let mut told = vec![
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    told.extend_from_slice(digest(&SHA256, message).as_ref());
    let padding = vec![0xff; len - told.len() - 3];
    [[0, 1].as_slice(), &padding, &[0], &told].concat()
}

/// The odd primes below 2^16.
static ALL: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let is_prime = |number: &u32| {
        let mut factors = (3..256).step_by(2).take_while(|factor| factor < number);
        factors.all(|factor| !number.is_multiple_of(factor))
    };
    (3..1_u32 << 16).step_by(2).filter(is_prime).collect()
});

/// Some of them, each once, whose product has at least so many bits: in the order of a walk that three bytes choose.
fn primes(bits: u64, walk: [u8; 3]) -> Vec<u32> {
    let all = &*ALL;
    let step = usize::from(walk[0]) + 1;
    let mut at = usize::from(u16::from_be_bytes([walk[1], walk[2]]));
    let mut product = BigUint::from(1_u8);
    let mut found = Vec::new();
    while product.bits() < bits {
        at = (at + step) % all.len();
        // Once around the walk meets itself: then it goes on beside.
        while found.contains(&all[at]) {
            at = (at + 1) % all.len();
        }
        found.push(all[at]);
        product *= all[at];
    }
    found
}

/// The number whose 65537th power is `opened`, prime by prime (the Chinese remainder theorem).
fn sign(opened: &BigUint, primes: &[u32], modulus: &BigUint) -> BigUint {
    let mut signature = BigUint::ZERO;
    for prime in primes {
        let order = u64::from(*prime - 1);
        // 65537 is a prime above each of these, so it has an inverse.
        let inverse = BigUint::from(65_537_u32)
            .modinv(&BigUint::from(order))
            .unwrap();
        let part = (opened % *prime).modpow(&inverse, &BigUint::from(*prime));
        let others = modulus / *prime;
        let back = (&others % *prime).modinv(&BigUint::from(*prime)).unwrap();
        signature += part * others * back;
    }
    signature % modulus
}
