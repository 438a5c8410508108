//! What a token must claim, of which type, and for how long.

use portcullis_guard::clock::Now;
use portcullis_guard::token::{
    Believed, ClaimFault, KeySet, KeyStrength, TokenFault, TokenType, TokenUse, TokenVerifier,
    Wrong,
};
use portcullis_policy::Policy;
use serde_json::{Value, json};

use crate::token_made::{RSA, jwks, with};

/// The moment at which tokens are made, in seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn at(seconds: u64) -> Now {
    Now {
        monotonic: 0,
        unix_millis: seconds * 1_000,
    }
}

/// A verifier for the issuers of a policy's text.
pub(crate) fn verifier(issuers: &str) -> TokenVerifier {
    let policy = Policy::parse(&format!("version = 1\n{issuers}")).unwrap();
    TokenVerifier::new(&policy.identity().unwrap().issuers, None)
}

/// One issuer as most are.
pub(crate) fn plain() -> TokenVerifier {
    verifier(
        "[[identity.issuer]]\nissuer = \"https://login.example.com\"\naudience = [\"shop\", \"api\"]\nalgorithms = [\"RS256\"]",
    )
}

/// Claims that hold for it.
pub(crate) fn claims() -> Value {
    json!({ "iss": "https://login.example.com", "sub": "u", "aud": "shop", "iat": NOW, "exp": NOW + 600 })
}

fn header() -> Value {
    json!({ "alg": "RS256", "kid": "a", "typ": "JWT" })
}

fn keys() -> KeySet {
    KeySet::read(&jwks(&[RSA.jwk_as("a")]), KeyStrength::Standard).unwrap()
}

pub(crate) fn judged(
    verifier: &TokenVerifier,
    payload: &str,
    now: u64,
    used: TokenUse,
) -> Result<Believed, TokenFault> {
    let token = RSA.token(&header(), payload);
    verifier.verify(verifier.read(&token)?, &keys(), at(now), used)
}

