//! What is a token and what is none, whose signature counts and whose does not.

use portcullis_guard::token::{Jws, KeySet, KeyStrength, TOKEN_BYTES_MAX, TokenFault, verify};
use portcullis_policy::JwtAlgorithm;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::token_made::{RSA, Signer, base64url, ec, ed, jwks, rsa, sign_mac, with};

fn set_of(keys: &[Value]) -> KeySet {
    let set = KeySet::read(&jwks(keys), KeyStrength::Standard).unwrap();
    assert!(set.unusable().is_empty(), "{set:?}");
    set
}

fn verified(token: &str, keys: &KeySet, accepted: &[JwtAlgorithm]) -> Result<Vec<u8>, TokenFault> {
    verify(token, keys, accepted).map(|verified| verified.payload().to_vec())
}

/// Each algorithm with the curve or kind that it is of.
fn signer_of(algorithm: JwtAlgorithm) -> Signer {
    match algorithm {
        JwtAlgorithm::Es256 => ec("P-256"),
        JwtAlgorithm::Es384 => ec("P-384"),
        JwtAlgorithm::Es512 => ec("P-521"),
        JwtAlgorithm::EdDsa => ed(),
        _ => rsa(aws_lc_rs::rsa::KeySize::Rsa2048),
    }
}

#[test]
fn each_algorithm_accepts_its_own_and_no_other() {
    for algorithm in JwtAlgorithm::ALL {
        let signer = signer_of(*algorithm);
        let header = json!({ "alg": algorithm.as_str(), "kid": "a", "typ": "JWT" });
        let token = signer.token(&header, r#"{"sub":"u"}"#);
        for stated in [
            json!({}),
            json!({ "alg": algorithm.as_str(), "use": "sig", "key_ops": ["verify"] }),
        ] {
            let keys = set_of(&[with(signer.jwk_as("a"), stated)]);
            assert_eq!(
                verified(&token, &keys, &[*algorithm]),
                Ok(br#"{"sub":"u"}"#.to_vec()),
                "{algorithm}"
            );
            assert_eq!(
                verified(&token, &keys, JwtAlgorithm::ALL).as_deref(),
                Ok(&br#"{"sub":"u"}"#[..])
            );
            // Not on the list: refused, whatever the signature.
            let others: Vec<JwtAlgorithm> = JwtAlgorithm::ALL
                .iter()
                .copied()
                .filter(|one| one != algorithm)
                .collect();
            assert_eq!(
                verified(&token, &keys, &others),
                Err(TokenFault::AlgorithmRefused),
                "{algorithm}"
            );
            assert_eq!(
                verified(&token, &keys, &[]),
                Err(TokenFault::AlgorithmRefused)
            );
            // Any bit of the signature, and any other header or payload.
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let (header, _) = signed.split_once('.').unwrap();
            let forged = format!("{header}.{}.{signature}", base64url(br#"{"sub":"v"}"#));
            assert_eq!(
                verified(&forged, &keys, &[*algorithm]),
                Err(TokenFault::SignatureWrong)
            );
            let bytes = Jws::read(&token).unwrap().signed().1.to_vec();
            for other in [
                &bytes[1..],
                &bytes[..bytes.len() - 1],
                &[&bytes[..], &[0]].concat(),
            ] {
                let token = format!("{signed}.{}", base64url(other));
                assert_eq!(
                    verified(&token, &keys, &[*algorithm]),
                    Err(TokenFault::SignatureWrong)
                );
            }
            let none = format!("{signed}.");
            assert_eq!(
                verified(&none, &keys, &[*algorithm]),
                Err(TokenFault::SignatureWrong)
            );
        }
        // The same key, published for another algorithm (RFC 8725 §2.1).
        let other = if *algorithm == JwtAlgorithm::Rs256 {
            "PS256"
        } else {
            "RS256"
        };
        let keys = jwks(&[with(signer.jwk_as("a"), json!({ "alg": other }))]);
        let keys = KeySet::read(&keys, KeyStrength::Standard).unwrap();
        let fault = verified(&token, &keys, JwtAlgorithm::ALL).unwrap_err();
        let expected = if keys.is_empty() {
            TokenFault::KeyUnknown
        } else {
            TokenFault::KeyMismatch
        };
        assert_eq!(fault, expected, "{algorithm}");
    }
}

/// 66: `none`, in any case, signed or not.
#[test]
fn case_66_none_in_any_case_is_refused() {
    let keys = set_of(&[RSA.jwk_as("a")]);
    for word in [
        "none", "None", "NONE", "nOnE", "", "null", "HS256", "HS384", "HS512", "rs256", "RS256 ",
        "ES256K",
    ] {
        let header = json!({ "alg": word, "kid": "a" }).to_string();
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(b"{}"));
        for signature in [
            String::new(),
            base64url(&[0; 256]),
            base64url(&RSA.sign("RS256", signed.as_bytes())),
        ] {
            let fault =
                verified(&format!("{signed}.{signature}"), &keys, JwtAlgorithm::ALL).unwrap_err();
            let expected = if word.is_empty() {
                TokenFault::HeaderMalformed
            } else {
                TokenFault::AlgorithmRefused
            };
            assert_eq!(fault, expected, "{word}");
        }
    }
}

/// 67: a public key used as a secret (CVE-2023-48223, CVE-2026-34950), in every form in which somebody might have it.
#[test]
fn case_67_a_public_key_is_no_secret() {
    let jwk = RSA.jwk_as("a");
    let keys = set_of(std::slice::from_ref(&jwk));
    let modulus = jwk["n"].as_str().unwrap().as_bytes();
    for secret in [
        jwk.to_string().as_bytes(),
        modulus,
        &jwks(std::slice::from_ref(&jwk)),
    ] {
        let token = sign_mac(secret, r#"{"alg":"HS256","kid":"a"}"#, "{}");
        assert_eq!(
            verified(&token, &keys, JwtAlgorithm::ALL),
            Err(TokenFault::AlgorithmRefused)
        );
        let token = sign_mac(secret, r#"{"alg":"RS256","kid":"a"}"#, "{}");
        assert_eq!(
            verified(&token, &keys, JwtAlgorithm::ALL),
            Err(TokenFault::SignatureWrong)
        );
    }
}

/// 68: a key without `alg` is for the algorithms of its kind alone (CVE-2026-44699).
#[test]
fn case_68_a_key_without_alg_is_for_its_kind_alone() {
    let signers = [ec("P-256"), ec("P-384"), ec("P-521"), ed()];
    for (signer, own) in signers.iter().zip(["ES256", "ES384", "ES512", "EdDSA"]) {
        let keys = set_of(&[signer.jwk_as("a")]);
        for claimed in JwtAlgorithm::WORDS {
            let header = json!({ "alg": claimed, "kid": "a" }).to_string();
            let token = signer.token_of(own, &header, "{}");
            let fault = verified(&token, &keys, JwtAlgorithm::ALL).err();
            let expected = (*claimed != own).then_some(TokenFault::KeyMismatch);
            assert_eq!(fault, expected, "{own} as {claimed}");
        }
    }
}

/// 69: what is not signed says nothing: a token in a JSON form, or with a second header (GHSA-jc38-x7x8-2xc8).
#[test]
fn case_69_an_unprotected_header_is_no_header() {
    let keys = set_of(&[RSA.jwk_as("a")]);
    let token = RSA.token(&json!({ "alg": "RS256", "kid": "a" }), "{}");
    let parts: Vec<&str> = token.split('.').collect();
    let flat = json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2], "header": { "alg": "none" } });
    assert_eq!(
        verified(&flat.to_string(), &keys, JwtAlgorithm::ALL),
        Err(TokenFault::Form)
    );
    let general = json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] });
    assert!(verified(&general.to_string(), &keys, JwtAlgorithm::ALL).is_err());
    let unsigned = RSA.token_of("RS256", r#"{"kid":"a"}"#, "{}");
    assert_eq!(
        verified(&unsigned, &keys, JwtAlgorithm::ALL),
        Err(TokenFault::HeaderMalformed)
    );
}

/// 71: an extension that must be understood is not, `b64` included (CVE-2025-59420).
#[test]
fn case_71_critical_extensions_are_refused() {
    let keys = set_of(&[RSA.jwk_as("a")]);
    for (more, expected) in [
        (
            json!({ "crit": ["exp"], "exp": 1 }),
            TokenFault::CriticalUnknown,
        ),
        (
            json!({ "crit": ["b64"], "b64": false }),
            TokenFault::CriticalUnknown,
        ),
        (
            json!({ "crit": ["b64"], "b64": true }),
            TokenFault::CriticalUnknown,
        ),
        (json!({ "crit": [] }), TokenFault::CriticalUnknown),
        (json!({ "crit": "exp" }), TokenFault::CriticalUnknown),
        (json!({ "crit": null }), TokenFault::CriticalUnknown),
        (json!({ "Crit": ["exp"] }), TokenFault::HeaderRepeated),
        (json!({ "b64": false }), TokenFault::PayloadUnencoded),
        (json!({ "b64": true }), TokenFault::PayloadUnencoded),
    ] {
        let header = with(json!({ "alg": "RS256", "kid": "a" }), more);
        let token = RSA.token(&header, "{}");
        assert_eq!(
            verified(&token, &keys, JwtAlgorithm::ALL),
            Err(expected),
            "{header}"
        );
    }
}

/// 72: a key, or a place of keys, that a token brings along is not looked at.
#[test]
fn case_72_keys_that_a_token_brings_are_ignored() {
    let (ours, theirs) = (
        set_of(&[RSA.jwk_as("a")]),
        rsa(aws_lc_rs::rsa::KeySize::Rsa2048),
    );
    for more in [
        json!({ "jwk": theirs.jwk_as("a") }),
        json!({ "jku": "https://evil.example.com/jwks.json" }),
        json!({ "x5u": "https://evil.example.com/cert.pem" }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "jku": 1, "jwk": "x" }),
    ] {
        let header = with(json!({ "alg": "RS256", "kid": "a" }), more);
        let forged = theirs.token(&header, "{}");
        assert_eq!(
            verified(&forged, &ours, JwtAlgorithm::ALL),
            Err(TokenFault::SignatureWrong),
            "{header}"
        );
        assert_eq!(
            verified(&RSA.token(&header, "{}"), &ours, JwtAlgorithm::ALL),
            Ok(b"{}".to_vec()),
            "{header}"
        );
    }
}

