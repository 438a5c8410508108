//! `[identity.api_keys]` and a route's `scopes`: keys that programs call with, and what they are good for.

use portcullis_policy::{Control, Need, Policy};

use crate::errors::check_one;

fn keys(head: &str, text: &str) -> String {
    format!("version = 1\n{head}\n[identity.api_keys]\n{text}")
}

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

const DAY: u64 = 24 * 60 * 60;

#[test]
fn what_is_not_said_is_short_and_all_of_it_is_read() {
    for (head, text, prefix, header, days) in [
        ("", "", "pck", None, 365),
        ("profile = \"strict\"", "", "pck", None, 90),
        (
            "",
            "prefix = \"sk2\"\nheader = \"x-api-key\"\nlifetime_max = \"30d\"",
            "sk2",
            Some("x-api-key"),
            30,
        ),
    ] {
        let read = policy(&keys(head, text));
        for read in [&read, &policy(&read.resolved())] {
            let keys = read.identity().unwrap().api_keys.as_ref().unwrap();
            assert_eq!(keys.prefix.as_str(), prefix, "{text}");
            assert_eq!(keys.header.as_ref().map(|name| name.as_str()), header);
            assert_eq!(keys.lifetime_max.as_secs(), days * DAY, "{text}");
        }
    }
}

#[test]
fn edges_of_what_can_be_written() {
    let longest = "a".repeat(16);
    let longer = "a".repeat(17);
    for (head, text, holds) in [
        ("", "prefix = \"ab\"".to_owned(), true),
        ("", format!("prefix = \"{longest}\""), true),
        ("", "lifetime_max = \"1h\"".to_owned(), true),
        ("", "lifetime_max = \"365d\"".to_owned(), true),
        (
            "profile = \"strict\"",
            "lifetime_max = \"90d\"".to_owned(),
            true,
        ),
        ("", "prefix = \"a\"".to_owned(), false),
        ("", format!("prefix = \"{longer}\""), false),
        ("", "prefix = \"Ab\"".to_owned(), false),
        ("", "prefix = \"a_b\"".to_owned(), false),
        ("", "prefix = \"\"".to_owned(), false),
        ("", "header = \"X-API-Key\"".to_owned(), false),
        ("", "header = \"authorization\"".to_owned(), false),
        ("", "header = \"cookie\"".to_owned(), false),
        ("", "header = \"x_api_key\"".to_owned(), false),
        ("", "lifetime_max = \"59m\"".to_owned(), false),
        ("", "lifetime_max = \"366d\"".to_owned(), false),
        (
            "profile = \"strict\"",
            "lifetime_max = \"91d\"".to_owned(),
            false,
        ),
        ("", "secret = \"env:S\"".to_owned(), false),
    ] {
        let read = Policy::parse(&keys(head, &text));
        assert_eq!(read.is_ok(), holds, "{head} {text}");
    }
}

#[test]
fn scopes_ask_for_a_caller() {
    let route = |kind: &str, more: &str| {
        format!(
            "version = 1\n[[route]]\npath = \"/a\"\nmethods = [\"GET\"]\ntype = \"{kind}\"\n{more}\n"
        )
    };
    let scopes = "scopes = [\"read:items\", \"write:items\"]";
    for kind in ["protected_read", "auth_op"] {
        let read = policy(&route(kind, scopes));
        for read in [&read, &policy(&read.resolved())] {
            let [route] = read.routes() else {
                panic!("one route")
            };
            let names: Vec<&str> = route.scopes.iter().map(|name| name.as_str()).collect();
            assert_eq!(names, ["read:items", "write:items"], "{kind}");
            assert_eq!(route.need(Control::Authentication), Need::Required);
        }
    }
    for kind in ["public_read", "public_form", "webhook", "internal"] {
        let text = route(kind, scopes);
        assert!(Policy::parse(&text).is_err(), "{kind}");
    }
    check_one(
        &route("public_read", scopes),
        "6:10",
        &["`scopes` need a caller"],
    );
    for wrong in ["scopes = \"a\"", "scopes = [\"a b\"]", "scopes = [\"\"]"] {
        assert!(Policy::parse(&route("protected_read", wrong)).is_err());
    }
}

#[test]
fn a_guard_wants_to_know_where_keys_are_made() {
    let today = "2027-01-01".parse().unwrap();
    let base = "version = 1\nupstream = \"http://127.0.0.1:3000\"\nhosts = [\"a.example.com\"]\nstatic = [\"/a\"]\n[identity.api_keys]\n";
    for (proxy, lacks) in [
        ("", 1),
        ("[proxy]\nadmin = \"127.0.0.1:9090\"", 1),
        ("[proxy]\nadmin_secret = \"env:A\"", 1),
        (
            "[proxy]\nadmin = \"127.0.0.1:9090\"\nadmin_secret = \"env:A\"",
            0,
        ),
    ] {
        let read = policy(&format!("{base}{proxy}\n"));
        let lacking = read.for_guard(today, &[]).err().unwrap_or_default();
        assert_eq!(lacking.len(), lacks, "{proxy}\n{lacking:?}");
        assert!(lacking.iter().all(|lack| lack.place.line == 5));
    }
}