/// What is wrong with some claims; nothing where they hold.
fn wrong(verifier: &TokenVerifier, claims: &Value) -> Option<(&'static str, Wrong)> {
    match judged(verifier, &claims.to_string(), NOW, TokenUse::Route) {
        Ok(_) => None,
        Err(TokenFault::Claim(ClaimFault { claim, wrong })) => Some((claim, wrong)),
        Err(other) => panic!("{other}"),
    }
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

#[test]
fn what_is_required_is_there() {
    let plain = plain();
    assert_eq!(wrong(&plain, &claims()), None);
    assert_eq!(wrong(&plain, &without(&claims(), "iat")), None);
    for name in ["iss", "sub", "aud", "exp"] {
        assert_eq!(
            wrong(&plain, &without(&claims(), name)),
            Some((name, Wrong::Missing))
        );
    }
}

/// 70 (CVE-2026-25537), and seed 004: a claim of another type than its own is refused, and not passed over.
#[test]
fn case_70_each_claim_has_its_type() {
    let plain = plain();
    let texts = [
        "iss",
        "sub",
        "jti",
        "azp",
        "sid",
        "sts",
        "network",
        "user_id",
        "parent_jti",
    ];
    let not_texts = [
        json!(1),
        json!(true),
        json!(null),
        json!(["a"]),
        json!({}),
        json!(""),
        json!("a\nb"),
        json!("a".repeat(513)),
    ];
    for name in texts {
        for value in &not_texts {
            let claims = with(claims(), json!({ name: value }));
            assert_eq!(
                wrong(&plain, &claims),
                Some((name, Wrong::Type)),
                "{claims}"
            );
        }
    }
    let not_whole = [
        "-1",
        "1.5",
        "1e9",
        "\"1800000600\"",
        "null",
        "true",
        "[1]",
        "{}",
        "-0",
        "1800000600.0",
        "18446744073709551616",
    ];
    for name in ["exp", "nbf", "iat", "rate_limit"] {
        for value in not_whole {
            let claims = without(&with(claims(), json!({ name: 0 })), name).to_string();
            let text = format!("{},\"{name}\":{value}}}", claims.strip_suffix('}').unwrap());
            let fault = judged(&plain, &text, NOW, TokenUse::Route).unwrap_err();
            assert_eq!(
                fault,
                ClaimFault {
                    claim: name,
                    wrong: Wrong::Type
                }
                .into(),
                "{text}"
            );
        }
    }
    for name in ["exp", "nbf", "iat"] {
        let claims = with(claims(), json!({ name: 253_402_300_800_u64 }));
        assert_eq!(wrong(&plain, &claims), Some((name, Wrong::Type)));
    }
    for value in [
        json!(1),
        json!([]),
        json!({}),
        json!(null),
        json!([1]),
        json!(["shop", 1]),
        json!(""),
        json!(vec!["a"; 65]),
    ] {
        let claims = with(claims(), json!({ "aud": value }));
        assert_eq!(
            wrong(&plain, &claims),
            Some(("aud", Wrong::Type)),
            "{claims}"
        );
    }
    for value in [
        json!("refresh"),
        json!("Access"),
        json!(1),
        json!(null),
        json!("Bearer"),
    ] {
        let claims = with(claims(), json!({ "token_type": value }));
        assert_eq!(
            wrong(&plain, &claims),
            Some(("token_type", Wrong::Type)),
            "{claims}"
        );
    }
}

#[test]
fn a_payload_is_one_object_without_a_name_twice() {
    let plain = plain();
    let whole = claims().to_string();
    let rest = whole.strip_suffix('}').unwrap();
    for (text, claim, wrong) in [
        ("".into(), "payload", Wrong::Malformed),
        ("[]".into(), "payload", Wrong::Malformed),
        ("hello".into(), "payload", Wrong::Malformed),
        (format!("{whole}{whole}"), "payload", Wrong::Malformed),
        (
            format!("{rest},\"exp\":9999999999}}"),
            "payload",
            Wrong::Repeated,
        ),
        (
            format!("{rest},\"\\u0065xp\":9999999999}}"),
            "payload",
            Wrong::Repeated,
        ),
        (
            format!("{rest},\"x\":{{\"a\":1,\"a\":2}}}}"),
            "payload",
            Wrong::Repeated,
        ),
        (
            format!("{rest},\"EXP\":9999999999}}"),
            "exp",
            Wrong::Repeated,
        ),
        (
            format!("{rest},\"Sub\":\"admin\"}}"),
            "sub",
            Wrong::Repeated,
        ),
        (
            format!("{rest},\"i\u{17f}s\":\"x\"}}"),
            "iss",
            Wrong::Repeated,
        ),
    ] {
        let fault = judged(&plain, &text, NOW, TokenUse::Route).unwrap_err();
        assert_eq!(fault, ClaimFault { claim, wrong }.into(), "{text}");
    }
    // A token in a token is no token (RFC 7519 §5.2).
    let nested = RSA.token(&header(), &whole);
    let fault = judged(&plain, &nested, NOW, TokenUse::Route).unwrap_err();
    assert_eq!(fault.reason(), "token_claims_malformed");
}

/// 76: a token of another sort, for somebody else, of somebody else.
#[test]
fn case_76_wrong_typ_aud_iss_and_id_tokens() {
    let plain = plain();
    for (more, expected) in [
        (json!({ "aud": "api" }), None),
        (json!({ "aud": ["other", "api"] }), None),
        (json!({ "aud": "other" }), Some(("aud", Wrong::Refused))),
        (
            json!({ "aud": ["other", "SHOP", "shop "] }),
            Some(("aud", Wrong::Refused)),
        ),
        (
            json!({ "iss": "https://evil.example.com" }),
            Some(("iss", Wrong::Refused)),
        ),
        (
            json!({ "iss": "https://login.example.com/" }),
            Some(("iss", Wrong::Refused)),
        ),
        (
            json!({ "iss": "https://LOGIN.example.com" }),
            Some(("iss", Wrong::Refused)),
        ),
        (json!({ "at_hash": "x" }), Some(("at_hash", Wrong::Refused))),
        (json!({ "c_hash": "x" }), Some(("c_hash", Wrong::Refused))),
        (json!({ "events": {} }), Some(("events", Wrong::Refused))),
        (
            json!({ "token_use": "id" }),
            Some(("token_use", Wrong::Refused)),
        ),
        (json!({ "token_use": "access" }), None),
        (json!({ "typ": "ID" }), Some(("typ", Wrong::Refused))),
        (json!({ "typ": "Refresh" }), Some(("typ", Wrong::Refused))),
        (json!({ "typ": "Bearer" }), None),
        (
            json!({ "scope": "a b", "roles": ["x"], "org": { "id": 1.5 } }),
            None,
        ),
    ] {
        let claims = with(claims(), more);
        assert_eq!(wrong(&plain, &claims), expected, "{claims}");
    }
    for (word, is_taken) in [
        (json!("JWT"), true),
        (json!("jwt"), true),
        (json!("at+jwt"), true),
        (json!("application/at+JWT"), true),
        (json!("application/jwt"), true),
        (json!("id+jwt"), false),
        (json!("logout+jwt"), false),
        (json!("secevent+jwt"), false),
        (json!("dpop+jwt"), false),
        (json!("JOSE"), false),
        (json!("JWT "), false),
        (json!("text/jwt"), false),
    ] {
        let header = with(header(), json!({ "typ": word }));
        let token = RSA.token(&header, &claims().to_string());
        assert_eq!(
            plain.read(&token).err(),
            (!is_taken).then_some(TokenFault::TypeRefused),
            "{header}"
        );
    }
    let token = RSA.token(
        &json!({ "alg": "RS256", "kid": "a" }),
        &claims().to_string(),
    );
    assert_eq!(plain.read(&token).unwrap_err(), TokenFault::TypeRefused);
}

/// 79: clocks that differ by as much as the policy says and by a second more, forwards and backwards; a clock that jumps.
#[test]
fn case_79_skew_and_clocks_that_jump() {
    let minute = verifier(
        "[[identity.issuer]]\nissuer = \"https://login.example.com\"\naudience = \"shop\"\nalgorithms = [\"RS256\"]\nleeway = \"60s\"",
    );
    for (verifier, leeway) in [(plain(), 30), (minute, 60)] {
        let text = with(claims(), json!({ "nbf": NOW })).to_string();
        let judge = |now| {
            judged(&verifier, &text, now, TokenUse::Route)
                .err()
                .map(TokenFault::reason)
        };
        for (now, expected) in [
            (NOW - leeway - 1, Some("token_not_yet_valid")),
            (NOW - leeway, None),
            (NOW, None),
            (NOW + 600, None),
            (NOW + 600 + leeway, None),
            (NOW + 600 + leeway + 1, Some("token_expired")),
            (0, Some("token_not_yet_valid")),
            (253_402_300_799, Some("token_expired")),
        ] {
            assert_eq!(judge(now), expected, "{now} with {leeway}");
        }
        // What was believed is judged again by the clock as it is now, whatever it was before.
        let believed = judged(&verifier, &text, NOW, TokenUse::Route).unwrap();
        let again = |now| verifier.judge(&believed, at(now), TokenUse::Route).is_ok();
        assert!(again(NOW + 600) && !again(NOW + 700) && !again(NOW - 700) && again(NOW + 1));
    }
}

#[test]
fn each_sort_lives_as_long_as_it_may() {
    let plain = plain();
    let (hour, quarter, month) = (3_600, 900, 30 * 86_400);
    for (more, life, used) in [
        (json!({}), hour, TokenUse::Route),
        (json!({ "token_type": "access" }), hour, TokenUse::Route),
        (
            json!({ "token_type": "child", "parent_jti": "p" }),
            quarter,
            TokenUse::Route,
        ),
        (
            json!({ "token_type": "parent", "jti": "p" }),
            month,
            TokenUse::Exchange,
        ),
    ] {
        let claims = with(claims(), more);
        for issued in [Some(NOW), Some(NOW - 100), Some(NOW + 30), None] {
            // Without `iat` what is left of its life counts, less what the clocks may differ by.
            let begins = issued.unwrap_or(NOW + 30);
            for (exp, is_taken) in [
                (begins + life, true),
                (begins + life + 1, false),
                (u64::from(u32::MAX), false),
            ] {
                let mut claims = with(claims.clone(), json!({ "exp": exp }));
                match issued {
                    Some(issued) => claims = with(claims, json!({ "iat": issued })),
                    None => claims = without(&claims, "iat"),
                }
                let fault = judged(&plain, &claims.to_string(), NOW, used).err();
                let expected = ClaimFault {
                    claim: "exp",
                    wrong: Wrong::LivesTooLong,
                };
                assert_eq!(fault, (!is_taken).then_some(expected.into()), "{claims}");
            }
        }
    }
}

#[test]
fn a_parent_opens_the_exchange_and_nothing_else() {
    let plain = plain();
    let of = |more: Value| with(claims(), more).to_string();
    let parent = of(json!({ "token_type": "parent", "jti": "p" }));
    let child = of(json!({ "token_type": "child", "jti": "c", "parent_jti": "p" }));
    let access = of(json!({ "token_type": "access", "jti": "a", "parent_jti": "p" }));
    for (text, used, expected) in [
        (&parent, TokenUse::Exchange, None),
        (
            &parent,
            TokenUse::Route,
            Some(("token_type", Wrong::Parent)),
        ),
        (&child, TokenUse::Route, None),
        (
            &child,
            TokenUse::Exchange,
            Some(("token_type", Wrong::Refused)),
        ),
        (&access, TokenUse::Route, None),
        (
            &access,
            TokenUse::Exchange,
            Some(("token_type", Wrong::Refused)),
        ),
        (
            &claims().to_string(),
            TokenUse::Exchange,
            Some(("token_type", Wrong::Refused)),
        ),
        (
            &of(json!({ "token_type": "child", "jti": "c" })),
            TokenUse::Route,
            Some(("parent_jti", Wrong::Missing)),
        ),
        (
            &of(json!({ "token_type": "parent" })),
            TokenUse::Exchange,
            Some(("jti", Wrong::Missing)),
        ),
        (
            &of(json!({ "token_type": "parent", "jti": "p", "parent_jti": "q" })),
            TokenUse::Exchange,
            Some(("parent_jti", Wrong::Refused)),
        ),
    ] {
        let fault = judged(&plain, text, NOW, used).err();
        let expected = expected.map(|(claim, wrong)| ClaimFault { claim, wrong }.into());
        assert_eq!(fault, expected, "{text}");
    }
    let believed = judged(&plain, &child, NOW, TokenUse::Route).unwrap();
    let claims = believed.claims();
    assert_eq!(
        (claims.token_type(), claims.token_id(), claims.parent_id()),
        (TokenType::Child, Some("c"), Some("p"))
    );
}

/// An organisation is believed of tokens of Clerk, and of no other issuer's that has claims of the same names.
#[test]
fn clerk_says_for_which_organisation_somebody_acts() {
    let clerk = verifier(
        "[[identity.issuer]]\npreset = \"clerk\"\nissuer = \"https://clerk.example.com\"\nauthorized_parties = [\"https://shop.example.com\"]\nalgorithms = [\"RS256\"]\n",
    );
    let plain = verifier(
        "[[identity.issuer]]\nissuer = \"https://clerk.example.com\"\naudience = \"shop\"\nalgorithms = [\"RS256\"]\n",
    );
    let claims = json!({
        "iss": "https://clerk.example.com", "sub": "user_1", "sid": "sess_1", "azp": "https://shop.example.com", "aud": "shop",
        "iat": NOW, "exp": NOW + 60, "v": 2, "fea": "o:bread", "scope": "read",
        "o": { "id": "org_7", "rol": "baker", "per": "bake,sell", "fpm": "2" },
    });
    let text = claims.to_string();
    let believed = judged(&clerk, &text, NOW, TokenUse::Route).unwrap();
    let said = believed.claims();
    assert_eq!(said.tenant(), Some("org_7"));
    assert_eq!(said.roles(), ["org:baker"]);
    let scopes: Vec<&str> = said.scopes().collect();
    assert_eq!(scopes, ["read", "org:bread:sell"]);
    assert!(said.has_scope("org:bread:sell") && !said.has_scope("org:bread:bake"));
    let other = judged(&plain, &text, NOW, TokenUse::Route).unwrap();
    let said = other.claims();
    assert_eq!((said.tenant(), said.roles().len()), (None, 0));
    assert_eq!(said.scopes().collect::<Vec<_>>(), ["read"]);
    let wrong_type = with(claims, json!({ "o": "org_7" }));
    assert_eq!(wrong(&clerk, &wrong_type), Some(("o", Wrong::Type)));
    assert_eq!(wrong(&plain, &wrong_type), None);
}

#[test]
fn clerk_names_its_session_and_its_page() {
    let clerk = |more: &str| {
        verifier(&format!(
            "[[identity.issuer]]\npreset = \"clerk\"\nissuer = \"https://clerk.example.com\"\nauthorized_parties = [\"https://shop.example.com\", \"https://b.example.com\"]\nalgorithms = [\"RS256\"]\n{more}"
        ))
    };
    let claims = json!({
        "iss": "https://clerk.example.com", "sub": "user_1", "sid": "sess_1", "azp": "https://shop.example.com",
        "iat": NOW, "nbf": NOW - 10, "exp": NOW + 60,
    });
    let (open, strict) = (clerk(""), clerk("audience = \"shop\""));
    for (more, without_audience, with_audience) in [
        (json!({}), None, Some(("aud", Wrong::Missing))),
        (json!({ "aud": "shop" }), None, None),
        (
            json!({ "aud": "other" }),
            None,
            Some(("aud", Wrong::Refused)),
        ),
        (
            json!({ "aud": "shop", "azp": "https://b.example.com" }),
            None,
            None,
        ),
        (
            json!({ "aud": "shop", "sts": "active", "v": 2, "fva": [1, -1] }),
            None,
            None,
        ),
        (
            json!({ "aud": "shop", "sts": "pending" }),
            Some(("sts", Wrong::Refused)),
            Some(("sts", Wrong::Refused)),
        ),
        (
            json!({ "aud": "shop", "azp": "https://evil.example.com" }),
            Some(("azp", Wrong::Refused)),
            Some(("azp", Wrong::Refused)),
        ),
        (
            json!({ "aud": "shop", "azp": "https://shop.example.com.evil.example" }),
            Some(("azp", Wrong::Refused)),
            Some(("azp", Wrong::Refused)),
        ),
    ] {
        let claims = with(claims.clone(), more);
        assert_eq!(wrong(&open, &claims), without_audience, "{claims}");
        assert_eq!(wrong(&strict, &claims), with_audience, "{claims}");
    }
    assert_eq!(
        wrong(&open, &without(&claims, "sid")),
        Some(("sid", Wrong::Missing))
    );
    assert_eq!(
        wrong(&open, &without(&claims, "azp")),
        Some(("azp", Wrong::Missing))
    );
    let believed = judged(&open, &claims.to_string(), NOW, TokenUse::Route).unwrap();
    assert_eq!(believed.claims().session(), Some("sess_1"));
}

#[test]
fn our_own_issuer_says_all() {
    let own = verifier(
        "[[identity.issuer]]\npreset = \"own\"\nissuer = \"https://login.example.com\"\naudience = \"shop\"\nalgorithms = [\"RS256\"]",
    );
    let claims = with(
        claims(),
        json!({
            "jti": "1", "token_type": "access", "user_id": "u", "network": "mainnet", "rate_limit": 100,
        }),
    );
    assert_eq!(wrong(&own, &claims), None);
    for name in [
        "jti",
        "token_type",
        "user_id",
        "network",
        "rate_limit",
        "iat",
    ] {
        assert_eq!(
            wrong(&own, &without(&claims, name)),
            Some((name, Wrong::Missing))
        );
    }
    let believed = judged(&own, &claims.to_string(), NOW, TokenUse::Route).unwrap();
    let claims = believed.claims();
    assert_eq!(
        (claims.network(), claims.rate_limit(), claims.user_id()),
        (Some("mainnet"), Some(100), Some("u"))
    );
}

#[test]
fn another_claim_can_name_the_session() {
    let policy = Policy::parse("version = 1\n[[identity.issuer]]\nissuer = \"https://login.example.com\"\naudience = \"shop\"\nalgorithms = [\"RS256\"]").unwrap();
    let verifier = TokenVerifier::new(&policy.identity().unwrap().issuers, Some("session_state"));
    let of = |more: Value| {
        judged(
            &verifier,
            &with(claims(), more).to_string(),
            NOW,
            TokenUse::Route,
        )
    };
    let believed = of(json!({ "sid": "a", "session_state": "b" })).unwrap();
    assert_eq!(believed.claims().session(), Some("b"));
    assert_eq!(
        of(json!({ "session_state": 1 })).unwrap_err().reason(),
        "token_claim_type"
    );
}
