//! Published cases of tokens and keys: Wycheproof's key sets, the JOSE cookbook, Clerk's fixtures.

use portcullis_guard::token::{
    KeySet, KeyStrength, TokenFault, TokenUse, TokenVerifier, UnusableKey, verify,
};
use portcullis_policy::JwtAlgorithm;
use serde_json::{Value, json};

use crate::token_claims::{at, verifier};
use crate::token_made::{jwks, with};

pub(crate) fn load(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/");
    let text = std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Wycheproof: why what is said to be valid is refused. Of what is said to be invalid nothing is accepted.
const WYCHEPROOF: &[(u64, &str)] = &[
    (2, "`HS256` is no algorithm of an issuer"),
    (13, "`HS256` is no algorithm of an issuer"),
    (14, "`HS384` is no algorithm of an issuer"),
    (15, "`HS512` is no algorithm of an issuer"),
];

#[test]
fn wycheproof_key_sets() {
    let (mut accepted, mut refused, mut differ) = (0, 0, Vec::new());
    for group in load("wycheproof/json_web_key_test.json")["testGroups"]
        .as_array()
        .unwrap()
    {
        let set = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        let keys = KeySet::read(set.to_string().as_bytes(), KeyStrength::Standard);
        for case in group["tests"].as_array().unwrap() {
            let token = case["jws"].as_str().unwrap();
            let holds = keys
                .as_ref()
                .is_ok_and(|keys| verify(token, keys, JwtAlgorithm::ALL).is_ok());
            match (holds, case["result"] == "valid") {
                (true, true) => accepted += 1,
                (false, false) => refused += 1,
                (true, false) => panic!("{case}"),
                (false, true) => differ.push(case["tcId"].as_u64().unwrap()),
            }
        }
    }
    let explained: Vec<u64> = WYCHEPROOF.iter().map(|(id, _)| *id).collect();
    assert_eq!(differ, explained);
    assert_eq!((accepted, refused), (1, 21));
}

/// What is wrong with its weak keys, and not just that a signature fails.
#[test]
fn wycheproof_keys_are_refused_for_what_they_are() {
    let file = load("wycheproof/json_web_key_test.json");
    for (comment, expected) in [
        ("jws_rsa_roca_key", UnusableKey::ModulusWeak),
        ("keysize_too_small", UnusableKey::TooShort),
        ("exponentOne", UnusableKey::ExponentWeak),
        ("wrong_algorithm", UnusableKey::AlgorithmMismatch),
        ("invalid_use", UnusableKey::OtherUse),
        ("invalid_point", UnusableKey::PointWrong),
        ("wrong_curve", UnusableKey::Malformed),
        ("wrong_kty", UnusableKey::Malformed),
    ] {
        let groups = file["testGroups"].as_array().unwrap();
        let group = groups
            .iter()
            .find(|group| group["comment"] == comment)
            .unwrap();
        let keys = KeySet::read(
            group["public"].to_string().as_bytes(),
            KeyStrength::Standard,
        )
        .unwrap();
        assert_eq!(keys.unusable(), [(0, expected)], "{comment}");
    }
}

/// RFC 7520, RFC 8037, RFC 7797: what each is to us.
const COOKBOOK: &[(&str, Result<(), TokenFault>)] = &[
    ("curve25519/jws.json", Ok(())),
    ("jws/4_1.rsa_v15_signature.json", Ok(())),
    ("jws/4_2.rsa-pss_signature.json", Ok(())),
    ("jws/4_3.ecdsa_signature.json", Ok(())),
    (
        "jws/4_4.hmac-sha2_integrity_protection.json",
        Err(TokenFault::AlgorithmRefused),
    ),
    (
        "jws/4_5.signature_with_detached_content.json",
        Err(TokenFault::AlgorithmRefused),
    ),
    (
        "rfc7797/hmac-sha2_b64_false.json",
        Err(TokenFault::CriticalUnknown),
    ),
];

#[test]
fn the_cookbook() {
    let (mut seen, mut encrypted, mut other_forms) = (Vec::new(), 0, 0);
    for case in load("jose-cookbook/cases.json").as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let usable: Vec<Value> = case["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key.is_object())
            .cloned()
            .collect();
        let keys = KeySet::read(&jwks(&usable), KeyStrength::Standard).unwrap_or_default();
        // The forms in JSON are none of ours, signed or encrypted.
        for form in ["json", "json_flat"] {
            if !case[form].is_null() {
                let fault = verify(&case[form].to_string(), &keys, JwtAlgorithm::ALL).unwrap_err();
                assert!(
                    matches!(
                        fault,
                        TokenFault::Form | TokenFault::Encoding | TokenFault::TooLong
                    ),
                    "{file} {fault}"
                );
                other_forms += 1;
            }
        }
        let Some(compact) = case["compact"].as_str() else {
            continue;
        };
        let read = verify(compact, &keys, JwtAlgorithm::ALL);
        if file.starts_with("jwe/") {
            assert_eq!(read.unwrap_err(), TokenFault::Form, "{file}");
            encrypted += 1;
            continue;
        }
        let (_, expected) = COOKBOOK.iter().find(|(name, _)| *name == file).unwrap();
        assert_eq!(
            read.as_ref().map(|_| ()).map_err(|fault| *fault),
            *expected,
            "{file}"
        );
        if let Ok(read) = read {
            assert_eq!(
                read.payload(),
                case["payload"].as_str().unwrap().as_bytes(),
                "{file}"
            );
        }
        seen.push(file.to_owned());
    }
    assert_eq!(
        (seen.len(), encrypted, other_forms),
        (COOKBOOK.len(), 9, 46)
    );
}

fn clerk() -> (Value, TokenVerifier) {
    let verifier = verifier(
        r#"
        [[identity.issuer]]
        preset = "clerk"
        issuer = "https://clerk.inspired.puma-74.lcl.dev"
        authorized_parties = ["https://accounts.inspired.puma-74.lcl.dev"]
        algorithms = ["RS256"]
        [[identity.issuer]]
        issuer = "https://clerk.oauth.example.test"
        audience = "api"
        algorithms = ["RS256"]
        "#,
    );
    (load("clerk-fixtures/fixtures.json"), verifier)
}

#[test]
fn clerk_fixtures() {
    const AT: u64 = 1_666_648_250;
    let (fixtures, verifier) = clerk();
    let text = |name: &str| fixtures[name].as_str().unwrap().to_owned();
    let keys = KeySet::read(
        fixtures["mockJwks"].to_string().as_bytes(),
        KeyStrength::Standard,
    )
    .unwrap();
    let judge = |name: &str, seconds: u64| {
        let token = text(name);
        let read = verifier.read(&token);
        read.and_then(|read| verifier.verify(read, &keys, at(seconds), TokenUse::Route))
            .map_err(|fault| fault.to_string())
    };
    for (name, seconds, expected) in [
        ("mockJwt", AT, None),
        ("signedJwt", AT, None),
        ("mockJwt", AT + 90, None),
        ("mockJwt", AT + 91, Some("token_expired (`exp`)")),
        ("mockJwt", AT - 31, Some("token_not_yet_valid (`iat`)")),
        ("mockExpiredJwt", AT, Some("token_expired (`exp`)")),
        ("mockInvalidSignatureJwt", AT, Some("token_signature_wrong")),
        ("mockMalformedJwt", AT, Some("token_claim_missing (`iss`)")),
        // An access token of their OAuth server: without `aud` it is for anybody, so for nobody here.
        (
            "mockSignedOAuthAccessTokenJwt",
            AT,
            Some("token_claim_missing (`aud`)"),
        ),
        (
            "mockSignedOAuthAccessTokenJwtApplicationTyp",
            AT,
            Some("token_claim_missing (`aud`)"),
        ),
    ] {
        assert_eq!(
            judge(name, seconds).err().as_deref(),
            expected,
            "{name} at {seconds}"
        );
    }
    let believed = judge("signedJwt", AT).unwrap();
    let payload = &fixtures["mockJwtPayload"];
    assert_eq!(believed.identity().subject, payload["sub"]);
    assert_eq!(believed.claims().session(), payload["sid"].as_str());
    assert_eq!(
        believed.claims().authorized_party(),
        payload["azp"].as_str()
    );
    // What is opaque is no token.
    for (name, value) in fixtures["mockTokens"].as_object().unwrap() {
        assert_eq!(
            verifier.read(value.as_str().unwrap()).unwrap_err(),
            TokenFault::Form,
            "{name}"
        );
    }
}

/// Their key as it is exported for a browser, without `kid`: it is the only one, and a token that names another has none.
#[test]
fn clerk_key_without_id() {
    let fixtures = load("clerk-fixtures/fixtures.json");
    let token = fixtures["signedJwt"].as_str().unwrap();
    let nameless = KeySet::read(
        &jwks(&[fixtures["publicJwks"].clone()]),
        KeyStrength::Standard,
    )
    .unwrap();
    assert_eq!(
        verify(token, &nameless, JwtAlgorithm::ALL).unwrap_err(),
        TokenFault::KeyUnknown
    );
    let named = with(
        fixtures["publicJwks"].clone(),
        json!({ "kid": "ins_2GIoQhbUpy0hX7B2cVkuTMinXoD" }),
    );
    let named = KeySet::read(&jwks(&[named]), KeyStrength::Standard).unwrap();
    assert!(verify(token, &named, JwtAlgorithm::ALL).is_ok());
    let other = KeySet::read(
        &jwks(&[fixtures["mockPEMJwk"].clone()]),
        KeyStrength::Standard,
    )
    .unwrap();
    assert_eq!(
        verify(token, &other, JwtAlgorithm::ALL).unwrap_err(),
        TokenFault::KeyUnknown
    );
}
