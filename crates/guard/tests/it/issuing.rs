//! Tokens that the guard gives out: what is admitted at the edges, and that what is given out is believed for what it is for.

use portcullis_guard::clock::Now;
use portcullis_guard::issuing::{
    BODY_BYTES_MAX, ExchangeRequest, IssuePlan, IssueRequest, IssueWrong, NewToken,
};
use portcullis_guard::token::{
    Believed, ClaimFault, KeySet, KeyStrength, TokenFault, TokenType, TokenUse, TokenVerifier,
    Verified, Wrong,
};
use portcullis_policy::{OwnIssuer, Policy};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::token_made::{Signer, ed, jwks, with};

const START: u64 = 1_800_000_000;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn at(seconds: u64) -> Now {
    Now {
        monotonic: 0,
        unix_millis: seconds * 1_000,
    }
}

/// An issuer with one key, and whoever believes it.
struct House {
    plan: IssuePlan,
    verifier: TokenVerifier,
    signer: Signer,
    keys: KeySet,
}

impl House {
    fn new(more: &str) -> Self {
        let policy = Policy::parse(&format!(
            "version = 1\npublic_url = \"https://a.example.com\"\n[identity.tokens]\nsecret = \"env:S\"\naudience = [\"https://api.example.com\", \"other\"]\n{more}"
        ))
        .unwrap_or_else(|errors| panic!("{more}\n{errors}"));
        let identity = policy.identity().unwrap();
        let signer = ed();
        let keys = jwks(&[signer.jwk_as("k")]);
        Self {
            plan: IssuePlan::of(identity.tokens.as_ref().unwrap(), Vec::new()),
            verifier: TokenVerifier::new(&identity.issuers, None),
            keys: KeySet::read(&keys, KeyStrength::Strict).unwrap(),
            signer,
        }
    }

    fn sign(&self, token: &NewToken) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "k" });
        self.signer.token(&header, &token.claims)
    }

    fn believe(
        &self,
        token: &NewToken,
        now: u64,
        used: TokenUse,
    ) -> Result<(Believed, Verified), TokenFault> {
        let text = self.sign(token);
        let read = self.verifier.read(&text)?;
        self.verifier.verify_whole(read, &self.keys, at(now), used)
    }

    fn issue(&self, body: &Value) -> Result<NewToken, IssueWrong> {
        let request = IssueRequest::read(body.to_string().as_bytes()).map_err(|f| f.wrong)?;
        self.plan.issue(&request, "t1", START).map_err(|f| f.wrong)
    }

    fn exchange(&self, parent: &NewToken, now: u64, more: Value) -> Result<NewToken, IssueWrong> {
        let (believed, signed) = self.believe(parent, now, TokenUse::Exchange).unwrap();
        let body = with(
            json!({ "grant_type": GRANT, "subject_token_type": JWT, "subject_token": self.sign(parent) }),
            more,
        );
        let request =
            ExchangeRequest::read(body.to_string().as_bytes()).map_err(|fault| fault.wrong)?;
        self.plan
            .exchange(&request, (believed.claims(), signed.payload()), "c1", now)
            .map_err(|fault| fault.wrong)
    }
}

fn without(mut base: Value, name: &str) -> Value {
    base.as_object_mut().unwrap().remove(name);
    base
}

fn access() -> Value {
    json!({ "token_type": "access", "user_id": "u1", "network": "main", "rate_limit": 10 })
}

fn parent() -> Value {
    with(access(), json!({ "token_type": "parent" }))
}

fn said(token: &NewToken) -> Value {
    serde_json::from_str(&token.claims).unwrap()
}

#[test]
fn an_access_token_says_all_that_is_asked_of_one() {
    let house = House::new("claims = { plan = \"text\", seats = \"number\", beta = \"boolean\" }");
    let claims = json!({ "plan": "pro\"\u{e9}", "seats": 3, "beta": true });
    let token = house
        .issue(&with(access(), json!({ "claims": claims })))
        .unwrap();
    assert_eq!(
        said(&token),
        json!({
            "iss": "https://a.example.com", "sub": "u1", "aud": "https://api.example.com",
            "iat": START, "exp": START + 900, "jti": "t1", "token_type": "access", "user_id": "u1",
            "network": "main", "rate_limit": 10, "plan": "pro\"\u{e9}", "seats": 3, "beta": true,
        })
    );
    let (believed, _) = house.believe(&token, START, TokenUse::Route).unwrap();
    assert_eq!(believed.identity().subject, "u1");
    assert!(house.believe(&token, START, TokenUse::Exchange).is_err());
}

