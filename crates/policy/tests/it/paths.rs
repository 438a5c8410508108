//! Path templates: what they refuse, what they match, and which of two is the more specific.

use std::cmp::Ordering;

use portcullis_policy::PathTemplate;
use proptest::prelude::*;

fn template(text: &str) -> PathTemplate {
    PathTemplate::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_catch_all_has_two_spellings_and_one_text() {
    let dots = PathTemplate::parse("/_next/static/{rest...}").expect("a template");
    assert_eq!(dots.as_str(), "/_next/static/{*rest}");
    assert_eq!(PathTemplate::parse(dots.as_str()), Ok(dots));
}

#[test]
fn what_is_refused_and_where() {
    for (text, at, suggestion) in [
        ("", 0..0, Some("/")),
        ("api", 0..3, Some("/api")),
        ("/a//b", 2..4, Some("/a/b")),
        ("//", 0..2, Some("/")),
        ("/a/../b", 3..5, None),
        ("/a/.", 3..4, None),
        ("/a%2fb", 2..5, None),
        ("/a%2Fb", 2..5, None),
        ("/%2e%2e", 1..4, None),
        ("/a%5cb", 2..5, None),
        ("/a%00", 2..5, None),
        ("/a%252e", 2..5, None),
        ("/a%3b", 2..5, None),
        ("/a%23", 2..5, None),
        ("/caf%c3", 4..7, None),
        ("/%c3/%a9", 1..4, None),
        ("/a%ffb", 2..5, None),
        ("/{x}%a9", 4..7, None),
        ("/a%4", 2..3, None),
        ("/a%", 2..3, None),
        ("/a%é1", 3..5, None),
        ("/a\\b", 2..3, None),
        ("/a;x=y", 2..3, None),
        ("/a?x=y", 2..3, None),
        ("/a#b", 2..3, None),
        ("/a b", 2..3, None),
        ("/ü", 1..3, None),
        ("/a\nb", 2..3, None),
        ("/:id", 1..2, Some("/{id}")),
        ("/:v{id}", 1..2, None),
        ("/<int:id>/x", 1..2, Some("/{id}/x")),
        ("/[id]", 1..2, Some("/{id}")),
        ("/[...all]", 1..2, Some("/{*all}")),
        ("/a/*", 3..4, Some("/a/{*rest}")),
        ("/a/.*", 4..5, None),
        ("/a/(b|c)", 3..4, None),
        ("/a/\\d+", 3..4, None),
        ("/^a$", 1..2, None),
        ("/{id:int}", 2..8, Some("/{id}")),
        ("/{...}", 1..3, None),
        ("/{*rest...}", 3..10, None),
        ("/{rest..}", 2..8, None),
        ("/a{rest...}", 1..11, None),
        ("/{rest...}/b", 1..10, None),
        ("/{}", 1..3, None),
        ("/{*}", 2..4, None),
        ("/{1a}", 2..4, None),
        ("/{a", 1..3, None),
        ("/a}", 2..3, None),
        ("/{a}{b}", 1..7, None),
        ("/{a}/{a}", 5..8, None),
        ("/{*a}/b", 1..5, None),
        ("/x{*a}", 1..6, None),
        ("/.portcullis/health", 1..12, None),
    ] {
        let error = PathTemplate::parse(text).expect_err(text);
        assert_eq!(error.at, at, "{text}: {error}");
        assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
    }
    assert!(PathTemplate::parse(&"/a".repeat(64)).is_ok());
    assert!(PathTemplate::parse(&"/a".repeat(65)).is_err());
    assert!(PathTemplate::parse(&format!("/{}", "a".repeat(2048))).is_err());
}

#[test]
fn the_canonical_form() {
    for (written, canonical) in [
        ("/", "/"),
        ("/a/", "/a/"),
        ("/%7euser", "/~user"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/%41bc", "/Abc"),
        ("/v1/items:batch", "/v1/items:batch"),
        ("/v1/{name}:cancel", "/v1/{name}:cancel"),
        ("/v1/{name}%3acancel", "/v1/{name}:cancel"),
        ("/%3aid", "/%3Aid"),
        ("/%3a{x}", "/%3A{x}"),
        ("/a%21%26%27%2c%3d%40%3a", "/a!&',=@:"),
        ("/%24metadata%28%29", "/%24metadata%28%29"),
        ("/a%3fb%7b", "/a%3Fb%7B"),
        ("/.well-known/{name}.json", "/.well-known/{name}.json"),
        ("/files/{*rest}", "/files/{*rest}"),
    ] {
        assert_eq!(template(written).as_str(), canonical);
        assert_eq!(template(canonical), template(written));
    }
}

#[test]
fn what_matches() {
    for (written, path, matches) in [
        ("/", "/", true),
        ("/", "", false),
        ("/a", "/a", true),
        ("/a", "/A", false),
        ("/a", "/a/", false),
        ("/a/", "/a", false),
        ("/a", "/a?x=y", false),
        ("/a/{id}", "/a/1", true),
        ("/a/{id}", "/a/", false),
        ("/a/{id}", "/a/1/2", false),
        ("/a/{id}", "/a/1;x=y", false),
        ("/a/{id}", "/a/..", false),
        ("/a/{id}", "/a/.", false),
        ("/a/{id}", "/a/%2e%2e", false),
        ("/a/{id}", "/a/x%2fy", false),
        ("/a/{id}", "/a/x%5Cy", false),
        ("/a/{id}", "/a/x%00", false),
        ("/a/{id}", "/a/%zz", false),
        ("/a/{id}", "/a/caf%c3%a9", true),
        ("/a/{id}", "/a/x%20y", true),
        ("/a/{id}", "/a/x y", false),
        ("/caf%C3%A9", "/caf%c3%a9", true),
        ("/abc", "/%61bc", true),
        ("/a@b", "/a%40b", true),
        ("/a%40b", "/a@b", true),
        ("/%24x", "/$x", true),
        ("/%3Ax", "/:x", true),
        ("/a%2Ab", "/a*b", true),
        ("/{x}Ab", "/x*b", false),
        ("/{x}", "/x%23", false),
        ("/{x}", "/x%ff", false),
        ("/{name}.json", "/a.json", true),
        ("/{name}.json", "/.json", false),
        ("/{name}.json", "/a.json.txt", false),
        ("/v{n}", "/v2", true),
        ("/v{n}", "/v", false),
        ("/a{x}a", "/aa", false),
        ("/a{x}a", "/aba", true),
        ("/f/{*rest}", "/f/a", true),
        ("/f/{*rest}", "/f/a/b/c", true),
        ("/f/{*rest}", "/f/a/", true),
        ("/f/{*rest}", "/f/", false),
        ("/f/{*rest}", "/f", false),
        ("/f/{*rest}", "/f/a//b", false),
        ("/f/{*rest}", "/f/a/../b", false),
        ("/{*rest}", "/", false),
        ("/{*rest}", "a", false),
    ] {
        assert_eq!(template(written).matches(path), matches, "{written} {path}");
    }
}

#[test]
fn the_most_specific_comes_first() {
    let mut templates: Vec<PathTemplate> = [
        "/{*rest}",
        "/a/{id}",
        "/a/{*rest}",
        "/a/me",
        "/a/{id}/b",
        "/{x}/me",
        "/a/{name}.json",
        "/a/v{name}.json",
        "/{x}/{y}",
    ]
    .map(template)
    .to_vec();
    templates.sort();
    let order: Vec<&str> = templates.iter().map(PathTemplate::as_str).collect();
    assert_eq!(
        order,
        [
            "/a/me",
            "/a/v{name}.json",
            "/a/{name}.json",
            "/a/{id}/b",
            "/a/{id}",
            "/a/{*rest}",
            "/{x}/me",
            "/{x}/{y}",
            "/{*rest}",
        ]
    );
}

#[test]
fn what_two_templates_share() {
    for (one, another, both) in [
        ("/{a}/b", "/a/{b}", Some("/a/b")),
        ("/{a}/{b}", "/x/{*rest}", Some("/x/{b}")),
        ("/{a}/{*rest}", "/{b}/c/{a}", Some("/{b}/c/{a}")),
        ("/{a}.json/{b}", "/{x}/{a}.txt", Some("/{a}.json/{a2}.txt")),
        ("/a", "/b", None),
        ("/a/{x}", "/a/", None),
        ("/a/{*x}", "/a/", None),
        ("/{a}.json", "/v{b}", None),
        ("/{a}.json", "/v{b}.json", Some("/v{b}.json")),
    ] {
        let (one, another) = (template(one), template(another));
        let found = one.intersection(&another).map(|shared| shared.to_string());
        assert_eq!(found.as_deref(), both, "{one} {another}");
    }
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab]{1,2}",
        2 => "[ab]?",
        2 => Just("{p}".to_owned()),
        1 => "[ab]\\{p\\}",
        1 => "\\{p\\}[ab]",
    ]
}

