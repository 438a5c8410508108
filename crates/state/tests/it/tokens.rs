//! Tokens of a policy: what was verified is believed again only while its keys, its claims and the store say so.

use aws_lc_rs::encoding::{AsBigEndian as _, EcPublicKeyUncompressedBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use portcullis_guard::base64url;
use portcullis_guard::clock::{Now, SECOND};
use portcullis_guard::store::{Ask, Reply, Store, StoreError};
use portcullis_guard::token::{Believed, KeyStrength, TokenUse, revocation};
use portcullis_policy::{Policy, TOKENS_REMEMBERED};
use portcullis_state::key_sets::{Fetcher, KeysUnavailable};

use portcullis_state::store::faults::{Fault, FaultyStore};
use portcullis_state::tokens::{CacheBounds, NotBelieved, Tokens};
use portcullis_state::{EmbeddedStore, MemoryOptions, StateDir};
use serde_json::{Value, json};

use crate::key_sets_server::{Reply as Answered, Server, set};

const BEGIN: u64 = 1_800_000_000;

fn at(seconds: u64) -> Now {
    Now {
        monotonic: (1_000_000 + seconds) * SECOND,
        unix_millis: (BEGIN + seconds) * 1_000,
    }
}

/// A key of an issuer, and tokens by it.
struct Signer(EcdsaKeyPair, &'static str);

impl Signer {
    fn new(id: &'static str) -> Self {
        Self(
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            id,
        )
    }

    fn token(&self, more: Value) -> String {
        let mut claims = json!({ "iss": "https://i.example.com", "sub": "u", "aud": "a", "iat": BEGIN, "exp": BEGIN + 600 });
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let header = json!({ "alg": "ES256", "kid": self.1, "typ": "at+jwt" }).to_string();
        let signed = format!(
            "{}.{}",
            base64url::text(header.as_bytes()),
            base64url::text(claims.to_string().as_bytes())
        );
        let signature = self
            .0
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", base64url::text(signature.as_ref()))
    }
}

fn keys(signers: &[&Signer]) -> String {
    let keys: Vec<Value> = signers.iter().map(|signer| {
        let point: EcPublicKeyUncompressedBin<'_> = signer.0.public_key().as_be_bytes().unwrap();
        let (x, y) = point.as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "kid": signer.1, "x": base64url::text(x), "y": base64url::text(y) })
    }).collect();
    json!({ "keys": keys }).to_string()
}

fn tokens(server: &Server, before: Option<&Tokens>) -> Tokens {
    tokens_of(server, before, TOKENS_REMEMBERED)
}

fn tokens_of(server: &Server, before: Option<&Tokens>, remembered: u32) -> Tokens {
    let policy = Policy::parse(&format!(
        "version = 1\n[[identity.issuer]]\nissuer = \"https://i.example.com\"\naudience = \"a\"\nalgorithms = [\"ES256\"]\njwks = \"{}\"\nmax_stale = \"2m\"\n",
        server.url()
    )).unwrap();
    let fetcher = Fetcher::new(std::slice::from_ref(&server.authority)).unwrap();
    Tokens::new(
        policy.identity().unwrap(),
        KeyStrength::Standard,
        &fetcher,
        CacheBounds::of(remembered),
        before,
    )
    .unwrap()
}

async fn believe(tokens: &Tokens, token: &str, seconds: u64) -> Result<Believed, String> {
    tokens
        .believe(token, at(seconds), TokenUse::Route)
        .await
        .map_err(|fault| fault.to_string())
}

/// What was verified before is judged at each request: its dates, what it is presented for. Nothing differs where nothing is kept.
#[tokio::test]
async fn what_was_verified_is_judged_again() {
    for remembered in [TOKENS_REMEMBERED, 32, 1, 0] {
        judged_again(remembered).await;
    }
}

