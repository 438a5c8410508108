//! A settled report depends on what was found and on nothing else.

use std::collections::BTreeSet;

use portcullis_report::render::json;
use proptest::prelude::*;

use crate::made;

proptest! {
    #[test]
    fn any_order_gives_the_same_bytes(
        findings in Just(made::raw().findings).prop_shuffle(),
        routes in Just(made::raw().routes).prop_shuffle(),
    ) {
        let mut shuffled = made::raw();
        shuffled.findings = findings;
        shuffled.routes = routes;
        shuffled.settle();
        prop_assert_eq!(
            json::audit(&shuffled).unwrap(),
            json::audit(&made::report()).unwrap()
        );
    }
}

#[test]
fn the_worst_is_first_and_fingerprints_are_unique() {
    let report = made::report();
    assert_eq!(report.findings[0].rule, "sql-string");
    assert!(
        report
            .findings
            .is_sorted_by(|a, b| a.severity >= b.severity)
    );
    let unique: BTreeSet<_> = report.findings.iter().map(|f| &f.fingerprint).collect();
    assert_eq!(unique.len(), report.findings.len());
}

#[test]
fn settling_twice_changes_nothing() {
    let mut twice = made::report();
    twice.settle();
    assert_eq!(twice, made::report());
}
