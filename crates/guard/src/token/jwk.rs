//! `Jwk`: one public key of a set (RFC 7517 §4), ready to verify with.

use std::fmt;

use portcullis_policy::JwtAlgorithm;
use smallvec::SmallVec;

use super::jws::KEY_ID_BYTES_MAX;
use super::signature_key::SignatureKey;
use super::strict_json::{Json, Object};
use super::{ec_key, rsa_key};
use crate::base64url;

/// How strong a key must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyStrength {
    /// RSA of 2048 bits and more (RFC 7518 §3.3, seed 004).
    #[default]
    Standard,
    /// RSA of 3072 bits and more (ASVS v5.0.0-11.2.3: 128 bits of security).
    Strict,
}

impl KeyStrength {
    const fn rsa_bits_min(self) -> usize {
        match self {
            Self::Standard => 2_048,
            Self::Strict => 3_072,
        }
    }
}

/// Why a key of a set verifies nothing. The others of the set are used (RFC 7517 §5), and a token that names it has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnusableKey {
    /// A member is missing, of another type, no base64url, or of another length than its kind has.
    #[error("it is malformed")]
    Malformed,
    /// `kty` or `crv` is none that signs here: `oct`, `X25519`, `secp256k1`.
    #[error("it is of a kind that verifies no signature here")]
    KindUnknown,
    /// `alg` is none of its kind, or none that is known.
    #[error("its `alg` is not one of its kind")]
    AlgorithmMismatch,
    /// `use` is not `sig`, or `key_ops` has no `verify`.
    #[error("it is not meant for verifying signatures")]
    OtherUse,
    /// It has private members: whoever reads the set can sign with it. They are not kept.
    #[error("its private part is public: whoever reads it can sign, so replace it")]
    Private,
    /// RSA under 2048 bits, in the strict profile under 3072.
    #[error("its modulus is too short")]
    TooShort,
    /// RSA over 8192 bits.
    #[error("its modulus is too long")]
    TooLong,
    /// An RSA exponent that is even, under 65537 or over 33 bits.
    #[error("its exponent is weak")]
    ExponentWeak,
    /// An even modulus, or one of CVE-2017-15361 (ROCA).
    #[error("its modulus can be factored")]
    ModulusWeak,
    /// A point that is not on its curve, or of small order.
    #[error("its point is not on the curve, or weak")]
    PointWrong,
}

/// One key: the algorithms it is for, parsed for each. An RSA key without `alg` is for six.
pub(super) struct Jwk {
    /// Which key it is.
    pub(super) key_id: Option<Box<str>>,
    verifiers: SmallVec<[(JwtAlgorithm, SignatureKey); 1]>,
}

impl Jwk {
    /// The key for an algorithm. None where it is of another kind or says that it is for another one.
    pub(super) fn verifier(&self, algorithm: JwtAlgorithm) -> Option<&SignatureKey> {
        self.verifiers
            .iter()
            .find(|(one, _)| *one == algorithm)
            .map(|(_, key)| key)
    }

    /// Reads one key.
    pub(super) fn read(object: &Object<'_>, strength: KeyStrength) -> Result<Self, UnusableKey> {
        let key_id = key_id(object)?;
        // RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2.
        let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
        let kind = text(object, "kty")?.ok_or(UnusableKey::Malformed)?;
        if private.iter().any(|name| object.find(name).is_some()) {
            return Err(UnusableKey::Private);
        }
        judge_use(object)?;
        let stated = match text(object, "alg")? {
            None => None,
            Some(word) => Some(
                word.parse()
                    .map_err(|_unknown| UnusableKey::AlgorithmMismatch)?,
            ),
        };
        let verifiers = match kind {
            "RSA" => rsa(object, stated, strength)?,
            "EC" => {
                let curve = text(object, "crv")?.ok_or(UnusableKey::Malformed)?;
                let (x, y) = (bytes(object, "x")?, bytes(object, "y")?);
                SmallVec::from_iter([ec_key::ecdsa(curve, &x, &y)?])
            }
            "OKP" => match text(object, "crv")? {
                Some("Ed25519") => SmallVec::from_iter([ec_key::ed25519(&bytes(object, "x")?)?]),
                Some(_) => return Err(UnusableKey::KindUnknown),
                None => return Err(UnusableKey::Malformed),
            },
            _ => return Err(UnusableKey::KindUnknown),
        };
        let is_stated = |(one, _): &(JwtAlgorithm, _)| stated.is_none_or(|stated| *one == stated);
        if !verifiers.iter().all(is_stated) || verifiers.is_empty() {
            return Err(UnusableKey::AlgorithmMismatch);
        }
        Ok(Self { key_id, verifiers })
    }
}

/// Which key it is and what it is for; public keys say no more to a reader of logs.
impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<&str> = self.verifiers.iter().map(|(one, _)| one.as_str()).collect();
        f.debug_struct("Jwk")
            .field("key_id", &self.key_id)
            .field("algorithms", &algorithms)
            .finish()
    }
}

/// `kid` of a key.
pub(super) fn key_id(object: &Object<'_>) -> Result<Option<Box<str>>, UnusableKey> {
    match text(object, "kid")? {
        Some(id) if id.is_empty() || id.len() > KEY_ID_BYTES_MAX => Err(UnusableKey::Malformed),
        id => Ok(id.map(Box::from)),
    }
}

/// `use` (RFC 7517 §4.2) and `key_ops` (§4.3).
fn judge_use(object: &Object<'_>) -> Result<(), UnusableKey> {
    if text(object, "use")?.is_some_and(|word| word != "sig") {
        return Err(UnusableKey::OtherUse);
    }
    match object.find("key_ops") {
        None => Ok(()),
        Some(Json::List(words)) => {
            let verifies = |word: &Json<'_>| matches!(word, Json::Text(word) if word == "verify");
            words
                .iter()
                .any(verifies)
                .then_some(())
                .ok_or(UnusableKey::OtherUse)
        }
        Some(_) => Err(UnusableKey::Malformed),
    }
}

fn rsa(
    object: &Object<'_>,
    stated: Option<JwtAlgorithm>,
    strength: KeyStrength,
) -> Result<SmallVec<[(JwtAlgorithm, SignatureKey); 1]>, UnusableKey> {
    let (n, e) = (bytes(object, "n")?, bytes(object, "e")?);
    rsa_key::judge(&n, &e, strength.rsa_bits_min())?;
    JwtAlgorithm::ALL
        .iter()
        .filter(|one| stated.is_none_or(|stated| **one == stated))
        .filter_map(|one| Some((*one, SignatureKey::rsa(*one, &n, &e)?)))
        .map(|(one, key)| Ok((one, key.map_err(|_rejected| UnusableKey::Malformed)?)))
        .collect()
}

/// A member that is a string where it is there.
fn text<'o>(object: &'o Object<'_>, name: &str) -> Result<Option<&'o str>, UnusableKey> {
    match object.find(name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(UnusableKey::Malformed),
    }
}

/// A member that must be there, decoded.
fn bytes(object: &Object<'_>, name: &str) -> Result<Vec<u8>, UnusableKey> {
    let text = text(object, name)?.ok_or(UnusableKey::Malformed)?;
    base64url::read(text.as_bytes()).ok_or(UnusableKey::Malformed)
}