async fn judged_again(remembered: u32) {
    let signer = Signer::new("1");
    let server = Server::start(set(&keys(&[&signer]))).await;
    let tokens = tokens_of(&server, None, remembered);
    let token = signer.token(json!({ "exp": BEGIN + 60 }));
    for (seconds, expected) in [
        (0, None),
        (1, None),
        (90, None),
        (91, Some("token_expired (`exp`)")),
        (50, None),
    ] {
        assert_eq!(
            believe(&tokens, &token, seconds).await.err().as_deref(),
            expected,
            "{seconds}"
        );
    }
    let parent = signer.token(json!({ "token_type": "parent", "jti": "p" }));
    assert!(
        tokens
            .believe(&parent, at(1), TokenUse::Exchange)
            .await
            .is_ok()
    );
    assert_eq!(
        believe(&tokens, &parent, 1).await.unwrap_err(),
        "token_is_parent (`token_type`)"
    );
    // Another signature of the same token is another token.
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let fault = believe(&tokens, &other, 1).await.unwrap_err();
    assert!(
        fault == "token_signature_wrong" || fault == "token_encoding",
        "{fault}"
    );
}

/// A key that its issuer takes back makes no token believed any more, verified before or not.
#[tokio::test]
async fn a_key_that_is_taken_back() {
    let (old, new) = (Signer::new("1"), Signer::new("2"));
    let server = Server::start(set(&keys(&[&old]))).await;
    let tokens = tokens(&server, None);
    let (by_old, by_new) = (old.token(json!({})), new.token(json!({})));
    assert!(believe(&tokens, &by_old, 0).await.is_ok());
    assert!(believe(&tokens, &by_old, 1).await.is_ok());
    server.replies(Answered::Bytes(set(&keys(&[&new]))));
    assert!(believe(&tokens, &by_new, 61).await.is_ok());
    assert_eq!(
        believe(&tokens, &by_old, 62).await.unwrap_err(),
        "the key is unknown, and the issuer was asked less than a minute ago"
    );
    // Another key by the same name.
    let third = Signer::new("2");
    server.replies(Answered::Bytes(set(&keys(&[&third]))));
    assert_eq!(
        believe(&tokens, &old.token(json!({ "jti": "x" })), 190)
            .await
            .unwrap_err(),
        "token_key_unknown"
    );
    assert_eq!(
        believe(&tokens, &by_new, 191).await.unwrap_err(),
        "token_signature_wrong"
    );
}

/// What would be refused whoever signed it is refused at once: no issuer is asked for a key that such a token names, and what holds
/// by its own words is still nothing without a signature.
#[tokio::test]
async fn what_no_signer_could_make_good() {
    let (signer, stranger) = (Signer::new("1"), Signer::new("2"));
    let server = Server::start(set(&keys(&[&signer]))).await;
    let tokens = tokens(&server, None);
    for (more, expected) in [
        (json!({ "exp": BEGIN - 31 }), "token_expired (`exp`)"),
        (json!({ "nbf": BEGIN + 31 }), "token_not_yet_valid (`nbf`)"),
        (json!({ "aud": "b" }), "token_claim_refused (`aud`)"),
        (
            json!({ "token_type": "parent", "jti": "p" }),
            "token_is_parent (`token_type`)",
        ),
    ] {
        let refused = believe(&tokens, &stranger.token(more), 0).await;
        assert_eq!(refused.err().as_deref(), Some(expected));
    }
    assert_eq!(server.asked(), 0);
    let other = Signer::new("1");
    let forged = other.token(json!({}));
    // The second time it is known; with another set of keys it is looked at anew.
    for seconds in [0, 1] {
        let refused = believe(&tokens, &forged, seconds).await;
        assert_eq!(refused.err().as_deref(), Some("token_signature_wrong"));
    }
    assert!(believe(&tokens, &signer.token(json!({})), 0).await.is_ok());
    assert_eq!(server.asked(), 1);
}

/// Keys that are too old make no token believed any more, verified before or not (case 75).
#[tokio::test]
async fn keys_that_are_too_old() {
    let signer = Signer::new("1");
    let server = Server::start(set(&keys(&[&signer]))).await;
    let tokens = tokens(&server, None);
    let token = signer.token(json!({}));
    assert!(believe(&tokens, &token, 0).await.is_ok());
    server.replies(Answered::Close);
    assert!(believe(&tokens, &token, 120).await.is_ok());
    let refused = tokens.believe(&token, at(121), TokenUse::Route).await;
    assert_eq!(
        refused.unwrap_err(),
        NotBelieved::Unavailable(KeysUnavailable::None)
    );
    server.replies(Answered::Bytes(set(&keys(&[&signer]))));
    assert!(believe(&tokens, &token, 140).await.is_ok());
}

