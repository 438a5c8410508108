#![cfg(test)]
//! Signatures that the library makes and judges, and forged ones that only whoever has the private key can make.

mod corpus;

use std::io::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RsaEncoding, RsaParameters, RsaPublicKeyComponents,
};
use num_bigint::BigUint;
use portcullis_rsa::{Hash, PublicKey};
use proptest::prelude::*;

const EXPONENT: [u8; 3] = [1, 0, 1];

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A key pair, both verifiers of it, and its numbers.
struct Pair {
    pair: KeyPair,
    /// None on a processor that has not the instructions: then there is nothing to compare.
    ours: Option<PublicKey>,
    modulus: Vec<u8>,
    private_exponent: BigUint,
}

const HASHES: [(Hash, &dyn RsaEncoding, &RsaParameters); 3] = [
    (Hash::Sha256, &RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256),
    (Hash::Sha384, &RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384),
    (Hash::Sha512, &RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512),
];

impl Pair {
    fn new(size: KeySize) -> Self {
        let pair = KeyPair::generate(size).unwrap();
        // RFC 8017 §A.1.1: a sequence of the modulus, with a zero in front of it, and the exponent in five bytes.
        let public = pair.public_key().as_ref();
        assert_eq!(public[4..6], [2, 0x82]);
        let modulus = public[9..public.len() - 5].to_vec();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Self {
            ours: PublicKey::new(&modulus, &EXPONENT),
            private_exponent: private_exponent(private.as_ref(), &modulus),
            modulus,
            pair,
        }
    }

    fn sign(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.modulus.len()];
        let random = SystemRandom::new();
        self.pair
            .sign(encoding, &random, message, &mut signature)
            .unwrap();
        signature
    }

    /// A signature of whatever is encoded.
    fn sign_raw(&self, encoded: &[u8]) -> Vec<u8> {
        let modulus = BigUint::from_bytes_be(&self.modulus);
        let signature = BigUint::from_bytes_be(encoded).modpow(&self.private_exponent, &modulus);
        padded(&signature, self.modulus.len())
    }

    fn library(
        &self,
        parameters: &'static RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let key = RsaPublicKeyComponents {
            n: self.modulus.as_slice(),
            e: EXPONENT.as_slice(),
        };
        key.verify(parameters, message, signature).is_ok()
    }

    fn ours(&self, hash: Hash, message: &[u8], signature: &[u8]) -> Option<bool> {
        let ours = self.ours.as_ref()?;
        Some(ours.verifies(message, hash, signature))
    }
}

fn padded(number: &BigUint, len: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; len - bytes.len()], bytes].concat()
}

/// `d` of a PKCS #8 key: the number behind the modulus and the exponent 65537.
fn private_exponent(der: &[u8], modulus: &[u8]) -> BigUint {
    let needle = [modulus, &[2, 3], &EXPONENT].concat();
    let at = der
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    // INTEGER: its length is in one byte up to 127, in one more up to 255 (one exponent of some hundred is as short), else in two more.
    let (len, digits) = match &der[at + needle.len()..] {
        [2, 0x82, high, low, digits @ ..] => (u16::from_be_bytes([*high, *low]), digits),
        [2, 0x81, low, digits @ ..] | [2, low, digits @ ..] => (u16::from(*low), digits),
        other => panic!("no number: {:?}", other.get(..2)),
    };
    BigUint::from_bytes_be(&digits[..usize::from(len)])
}

static PAIRS: LazyLock<[Pair; 3]> = LazyLock::new(|| {
    [
        Pair::new(KeySize::Rsa2048),
        Pair::new(KeySize::Rsa3072),
        Pair::new(KeySize::Rsa4096),
    ]
});

#[test]
fn what_the_library_signs_is_verified() {
    if PAIRS[0].ours.is_none() {
        let why = "skipped: rsa: this processor has no AVX-512 IFMA";
        writeln!(std::io::stderr(), "{why}").unwrap();
    }
    for pair in PAIRS.iter() {
        for (hash, encoding, parameters) in HASHES {
            for len in [0, 1, 55, 64, 700, 8_192] {
                let message = vec![0x5a; len];
                let signature = pair.sign(encoding, &message);
                assert!(pair.library(parameters, &message, &signature));
                assert_ne!(pair.ours(hash, &message, &signature), Some(false));
                for (other, _, _) in HASHES.iter().filter(|(other, _, _)| *other != hash) {
                    assert_ne!(pair.ours(*other, &message, &signature), Some(true));
                }
            }
        }
    }
}

