//! What the program says about its rules.

use serde_json::Value;

use crate::{err, out, run};

fn rules() -> Vec<Value> {
    let document: Value = serde_json::from_str(&out(&run(&["dump", "rules"]))).unwrap();
    assert_eq!(document["schema"], "portcullis.rules/1");
    document["rules"].as_array().unwrap().clone()
}

#[test]
fn every_rule_has_its_facts_and_a_page_that_can_be_printed() {
    for rule in rules() {
        for key in [
            "id",
            "class",
            "control",
            "severity",
            "confidence",
            "basis",
            "cwe",
            "asvs",
            "owasp",
            "summary",
            "page",
        ] {
            assert!(!rule[key].is_null(), "{rule} has no {key}");
        }
        let id = rule["id"].as_str().unwrap();
        let page = run(&["explain", "rule", id]);
        assert_eq!(page.status.code(), Some(0), "{id}");
        assert!(out(&page).starts_with(&format!("{id}: ")), "{id}");
    }
}

#[test]
fn a_rule_that_is_not_there_is_usage() {
    for args in [
        &["explain", "rule", "zzzzzzzzzzzzzzz"][..],
        &["audit", "--rule", "zzzzzzzzzzzzzzz"],
        &["audit", "--skip-rule", "zzzzzzzzzzzzzzz"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(
            err(&output),
            "error: there is no rule `zzzzzzzzzzzzzzz`; `portcullis dump rules` lists them\n"
        );
    }
}

#[test]
fn a_misspelt_rule_brings_the_one_that_was_meant() {
    for rule in rules() {
        let id = rule["id"].as_str().unwrap();
        let misspelt = format!("{id}x");
        let output = run(&["explain", "rule", &misspelt]);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("did you mean `"), "{}", err(&output));
    }
}
