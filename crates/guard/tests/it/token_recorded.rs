//! What two widely used libraries accept and refuse, recorded from their own tests with their clock, run twice: by the guard as
//! it is, which knows no shared secret, and by a verifier of these tests that does.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use portcullis_guard::token::{Jws, KeySet, KeyStrength, TokenFault, TokenUse, verify};
use portcullis_policy::JwtAlgorithm;
use serde_json::{Value, json};

use crate::token_claims::{at, verifier};
use crate::token_made::{RSA, from_base64url, jwks, with};
use crate::token_vectors::load;

fn cases() -> Vec<Value> {
    ["pyjwt", "node-jsonwebtoken"]
        .iter()
        .flat_map(|name| {
            load(&format!("jwt-recorded/{name}.json"))
                .as_array()
                .unwrap()
                .clone()
        })
        .collect()
}

/// As the guard is: no shared secret, no `none`, by the public key that the library was given.
#[test]
fn as_the_guard_is() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases() {
        // A number, an object: no token that a request could have.
        let Some(token) = case["token"].as_str() else {
            assert_eq!(case["ok"], false);
            continue;
        };
        let keys: Vec<Value> = case["key"]["public"]
            .is_object()
            .then(|| case["key"]["public"].clone())
            .into_iter()
            .collect();
        // The keys have no ids, some tokens have: the key gets the one that the token names, so that it is found.
        let id = Jws::read(token)
            .ok()
            .and_then(|read| read.header().key_id().map(str::to_owned));
        let keys: Vec<Value> = keys
            .into_iter()
            .map(|key| match &id {
                Some(id) => with(key, json!({ "kid": id })),
                None => key,
            })
            .collect();
        let keys = KeySet::read(&jwks(&keys), KeyStrength::Standard).unwrap();
        let ours = verify(token, &keys, JwtAlgorithm::ALL);
        let theirs = if case["ok"] == true {
            "accepted"
        } else {
            "refused"
        };
        let row = match &ours {
            Ok(_) => format!("{theirs} there, holds here"),
            Err(fault) => format!("{theirs} there, {fault}"),
        };
        *counts.entry(row).or_default() += 1;
        if ours.is_ok() {
            let read = Jws::read(token).unwrap();
            assert!(!read.header().algorithm().starts_with("HS"), "{case}");
        }
    }
    let expected: BTreeMap<String, usize> = AS_IT_IS
        .iter()
        .map(|(row, count)| ((*row).to_owned(), *count))
        .collect();
    assert_eq!(counts, expected);
}

/// How the cases come out. `accepted there` and a fault here is explained by the fault: a shared secret, `none`, `ES256K`, a
/// payload that is not encoded, a token with padding and digits of the other alphabet (which one of them decodes).
const AS_IT_IS: &[(&str, usize)] = &[
    ("accepted there, holds here", 17),
    ("accepted there, token_algorithm_refused", 133),
    ("accepted there, token_encoding", 1),
    ("accepted there, token_payload_unencoded", 1),
    ("refused there, token_algorithm_refused", 100),
    ("refused there, token_critical_unknown", 2),
    ("refused there, token_encoding", 5),
    ("refused there, token_form", 2),
    ("refused there, token_key_mismatch", 2),
    ("refused there, token_key_unknown", 1),
    ("refused there, token_signature_wrong", 2),
];

/// By a verifier that knows the secret: the form is ours, the tag is theirs.
fn by_secret(token: &str, secret: &str) -> Result<Value, String> {
    let read = Jws::read(token).map_err(|fault| fault.to_string())?;
    let algorithm = match read.header().algorithm() {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return Err(TokenFault::AlgorithmRefused.to_string()),
    };
    let (signed, tag) = read.signed();
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    hmac::verify(&key, signed, tag)
        .map_err(|_unspecified| TokenFault::SignatureWrong.to_string())?;
    let payload = token.split('.').nth(1).unwrap();
    Ok(serde_json::from_slice(&from_base64url(payload)).unwrap_or_default())
}

#[test]
fn with_a_secret_the_signatures_agree() {
    let (mut agree, mut more, mut differ) = (0, 0, BTreeMap::<String, usize>::new());
    for case in cases() {
        let (Some(token), Some(secret)) = (case["token"].as_str(), case["key"]["secret"].as_str())
        else {
            continue;
        };
        let ours = by_secret(token, secret);
        let message = case["message"].as_str().unwrap_or("accepted");
        match (&ours, case["ok"] == true) {
            (Ok(_), true) | (Err(_), false) => agree += 1,
            (Ok(_), false) if ABOUT_MORE.iter().any(|about| message.contains(about)) => more += 1,
            (Ok(_), false) => panic!("{case}"),
            (Err(fault), true) => *differ.entry(fault.clone()).or_default() += 1,
        }
    }
    let expected = BY_SECRET
        .iter()
        .map(|(row, count, _)| ((*row).to_owned(), *count));
    assert_eq!(differ, expected.collect());
    assert_eq!((agree, more), BY_SECRET_AGREE);
}

/// What the libraries say where it is not the token that they refuse, but what it claims or how they are called.
const ABOUT_MORE: &[&str] = &[
    "maxAge",
    "mapping",
    "udience",
    "ssuer",
    "algorithms",
    "expired",
    "not yet valid",
    "not active",
    "Token is missing",
    "invalid exp",
    "invalid nbf",
    "subject",
    "nonce",
];

/// How often both say the same of the token, and how often what it claims is refused besides.
const BY_SECRET_AGREE: (usize, usize) = (141, 88);