/// Templates over a tiny alphabet, so that they overlap often.
fn any_template() -> impl Strategy<Value = PathTemplate> {
    (prop::collection::vec(segment(), 0..4), any::<bool>()).prop_filter_map(
        "not a template",
        |(segments, catch_all)| {
            let mut text = String::new();
            for (position, segment) in segments.iter().enumerate() {
                text.push('/');
                text.push_str(&segment.replace("{p}", &format!("{{p{position}}}")));
            }
            if catch_all || text.is_empty() {
                text.push_str("/{*rest}");
            }
            PathTemplate::parse(&text).ok()
        },
    )
}

fn any_path() -> impl Strategy<Value = String> {
    "(/[ab]{1,3}){0,4}/?"
}

proptest! {
    #[test]
    fn parsing_never_panics_and_its_places_are_in_the_text(text in "\\PC*|[/{}*%.:a-f0-9\\\\]{0,24}") {
        if let Err(error) = PathTemplate::parse(&text) {
            prop_assert!(error.at.start <= error.at.end && error.at.end <= text.len().max(1), "{:?}", error);
            if let Some(suggestion) = error.suggestion {
                prop_assert!(PathTemplate::parse(&suggestion).is_ok(), "{}", suggestion);
            }
        }
    }

    #[test]
    fn the_canonical_form_reads_as_itself(template in any_template()) {
        let again = PathTemplate::parse(template.as_str());
        prop_assert_eq!(again.as_ref(), Ok(&template));
    }

    #[test]
    fn matching_never_panics(template in any_template(), path in "\\PC*") {
        prop_assert!(!template.matches(&path) || path.starts_with('/'));
    }

    #[test]
    fn a_shared_path_is_an_overlap(a in any_template(), b in any_template(), path in any_path()) {
        if a.matches(&path) && b.matches(&path) {
            prop_assert!(a.overlaps(&b) && b.overlaps(&a));
            if let Some(both) = a.intersection(&b) {
                prop_assert!(both.matches(&path), "{} {} {} {}", a, b, both, path);
            }
        }
    }

    #[test]
    fn what_is_covered_matches_too_and_is_more_specific(a in any_template(), b in any_template(), path in any_path()) {
        if a.covers(&b) {
            prop_assert!(a.overlaps(&b));
            prop_assert!(!b.matches(&path) || a.matches(&path), "{} {} {}", a, b, path);
            if !b.covers(&a) {
                prop_assert_eq!(b.specificity(&a), Ordering::Less, "{} {}", a, b);
            }
        }
    }

    #[test]
    fn an_intersection_is_part_of_both(a in any_template(), b in any_template()) {
        if let Some(both) = a.intersection(&b) {
            prop_assert!(a.covers(&both) && b.covers(&both));
            prop_assert!(PathTemplate::parse(both.as_str()).is_ok(), "{}", both);
        }
        prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
    }

    #[test]
    fn equally_specific_templates_that_overlap_are_the_same_or_cross(a in any_template(), b in any_template()) {
        if a.specificity(&b) == Ordering::Equal && a.overlaps(&b) {
            prop_assert!(a.same_paths(&b) || a.crosses(&b), "{} {}", a, b);
        }
    }

    #[test]
    fn the_order_is_total(a in any_template(), b in any_template(), c in any_template()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        if a <= b && b <= c {
            prop_assert!(a <= c, "{} {} {}", a, b, c);
        }
    }
}