#[test]
fn what_is_asked_for_is_held_to_what_is_admitted() {
    let house = House::new(
        "networks = [\"main\", \"test\"]\nrate_limit_max = 100\nclaims = { plan = \"text\" }",
    );
    let long = "a".repeat(256);
    use IssueWrong::{Malformed, Missing, Refused, Repeated, Type, Unknown};
    for (more, expected) in [
        (json!({}), None),
        (json!({ "network": "test" }), None),
        (json!({ "network": "dev" }), Some(Refused)),
        (json!({ "network": "" }), Some(Type)),
        (json!({ "rate_limit": 100 }), None),
        (json!({ "rate_limit": 101 }), Some(Refused)),
        (json!({ "rate_limit": 0 }), None),
        (json!({ "rate_limit": -1 }), Some(Type)),
        (json!({ "rate_limit": 1.5 }), Some(Type)),
        (json!({ "rate_limit": "10" }), Some(Type)),
        (json!({ "rate_limit": 1_u64 << 53 }), Some(Type)),
        (json!({ "expires_in": 1 }), None),
        (json!({ "expires_in": 900 }), None),
        (json!({ "expires_in": 901 }), Some(Refused)),
        (json!({ "expires_in": 0 }), Some(Type)),
        (json!({ "expires_in": "900" }), Some(Type)),
        (json!({ "audience": "other" }), None),
        (
            json!({ "audience": ["other", "https://api.example.com"] }),
            None,
        ),
        (json!({ "audience": ["other", "stranger"] }), Some(Refused)),
        (
            json!({ "audience": OwnIssuer::EXCHANGE_AUDIENCE }),
            Some(Refused),
        ),
        (json!({ "audience": [] }), Some(Type)),
        (json!({ "audience": [1] }), Some(Type)),
        (json!({ "claims": { "plan": "pro" } }), None),
        (json!({ "claims": { "plan": 1 } }), Some(Refused)),
        (json!({ "claims": { "plan": null } }), Some(Type)),
        (json!({ "claims": { "plan": ["pro"] } }), Some(Type)),
        (json!({ "claims": { "admin": true } }), Some(Refused)),
        (json!({ "claims": { "sub": "root" } }), Some(Refused)),
        (json!({ "claims": { "Plan": "pro" } }), Some(Refused)),
        (json!({ "claims": [] }), Some(Type)),
        (json!({ "token_type": "child" }), Some(Refused)),
        (json!({ "token_type": "refresh" }), Some(Type)),
        (json!({ "token_type": 1 }), Some(Type)),
        (json!({ "user_id": "" }), Some(Type)),
        (json!({ "user_id": "a\nb" }), Some(Type)),
        (json!({ "user_id": long }), Some(Type)),
        (json!({ "iss": "https://evil.example" }), Some(Unknown)),
        (json!({ "User_Id": "root" }), Some(Repeated)),
    ] {
        let body = with(access(), more.clone());
        assert_eq!(house.issue(&body).err(), expected, "{more}");
    }
    for name in ["token_type", "user_id", "network", "rate_limit"] {
        assert_eq!(
            house.issue(&without(access(), name)).err(),
            Some(Missing),
            "{name}"
        );
    }
    for (text, expected) in [
        ("", Malformed),
        ("[]", Malformed),
        ("{}{}", Malformed),
        ("\u{feff}{}", Malformed),
        ("{\"user_id\":\"a\",\"user_id\":\"b\"}", Repeated),
        ("{\"claims\":{\"plan\":\"a\",\"plan\":\"b\"}}", Repeated),
    ] {
        let read = IssueRequest::read(text.as_bytes());
        assert_eq!(read.unwrap_err().wrong, expected, "{text}");
    }
    let body = access().to_string();
    let padded = format!("{body}{}", " ".repeat(BODY_BYTES_MAX - body.len()));
    assert!(IssueRequest::read(padded.as_bytes()).is_ok());
    let padded = format!("{padded} ");
    assert_eq!(
        IssueRequest::read(padded.as_bytes()).unwrap_err().wrong,
        Malformed
    );
}