/// Accepted there and refused here, and why.
const BY_SECRET: &[(&str, usize, &str)] = &[
    (
        "token_encoding",
        1,
        "the library decodes what is no base64url",
    ),
    (
        "token_payload_unencoded",
        1,
        "`b64` (RFC 7797) is not taken, detached or not",
    ),
    (
        "token_signature_wrong",
        2,
        "it was asked not to look at the signature",
    ),
];

/// The claims of a case completed with what the guard requires and its test was not about, under an issuer of ours whose
/// policy says what the library was asked for. None where a policy cannot say it.
fn completed(case: &Value, payload: &Value) -> Option<(String, Value, u64)> {
    let options = &case["options"];
    if case["fn"] == "jws.decode" {
        return None;
    }
    let texts = |value: &Value| -> Option<Vec<String>> {
        match value {
            Value::Null => Some(Vec::new()),
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(list) => list
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
    };
    let stated = |name: &str| {
        if case[name].is_null() {
            options[name].clone()
        } else {
            case[name].clone()
        }
    };
    let (audience, issuers) = (texts(&stated("audience"))?, texts(&stated("issuer"))?);
    let asks_more = [
        "maxAge",
        "nonce",
        "subject",
        "ignoreExpiration",
        "undefined",
    ]
    .iter()
    .any(|name| options.get(*name).is_some());
    let lifts = [
        "verify_exp",
        "verify_nbf",
        "verify_aud",
        "verify_signature",
        "strict_aud",
        "require",
    ];
    let lifts = options.is_string() || lifts.iter().any(|name| options.get(*name).is_some());
    if asks_more || lifts || !case["subject"].is_null() || !payload.is_object() {
        return None;
    }
    let now = options["clockTimestamp"]
        .as_u64()
        .or_else(|| case["now"].as_u64())?;
    let mut claims = payload.clone();
    let named = claims["iss"].as_str().map(str::to_owned);
    claims["iss"] = match named {
        Some(name) if !issuers.is_empty() && !issuers.contains(&name) => {
            json!("https://other.example.com")
        }
        None if !issuers.is_empty() => json!("https://other.example.com"),
        _ => json!("https://login.example.com"),
    };
    if audience.is_empty() {
        claims["aud"] = json!("any");
    }
    for (name, value) in [("sub", json!("u")), ("exp", json!(now + 60))] {
        if claims.get(name).is_none() {
            claims[name] = value;
        }
    }
    let audience = if audience.is_empty() {
        vec!["any".to_owned()]
    } else {
        audience
    };
    let leeway = stated("leeway")
        .as_u64()
        .or_else(|| options["clockTolerance"].as_u64())
        .unwrap_or(0)
        .max(1);
    let policy = format!(
        "[[identity.issuer]]\nissuer = \"https://login.example.com\"\naudience = {audience:?}\nalgorithms = [\"RS256\"]\nleeway = \"{leeway}s\""
    );
    Some((policy, claims, now))
}

#[test]
fn completed_claims_are_judged_alike() {
    let keys = KeySet::read(&jwks(&[RSA.jwk_as("a")]), KeyStrength::Standard).unwrap();
    let (mut agree, mut other_words, mut differ) = ([0, 0], 0, BTreeMap::<String, usize>::new());
    for case in cases() {
        let (Some(token), Some(secret)) = (case["token"].as_str(), case["key"]["secret"].as_str())
        else {
            continue;
        };
        let Ok(payload) = by_secret(token, secret) else {
            continue;
        };
        let Some((policy, claims, now)) = completed(&case, &payload) else {
            other_words += 1;
            continue;
        };
        let verifier = verifier(&policy);
        let token = RSA.token(
            &json!({ "alg": "RS256", "kid": "a", "typ": "JWT" }),
            &claims.to_string(),
        );
        let read = verifier.read(&token);
        let ours = read.and_then(|read| verifier.verify(read, &keys, at(now), TokenUse::Route));
        let message = case["message"].as_str().unwrap_or("accepted");
        match (&ours, case["ok"] == true) {
            (Ok(_), true) => agree[0] += 1,
            (Err(_), false) => agree[1] += 1,
            (Ok(_), false) => *differ.entry(format!("holds here; {message}")).or_default() += 1,
            (Err(fault), true) => {
                *differ
                    .entry(format!("{fault} here; {message}"))
                    .or_default() += 1
            }
        }
    }
    let expected: BTreeMap<String, usize> = CLAIMS
        .iter()
        .map(|(row, count, _)| ((*row).to_owned(), *count))
        .collect();
    assert_eq!(differ, expected);
    assert_eq!((agree, other_words), CLAIMS_AGREE);
}

/// Accepted by both, refused by both; and how many ask for what a policy cannot say.
const CLAIMS_AGREE: ([usize; 2], usize) = ([55, 36], 115);

/// Differences about claims, and why.
const CLAIMS: &[(&str, usize, &str)] = &[
    (
        "holds here; Invalid audience",
        1,
        "the library was told of no audience; a policy always names one",
    ),
    (
        "holds here; It is required that you pass in a value for the \"algorithms\" argument when calling decode().",
        1,
        "a policy cannot leave them out",
    ),
    (
        "holds here; Signature has expired",
        1,
        "the shortest leeway is a second, the library had none",
    ),
    (
        "holds here; jwt expired",
        2,
        "the shortest leeway is a second, the library had none",
    ),
    (
        "holds here; jwt not active",
        2,
        "the shortest leeway is a second, the library had none",
    ),
    (
        "token_claim_type (`iat`) here; accepted",
        1,
        "a date is a number",
    ),
    (
        "token_not_yet_valid (`iat`) here; accepted",
        4,
        "one of them does not look at `iat`",
    ),
];
