//! Issuers of tests: keys made anew in each run, tokens signed by them.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde_json::{Value, json};

/// A private key of an issuer.
pub(crate) enum Signer {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

/// One key for all tests of a run: an RSA key takes a while to make.
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| rsa(KeySize::Rsa2048));

pub(crate) fn rsa(size: KeySize) -> Signer {
    Signer::Rsa(Box::new(RsaKeyPair::generate(size).unwrap()))
}

pub(crate) fn ec(curve: &'static str) -> Signer {
    let algorithm = match curve {
        "P-256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        "P-384" => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        "P-521" => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => panic!("{curve}"),
    };
    Signer::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve)
}

pub(crate) fn ed() -> Signer {
    Signer::Ed(Ed25519KeyPair::generate().unwrap())
}

impl Signer {
    /// Its public key as a JWK, without `kid`, `use` and `alg`.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::Rsa(key) => {
                let (n, e) = rsa_numbers(key.public_key().as_ref());
                json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) })
            }
            Self::Ec(key, curve) => {
                let point: aws_lc_rs::encoding::EcPublicKeyUncompressedBin<'_> =
                    key.public_key().as_be_bytes().unwrap();
                let (x, y) = point.as_ref()[1..].split_at((point.as_ref().len() - 1) / 2);
                json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
            }
            Self::Ed(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().as_ref()) })
            }
        }
    }

    /// Its public key with a `kid` and nothing else.
    pub(crate) fn jwk_as(&self, id: &str) -> Value {
        with(self.jwk(), json!({ "kid": id }))
    }

    /// Signs bytes by an algorithm of its kind.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let padding: &'static dyn signature::RsaEncoding = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    _ => panic!("{algorithm}"),
                };
                let mut bytes = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut bytes).unwrap();
                bytes
            }
            Self::Ec(key, _) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A token: the header as it is given, signed by its `alg`.
    pub(crate) fn token(&self, header: &Value, payload: &str) -> String {
        self.token_of(
            header["alg"].as_str().unwrap(),
            &header.to_string(),
            payload,
        )
    }

    /// A token whose header is any text.
    pub(crate) fn token_of(&self, algorithm: &str, header: &str, payload: &str) -> String {
        let signed = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(payload.as_bytes())
        );
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", base64url(&signature))
    }
}

/// A token under a secret, as the application makes it.
pub(crate) fn sign_mac(key: &[u8], header: &str, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        base64url(header.as_bytes()),
        base64url(payload.as_bytes())
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", base64url(tag.as_ref()))
}

/// A key set of some keys.
pub(crate) fn jwks(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

/// An object with the members of another one besides, or in place of its own.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    object
}

/// RFC 4648 §5 without padding, by another hand than the reader's.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let sextets: Vec<char> = bits.chars().collect();
    sextets
        .chunks(6)
        .map(|chunk| {
            let text: String = chunk.iter().collect();
            let value = usize::from_str_radix(&format!("{text:0<6}"), 2).unwrap();
            char::from(alphabet[value])
        })
        .collect()
}

/// The same backwards, of what was read by the reader already.
pub(crate) fn from_base64url(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = text
        .chars()
        .map(|digit| format!("{:06b}", alphabet.find(digit).unwrap()))
        .collect();
    let bits: Vec<char> = bits.chars().collect();
    bits.chunks_exact(8)
        .map(|byte| u8::from_str_radix(&String::from_iter(byte), 2).unwrap())
        .collect()
}

/// The modulus and the exponent of `RSAPublicKey` (RFC 8017 A.1.1) in DER.
fn rsa_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (_, inside, _) = der_value(der);
    let (_, n, rest) = der_value(inside);
    let (_, e, _) = der_value(rest);
    let unsigned = |number: &'static str, bytes| -> &[u8] {
        let bytes: &[u8] = bytes;
        assert!(!bytes.is_empty(), "{number}");
        if bytes[0] == 0 { &bytes[1..] } else { bytes }
    };
    (unsigned("n", n), unsigned("e", e))
}

/// One value: its tag, its content, what follows it.
fn der_value(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (tag, length) = (der[0], usize::from(der[1]));
    let (length, start) = match length {
        0..=0x7f => (length, 2),
        more => {
            let count = more - 0x80;
            let bytes = &der[2..2 + count];
            (
                bytes
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                2 + count,
            )
        }
    };
    let (content, rest) = der[start..].split_at(length);
    (tag, content, rest)
}
