//! Which keys of a set verify, and which text is no set.

use aws_lc_rs::rsa::KeySize;
use portcullis_guard::token::{KeySet, KeySetFault, KeyStrength, UnusableKey};
use serde_json::{Value, json};

use crate::token_made::{RSA, base64url, ec, ed, jwks, rsa, with};

fn read(keys: &[Value], strength: KeyStrength) -> KeySet {
    KeySet::read(&jwks(keys), strength).unwrap()
}

fn fault_of(key: Value) -> Option<UnusableKey> {
    let set = read(&[key], KeyStrength::Standard);
    assert_eq!(set.len() + set.unusable().len(), 1);
    set.unusable().first().map(|(place, fault)| {
        assert_eq!(*place, 0);
        *fault
    })
}

#[test]
fn each_kind_is_taken() {
    for signer in [ec("P-256"), ec("P-384"), ec("P-521"), ed()] {
        assert_eq!(fault_of(signer.jwk()), None);
        assert_eq!(fault_of(signer.jwk_as("k")), None);
    }
    assert_eq!(
        fault_of(with(
            RSA.jwk(),
            json!({ "x5c": ["MIIB"], "x5t": "a", "ext": true, "unknown": {} })
        )),
        None
    );
}

#[test]
fn what_a_key_must_not_be() {
    let (rsa, p256) = (RSA.jwk(), ec("P-256").jwk());
    let ed = ed().jwk();
    for (key, more, expected) in [
        (&rsa, json!({ "use": "enc" }), UnusableKey::OtherUse),
        (&rsa, json!({ "use": "SIG" }), UnusableKey::OtherUse),
        (&rsa, json!({ "use": 1 }), UnusableKey::Malformed),
        (
            &rsa,
            json!({ "key_ops": ["encrypt"] }),
            UnusableKey::OtherUse,
        ),
        (&rsa, json!({ "key_ops": [] }), UnusableKey::OtherUse),
        (&rsa, json!({ "key_ops": ["sign"] }), UnusableKey::OtherUse),
        (&rsa, json!({ "key_ops": "verify" }), UnusableKey::Malformed),
        (
            &rsa,
            json!({ "alg": "ES256" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (
            &rsa,
            json!({ "alg": "RSA-OAEP" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (
            &rsa,
            json!({ "alg": "HS256" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (
            &rsa,
            json!({ "alg": "none" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (&rsa, json!({ "d": "AQAB" }), UnusableKey::Private),
        (&rsa, json!({ "p": 1 }), UnusableKey::Private),
        (&rsa, json!({ "k": "AQAB" }), UnusableKey::Private),
        (&rsa, json!({ "kty": "oct" }), UnusableKey::KindUnknown),
        (&rsa, json!({ "kty": "rsa" }), UnusableKey::KindUnknown),
        (&rsa, json!({ "kty": null }), UnusableKey::Malformed),
        (&rsa, json!({ "kid": 1 }), UnusableKey::Malformed),
        (&rsa, json!({ "kid": "" }), UnusableKey::Malformed),
        (
            &rsa,
            json!({ "kid": "k".repeat(257) }),
            UnusableKey::Malformed,
        ),
        (&rsa, json!({ "n": "" }), UnusableKey::Malformed),
        (&rsa, json!({ "n": "AQAB=" }), UnusableKey::Malformed),
        (&rsa, json!({ "n": null }), UnusableKey::Malformed),
        (&rsa, json!({ "e": "" }), UnusableKey::Malformed),
        (&rsa, json!({ "e": "AAEAAQ" }), UnusableKey::Malformed),
        (&rsa, json!({ "e": "AQ" }), UnusableKey::ExponentWeak),
        (&rsa, json!({ "e": "Aw" }), UnusableKey::ExponentWeak),
        (&rsa, json!({ "e": "AQAA" }), UnusableKey::ExponentWeak),
        (
            &rsa,
            json!({ "e": base64url(&[0xff; 6]) }),
            UnusableKey::ExponentWeak,
        ),
        (
            &rsa,
            json!({ "n": base64url(&[0xff; 128]) }),
            UnusableKey::TooShort,
        ),
        (
            &rsa,
            json!({ "n": base64url(&[&[0x7f][..], &[0xff; 255]].concat()) }),
            UnusableKey::TooShort,
        ),
        (
            &rsa,
            json!({ "n": base64url(&[&[0][..], &[0xff; 256]].concat()) }),
            UnusableKey::Malformed,
        ),
        (
            &rsa,
            json!({ "n": base64url(&[0xff; 1025]) }),
            UnusableKey::TooLong,
        ),
        (
            &rsa,
            json!({ "n": base64url(&[&[0xff; 255][..], &[0xfe]].concat()) }),
            UnusableKey::ModulusWeak,
        ),
        (&p256, json!({ "crv": "P-384" }), UnusableKey::Malformed),
        (
            &p256,
            json!({ "crv": "secp256k1" }),
            UnusableKey::KindUnknown,
        ),
        (&p256, json!({ "crv": null }), UnusableKey::Malformed),
        (
            &p256,
            json!({ "alg": "ES384" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (
            &p256,
            json!({ "alg": "RS256" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (&p256, json!({ "kty": "RSA" }), UnusableKey::Malformed),
        (&p256, json!({ "kty": "OKP" }), UnusableKey::KindUnknown),
        (
            &p256,
            json!({ "x": base64url(&[0; 32]), "y": base64url(&[0; 32]) }),
            UnusableKey::PointWrong,
        ),
        (
            &p256,
            json!({ "x": base64url(&[1; 32]) }),
            UnusableKey::PointWrong,
        ),
        (
            &p256,
            json!({ "x": base64url(&[0xff; 32]) }),
            UnusableKey::PointWrong,
        ),
        (
            &p256,
            json!({ "x": base64url(&[1; 31]) }),
            UnusableKey::Malformed,
        ),
        (
            &p256,
            json!({ "x": base64url(&[1; 33]) }),
            UnusableKey::Malformed,
        ),
        (&ed, json!({ "crv": "X25519" }), UnusableKey::KindUnknown),
        (&ed, json!({ "crv": "Ed448" }), UnusableKey::KindUnknown),
        (
            &ed,
            json!({ "alg": "ES256" }),
            UnusableKey::AlgorithmMismatch,
        ),
        (
            &ed,
            json!({ "x": base64url(&[1; 31]) }),
            UnusableKey::Malformed,
        ),
    ] {
        let key = with(key.clone(), more);
        assert_eq!(fault_of(key.clone()), Some(expected), "{key}");
    }
}

/// The eight points, and those of them that have a second spelling, with and without the sign of x.
#[test]
fn points_of_small_order_are_weak() {
    let y = |hex: &str| -> Vec<u8> {
        let digits: Vec<char> = hex.chars().collect();
        let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    let ends = |lowest: &str| format!("{lowest}{}7f", "ff".repeat(30));
    for hex in [
        "00".repeat(32),
        format!("01{}", "00".repeat(31)),
        ends("ec"),
        ends("ed"),
        ends("ee"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".into(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".into(),
    ] {
        for sign in [0, 0x80] {
            let mut bytes = y(&hex);
            bytes[31] |= sign;
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&bytes) });
            assert_eq!(fault_of(key), Some(UnusableKey::PointWrong), "{hex}");
        }
    }
}

#[test]
fn the_strict_profile_wants_longer_keys() {
    let (short, long) = (RSA.jwk_as("short"), rsa(KeySize::Rsa3072).jwk_as("long"));
    let set = read(
        &[short, long, ec("P-256").jwk_as("ec")],
        KeyStrength::Strict,
    );
    assert_eq!(set.key_ids().collect::<Vec<_>>(), ["long", "ec"]);
    assert_eq!(set.unusable(), [(0, UnusableKey::TooShort)]);
}

#[test]
fn what_is_no_set() {
    let key = ec("P-256").jwk();
    let many = |count: usize| vec![key.clone(); count];
    for (text, expected) in [
        (String::new(), KeySetFault::Malformed),
        ("[]".into(), KeySetFault::Malformed),
        ("{}".into(), KeySetFault::Malformed),
        (r#"{"keys":{}}"#.into(), KeySetFault::Malformed),
        (r#"{"keys":[1]}"#.into(), KeySetFault::Malformed),
        (r#"{"Keys":[]}"#.into(), KeySetFault::Malformed),
        (r#"{"keys":[]}<html>"#.into(), KeySetFault::Malformed),
        (r#"{"keys":[],"keys":[]}"#.into(), KeySetFault::NameRepeated),
        (r#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#.into(), KeySetFault::NameRepeated),
        (json!({ "keys": many(65) }).to_string(), KeySetFault::TooManyKeys),
        (json!({ "keys": [with(key.clone(), json!({"kid": "a"})), { "kty": "oct", "kid": "a" }] }).to_string(), KeySetFault::KeyIdRepeated),
        (format!("{}{}", r#"{"keys":[]}"#, " ".repeat(KeySet::BYTES_MAX)), KeySetFault::TooLong),
    ] {
        let fault = KeySet::read(text.as_bytes(), KeyStrength::Standard).unwrap_err();
        assert_eq!(fault, expected, "{} bytes", text.len());
    }
    for (text, count) in [
        (r#"{"keys":[]}"#.into(), 0),
        (json!({ "keys": many(64), "more": 1 }).to_string(), 64),
    ] {
        let set = KeySet::read(text.as_bytes(), KeyStrength::Standard).unwrap();
        assert_eq!((set.len(), set.is_empty()), (count, count == 0));
    }
}

#[test]
fn nothing_private_is_kept_or_printed() {
    let key = with(ec("P-256").jwk_as("a"), json!({ "d": "c2VjcmV0" }));
    let set = read(&[key, RSA.jwk_as("b")], KeyStrength::Standard);
    let text = format!("{set:?}");
    assert!(
        !text.contains("c2VjcmV0") && !text.contains("secret"),
        "{text}"
    );
    assert_eq!(set.key_ids().collect::<Vec<_>>(), ["b"]);
}
