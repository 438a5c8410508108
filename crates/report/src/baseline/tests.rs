//! What is known stays known whatever moves, and nothing else does.

use portcullis_policy::Control;

use super::*;
use crate::{Basis, Class, Confidence, fingerprint};

const NAME: &str = "portcullis.baseline.json";

fn finding(rule: &'static str, severity: Severity, places: &[(&str, u32, &str)]) -> Finding {
    let places: Vec<Place> = places
        .iter()
        .map(|(route, line, code)| Place {
            location: Location {
                line: *line,
                end_line: *line,
                ..Location::of_file("a.ts")
            },
            route: Some((*route).to_owned()),
            fingerprint: fingerprint(rule, route, code),
        })
        .collect();
    let first = places.first().unwrap().clone();
    Finding {
        rule,
        class: Class::Sqli,
        control: Control::Validation,
        basis: Basis::Code,
        severity,
        confidence: Confidence::High,
        location: first.location,
        route: first.route,
        fingerprint: first.fingerprint,
        places,
        message: "m".to_owned(),
        why: Vec::new(),
        fix: None,
        suppressed: None,
    }
}

fn report(findings: Vec<Finding>) -> Report {
    let mut report = Report {
        findings,
        ..Report::default()
    };
    report.settle();
    report
}

fn ran(_rule: &str) -> Standing {
    Standing::Ran
}

/// What is new after a baseline of the first was applied to the second, by route and line, and what is told.
fn new(before: Vec<Finding>, after: Vec<Finding>) -> (Vec<(String, u32)>, Vec<String>) {
    let text = Baseline::of(&report(before)).text().unwrap();
    let baseline = Baseline::parse(&text).unwrap();
    let mut after = report(after);
    baseline.apply(&mut after, NAME, &ran);
    let open = after
        .open()
        .flat_map(|finding| &finding.places)
        .map(|place| (place.route.clone().unwrap(), place.location.line))
        .collect();
    let told = after.notices.iter().map(|it| it.text.clone()).collect();
    (open, told)
}

#[test]
fn what_moves_or_is_reformatted_stays_known() {
    let before = vec![finding(
        "sqli",
        Severity::High,
        &[("GET /a", 3, "query(`x${y}`, [1])")],
    )];
    let after = vec![finding(
        "sqli",
        Severity::High,
        &[("GET /a", 90, "query(\n  `x${y}`,\n  [1],\n)")],
    )];
    assert_eq!(new(before, after), (vec![], vec![]));
}

#[test]
fn one_more_of_the_same_is_new() {
    let one = ("GET /a", 3, "query(y)");
    let two = ("GET /a", 9, "query(y)");
    let before = vec![finding("sqli", Severity::High, &[one])];
    let after = vec![
        finding("sqli", Severity::High, &[one]),
        finding("sqli", Severity::High, &[two]),
    ];
    let (open, told) = new(before, after);
    assert_eq!(open, [("GET /a".to_owned(), 9)]);
    assert!(told.is_empty());
}

#[test]
fn a_new_route_of_a_group_is_new_and_the_others_are_not() {
    let before = vec![finding("csrf", Severity::Medium, &[("POST /a", 1, "x")])];
    let after = vec![finding(
        "csrf",
        Severity::Medium,
        &[("POST /a", 1, "x"), ("POST /b", 1, "x")],
    )];
    assert_eq!(
        new(before, after),
        (vec![("POST /b".to_owned(), 1)], vec![])
    );
}

#[test]
fn what_is_gone_is_told_and_what_was_not_run_is_not() {
    let before = vec![
        finding(
            "sqli",
            Severity::High,
            &[("GET /a", 3, "x"), ("GET /b", 4, "x")],
        ),
        finding("xss", Severity::Low, &[("GET /c", 3, "x")]),
    ];
    let after = vec![finding("sqli", Severity::High, &[("GET /a", 3, "x")])];
    let (open, told) = new(before.clone(), after.clone());
    assert!(open.is_empty());
    assert_eq!(told.len(), 2);
    assert!(
        told[0].contains("`sqli` at `GET /b` in `a.ts` is gone from the code"),
        "{told:?}"
    );

    let mut alone = report(after);
    let only_sqli = |rule: &str| {
        if rule == "sqli" {
            Standing::Ran
        } else {
            Standing::NotRun
        }
    };
    Baseline::of(&report(before)).apply(&mut alone, NAME, &only_sqli);
    assert_eq!(alone.notices.len(), 1);
    assert_eq!(
        (alone.notices[0].file.as_str(), alone.notices[0].line),
        (NAME, 5)
    );
}

#[test]
fn what_got_worse_is_not_known() {
    let at = [("GET /a", 3, "x")];
    let before = vec![finding("sqli", Severity::Medium, &at)];
    let worse = vec![finding("sqli", Severity::High, &at)];
    assert_eq!(new(before.clone(), worse.clone()).0.len(), 1);
    assert!(new(worse, before).0.is_empty());
}

#[test]
fn what_something_else_suppresses_is_neither_written_nor_gone() {
    let mut suppressed = finding("sqli", Severity::High, &[("GET /a", 3, "x")]);
    suppressed.suppressed = Some(Suppression {
        reason: "r".to_owned(),
        until: None,
        location: Location::of_file("a.ts"),
        kind: SuppressionKind::Inline,
    });
    assert_eq!(
        Baseline::of(&report(vec![suppressed.clone()])),
        Baseline::default()
    );
    let open = Finding {
        suppressed: None,
        ..suppressed.clone()
    };
    assert_eq!(new(vec![open], vec![suppressed]), (vec![], vec![]));
}

#[test]
fn the_same_findings_give_the_same_bytes_in_any_order() {
    let findings = vec![
        finding("b", Severity::Low, &[("GET /a", 3, "x")]),
        finding(
            "a",
            Severity::High,
            &[("GET /a", 3, "x"), ("GET /a", 8, "x")],
        ),
    ];
    let mut turned = findings.clone();
    turned.reverse();
    let text = Baseline::of(&report(findings)).text().unwrap();
    assert_eq!(text, Baseline::of(&report(turned)).text().unwrap());
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[3].contains("\"rule\":\"a\"") && lines[3].contains("\"count\":2"),
        "{text}"
    );
    assert!(!text.contains("\"line\""));
    assert_eq!(Baseline::parse(&text).unwrap().text().unwrap(), text);
}

#[test]
fn a_baseline_applied_twice_changes_nothing_more() {
    let findings = vec![finding(
        "a",
        Severity::High,
        &[("GET /a", 3, "x"), ("GET /b", 8, "x")],
    )];
    let baseline = Baseline::of(&report(findings.clone()));
    let mut once = report(findings);
    baseline.apply(&mut once, NAME, &ran);
    // What is written while it is applied is the same again.
    assert_eq!(Baseline::of(&once), baseline);
}

#[test]
fn what_is_no_baseline_is_refused() {
    let entry = |severity: &str, count: u32| {
        format!(
            r#"{{"schema": "portcullis.baseline/1", "findings": [{{"rule":"a","severity":"{severity}","file":"a","route":null,"count":{count},"fingerprint":"f"}}]}}"#
        )
    };
    assert!(Baseline::parse(&entry("high", 1)).is_ok());
    for text in [
        String::new(),
        "[]".to_owned(),
        r#"{"schema": "portcullis.baseline/2", "findings": []}"#.to_owned(),
        r#"{"schema": "portcullis.baseline/1", "findings": [], "more": 1}"#.to_owned(),
        entry("hihg", 1),
        entry("high", 0),
    ] {
        assert!(Baseline::parse(&text).is_err(), "{text}");
    }
}
