#![cfg(test)]
//! Wycheproof's cases of signatures and tags, by the keys and functions that tokens are verified with.

use crate::base64url;
use portcullis_policy::JwtAlgorithm;
use serde_json::Value;

use super::jwk::{Jwk, KeyStrength};
use super::mac::is_tag;
use super::strict_json::Object;

fn groups(name: &str) -> Vec<Value> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/vectors/wycheproof/"
    );
    let text = std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    whole["testGroups"].as_array().unwrap().clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits: Vec<char> = value.as_str().unwrap().chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// How many cases hold and how many do not, each as the file says.
fn count(name: &str, algorithm: JwtAlgorithm, key_of: impl Fn(&Value) -> Value) -> (usize, usize) {
    let (mut held, mut refused) = (0, 0);
    for group in groups(name) {
        let text = key_of(&group).to_string();
        let key = Object::read(text.as_bytes()).unwrap();
        let key = Jwk::read(&key, KeyStrength::Standard).unwrap();
        let verifier = key.verifier(algorithm).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let holds = verifier.verifies(&hex(&case["msg"]), &hex(&case["sig"]));
            assert_eq!(holds, case["result"] == "valid", "{name} {}", case["tcId"]);
            if holds { held += 1 } else { refused += 1 }
        }
    }
    (held, refused)
}

/// A coordinate of 32 bytes of one that is written as a signed number.
fn coordinate(value: &Value) -> String {
    let bytes = hex(value);
    let mut whole = vec![0; 32_usize.saturating_sub(bytes.len())];
    whole.extend_from_slice(&bytes[bytes.len().saturating_sub(32)..]);
    base64url::text(&whole)
}

#[test]
fn ecdsa_of_two_numbers() {
    let counted = count(
        "ecdsa_secp256r1_sha256_p1363_test.json",
        JwtAlgorithm::Es256,
        |group| {
            let key = &group["publicKey"];
            serde_json::json!({ "kty": "EC", "crv": "P-256", "x": coordinate(&key["wx"]), "y": coordinate(&key["wy"]) })
        },
    );
    assert_eq!(counted, (173, 89));
}

#[test]
fn ed25519() {
    let counted = count("ed25519_test.json", JwtAlgorithm::EdDsa, |group| {
        group["publicKeyJwk"].clone()
    });
    assert_eq!(counted, (88, 63));
}

/// A tag that is cut holds there and not here: JWS has whole ones (RFC 7518 §3.2).
#[test]
fn hmac() {
    let (mut held, mut refused, mut cut) = (0, 0, 0);
    for group in groups("hmac_sha256_test.json") {
        for case in group["tests"].as_array().unwrap() {
            let holds = is_tag(&hex(&case["key"]), &hex(&case["msg"]), &hex(&case["tag"]));
            let is_valid = case["result"] == "valid";
            if is_valid && group["tagSize"] != 256 {
                assert!(!holds, "{}", case["tcId"]);
                cut += 1;
                continue;
            }
            assert_eq!(holds, is_valid, "{}", case["tcId"]);
            if holds { held += 1 } else { refused += 1 }
        }
    }
    assert_eq!((held, refused, cut), (33, 108, 33));
}