/// A parent is good for the exchange and for nothing else, here and wherever an audience is looked at.
#[test]
fn a_parent_opens_nothing_but_the_exchange() {
    let house = House::new("");
    let token = house.issue(&parent()).unwrap();
    assert_eq!(said(&token)["aud"], OwnIssuer::EXCHANGE_AUDIENCE);
    assert_eq!(said(&token)["exp"], START + 7 * 86_400);
    let fault = house.believe(&token, START, TokenUse::Route).unwrap_err();
    assert!(matches!(
        fault,
        TokenFault::Claim(ClaimFault {
            claim: "token_type",
            wrong: Wrong::Parent
        })
    ));
    assert!(house.believe(&token, START, TokenUse::Exchange).is_ok());
    let asks = with(parent(), json!({ "audience": "other" }));
    assert_eq!(house.issue(&asks).err(), Some(IssueWrong::Refused));
}

#[test]
fn a_child_says_no_more_than_its_parent_and_never_outlives_it() {
    let house = House::new("claims = { plan = \"text\" }");
    let body = with(
        parent(),
        json!({ "expires_in": 1_000, "claims": { "plan": "pro" } }),
    );
    let parent = house.issue(&body).unwrap();
    let ends = START + 1_000;
    let child = house.exchange(&parent, START + 10, json!({})).unwrap();
    assert_eq!(
        said(&child),
        json!({
            "iss": "https://a.example.com", "sub": "u1", "aud": "https://api.example.com",
            "iat": START + 10, "exp": START + 310, "jti": "c1", "token_type": "child", "user_id": "u1",
            "network": "main", "rate_limit": 10, "parent_jti": "t1", "plan": "pro",
        })
    );
    for (now, more, expected) in [
        (START, json!({ "expires_in": 300 }), Ok(START + 300)),
        (
            START,
            json!({ "expires_in": 301 }),
            Err(IssueWrong::Refused),
        ),
        (ends - 300, json!({}), Ok(ends)),
        (ends - 299, json!({}), Ok(ends)),
        (ends - 1, json!({}), Ok(ends)),
        (ends - 1, json!({ "expires_in": 300 }), Ok(ends)),
        // Within the leeway for clocks the parent is still believed, and there is no time left for a child.
        (ends, json!({}), Err(IssueWrong::Over)),
        (ends + 30, json!({}), Err(IssueWrong::Over)),
        (START, json!({ "rate_limit": 10 }), Ok(START + 300)),
        (START, json!({ "rate_limit": 11 }), Err(IssueWrong::Refused)),
        (START, json!({ "audience": "other" }), Ok(START + 300)),
        (
            START,
            json!({ "audience": "stranger" }),
            Err(IssueWrong::Refused),
        ),
        (
            START,
            json!({ "audience": OwnIssuer::EXCHANGE_AUDIENCE }),
            Err(IssueWrong::Refused),
        ),
        (
            START,
            json!({ "network": "test" }),
            Err(IssueWrong::Unknown),
        ),
        (
            START,
            json!({ "claims": { "plan": "x" } }),
            Err(IssueWrong::Unknown),
        ),
        (
            START,
            json!({ "subject_token_type": "urn:x" }),
            Err(IssueWrong::Refused),
        ),
        (
            START,
            json!({ "grant_type": "password" }),
            Err(IssueWrong::Refused),
        ),
        (START, json!({ "subject_token": "" }), Err(IssueWrong::Type)),
        (
            START,
            json!({ "subject_token": "a".repeat(8_193) }),
            Err(IssueWrong::Type),
        ),
    ] {
        let child = house.exchange(&parent, now, more.clone());
        assert_eq!(child.map(|child| child.expires), expected, "{now} {more}");
    }
    let (believed, _) = house.believe(&child, START + 10, TokenUse::Route).unwrap();
    assert_eq!(believed.claims().parent_id(), Some("t1"));
    assert!(
        house
            .believe(&child, START + 10, TokenUse::Exchange)
            .is_err(),
        "no grandchildren"
    );
}

