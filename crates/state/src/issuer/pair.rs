//! `SigningPair`: both halves of a signing key.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use portcullis_policy::SigningAlgorithm;
use zeroize::Zeroizing;

use super::fault::IssuerKeyError;
use super::folder::RsaBits;
use super::public::PublicJwk;

/// Both halves of a key.
pub(super) enum SigningPair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl SigningPair {
    /// A new pair, drawn by the library.
    pub(super) fn draw(
        algorithm: SigningAlgorithm,
        rsa_bits: RsaBits,
    ) -> Result<Self, IssuerKeyError> {
        let drawn = match algorithm {
            SigningAlgorithm::EdDsa => Ed25519KeyPair::generate().map(Self::Ed25519),
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::P256)
            }
            SigningAlgorithm::Rs256 => RsaKeyPair::generate(match rsa_bits {
                RsaBits::B2048 => KeySize::Rsa2048,
                RsaBits::B3072 => KeySize::Rsa3072,
                RsaBits::B4096 => KeySize::Rsa4096,
            })
            .map(Self::Rsa),
        };
        drawn.map_err(|_unspecified| IssuerKeyError::NotMade)
    }

    /// The pair of a private half (RFC 5208, DER). The library makes sure that both halves belong together.
    pub(super) fn read(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Option<Self> {
        match algorithm {
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
                .ok()
                .map(Self::Ed25519),
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .ok()
                    .map(Self::P256)
            }
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).ok().map(Self::Rsa),
        }
    }

    /// The private half in DER.
    pub(super) fn private_der(&self) -> Option<Zeroizing<Vec<u8>>> {
        let der = match self {
            Self::Ed25519(pair) => pair.to_pkcs8v1().ok()?.as_ref().to_vec(),
            Self::P256(pair) => pair.to_pkcs8v1().ok()?.as_ref().to_vec(),
            Self::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair)
                .ok()?
                .as_ref()
                .to_vec(),
        };
        Some(Zeroizing::new(der))
    }

    /// The public half as other programs read it: SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    pub(super) fn public_der(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der().ok()?,
            Self::P256(pair) => pair.public_key().as_der().ok()?,
            Self::Rsa(pair) => pair.public_key().as_der().ok()?,
        };
        Some(der.as_ref().to_vec())
    }

    /// The public half.
    pub(super) fn public(&self) -> Option<PublicJwk> {
        match self {
            Self::Ed25519(pair) => Some(PublicJwk::ed25519(pair.public_key().as_ref())),
            Self::P256(pair) => PublicJwk::p256(pair.public_key().as_ref()),
            Self::Rsa(pair) => {
                let (modulus, exponent) = pkcs1(pair.public_key().as_ref())?;
                Some(PublicJwk::rsa(modulus, exponent))
            }
        }
    }

    /// The signature as JWS has it (RFC 7518 §3.3, §3.4; RFC 8037 §3.1).
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .ok()?;
                Some(signature)
            }
        }
    }
}

/// Nothing of the private half.
impl fmt::Debug for SigningPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519(_) => "SigningPair(Ed25519)",
            Self::P256(_) => "SigningPair(P-256)",
            Self::Rsa(_) => "SigningPair(RSA)",
        })
    }
}

/// The modulus and the exponent of an `RSAPublicKey` (RFC 8017 A.1.1) as the library writes it, without leading zeros.
fn pkcs1(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, []) = element(der, 0x30)? else {
        return None;
    };
    let (modulus, rest) = element(sequence, 0x02)?;
    let (exponent, []) = element(rest, 0x02)? else {
        return None;
    };
    let plain = |number: &'_ [u8]| -> Option<usize> { number.iter().position(|byte| *byte != 0) };
    Some((
        modulus.get(plain(modulus)?..)?,
        exponent.get(plain(exponent)?..)?,
    ))
}

/// The content of an element with this tag, and what follows it (X.690 §8.1.3).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (bytes, rest) = rest.split_at_checked(count).filter(|_| count <= 2)?;
        let length = bytes
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        (length, rest)
    };
    (*found == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use portcullis_guard::token::{KeySet, KeyStrength};

    use super::*;

    #[test]
    fn each_pair_is_the_same_when_it_is_read_again() {
        for algorithm in SigningAlgorithm::ALL {
            let pair = SigningPair::draw(*algorithm, RsaBits::B2048).unwrap();
            let der = pair.private_der().unwrap();
            let again = SigningPair::read(*algorithm, &der).unwrap();
            assert_eq!(again.public(), pair.public());
            let public = pair.public().unwrap();
            let set = serde_json::json!({ "keys": [public.in_set()] }).to_string();
            let set = KeySet::read(set.as_bytes(), KeyStrength::Standard).unwrap();
            assert_eq!(set.len(), 1, "{:?}", set.unusable());
            for other in SigningAlgorithm::ALL.iter().filter(|one| *one != algorithm) {
                assert!(
                    SigningPair::read(*other, &der).is_none(),
                    "{algorithm} as {other}"
                );
            }
            let mut cut = der.to_vec();
            cut.pop();
            assert!(SigningPair::read(*algorithm, &cut).is_none());
            assert!(!format!("{pair:?}").contains("private"));
        }
    }

    #[test]
    fn what_is_no_number_of_two_is_no_key() {
        for (der, is_one) in [
            (&[0x30, 6, 2, 1, 5, 2, 1, 3][..], true),
            (&[0x30, 7, 2, 2, 0, 5, 2, 1, 3], true),
            (&[0x30, 6, 2, 1, 5, 2, 1, 3, 0], false),
            (&[0x30, 6, 2, 1, 5, 4, 1, 3], false),
            (&[0x30, 3, 2, 1, 5], false),
            (&[0x30, 9, 2, 1, 5, 2, 1, 3], false),
            (&[0x30, 0x84, 0, 0, 0, 0], false),
            (&[], false),
        ] {
            assert_eq!(pkcs1(der).is_some(), is_one, "{der:?}");
        }
    }
}
