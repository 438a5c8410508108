//! What holds for every pattern.

use std::hint::black_box;

use portcullis_audit::matcher::{
    Dialect, Match, PathPattern, SampleKind, canonical_express, canonical_next, samples,
};
use proptest::prelude::*;

const DIALECTS: [Dialect; 5] = [
    Dialect::NextConfig,
    Dialect::Clerk,
    Dialect::ConvexAuth,
    Dialect::Express4,
    Dialect::Express5,
];

/// Strings of the characters that mean something to one of the dialects.
fn marks() -> impl Strategy<Value = String> {
    "[/:a-c*+?(){}\\[\\]|.^$!\\\\\"0-9<=,\\-\u{e9}\u{1F600}]{0,40}"
}

/// Templates that every dialect can express: whole segments, a catch-all only at the end.
fn template() -> impl Strategy<Value = String> {
    let segment = prop_oneof!["[a-z][a-z0-9-]{0,6}", "\\{[a-z]{1,5}\\}"];
    (prop::collection::vec(segment, 1..5), any::<bool>()).prop_map(|(segments, rest)| {
        let mut template: String = segments
            .iter()
            .map(|segment| format!("/{segment}"))
            .collect();
        if rest {
            template.push_str("/{*rest}");
        }
        template
    })
}

/// The template in the words of a dialect, its parameters numbered so that no name stands twice.
fn written_in(template: &str, dialect: Dialect) -> String {
    let mut pattern = String::new();
    for (at, segment) in template.split('/').skip(1).enumerate() {
        pattern.push('/');
        pattern.push_str(
            &match (segment.starts_with("{*"), segment.starts_with('{'), dialect) {
                (true, _, Dialect::Express4) => "*".to_owned(),
                (true, _, Dialect::Express5) => "*rest".to_owned(),
                (true, _, _) => ":rest*".to_owned(),
                (false, true, _) => format!(":p{at}"),
                (false, false, _) => segment.to_owned(),
            },
        );
    }
    pattern
}

proptest! {
    #[test]
    fn nothing_a_stranger_writes_makes_it_panic(
        source in prop_oneof![marks(), any::<String>()],
        path in prop_oneof![marks(), any::<String>()],
    ) {
        for dialect in DIALECTS {
            for pattern in [
                PathPattern::compile(&source, dialect),
                PathPattern::compile_mount(&source, dialect),
                PathPattern::compile_regexp(&source, "i", dialect),
            ].into_iter().flatten() {
                black_box(pattern.is_match(&path));
                black_box(pattern.matches_request(&path));
            }
            black_box(canonical_express(&source, dialect));
        }
        black_box(canonical_next(&source));
        black_box(canonical_next(&format!("app/{source}/route.ts")));
        black_box(samples(&source));
    }

    #[test]
    fn every_sample_of_a_template_matches_the_pattern_made_from_it(template in template()) {
        for dialect in DIALECTS {
            let pattern = PathPattern::compile(&written_in(&template, dialect), dialect).unwrap();
            for sample in samples(&template) {
                let expected = match (dialect, sample.kind) {
                    (Dialect::NextConfig, SampleKind::UpperCase) => Match::No,
                    _ => Match::Yes,
                };
                prop_assert_eq!(pattern.matches_request(&sample.path), expected, "{:?} {:?}", dialect, sample);
            }
        }
    }

    #[test]
    fn a_path_of_express_comes_back_as_the_template_it_was_made_from(template in template()) {
        for dialect in [Dialect::Express4, Dialect::Express5] {
            let rest = if dialect == Dialect::Express4 { "{*}" } else { "{*rest}" };
            let expected: String = template
                .split('/')
                .skip(1)
                .enumerate()
                .map(|(at, segment)| match (segment.starts_with("{*"), segment.starts_with('{')) {
                    (true, _) => format!("/{rest}"),
                    (false, true) => format!("/{{p{at}}}"),
                    (false, false) => format!("/{segment}"),
                })
                .collect();
            prop_assert_eq!(canonical_express(&written_in(&template, dialect), dialect), [expected]);
        }
    }
}