/// Case 79: clocks that differ by as much as the policy says, and by a second more.
#[test]
fn clocks_may_differ_by_the_leeway_and_no_more() {
    for (more, leeway) in [("leeway = \"1m\"", 60), ("", 30)] {
        let house = House::new(more);
        let token = house.issue(&access()).unwrap();
        for (now, is_believed) in [
            (START - leeway - 1, false),
            (START - leeway, true),
            (token.expires + leeway, true),
            (token.expires + leeway + 1, false),
        ] {
            let believed = house.believe(&token, now, TokenUse::Route);
            assert_eq!(believed.is_ok(), is_believed, "{leeway} {now}");
        }
    }
}

/// A policy that has become stricter holds for the children of parents that were given out before.
#[test]
fn a_stricter_policy_holds_for_children_of_before() {
    let house = House::new("claims = { plan = \"text\" }");
    let body = with(
        parent(),
        json!({ "claims": { "plan": "pro" }, "rate_limit": 50 }),
    );
    let parent = house.issue(&body).unwrap();
    let (believed, signed) = house.believe(&parent, START, TokenUse::Exchange).unwrap();
    let body = json!({ "grant_type": GRANT, "subject_token_type": JWT, "subject_token": "x" });
    let request = ExchangeRequest::read(body.to_string().as_bytes()).unwrap();
    let child = |more: &str| {
        let parent = (believed.claims(), signed.payload());
        House::new(more).plan.exchange(&request, parent, "c", START)
    };
    assert_eq!(said(&child("").unwrap()).get("plan"), None);
    assert_eq!(
        said(&child("claims = { plan = \"number\" }").unwrap()).get("plan"),
        None
    );
    assert_eq!(
        said(&child("rate_limit_max = 20").unwrap())["rate_limit"],
        20
    );
    assert_eq!(
        child("networks = [\"test\"]").unwrap_err().wrong,
        IssueWrong::Refused
    );
    assert_eq!(
        child("issuer = \"https://b.example.com\"")
            .unwrap_err()
            .wrong,
        IssueWrong::Refused
    );
}

proptest! {
    /// Whatever is given out is believed for what it is for, and says what was asked.
    #[test]
    fn what_is_given_out_is_believed(
        user in "\\PC{1,40}",
        network in "\\PC{1,40}",
        rate_limit in 0..1_u64 << 53,
        seconds in 1_u64..=900,
        now in 0_u64..=900,
    ) {
        let house = House::new("");
        let body = json!({
            "token_type": "access", "user_id": user, "network": network, "rate_limit": rate_limit,
            "expires_in": seconds,
        });
        let token = house.issue(&body).unwrap();
        let believed = house.believe(&token, START + now.min(seconds), TokenUse::Route).unwrap().0;
        prop_assert_eq!(believed.claims().user_id(), Some(user.as_str()));
        prop_assert_eq!(believed.claims().network(), Some(network.as_str()));
        prop_assert_eq!(believed.claims().rate_limit(), Some(rate_limit));
        prop_assert_eq!(believed.claims().token_type(), TokenType::Access);
    }

    /// A child never outlives its parent, whenever it is asked for.
    #[test]
    fn no_child_outlives_its_parent(life in 1_u64..=604_800, when in 0_u64..604_800, asked in 1_u64..=300) {
        let house = House::new("");
        let parent = house.issue(&with(parent(), json!({ "expires_in": life }))).unwrap();
        let now = START + when.min(life);
        match house.exchange(&parent, now, json!({ "expires_in": asked })) {
            Ok(child) => {
                prop_assert!(child.expires <= parent.expires && child.expires > now);
                prop_assert!(child.expires - child.issued <= 300);
            }
            Err(wrong) => prop_assert_eq!((wrong, now), (IssueWrong::Over, parent.expires)),
        }
    }
}