#[test]
fn other_spellings_of_a_signature_are_refused() {
    for pair in PAIRS.iter() {
        let message = b"message";
        let signature = pair.sign(&RSA_PKCS1_SHA256, message);
        let modulus = BigUint::from_bytes_be(&pair.modulus);
        let number = BigUint::from_bytes_be(&signature);
        let len = signature.len();
        let mut refused = vec![
            vec![],
            vec![0; len],
            padded(&BigUint::from(1_u8), len),
            padded(&(&modulus - 1_u8), len),
            pair.modulus.clone(),
            vec![0xff; len],
            [&[0], signature.as_slice()].concat(),
            [signature.as_slice(), &[0]].concat(),
            signature[1..].to_vec(),
            signature[..len - 1].to_vec(),
            padded(&(&modulus - &number), len),
        ];
        // The same number once more around, where that fits into as many bytes.
        let around = &number + &modulus;
        if around.to_bytes_be().len() == len {
            refused.push(padded(&around, len));
        }
        for other in refused {
            assert_ne!(pair.ours(Hash::Sha256, message, &other), Some(true));
        }
        assert_ne!(pair.ours(Hash::Sha256, message, &signature), Some(false));
    }
}

/// What a signature opens to, with one thing wrong: each is refused by the library as well. Bleichenbacher's forgery is the one
/// with the digest far in front and anything behind it (CVE-2006-4339); others read a digest of the wrong length, a
/// `DigestInfo` without its NULL, padding that is not 0xff or too short.
#[test]
fn a_wrong_encoding_is_refused() {
    for pair in PAIRS.iter() {
        let message = b"message";
        let good = {
            let signature = BigUint::from_bytes_be(&pair.sign(&RSA_PKCS1_SHA256, message));
            let modulus = BigUint::from_bytes_be(&pair.modulus);
            padded(
                &signature.modpow(&BigUint::from(65_537_u32), &modulus),
                pair.modulus.len(),
            )
        };
        let len = good.len();
        assert_ne!(
            pair.ours(Hash::Sha256, message, &pair.sign_raw(&good)),
            Some(false)
        );
        let told = &good[len - 51..];
        let mut wrong: Vec<Vec<u8>> = Vec::new();
        // Every byte of the shortest key, and some of the others, whose arithmetic here is slow.
        for at in (1..len).step_by(if len == 256 { 1 } else { 29 }) {
            let mut other = good.clone();
            other[at] ^= 1;
            wrong.push(other);
        }
        let mut in_front = [&[0, 1], [0xff; 8].as_slice(), &[0], told].concat();
        in_front.resize(len, 0x5a);
        wrong.push(in_front);
        let mut shifted = good.clone();
        shifted.copy_within(3.., 2);
        wrong.push(shifted);
        // Without NULL: 30 2f 30 0b .. 04 20.
        let short = [&[0x30, 0x2f, 0x30, 0x0b], &told[4..15], &told[17..]].concat();
        let mut without_null = vec![0xff; len - short.len()];
        without_null[0] = 0;
        without_null[1] = 1;
        *without_null.last_mut().unwrap() = 0;
        without_null.extend(short);
        wrong.push(without_null);
        // The bare digest.
        let mut bare = vec![0xff; len - 33];
        bare[0] = 0;
        bare[1] = 1;
        bare.push(0);
        bare.extend(&told[19..]);
        wrong.push(bare);
        for encoded in wrong {
            assert_eq!(encoded.len(), len);
            let signature = pair.sign_raw(&encoded);
            assert!(!pair.library(&RSA_PKCS1_2048_8192_SHA256, message, &signature));
            assert_ne!(pair.ours(Hash::Sha256, message, &signature), Some(true));
        }
    }
}

#[test]
fn keys_that_are_for_the_library() {
    let modulus = &PAIRS[0].modulus;
    let mut even = modulus.clone();
    *even.last_mut().unwrap() &= 0xfe;
    let mut led = modulus.clone();
    led[0] = 0;
    for (modulus, exponent) in [
        (modulus.as_slice(), [3].as_slice()),
        (modulus, &[]),
        (modulus, &[0, 1, 0, 1]),
        (modulus, &[1, 0, 3]),
        (modulus, &[1, 0, 1, 1]),
        (&even, &EXPONENT),
        (&led, &EXPONENT),
        (&[], &EXPONENT),
        (&[0xff; 127], &EXPONENT),
        (&[0xff; 513], &EXPONENT),
    ] {
        assert!(PublicKey::new(modulus, exponent).is_none());
    }
}

