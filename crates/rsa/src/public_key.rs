//! `PublicKey`: a modulus that signatures are verified by, with the exponent 65537.

use crate::encoding::{Encoded, Hash, MODULUS_BYTES_MAX};
use crate::ifma::Ifma;
use crate::modulus::Modulus;
use crate::number::Number;

/// The one exponent. Nearly every key has it (RFC 8017 names none; FIPS 186-5 §5.1 has it as the least).
const EXPONENT: [u8; 3] = [1, 0, 1];

/// An RSA public key, on a processor that has what it takes.
#[derive(Clone, Debug)]
pub struct PublicKey {
    processor: Ifma,
    modulus: SizedModulus,
    modulus_bytes: usize,
}

/// A modulus in as many vectors as it takes.
#[derive(Clone, Debug)]
enum SizedModulus {
    Bits2048(Box<Modulus<5>>),
    Bits3072(Box<Modulus<8>>),
    Bits4096(Box<Modulus<10>>),
}

impl PublicKey {
    /// Makes a key of a modulus and an exponent, both big-endian. Whether they are strong is for the caller to judge.
    ///
    /// None where this is not the way to verify by them: the processor has no AVX-512 IFMA, the exponent is not 65537, the modulus
    /// is even or begins with a zero, or takes under 128 or over 512 bytes.
    #[must_use]
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let processor = Ifma::detected()?;
        let begins = modulus.first().is_some_and(|first| *first != 0);
        if exponent != EXPONENT || !begins {
            return None;
        }
        let sized = match modulus.len() {
            128..=256 => SizedModulus::Bits2048(ready(modulus)?),
            257..=384 => SizedModulus::Bits3072(ready(modulus)?),
            385..=MODULUS_BYTES_MAX => SizedModulus::Bits4096(ready(modulus)?),
            _ => return None,
        };
        Some(Self {
            processor,
            modulus: sized,
            modulus_bytes: modulus.len(),
        })
    }

    /// Whether `signature` is one of `message` by this key (RSASSA-PKCS1-v1_5, RFC 8017 §8.2.2). It is of exactly as many bytes as
    /// the modulus, and below it.
    ///
    /// The message is encoded and compared whole, so that nothing is ever read out of what a signature opens to: a reader of it
    /// that takes one byte too many for padding lets forgeries pass (Bleichenbacher 2006, CVE-2006-4339).
    #[must_use]
    pub fn verifies(&self, message: &[u8], hash: Hash, signature: &[u8]) -> bool {
        if signature.len() != self.modulus_bytes {
            return false;
        }
        let Some(encoded) = Encoded::new(message, hash, self.modulus_bytes) else {
            return false;
        };
        let opens = match &self.modulus {
            SizedModulus::Bits2048(modulus) => self.opens(modulus, signature, encoded.bytes()),
            SizedModulus::Bits3072(modulus) => self.opens(modulus, signature, encoded.bytes()),
            SizedModulus::Bits4096(modulus) => self.opens(modulus, signature, encoded.bytes()),
        };
        opens.unwrap_or(false)
    }

    /// RSAVP1 (RFC 8017 §5.2.2), and whether that is the number that is expected.
    fn opens<const V: usize>(
        &self,
        modulus: &Modulus<V>,
        signature: &[u8],
        expected: &[u8],
    ) -> Option<bool> {
        let signature = Number::of_bytes(signature)?;
        if signature >= modulus.number {
            return Some(false);
        }
        let mut opened = self.processor.power_65537(&signature, modulus);
        opened.reduce_once(&modulus.number);
        Some(opened == Number::of_bytes(expected)?)
    }
}

fn ready<const V: usize>(modulus: &[u8]) -> Option<Box<Modulus<V>>> {
    Modulus::new(Number::of_bytes(modulus)?).map(Box::new)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;
    use crate::number::exact;

    /// At a modulus that leaves but two bits free, many powers come out as themselves and once the modulus. With shorter ones none
    /// does whose number is as large as an encoding.
    #[test]
    fn a_power_over_the_modulus_is_reduced() {
        let Some(key) = PublicKey::new(&[0xff; 256], &EXPONENT) else {
            return;
        };
        let big: BigUint = (BigUint::from(1_u8) << (Number::<5>::BITS - 2)) - 1_u8;
        let modulus = Modulus::<5>::new(exact::number(&big)).unwrap();
        let mut over = 0;
        for part in 1..=64_u8 {
            let signature: BigUint = &big - (&big >> 3) - (&big / 1_000_u32) * part;
            let expected = signature.modpow(&BigUint::from(65_537_u32), &big);
            let power = key
                .processor
                .power_65537(&exact::number(&signature), &modulus);
            over += u32::from(power >= modulus.number);
            let (signature, expected) = (signature.to_bytes_be(), expected.to_bytes_be());
            assert_eq!(key.opens(&modulus, &signature, &expected), Some(true));
        }
        assert!(over > 0);
    }

    #[test]
    fn a_signature_is_below_the_modulus() {
        let Some(key) = PublicKey::new(&[0xff; 256], &EXPONENT) else {
            return;
        };
        let big: BigUint = (BigUint::from(1_u8) << 2_048) - 1_u8;
        let modulus = Modulus::<5>::new(exact::number(&big)).unwrap();
        let opens = |signature: BigUint, expected: &[u8]| {
            key.opens(&modulus, &signature.to_bytes_be(), expected)
        };
        assert_eq!(opens(BigUint::ZERO, &[0]), Some(true));
        assert_eq!(opens(big.clone(), &[0]), Some(false));
        assert_eq!(opens(BigUint::from(1_u8), &[1]), Some(true));
        assert_eq!(opens(&big + 1_u8, &[1]), Some(false));
    }
}
