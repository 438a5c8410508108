//! Keys on curves: their points, from coordinates of the one length that a curve has.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use portcullis_policy::JwtAlgorithm;

use super::jwk::UnusableKey;
use super::signature_key::SignatureKey;

/// A point of a curve of RFC 7518 §6.2.1.1, and the one algorithm of that curve (§3.4). The library refuses a point that is
/// not on it.
pub(super) fn ecdsa(
    curve: &str,
    x: &[u8],
    y: &[u8],
) -> Result<(JwtAlgorithm, SignatureKey), UnusableKey> {
    let (algorithm, verifier, coordinate_bytes): (_, &'static EcdsaVerificationAlgorithm, _) =
        match curve {
            "P-256" => (JwtAlgorithm::Es256, &ECDSA_P256_SHA256_FIXED, 32),
            "P-384" => (JwtAlgorithm::Es384, &ECDSA_P384_SHA384_FIXED, 48),
            "P-521" => (JwtAlgorithm::Es512, &ECDSA_P521_SHA512_FIXED, 66),
            _ => return Err(UnusableKey::KindUnknown),
        };
    if x.len() != coordinate_bytes || y.len() != coordinate_bytes {
        return Err(UnusableKey::Malformed);
    }
    // SEC 1 §2.3.3: an uncompressed point.
    let point = [&[4], x, y].concat();
    let key = ParsedPublicKey::new(verifier, point).map_err(|_rejected| UnusableKey::PointWrong)?;
    Ok((algorithm, SignatureKey::Library(key)))
}

/// A point of Ed25519 (RFC 8037 §2).
pub(super) fn ed25519(x: &[u8]) -> Result<(JwtAlgorithm, SignatureKey), UnusableKey> {
    let point: &[u8; 32] = x.try_into().map_err(|_length| UnusableKey::Malformed)?;
    if is_of_small_order(point) {
        return Err(UnusableKey::PointWrong);
    }
    let key = ParsedPublicKey::new(&ED25519, point).map_err(|_rejected| UnusableKey::PointWrong)?;
    Ok((JwtAlgorithm::EdDsa, SignatureKey::Library(key)))
}

/// Whether a point is one of the eight whose order divides 8, in whatever spelling: under such a key one signature holds for
/// many messages. Their y is 0, 1, -1, or one of the two roots of the points of order 8.
fn is_of_small_order(point: &[u8; 32]) -> bool {
    const ZERO: [u8; 32] = [0; 32];
    const ONE: [u8; 32] = small(1);
    const MINUS_ONE: [u8; 32] = near_prime(0xec);
    const PRIME: [u8; 32] = near_prime(0xed);
    const PRIME_AND_ONE: [u8; 32] = near_prime(0xee);
    const ORDER_EIGHT: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    const ORDER_EIGHT_TOO: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    // The highest bit is the sign of x, and no part of y.
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    [
        ZERO,
        ONE,
        MINUS_ONE,
        PRIME,
        PRIME_AND_ONE,
        ORDER_EIGHT,
        ORDER_EIGHT_TOO,
    ]
    .contains(&y)
}

const fn small(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = value;
    bytes
}

/// A number that differs from 2^255 - 19 in its lowest byte alone, little-endian.
const fn near_prime(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = lowest;
    bytes[31] = 0x7f;
    bytes
}
