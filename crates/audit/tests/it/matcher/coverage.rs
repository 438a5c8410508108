//! On which paths a Next middleware runs, and the samples it is tried on.

use portcullis_audit::matcher::{
    Coverage, MatcherEntry, NextMatcher, NextOptions, SampleKind, samples,
};

fn matcher(sources: &[&str], options: &NextOptions) -> NextMatcher {
    let entries: Vec<MatcherEntry> = sources
        .iter()
        .map(|&source| MatcherEntry::new(source))
        .collect();
    NextMatcher::from_sources(&entries, options)
}

fn covers(sources: &[&str], path: &str) -> Coverage {
    matcher(sources, &NextOptions::default()).covers(path)
}

/// The kinds of samples of a route that a matcher lets through.
fn missed(sources: &[&str], template: &str) -> Vec<SampleKind> {
    let matcher = matcher(sources, &NextOptions::default());
    let mut kinds: Vec<SampleKind> = samples(template)
        .into_iter()
        .filter(|sample| matcher.covers(&sample.path) != Coverage::Yes)
        .map(|sample| sample.kind)
        .collect();
    kinds.dedup();
    kinds
}

#[test]
fn no_matcher_is_every_path_and_no_entry_is_none() {
    assert_eq!(
        NextMatcher::everything().covers("/_next/static/x.js"),
        Coverage::Yes
    );
    assert_eq!(covers(&[], "/x"), Coverage::No);
}

#[test]
fn what_a_report_says_of_the_usual_matchers() {
    let items = "/api/items/{id}";
    assert_eq!(
        missed(&["/((?!api|_next/static).*)"], items).first(),
        Some(&SampleKind::Plain)
    );
    assert_eq!(
        missed(&["/((?!.*\\..*|_next).*)"], items),
        [SampleKind::Dotted]
    );
    assert_eq!(
        missed(&["/((?!.*\\..*|_next).*)", "/(api|trpc)(.*)"], items),
        [SampleKind::UpperCase; 0]
    );
    assert_eq!(
        missed(&["/((?!_next|.*\\.png$).*)"], items),
        [SampleKind::Dotted]
    );
    assert_eq!(missed(&["/api/:path*"], items), [SampleKind::UpperCase]);
    assert_eq!(
        missed(&["/dashboard/:path*"], "/dashboard/{*rest}"),
        [SampleKind::UpperCase]
    );
}

#[test]
fn conditions_are_written_by_the_client() {
    let conditional = MatcherEntry {
        has_conditions: true,
        ..MatcherEntry::new("/api/:path*")
    };
    let options = NextOptions::default();
    assert_eq!(
        NextMatcher::from_sources(std::slice::from_ref(&conditional), &options).covers("/api/x"),
        Coverage::Conditional
    );
    assert_eq!(
        NextMatcher::from_sources(std::slice::from_ref(&conditional), &options).covers("/x"),
        Coverage::No
    );
    let both = [conditional, MatcherEntry::new("/(.*)")];
    assert_eq!(
        NextMatcher::from_sources(&both, &options).covers("/api/x"),
        Coverage::Yes
    );
}

#[test]
fn an_entry_that_cannot_be_read_takes_away_the_no_but_not_the_yes() {
    let mixed = matcher(&["/a/:path*", "no-slash", "/(["], &NextOptions::default());
    assert_eq!(mixed.unparsable().len(), 2);
    assert_eq!(mixed.covers("/a/x"), Coverage::Yes);
    assert_eq!(mixed.covers("/b"), Coverage::Unknown);
}

#[test]
fn up_to_15_0_a_parameter_at_the_end_takes_the_suffix_of_next_for_its_expression() {
    let on = |release| {
        matcher(
            &["/users/:id"],
            &NextOptions {
                release,
                ..NextOptions::default()
            },
        )
        .covers("/users/7")
    };
    assert_eq!(on(Some((14, 2))), Coverage::No);
    assert_eq!(on(Some((15, 1))), Coverage::Yes);
    assert_eq!(on(Some((16, 0))), Coverage::Yes);
    assert_eq!(on(Some((15, 0))), Coverage::Unknown);
    assert_eq!(on(None), Coverage::Unknown);
}

#[test]
fn base_path_and_locale_stand_before_the_source() {
    let based = NextOptions {
        base_path: "/docs".to_owned(),
        ..NextOptions::default()
    };
    assert_eq!(
        matcher(&["/api/:path*"], &based).covers("/api/x"),
        Coverage::Yes
    );
    assert_eq!(matcher(&["/:path*"], &based).covers("/"), Coverage::Yes);
    let localized = NextOptions {
        i18n: true,
        ..NextOptions::default()
    };
    assert_eq!(
        matcher(&["/about/:path*"], &localized).covers("/about/x"),
        Coverage::Yes
    );
    assert_eq!(matcher(&["/"], &localized).covers("/"), Coverage::Yes);
    let bare = MatcherEntry {
        locale: false,
        ..MatcherEntry::new("/about/:path*")
    };
    assert_eq!(
        NextMatcher::from_sources(&[bare], &localized).covers("/about/x"),
        Coverage::No
    );
    assert_eq!(covers(&["/"], "/"), Coverage::Yes);
    assert_eq!(covers(&["/"], "/x"), Coverage::No);
}

#[test]
fn samples_of_a_template() {
    let of = |template: &str| {
        let kinds = [
            SampleKind::Plain,
            SampleKind::Dotted,
            SampleKind::EncodedNewline,
            SampleKind::UpperCase,
            SampleKind::TrailingSlash,
        ];
        kinds.map(|kind| {
            samples(template)
                .into_iter()
                .find(|sample| sample.kind == kind)
                .map(|sample| sample.path)
        })
    };
    let some = |path: &str| Some(path.to_owned());
    assert_eq!(
        of("/api/items/{id}/{*rest}"),
        [
            some("/api/items/x/x/x"),
            some("/api/items/x/x/x.csv"),
            some("/api/items/x/x/a%0ab"),
            some("/API/ITEMS/x/x/x"),
            some("/api/items/x/x/x/")
        ]
    );
    assert_eq!(
        of("/api/users"),
        [
            some("/api/users"),
            None,
            None,
            some("/API/USERS"),
            some("/api/users/")
        ]
    );
    assert_eq!(of("/"), [some("/"), None, None, None, None]);
    assert_eq!(of("/a{b").first(), Some(&some("/a{b")));
}
