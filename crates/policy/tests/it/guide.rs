//! The guide is true: its examples are policies, and it names every word that can be written.

use portcullis_policy::{
    Algorithm, Control, Counts, EventRecord, FailOn, FlowClass, ForwardedKind, JwtAlgorithm,
    Meaning, Method, Policy, Preset, Profile, Protocol, RouteType, Scheme, ServiceScheme,
    VerifyScheme, default_limit,
};

const GUIDE: &str = include_str!("../../../../docs/guide/policy.md");
const SESSIONS: &str = include_str!("../../../../docs/guide/sessions.md");

#[test]
fn every_example_is_a_policy() {
    let examples: Vec<&str> = GUIDE
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 8, "the guide has lost its examples");
    let of_sessions: Vec<&str> = SESSIONS.split("```toml\n").skip(1).collect();
    assert_eq!(
        of_sessions.len(),
        3,
        "the page of sessions has lost its examples"
    );
    let of_sessions = of_sessions
        .into_iter()
        .filter_map(|rest| rest.split("```").next());
    for example in examples.into_iter().chain(of_sessions) {
        if let Err(errors) = Policy::parse(example) {
            panic!("{example}\n{errors}");
        }
    }
}

#[test]
fn every_word_is_in_the_guide() {
    let words = Control::ALL
        .iter()
        .map(|word| word.as_str())
        .chain(RouteType::ALL.iter().map(|word| word.as_str()))
        .chain(Method::ALL.iter().map(|word| word.as_str()))
        .chain(Meaning::ALL.iter().map(|word| word.as_str()))
        .chain(Algorithm::ALL.iter().map(|word| word.as_str()))
        .chain(Counts::ALL.iter().map(|word| word.as_str()))
        .chain(EventRecord::ALL.iter().map(|word| word.as_str()))
        .chain(ForwardedKind::ALL.iter().map(|word| word.as_str()))
        .chain(Profile::ALL.iter().map(|word| word.as_str()))
        .chain(Scheme::ALL.iter().map(|word| word.as_str()))
        .chain(JwtAlgorithm::ALL.iter().map(|word| word.as_str()))
        .chain(Preset::ALL.iter().map(|word| word.as_str()))
        .chain(Protocol::ALL.iter().map(|word| word.as_str()))
        .chain(ServiceScheme::ALL.iter().map(|word| word.as_str()))
        .chain(VerifyScheme::ALL.iter().map(|word| word.as_str()))
        .chain(FlowClass::ALL.iter().map(|word| word.as_str()))
        .chain(FailOn::ALL.iter().map(|word| word.as_str()));
    for word in words {
        let written = [format!("`{word}`"), format!("\"{word}\"")];
        assert!(
            written.iter().any(|one| GUIDE.contains(one)),
            "the guide lacks {word}"
        );
    }
}

#[test]
fn the_default_limits_are_those_of_the_guide() {
    for kind in RouteType::ALL {
        let limit = default_limit(*kind);
        let row = GUIDE
            .lines()
            .find(|line| line.starts_with('|') && line.contains(&format!("`{}`", limit.name)))
            .unwrap_or_else(|| panic!("the guide lacks {}", limit.name));
        assert!(row.contains(&format!("| `{}`", limit.rate)), "{row}");
        assert_eq!(row.contains("`exact`"), limit.algorithm == Algorithm::Exact);
    }
}

/// The keys are read from the message that lists them, so that a key cannot be added without its line in the guide.
#[test]
fn every_key_is_in_the_guide() {
    for text in [
        "version = 1\nqqqqqqq = 1",
        "version = 1\naudit = { qqqqqqq = 1 }",
        "version = 1\nproxy = { qqqqqqq = 1 }",
        "version = 1\nproxy = { health = { qqqqqqq = 1 } }",
        "version = 1\nevents = { qqqqqqq = 1 }",
        "version = 1\nlimits = { a = { rate = \"1 per 1s\", qqqqqqq = 1 } }",
        "version = 1\nroute = [{ qqqqqqq = 1 }]",
        "version = 1\nroute = [{ body = { qqqqqqq = 1 } }]",
        "version = 1\nroute = [{ verify = { qqqqqqq = 1 } }]",
        "version = 1\nroute = [{ service = { qqqqqqq = 1 } }]",
        "version = 1\nfunction = [{ qqqqqqq = 1 }]",
        "version = 1\nstore = { qqqqqqq = 1 }",
        "version = 1\ntrail = { qqqqqqq = 1 }",
        "version = 1\nidentity = { qqqqqqq = 1 }",
        "version = 1\nidentity = { session = { qqqqqqq = 1 } }",
        "version = 1\nidentity = { session = { secret = [{ qqqqqqq = 1 }] } }",
        "version = 1\nidentity = { csrf = { qqqqqqq = 1 } }",
        "version = 1\nidentity = { issuer = [{ qqqqqqq = 1 }] }",
        "version = 1\nidentity = { siwe = { qqqqqqq = 1 } }",
        "version = 1\nroles = { qqqqqqq = 1 }",
        "version = 1\nfacts = { a = { qqqqqqq = 1 } }",
        "version = 1\ncors = { qqqqqqq = 1 }",
        "version = 1\nheaders = { server = { qqqqqqq = 1 } }",
        "version = 1\ncsp = { qqqqqqq = 1 }",
        "version = 1\nguard = [{ qqqqqqq = 1 }]",
        "version = 1\nsource = [{ qqqqqqq = 1 }]",
        "version = 1\nsink = [{ qqqqqqq = 1 }]",
        "version = 1\nsanitizer = [{ qqqqqqq = 1 }]",
        "version = 1\nowned = [{ qqqqqqq = 1 }]",
        "version = 1\nexcept = [{ qqqqqqq = 1 }]",
    ] {
        let errors = Policy::parse(text).expect_err("an unknown key");
        let listing = errors
            .iter()
            .find_map(|error| error.message.split_once(": use "))
            .unwrap_or_else(|| panic!("no keys are listed: {errors}"));
        for key in listing.1.split('`').skip(1).step_by(2) {
            let written = [
                format!("`{key}`"),
                format!("[{key}]"),
                format!("[{key}."),
                format!("`{key} ="),
                format!("`{{ {key} ="),
                format!("[identity.{key}]"),
            ];
            assert!(
                written.iter().any(|one| GUIDE.contains(one)),
                "the guide lacks `{key}`"
            );
        }
    }
}
