//! What the program says about the requirements of the seeds.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{err, out, run};

fn catalogue() -> Value {
    let output = run(&["dump", "catalogue"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_str(&out(&output)).unwrap()
}

fn requirements() -> Vec<Value> {
    catalogue()["requirements"].as_array().unwrap().clone()
}

#[test]
fn the_document_says_what_it_is_and_has_every_requirement_once() {
    let document = catalogue();
    let keys: Vec<&str> = document
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["schema", "tool", "seeds", "requirements"]);
    assert_eq!(document["schema"], "portcullis.catalogue/1");
    assert_eq!(document["tool"]["name"], "portcullis");
    assert_eq!(document["seeds"].as_array().unwrap().len(), 5);
    let ids: BTreeSet<String> = requirements()
        .iter()
        .map(|one| one["id"].to_string())
        .collect();
    assert_eq!((ids.len(), requirements().len()), (740, 740));
}

#[test]
fn coverage_is_what_the_answers_say() {
    for requirement in requirements() {
        let has = |key: &str| !requirement[key].as_array().unwrap().is_empty();
        let coverage = match (has("answered_by"), has("partly_by")) {
            (true, _) => "answered",
            (false, true) => "partly",
            (false, false) => "not_yet",
        };
        assert_eq!(requirement["coverage"], coverage, "{requirement}");
    }
}

/// Each rule that an answer names has a page, and that page names the requirement.
#[test]
fn a_requirement_and_the_rules_that_answer_it_name_each_other() {
    let mut seen = BTreeSet::new();
    for requirement in requirements() {
        let id = requirement["id"].as_str().unwrap();
        for key in ["answered_by", "partly_by"] {
            for answer in requirement[key].as_array().unwrap() {
                let Some(rule) = answer.as_str().unwrap().strip_prefix("rule:") else {
                    continue;
                };
                // A run of the program for each of them: one requirement for each rule is enough.
                if seen.insert(rule.to_owned()) {
                    let page = out(&run(&["explain", "rule", rule]));
                    assert!(page.contains(id), "{rule} does not name {id}");
                    let told = out(&run(&["explain", "requirement", id]));
                    assert!(told.contains(&format!("rule:{rule}")), "{told}");
                }
            }
        }
    }
    assert!(!seen.is_empty());
}

#[test]
fn a_requirement_is_told_with_what_answers_it() {
    let all = requirements();
    let of = |coverage: &str| {
        let found = all.iter().find(|one| one["coverage"] == coverage).unwrap();
        let id = found["id"].as_str().unwrap();
        let output = run(&["explain", "requirement", &id.to_lowercase()]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let text = out(&output);
        let title = found["title"].as_str().unwrap();
        assert!(text.starts_with(&format!("{id}: {title}\n")), "{text}");
        text
    };
    assert!(of("answered").contains("\nanswered by "));
    assert!(of("partly").contains("\nanswered in part by "));
    assert!(of("not_yet").contains("\nnothing answers it yet\n"));
    let noted = all.iter().find(|one| one["instead"].is_string()).unwrap();
    let told = out(&run(&[
        "explain",
        "requirement",
        noted["id"].as_str().unwrap(),
    ]));
    let note = format!("\ninstead: {}\n", noted["instead"].as_str().unwrap());
    assert!(told.contains(&note), "{told}");
}

#[test]
fn a_requirement_that_is_not_there_is_usage() {
    let output = run(&["explain", "requirement", "S0-DG-RL-0"]);
    assert_eq!(output.status.code(), Some(2));
    let says = err(&output);
    assert!(
        says.starts_with(
            "error: there is no requirement `S0-DG-RL-0`; did you mean `S0-DG-RL-01`?"
        ),
        "{says}"
    );
    let output = run(&["explain", "requirement", "zzzzzzzzzzzzz"]);
    assert_eq!(
        err(&output),
        "error: there is no requirement `zzzzzzzzzzzzz`; `portcullis dump catalogue` lists them\n"
    );
}
