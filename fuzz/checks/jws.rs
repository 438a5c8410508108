//! A token is read in one way: its parts, written again, are the token; what verifies is not another one.

use portcullis_guard::token::{
    Jws, KeySet, KeyStrength, TOKEN_BYTES_MAX, TokenFault, verify, verify_mac,
};
use portcullis_policy::JwtAlgorithm;

/// A public key of RFC 8037 §A.2.
const KEYS: &[u8] = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let keys = KeySet::read(KEYS, KeyStrength::Standard).unwrap();
    let verified = verify(text, &keys, JwtAlgorithm::ALL);
    let by_secret = verify_mac(text, &[7; 32], "a");
    let read = match Jws::read(text) {
        Ok(read) => read,
        Err(fault) => {
            assert_eq!(verified.unwrap_err(), fault);
            assert_eq!(by_secret.unwrap_err(), fault);
            assert!(fault.reason().starts_with("token_"));
            return;
        }
    };
    assert!(text.len() <= TOKEN_BYTES_MAX);
    // Three parts, each in the one spelling that its bytes have.
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("{} parts", parts.len())
    };
    assert_eq!(read.signed().0, format!("{header}.{payload}").as_bytes());
    assert_eq!(base64url(read.signed().1), signature);
    assert!(!read.header().algorithm().is_empty());
    assert!(
        read.header()
            .key_id()
            .is_none_or(|id| !id.is_empty() && id.len() <= 256)
    );
    // Another reader finds the same header, with no name twice.
    let bytes = from_base64url(header);
    let other: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(other["alg"], read.header().algorithm());
    assert_eq!(
        other.get("kid").and_then(|id| id.as_str()),
        read.header().key_id()
    );
    assert_eq!(
        other.get("typ").and_then(|word| word.as_str()),
        read.header().media_type()
    );
    assert!(other.get("crit").is_none() && other.get("b64").is_none());
    if let Ok(verified) = verified {
        assert_eq!(verified.header().algorithm(), "EdDSA");
        assert_eq!(verified.payload(), from_base64url(payload));
        assert_eq!(
            verify(text, &keys, &[JwtAlgorithm::Es256]).unwrap_err(),
            TokenFault::AlgorithmRefused
        );
    }
    if let Ok(by_secret) = by_secret {
        assert_eq!(
            (
                by_secret.header().algorithm(),
                by_secret.header().media_type()
            ),
            ("HS256", Some("a"))
        );
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64url(bytes: &[u8]) -> String {
    let sextets = bytes.chunks(3).flat_map(|chunk| {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |at| word >> (18 - 6 * at) & 63)
    });
    sextets
        .map(|sextet| char::from(ALPHABET[sextet as usize]))
        .collect()
}

fn from_base64url(text: &str) -> Vec<u8> {
    let (mut bytes, mut word, mut held) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes() {
        let value = ALPHABET.iter().position(|one| *one == digit).unwrap();
        word = word << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(word >> held & 0xff).unwrap());
        }
    }
    bytes
}