/// 2^n - 1 that is prime, for a modulus: anybody can sign by it. Its first byte is small and its limbs are full.
struct Mersenne {
    modulus: BigUint,
    len: usize,
}

impl Mersenne {
    fn new(bits: u32) -> Self {
        let modulus: BigUint = (BigUint::from(1_u8) << bits) - 1_u8;
        let len = modulus.to_bytes_be().len();
        Self { modulus, len }
    }

    /// What a signature by SHA-256 opens to (RFC 8017 §9.2).
    fn encoded(&self, message: &[u8]) -> Vec<u8> {
        let told = [SHA256_INFO, digest(&SHA256, message).as_ref()].concat();
        let padding = vec![0xff; self.len - told.len() - 3];
        [[0, 1].as_slice(), &padding, &[0], &told].concat()
    }

    fn sign_raw(&self, encoded: &[u8]) -> BigUint {
        let exponent = BigUint::from(65_537_u32);
        let root = exponent.modinv(&(&self.modulus - 1_u8)).unwrap();
        BigUint::from_bytes_be(encoded).modpow(&root, &self.modulus)
    }

    /// What both say, which is the same.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let modulus = self.modulus.to_bytes_be();
        let (n, e) = (modulus.as_slice(), EXPONENT.as_slice());
        let parameters = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
        let key = RsaPublicKeyComponents { n, e };
        let library = key.verify(parameters, message, signature).is_ok();
        let ours = PublicKey::new(n, e);
        let ours = ours.map_or(library, |ours| {
            ours.verifies(message, Hash::Sha256, signature)
        });
        assert_eq!(ours, library);
        library
    }
}

#[test]
fn moduli_of_other_lengths() {
    let message = b"message";
    for (bits, len) in [(1_279, 160), (2_203, 276), (2_281, 286), (3_217, 403)] {
        let key = Mersenne::new(bits);
        assert_eq!(key.len, len);
        let mut encoded = key.encoded(message);
        let number = key.sign_raw(&encoded);
        assert!(key.verifies(message, &padded(&number, len)));
        // The same number once more around fits into as many bytes.
        assert!(!key.verifies(message, &padded(&(number + &key.modulus), len)));
        encoded[len / 2] ^= 1;
        let number = key.sign_raw(&encoded);
        assert!(!key.verifies(message, &padded(&number, len)));
    }
}

/// The number is the same without a zero in front, and with one more.
#[test]
fn a_signature_is_as_long_as_the_modulus() {
    // Its first byte is 1, so every other signature begins with a zero.
    let key = Mersenne::new(2_281);
    let mut begin_with_zero = 0;
    for message in 0..16_u8 {
        let number = key.sign_raw(&key.encoded(&[message]));
        let signature = padded(&number, key.len);
        assert!(key.verifies(&[message], &signature));
        assert!(!key.verifies(&[message], &[&[0], signature.as_slice()].concat()));
        if signature[0] == 0 {
            begin_with_zero += 1;
            assert!(!key.verifies(&[message], &signature[1..]));
        }
    }
    assert!(begin_with_zero > 0);
}

/// With a signature that is one of nothing, and as large as it may be.
#[test]
fn moduli_at_the_ends_of_each_size() {
    let has_instructions = PAIRS[0].ours.is_some();
    for bytes in [127, 128, 129, 255, 256, 257, 383, 384, 385, 511, 512, 513] {
        for first in [1, 0x80, 0xff] {
            let mut modulus = vec![if first == 0xff { 0xff } else { 0x35 }; bytes];
            modulus[0] = first;
            let ours = PublicKey::new(&modulus, &EXPONENT);
            let is_for_it = (128..=512).contains(&bytes) && has_instructions;
            assert_eq!(ours.is_some(), is_for_it, "{bytes}");
            if let Some(ours) = ours {
                let mut signature = vec![0xff; bytes];
                signature[0] = first - 1;
                assert!(!ours.verifies(b"message", Hash::Sha256, &signature));
            }
        }
    }
}

proptest! {
    /// Whatever is changed, both say the same.
    #[test]
    fn both_say_the_same(
        which in 0_usize..3,
        hash in 0_usize..3,
        message in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let pair = &PAIRS[which];
        let (hash, encoding, parameters) = HASHES[hash];
        let mut signature = pair.sign(encoding, &message);
        for (at, byte) in changes {
            let at = at.index(signature.len());
            signature[at] = byte;
        }
        let library = pair.library(parameters, &message, &signature);
        prop_assert_eq!(pair.ours(hash, &message, &signature).unwrap_or(library), library);
    }
}