/// 77: what is no compact JWS.
#[test]
fn case_77_what_is_no_token() {
    let token = RSA.token(&json!({ "alg": "RS256", "kid": "a" }), r#"{"sub":"u"}"#);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!()
    };
    let of_header = |text: &str| format!("{}.{payload}.{signature}", base64url(text.as_bytes()));
    for (text, expected) in [
        (String::new(), TokenFault::Form),
        (".".into(), TokenFault::Form),
        ("..".into(), TokenFault::Form),
        ("...".into(), TokenFault::Form),
        (header.into(), TokenFault::Form),
        (format!("{header}.{payload}"), TokenFault::Form),
        (format!(".{payload}.{signature}"), TokenFault::Form),
        (format!("{token}.{signature}"), TokenFault::Form),
        (
            format!("{header}.{payload}.{signature}.{payload}.{signature}"),
            TokenFault::Form,
        ),
        (
            format!("{header}=.{payload}.{signature}"),
            TokenFault::Encoding,
        ),
        (
            format!("{header}.{payload}=.{signature}"),
            TokenFault::Encoding,
        ),
        (
            format!("{header}.{payload}.{signature}=="),
            TokenFault::Encoding,
        ),
        (
            format!("{header}.{payload}.{signature} "),
            TokenFault::Encoding,
        ),
        (format!(" {token}"), TokenFault::Encoding),
        (
            format!("{header}.{payload}\n.{signature}"),
            TokenFault::Encoding,
        ),
        (
            format!("{header}.{payload}.+{signature}"),
            TokenFault::Encoding,
        ),
        (
            format!("{header}.{payload}.\u{e9}{signature}"),
            TokenFault::Encoding,
        ),
        (of_header("[]"), TokenFault::HeaderMalformed),
        (of_header("\"RS256\""), TokenFault::HeaderMalformed),
        (of_header("{}"), TokenFault::HeaderMalformed),
        (
            of_header(r#"{"alg":["RS256"]}"#),
            TokenFault::HeaderMalformed,
        ),
        (of_header(r#"{"alg":1}"#), TokenFault::HeaderMalformed),
        (of_header(r#"{"alg":null}"#), TokenFault::HeaderMalformed),
        (
            of_header(r#"{"alg":"RS256","kid":1}"#),
            TokenFault::HeaderMalformed,
        ),
        (
            of_header(r#"{"alg":"RS256","kid":""}"#),
            TokenFault::HeaderMalformed,
        ),
        (
            of_header(r#"{"alg":"RS256","typ":[]}"#),
            TokenFault::HeaderMalformed,
        ),
        (
            of_header(r#"{"alg":"RS256"} x"#),
            TokenFault::HeaderMalformed,
        ),
        (
            of_header(r#"{"alg":"RS256","alg":"RS256"}"#),
            TokenFault::HeaderRepeated,
        ),
        (
            of_header(r#"{"alg":"RS256","\u0061lg":"none"}"#),
            TokenFault::HeaderRepeated,
        ),
        (
            of_header(r#"{"alg":"RS256","ALG":"none"}"#),
            TokenFault::HeaderRepeated,
        ),
        (
            of_header(r#"{"alg":"RS256","x":{"y":1,"y":2}}"#),
            TokenFault::HeaderRepeated,
        ),
        (
            of_header(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257))),
            TokenFault::HeaderMalformed,
        ),
    ] {
        assert_eq!(Jws::read(&text).unwrap_err(), expected, "{text}");
    }
    let fits = format!(
        "{header}..{}",
        "A".repeat(TOKEN_BYTES_MAX - header.len() - 2)
    );
    assert!(fits.len() % 4 != 1 && !matches!(Jws::read(&fits), Err(TokenFault::TooLong)));
    assert_eq!(
        Jws::read(&format!("{fits}A")).unwrap_err(),
        TokenFault::TooLong
    );
}

#[test]
fn a_key_is_found_by_its_id_alone() {
    let (a, b) = (ec("P-256"), ec("P-256"));
    let both = set_of(&[a.jwk_as("a"), b.jwk_as("b")]);
    let one = set_of(&[a.jwk_as("a")]);
    let nameless = set_of(&[a.jwk()]);
    let token = |id: Option<&str>| match id {
        Some(id) => a.token(&json!({ "alg": "ES256", "kid": id }), "{}"),
        None => a.token(&json!({ "alg": "ES256" }), "{}"),
    };
    for (id, keys, expected) in [
        (Some("a"), &both, None),
        (Some("b"), &both, Some(TokenFault::SignatureWrong)),
        (Some("A"), &both, Some(TokenFault::KeyUnknown)),
        (Some("c"), &both, Some(TokenFault::KeyUnknown)),
        (None, &both, Some(TokenFault::KeyUnknown)),
        (None, &one, None),
        (None, &nameless, None),
        (Some("a"), &nameless, Some(TokenFault::KeyUnknown)),
    ] {
        assert_eq!(
            verified(&token(id), keys, &[JwtAlgorithm::Es256]).err(),
            expected,
            "{id:?}"
        );
    }
}

#[test]
fn nothing_of_a_token_is_printed() {
    let payload = r#"{"sub":"user-4711"}"#;
    let token = RSA.token(&json!({ "alg": "RS256", "kid": "a" }), payload);
    let keys = set_of(&[RSA.jwk_as("a")]);
    let read = format!("{:?}", Jws::read(&token).unwrap());
    let verified = format!("{:?}", verify(&token, &keys, JwtAlgorithm::ALL).unwrap());
    for text in [read, verified] {
        assert!(
            !text.contains("4711") && !text.contains(token.split('.').nth(1).unwrap()),
            "{text}"
        );
    }
}

proptest! {
    /// One byte of a token changed, and it is another one or none: no two spellings verify.
    #[test]
    fn no_other_spelling_verifies(at in 0_usize..1000, byte in 0x20_u8..0x7f) {
        let token = RSA.token(&json!({ "alg": "RS256", "kid": "a" }), r#"{"sub":"u"}"#);
        let keys = set_of(&[RSA.jwk_as("a")]);
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(verify(&changed, &keys, JwtAlgorithm::ALL).is_ok(), changed == token);
    }

    /// Any text is a token or a fault.
    #[test]
    fn any_text_is_read_or_refused(text in "[A-Za-z0-9_.=+ -]{0,200}") {
        let keys = set_of(&[]);
        prop_assert!(verify(&text, &keys, JwtAlgorithm::ALL).is_err());
    }
}