/// Another policy believes nothing that this one verified, and takes over its keys.
#[tokio::test]
async fn a_policy_that_is_replaced() {
    let signer = Signer::new("1");
    let server = Server::start(set(&keys(&[&signer]))).await;
    let first = tokens(&server, None);
    let token = signer.token(json!({}));
    assert!(believe(&first, &token, 0).await.is_ok());
    let second = tokens(&server, Some(&first));
    assert!(
        second
            .judge(&token, at(1), TokenUse::Route)
            .unwrap()
            .is_ok()
    );
    assert_eq!(server.asked(), 1);
}

async fn ask(store: &dyn Store, batch: &[Ask<'_>], seconds: u64) -> Result<bool, StoreError> {
    let reply: Reply<'_> = store.ask(batch, at(seconds));
    reply.wait().await.map(|answers| !answers.is_empty())
}

async fn is_revoked(
    store: &dyn Store,
    believed: &Believed,
    seconds: u64,
) -> Result<bool, StoreError> {
    let asks: Vec<Ask<'_>> = believed.revocable().asks().collect();
    let answers = store.ask(&asks, at(seconds)).wait().await?;
    believed.revocable().is_revoked(&answers)
}

/// 78: a revoked token is refused, with its children; a store that is down says so.
#[tokio::test]
async fn case_78_revoked_tokens_and_a_store_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let directory = StateDir::open(folder.path()).unwrap();
    let store = EmbeddedStore::open(MemoryOptions::default(), directory, at(0)).unwrap();
    let signer = Signer::new("1");
    let server = Server::start(set(&keys(&[&signer]))).await;
    let tokens = tokens(&server, None);
    let of = async |more: Value| believe(&tokens, &signer.token(more), 1).await.unwrap();
    let token = of(json!({ "jti": "t" })).await;
    let child = of(json!({ "jti": "c", "token_type": "child", "parent_jti": "p" })).await;
    let other = of(json!({ "jti": "o" })).await;
    let nameless = of(json!({})).await;
    for believed in [&token, &child, &other, &nameless] {
        assert_eq!(is_revoked(&store, believed, 1).await, Ok(false));
    }
    let revoke = |issuer: &str, id: &str, until| [revocation::revoke(issuer, id, until, at(2))];
    ask(
        &store,
        &revoke("https://i.example.com", "t", Some(BEGIN + 600)),
        2,
    )
    .await
    .unwrap();
    ask(&store, &revoke("https://i.example.com", "p", None), 2)
        .await
        .unwrap();
    ask(&store, &revoke("https://other.example.com", "o", None), 2)
        .await
        .unwrap();
    assert_eq!(is_revoked(&store, &token, 3).await, Ok(true));
    assert_eq!(
        is_revoked(&store, &child, 3).await,
        Ok(true),
        "by its parent"
    );
    assert_eq!(
        is_revoked(&store, &other, 3).await,
        Ok(false),
        "of another issuer"
    );
    // It holds for as long as the token could be believed.
    assert_eq!(is_revoked(&store, &token, 630).await, Ok(true));
    assert_eq!(is_revoked(&store, &child, 30 * 86_400).await, Ok(true));
    let faults = [
        Fault::Error(StoreError::TimedOut),
        Fault::TooFew,
        Fault::TooMany,
        Fault::OtherKind,
    ];
    let down = FaultyStore::new(store, faults, Fault::None);
    for _ in 0..4 {
        let answer = is_revoked(&down, &other, 3).await;
        assert!(answer.is_err(), "nobody can say: 503");
    }
    assert_eq!(is_revoked(&down, &other, 3).await, Ok(false));
    let none = token.revocable().is_revoked(&[]);
    assert!(none.is_err(), "too few answers are none");
}
