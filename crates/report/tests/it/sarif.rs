//! The SARIF log against what the standard requires and GitHub accepts.

use std::collections::BTreeSet;

use portcullis_report::render::sarif;
use serde_json::Value;

use crate::made;

fn log() -> Value {
    serde_json::from_str(&sarif::audit(&made::report(), &made::cards()).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).unwrap()
}

#[test]
fn every_required_property_is_there() {
    let log = log();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["tool"]["driver"]["name"], "portcullis");
    let rules = list(&log, "/runs/0/tool/driver/rules");
    let ids: BTreeSet<_> = rules.iter().map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids.len(), rules.len());
    for result in list(&log, "/runs/0/results") {
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let hash = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert!(hash.as_str().unwrap().len() >= 16);
        assert!(matches!(
            result["level"].as_str(),
            Some("error" | "warning" | "note")
        ));
        if let Some(index) = result["ruleIndex"].as_u64() {
            assert_eq!(
                rules[usize::try_from(index).unwrap()]["id"],
                result["ruleId"]
            );
        }
        let locations = list(result, "/locations");
        assert!((1..=10).contains(&locations.len()));
        for location in locations {
            place(location);
        }
    }
}

fn place(location: &Value) {
    let physical = &location["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
    assert!(!uri.starts_with('/'), "{uri}");
    assert!(!uri.contains(['[', ']', ' ', ':', '\\']), "{uri}");
    for number in ["startLine", "startColumn", "endLine", "endColumn"] {
        assert!(physical["region"][number].as_u64().unwrap() >= 1);
    }
}

#[test]
fn a_rule_has_its_number_for_github() {
    let log = log();
    let rule = &list(&log, "/runs/0/tool/driver/rules")[0];
    assert_eq!(rule["properties"]["security-severity"], "9.5");
    assert_eq!(rule["properties"]["tags"][1], "external/cwe/cwe-89");
    assert!(
        rule["help"]["markdown"]
            .as_str()
            .unwrap()
            .contains("Use parameters.")
    );
}

#[test]
fn what_was_not_read_is_told() {
    let log = log();
    let told = list(&log, "/runs/0/invocations/0/toolExecutionNotifications");
    let unread = told
        .iter()
        .find(|told| told["descriptor"]["id"] == "unread")
        .unwrap();
    assert_eq!(unread["level"], "warning");
    let uri = unread.pointer("/locations/0/physicalLocation/artifactLocation/uri");
    assert_eq!(uri.unwrap(), "app/broken.ts");
}

#[test]
fn a_suppressed_result_keeps_its_place_behind_the_open_ones() {
    let log = log();
    let suppressed: Vec<bool> = list(&log, "/runs/0/results")
        .iter()
        .map(|result| !list(result, "/suppressions").is_empty())
        .collect();
    assert!(suppressed.is_sorted());
    assert_eq!(
        suppressed.iter().filter(|suppressed| **suppressed).count(),
        1
    );
}

#[test]
fn github_gets_no_more_than_it_keeps_and_is_told_so() {
    let mut report = made::raw();
    let one = report.findings[0].clone();
    report.findings = vec![one; 5_003];
    report.settle();
    let log: Value = serde_json::from_str(&sarif::audit(&report, &[]).unwrap()).unwrap();
    assert_eq!(list(&log, "/runs/0/results").len(), 5_000);
    let told = list(&log, "/runs/0/invocations/0/toolExecutionNotifications");
    let cut = told
        .iter()
        .find(|told| told["descriptor"]["id"] == "cut")
        .unwrap();
    assert_eq!(
        cut["message"]["text"],
        "3 less severe findings are left out, JSON has them"
    );
}
