//! Several issuers: whose a token is decides by whose keys it may be verified.

use portcullis_guard::token::{Identity, IssuerIndex, KeySet, KeyStrength, TokenFault, TokenUse};
use portcullis_policy::JwtAlgorithm;
use serde_json::json;

use crate::token_claims::{NOW, at, claims, verifier};
use crate::token_made::{RSA, ec, jwks, with};

const TWO: &str = r#"
[[identity.issuer]]
issuer = "https://login.example.com"
audience = "shop"
algorithms = ["RS256"]
[[identity.issuer]]
issuer = "https://other.example.com"
audience = "shop"
algorithms = ["ES256"]
"#;

/// 73: two issuers whose keys have the same `kid` (CVE-2025-59936).
#[test]
fn case_73_a_key_is_of_one_issuer_alone() {
    let verifier = verifier(TWO);
    let other = ec("P-256");
    let set = |key| KeySet::read(&jwks(&[key]), KeyStrength::Standard).unwrap();
    let sets = [set(RSA.jwk_as("1")), set(other.jwk_as("1"))];
    let payload = |issuer: &str| with(claims(), json!({ "iss": issuer })).to_string();
    let (first, second) = ("https://login.example.com", "https://other.example.com");
    let header = |alg: &str| json!({ "alg": alg, "kid": "1", "typ": "JWT" });
    for (token, issuer, expected) in [
        (RSA.token(&header("RS256"), &payload(first)), 0, None),
        (other.token(&header("ES256"), &payload(second)), 1, None),
        // Signed by the one, said to be of the other.
        (
            RSA.token(&header("RS256"), &payload(second)),
            1,
            Some(TokenFault::AlgorithmRefused),
        ),
        (
            other.token(&header("ES256"), &payload(first)),
            0,
            Some(TokenFault::AlgorithmRefused),
        ),
        (
            other.token_of("ES256", &header("RS256").to_string(), &payload(first)),
            0,
            Some(TokenFault::SignatureWrong),
        ),
    ] {
        let read = verifier.read(&token).unwrap();
        assert_eq!(
            (read.issuer(), read.key_id()),
            (IssuerIndex(issuer), Some("1"))
        );
        let fault = verifier
            .verify(read, &sets[issuer], at(NOW), TokenUse::Route)
            .err();
        assert_eq!(fault, expected);
    }
    assert_eq!(verifier.issuers()[1].algorithms(), [JwtAlgorithm::Es256]);
}

/// 80: who calls is `iss` and `sub`, whole. No claim is taken apart (CVE-2026-40574).
#[test]
fn case_80_an_identity_is_never_taken_apart() {
    let verifier = verifier(TWO);
    let keys = KeySet::read(&jwks(&[RSA.jwk_as("1")]), KeyStrength::Standard).unwrap();
    let mut seen = Vec::new();
    for subject in [
        "a@evil@corp",
        "a@corp",
        "a",
        "A@corp",
        "a@corp ",
        "https://login.example.com|a",
    ] {
        let payload = with(claims(), json!({ "sub": subject, "email": "a@evil@corp" })).to_string();
        let token = RSA.token(
            &json!({ "alg": "RS256", "kid": "1", "typ": "JWT" }),
            &payload,
        );
        let read = verifier.read(&token).unwrap();
        let believed = verifier
            .verify(read, &keys, at(NOW), TokenUse::Route)
            .unwrap();
        let expected = Identity {
            issuer: "https://login.example.com",
            subject,
        };
        assert_eq!(believed.identity(), expected);
        assert!(!seen.contains(&subject));
        seen.push(subject);
    }
}

/// A signature is looked at before what is claimed counts: nothing of a forged token tells whether its claims would hold.
#[test]
fn the_signature_comes_first() {
    let verifier = verifier(TWO);
    let keys = KeySet::read(&jwks(&[RSA.jwk_as("1")]), KeyStrength::Standard).unwrap();
    for exp in [NOW - 1_000, NOW + 600, NOW + 1_000_000] {
        let payload = with(claims(), json!({ "exp": exp, "aud": "other" })).to_string();
        let header = json!({ "alg": "RS256", "kid": "1", "typ": "JWT" });
        let token = RSA.token(&header, &payload);
        let (signed, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", "A".repeat(342));
        let read = verifier.read(&forged).unwrap();
        let fault = verifier
            .verify(read, &keys, at(NOW), TokenUse::Route)
            .unwrap_err();
        assert_eq!(fault, TokenFault::SignatureWrong);
    }
}

#[test]
fn nothing_of_a_person_is_printed() {
    let verifier = verifier(TWO);
    let keys = KeySet::read(&jwks(&[RSA.jwk_as("1")]), KeyStrength::Standard).unwrap();
    let payload = with(
        claims(),
        json!({ "sub": "user-4711", "jti": "id-4712", "sid": "s-4713" }),
    )
    .to_string();
    let token = RSA.token(
        &json!({ "alg": "RS256", "kid": "1", "typ": "JWT" }),
        &payload,
    );
    let read = verifier.read(&token).unwrap();
    let mut texts = vec![format!("{read:?}")];
    let believed = verifier
        .verify(read, &keys, at(NOW), TokenUse::Route)
        .unwrap();
    texts.push(format!("{believed:?}"));
    let fault = verifier
        .judge(&believed, at(NOW + 10_000), TokenUse::Route)
        .unwrap_err();
    texts.push(format!("{fault:?} {fault}"));
    assert_eq!(texts[2].split(' ').next_back(), Some("(`exp`)"));
    for text in texts {
        assert!(!text.contains("471"), "{text}");
    }
}
