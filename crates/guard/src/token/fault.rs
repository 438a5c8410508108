//! `TokenFault`: why a token is not believed. Outside all of it is one 401.

use std::fmt;

use super::claim_fault::ClaimFault;
use crate::codes::codes;

/// Why a token is not believed. It holds nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFault {
    /// Over [`TOKEN_BYTES_MAX`](super::TOKEN_BYTES_MAX).
    TooLong,
    /// Not three parts with dots between them: a JWE has five, an unsigned token two.
    Form,
    /// A part that is no base64url without padding, in its one spelling.
    Encoding,
    /// A header that is no strict JSON object, or a member of it of another type than RFC 7515 §4.1 says.
    HeaderMalformed,
    /// A name twice in the header (RFC 7515 §4), or nearly: `ALG` beside what we read as `alg`.
    HeaderRepeated,
    /// An extension that must be understood (`crit`, RFC 7515 §4.1.11). None is.
    CriticalUnknown,
    /// A payload that is not encoded (`b64`, RFC 7797).
    PayloadUnencoded,
    /// No algorithm that is on the list of the issuer, which `none` and `HS256` cannot be on (RFC 8725 §3.1).
    AlgorithmRefused,
    /// No usable key has this `kid`; or it has none, and the issuer has more keys than one.
    KeyUnknown,
    /// The key is of another kind than the algorithm, or meant for another one (RFC 8725 §2.1).
    KeyMismatch,
    /// The signature does not hold.
    SignatureWrong,
    /// `typ` is missing, or says that it is no token for access (RFC 8725 §3.11).
    TypeRefused,
    /// What the token claims does not hold.
    Claim(ClaimFault),
    /// The secret of the application is shorter than its hash (RFC 7518 §3.2).
    SecretTooShort,
}

codes!(TokenFault, {
    TooLong => "token_too_long",
    Form => "token_form",
    Encoding => "token_encoding",
    HeaderMalformed => "token_header_malformed",
    HeaderRepeated => "token_header_repeated",
    CriticalUnknown => "token_critical_unknown",
    PayloadUnencoded => "token_payload_unencoded",
    AlgorithmRefused => "token_algorithm_refused",
    KeyUnknown => "token_key_unknown",
    KeyMismatch => "token_key_mismatch",
    SignatureWrong => "token_signature_wrong",
    TypeRefused => "token_type_refused",
    SecretTooShort => "token_secret_too_short",
}, [Claim]);

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Claim(fault) = self {
            return fault.fmt(f);
        }
        f.write_str(self.reason())
    }
}

impl From<ClaimFault> for TokenFault {
    fn from(fault: ClaimFault) -> Self {
        Self::Claim(fault)
    }
}

impl std::error::Error for TokenFault {}
