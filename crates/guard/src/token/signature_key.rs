//! `SignatureKey`: a public key with the one algorithm that it is used for.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use portcullis_policy::JwtAlgorithm;
use portcullis_rsa::{Hash, PublicKey};

/// A key that is ready to verify, and by whom it does.
pub(super) enum SignatureKey {
    /// The library.
    Library(ParsedPublicKey),
    /// Our own arithmetic, where the processor has what it takes: docs/decisions/rsa-signatures.md.
    Rsa(PublicKey, Hash),
}

impl SignatureKey {
    /// A key of a modulus and an exponent that were judged. None where the algorithm is none of RSA.
    ///
    /// Whatever is not for our own arithmetic (PS256, another exponent than 65537, another processor) is for the library. A key that
    /// the library does not take is none for our own arithmetic either. How long the modulus must be, neither asks here: the library
    /// does when it verifies, and `rsa_key` has judged it.
    pub(super) fn rsa(
        algorithm: JwtAlgorithm,
        modulus: &[u8],
        exponent: &[u8],
    ) -> Option<Result<Self, KeyRejected>> {
        let (parameters, hash) = rsa_parameters(algorithm)?;
        let components = RsaPublicKeyComponents {
            n: modulus,
            e: exponent,
        };
        let of_library = components.to_parsed_public_key(parameters);
        Some(of_library.map(|of_library| {
            let own =
                hash.and_then(|hash| Some(Self::Rsa(PublicKey::new(modulus, exponent)?, hash)));
            own.unwrap_or(Self::Library(of_library))
        }))
    }

    /// Whether the signature is one of the message by this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Library(key) => key.verify_sig(message, signature).is_ok(),
            Self::Rsa(key, hash) => key.verifies(message, *hash, signature),
        }
    }
}

/// RFC 7518 §3.3 and §3.5, whose salt is as long as the hash.
const fn rsa_parameters(algorithm: JwtAlgorithm) -> Option<(&'static RsaParameters, Option<Hash>)> {
    Some(match algorithm {
        JwtAlgorithm::Rs256 => (&RSA_PKCS1_2048_8192_SHA256, Some(Hash::Sha256)),
        JwtAlgorithm::Rs384 => (&RSA_PKCS1_2048_8192_SHA384, Some(Hash::Sha384)),
        JwtAlgorithm::Rs512 => (&RSA_PKCS1_2048_8192_SHA512, Some(Hash::Sha512)),
        JwtAlgorithm::Ps256 => (&RSA_PSS_2048_8192_SHA256, None),
        JwtAlgorithm::Ps384 => (&RSA_PSS_2048_8192_SHA384, None),
        JwtAlgorithm::Ps512 => (&RSA_PSS_2048_8192_SHA512, None),
        JwtAlgorithm::Es256 | JwtAlgorithm::Es384 | JwtAlgorithm::Es512 | JwtAlgorithm::EdDsa => {
            return None;
        }
    })
}
