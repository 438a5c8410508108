//! The values that nobody may read: the secrets of the policy, and what requests and answers have in each of their places.

use super::needles::Needle;
use crate::logging_in::APPLICATION_SECRET;

pub(super) const SESSION_SECRET: &str =
    "5f0c2b9e7a4d18c36e91f2076bd8a3c4e1790d5b2f86ac3e49d7015cb8f2e463";
pub(super) const CSRF_SECRET: &str =
    "c2716e9d04fb583a17ce60b95d2f8e43a9b0d71c6e3548f2093bd5a7816c4fe0";
pub(super) const ADMIN_SECRET: &str =
    "3ba85c17e9f0d264871ce5a30d9b46f2c5e81730ab4d962fe0173c58d6b9f4a2";
pub(super) const EVENTS_SECRET: &str =
    "e60f9a3d7c52b18406d9e2f7513b8ca4920e6d7fb5c3184a7d20f9e68b15c34a";
pub(super) const TRAIL_SECRET: &str =
    "74b1c9e05f2d836ae9047bd1c3f8256ad80e39b7f1625c4d9ea7083b5cf1d269";

pub(super) const SERVICE_SECRET: &str =
    "9d47e20b8c6f13a5d0e7429c1fb68a35e4d20796cb8f51a3604e9d7bc2f8135a";

/// The variables by which the policy finds its secrets.
pub(super) const VARIABLES: [(&str, &str); 5] = [
    ("SESSION", SESSION_SECRET),
    ("CSRF", CSRF_SECRET),
    ("APPLICATION", APPLICATION_SECRET),
    ("ADMIN", ADMIN_SECRET),
    ("SERVICE", SERVICE_SECRET),
];

pub(super) const USER: &str = "ulrike.user-9Q2x@example.com";
pub(super) const BAD_WORD: &str = "eyJhbGciOiJIUzI1NiJ9.c2FpZC13b3JkLTdYcTI.wordsignature5tZ8rW3k";
pub(super) const BAD_FIELD: &str = "Answered-Field-8kPq2Lm5Xw";

pub(super) const BEARER: &str = "bearerK7vQ2mZ9xR4tW8yB3nH6pL1s";
pub(super) const BASIC: &str = "YmFzaWMtdXNlcjpiYXNpYy1wYXNzLTRUOXhSNg==";
pub(super) const COOKIE: &str = "cookieM3zX8qV5wT1kJ7rN4gD9bF2h";
pub(super) const BOGUS_SESSION: &str = "bogussessionP6tR2yK9wQ4mV8xZ1c";
pub(super) const BOGUS_TOKEN: &str =
    "b0905707ec0de1a2b3c4d5e6f70819203142536475869708192a3b4c5d6e7f80";
pub(super) const API_KEY: &str = "apikeyW2nB7vL4xQ9zT5mK1rP8yD3j";
pub(super) const REFERER: &str = "refererH8cN3wX6pZ1tR9kV4qM7yB2";
pub(super) const QUERY: &str = "queryD5sJ1xT8nW3zK6vQ9mR2pL7yC";
pub(super) const QUERY_MAIL: &str = "quirin.query-4Wm8@example.org";
pub(super) const PATH: &str = "pathG9kV4xN7tZ2wR5mQ8yL1pB6jD3";
pub(super) const PATH_MAIL: &str = "paula.path-6Tn3@example.org";
pub(super) const BODY_MAIL: &str = "bruno.body-2Rk7@example.com";
pub(super) const PASSWORD: &str = "passwordF4hX9zQ1wN6tK3vM8rL5yB";
pub(super) const CLIENT_V4: &str = "203.0.113.177";
pub(super) const CLIENT_V6: &str = "2001:db8:5a5a:1234:7777:8888:9999:aaaa";
pub(super) const ADMIN_TRIED: &str =
    "ad317edcafe0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f50617283940";
pub(super) const IN_POLICY: &str = "whsec_policyV7mK2xR9tQ4zW8nB1";

/// All of them, with the few places where one belongs.
pub(super) fn all() -> Vec<Needle> {
    // What the guard keeps for itself, and what it tells who has the admin credential and names the user.
    const KEPT: &[&str] = &["the store", "the admin's list of sessions"];
    let mut needles: Vec<Needle> = [
        ("the session secret", SESSION_SECRET),
        ("the csrf secret", CSRF_SECRET),
        ("the application's secret", APPLICATION_SECRET),
        ("the admin secret", ADMIN_SECRET),
        ("the key of events", EVENTS_SECRET),
        ("the key of the trail", TRAIL_SECRET),
        ("the word of the application", BAD_WORD),
        ("a field of the application", BAD_FIELD),
        ("a bearer token", BEARER),
        ("a password of Basic", BASIC),
        ("a cookie", COOKIE),
        ("a session cookie that is none", BOGUS_SESSION),
        ("a csrf token that is none", BOGUS_TOKEN),
        ("an API key", API_KEY),
        ("a referer", REFERER),
        ("a query value", QUERY),
        ("a mail address in the query", QUERY_MAIL),
        ("a mail address in a body", BODY_MAIL),
        ("a password in a body", PASSWORD),
        ("a wrong admin credential", ADMIN_TRIED),
        ("a secret in a broken policy", IN_POLICY),
    ]
    .map(|(what, value)| Needle::new(what, value))
    .into();
    needles.push(Needle::new("the user", USER).in_its_place(KEPT));
    // Who asks what would become of a path, or of a client, has written it down themselves.
    const ASKED: &[&str] = &["explain"];
    for (what, value) in [
        ("a path parameter", PATH),
        ("a mail address in the path", PATH_MAIL),
        ("an IPv4 address", CLIENT_V4),
        ("an IPv6 address", CLIENT_V6),
    ] {
        needles.push(Needle::new(what, value).in_its_place(ASKED));
    }
    needles
}
