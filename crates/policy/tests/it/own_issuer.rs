//! `[identity.tokens]`: the tokens that the guard itself gives out.

use portcullis_policy::{ClaimKind, JwtAlgorithm, KeySetPlace, Policy, Preset, SigningAlgorithm};

use crate::errors::check_one;

fn with(head: &str, text: &str) -> String {
    format!(
        "version = 1\n{head}\n[identity.tokens]\nsecret = \"env:S\"\naudience = \"https://api.example.com\"\n{text}"
    )
}

const URL: &str = "public_url = \"https://a.example.com\"";

fn policy(text: &str) -> Policy {
    Policy::parse(&with(URL, text)).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

#[test]
fn what_is_not_said_is_short_and_nothing_is_asked_twice() {
    let policy = policy("");
    let identity = policy.identity().unwrap();
    let own = identity.tokens.as_ref().unwrap();
    assert_eq!(own.issuer.as_str(), "https://a.example.com");
    assert_eq!(own.algorithm, SigningAlgorithm::EdDsa);
    let lives = [own.access, own.child, own.parent, own.leeway].map(|life| life.as_secs());
    assert_eq!(lives, [900, 300, 604_800, 30]);
    assert!(own.keys.is_none() && own.networks.is_empty() && own.claims.is_empty());
    let [believed] = identity.issuers.as_slice() else {
        panic!("one issuer")
    };
    assert_eq!(believed.preset, Some(Preset::Own));
    assert_eq!(believed.jwks, KeySetPlace::Own);
    assert_eq!(believed.issuer, own.issuer);
    let audience: Vec<&str> = believed.audience.iter().map(|one| one.as_str()).collect();
    assert_eq!(
        audience,
        ["https://api.example.com", "urn:portcullis:exchange"]
    );
    let algorithms = [
        JwtAlgorithm::EdDsa,
        JwtAlgorithm::Es256,
        JwtAlgorithm::Rs256,
    ];
    assert_eq!(believed.algorithms, algorithms);
}

#[test]
fn all_of_it_is_read() {
    let policy = policy(
        "issuer = \"https://tokens.example.com/t\"\nalgorithm = \"RS256\"\nkeys = \"file:/run/keys\"\naccess = \"1h\"\nchild = \"15m\"\nparent = \"30d\"\nleeway = \"1m\"\nnetworks = [\"main\"]\nrate_limit_max = 9007199254740991\nclaims = { plan = \"text\", seats = \"number\", beta = \"boolean\" }",
    );
    let own = policy.identity().unwrap().tokens.as_ref().unwrap();
    assert_eq!(own.issuer.as_str(), "https://tokens.example.com/t");
    assert_eq!(own.keys.as_ref().unwrap().as_str(), "/run/keys");
    assert_eq!(own.rate_limit_max, Some((1 << 53) - 1));
    let kinds: Vec<ClaimKind> = own.claims.values().copied().collect();
    assert_eq!(
        kinds,
        [ClaimKind::Boolean, ClaimKind::Text, ClaimKind::Number]
    );
    let again = Policy::parse(&policy.resolved()).unwrap();
    let again = again.identity().unwrap();
    assert_eq!(
        again.issuers.len(),
        1,
        "the one that is implied is not written out"
    );
    let again = again.tokens.as_ref().unwrap();
    assert_eq!((&again.issuer, &again.claims), (&own.issuer, &own.claims));
}

#[test]
fn lives_have_an_end_that_the_profile_brings_nearer() {
    let strict = format!("{URL}\nprofile = \"strict\"");
    for (head, key, longest) in [
        (URL, "access", "1h"),
        (URL, "child", "15m"),
        (URL, "parent", "30d"),
        (&strict, "access", "15m"),
        (&strict, "child", "5m"),
        (&strict, "parent", "7d"),
    ] {
        let life = |text: &str| Policy::parse(&with(head, &format!("{key} = \"{text}\"")));
        assert!(life(longest).is_ok(), "{key} {longest}");
        let seconds = match longest {
            "1h" => 3_601,
            "15m" => 901,
            "5m" => 301,
            "30d" => 2_592_001,
            _ => 604_801,
        };
        let errors = life(&format!("{seconds}s")).unwrap_err().to_string();
        assert!(errors.contains(&format!("`1m` to `{longest}`")), "{errors}");
        assert!(life("59s").is_err(), "{key}");
    }
}

#[test]
fn faults() {
    for (text, at, words) in [
        ("algorithm = \"HS256\"", "6:13", &["`ES256`"][..]),
        ("keys = \"/run/keys\"", "6:8", &["`file:FOLDER`"]),
        ("keys = \"file:\"", "6:8", &["`file:FOLDER`"]),
        ("issuer = \"http://a\"", "6:10", &["`https://`"]),
        ("rate_limit_max = -1", "6:18", &["out of bounds"]),
        (
            "claims = { sub = \"text\" }",
            "6:12",
            &["writes or refuses"],
        ),
        ("claims = { User_ID = \"text\" }", "6:12", &["letter case"]),
        ("claims = { plan = \"list\" }", "6:19", &["type of a claim"]),
        (
            "claims = { plan = \"text\", Plan = \"text\" }",
            "6:10",
            &["letter case alone"],
        ),
        ("claims = [\"plan\"]", "6:10", &["a table of claims"]),
        ("leeway = \"2m\"", "6:10", &["`1s` to `1m`"]),
        (
            "[[identity.issuer]]\nissuer = \"https://a.example.com\"\naudience = \"a\"\nalgorithms = [\"EdDSA\"]",
            "3:1",
            &["line 6"],
        ),
    ] {
        check_one(&with(URL, text), at, words);
    }
    for (head, words) in [
        ("name = \"a\"", "add `public_url`"),
        ("public_url = \"http://a.example.com\"", "add `public_url`"),
    ] {
        check_one(&with(head, ""), "3:1", &[words]);
    }
    let exchange = format!(
        "version = 1\n{URL}\n[identity.tokens]\nsecret = \"env:S\"\naudience = [\"a\", \"urn:portcullis:exchange\"]\n"
    );
    check_one(&exchange, "5:12", &["parent tokens"]);
    let text = format!("version = 1\n{URL}\n[identity.tokens]\naudience = []\n");
    let errors = Policy::parse(&text).unwrap_err().to_string();
    assert!(
        errors.contains("needs `secret`") && errors.contains("name one at least"),
        "{errors}"
    );
}
