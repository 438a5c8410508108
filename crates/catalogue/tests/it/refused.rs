//! What is refused, and where the message says it is.

use portcullis_catalogue::{Catalogue, Coverage, Seed};

const WHOLE: &str = r#"[[requirement]]
id = "S0-DG-RL-01"
section = "Always rate limited"
title = "Rate limit every route that can be abused"
level = "must"
applies_when = ["api"]
verb = "audit"
answered_by = ["rule:ratelimit-missing", "control:rate_limit"]
partly_by = ["event:excess_rate_limit_exceeded", "reason:rate_limited"]
cwe = "CWE-770"
asvs = "5.0.0-2.4.1"
owasp = "API4:2023"
mapping = "ours"
instead = "Nothing."
"#;

fn faults(text: &str) -> Vec<String> {
    match Catalogue::read(&[(Seed::Seed000, text)]) {
        Ok(_) => Vec::new(),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

/// The data with one thing changed.
fn but(old: &str, new: &str) -> String {
    assert_eq!(WHOLE.matches(old).count(), 1, "{old}");
    WHOLE.replace(old, new)
}

#[test]
fn what_is_whole_is_read() {
    let catalogue = Catalogue::read(&[(Seed::Seed000, WHOLE)]).unwrap();
    let [requirement] = catalogue.requirements() else {
        panic!("one");
    };
    assert_eq!(requirement.line, 1);
    assert_eq!(requirement.coverage(), Coverage::Answered);
    let answers: Vec<String> = requirement.answers().map(ToString::to_string).collect();
    assert_eq!(
        answers,
        [
            "rule:ratelimit-missing",
            "control:rate_limit",
            "event:excess_rate_limit_exceeded",
            "reason:rate_limited"
        ]
    );
}

#[test]
fn one_wrong_thing_is_one_fault_with_its_line() {
    for (old, new, says) in [
        (
            "\nlevel =",
            "\nlevels =",
            "5: S0-DG-RL-01: `levels`: unknown key (did you mean `level`?)",
        ),
        (
            "\"must\"",
            "\"shall\"",
            "5: S0-DG-RL-01: `level`: unknown level `shall`: use one of must, should, advice",
        ),
        (
            "\"audit\"",
            "\"audits\"",
            "7: S0-DG-RL-01: `verb`: unknown verb `audits` (did you mean `audit`?)",
        ),
        ("\"audit\"", "7", "7: S0-DG-RL-01: `verb`: is not a text"),
        (
            "[\"api\"]",
            "[]",
            "6: S0-DG-RL-01: `applies_when`: says nothing",
        ),
        (
            "[\"api\"]",
            "\"api\"",
            "6: S0-DG-RL-01: `applies_when`: is not a list",
        ),
        (
            "[\"api\"]",
            "[\"api\", 1]",
            "6: S0-DG-RL-01: `applies_when`: holds something else",
        ),
        (
            "[\"api\"]",
            "[\"api\", \"api\"]",
            "6: S0-DG-RL-01: `applies_when`: has `api` twice",
        ),
        (
            "[\"api\"]",
            "[\"api\", \"always\"]",
            "6: S0-DG-RL-01: `applies_when`: has something beside",
        ),
        (
            "\"rule:ratelimit-missing\"",
            "\"probe:x\"",
            "8: S0-DG-RL-01: `answered_by`: `probe:x` is no answer",
        ),
        (
            "\"rule:ratelimit-missing\"",
            "\"rule:\"",
            "8: S0-DG-RL-01: `answered_by`: `rule:` is no answer",
        ),
        (
            "\"control:rate_limit\"",
            "\"control:rate_limits\"",
            "8: S0-DG-RL-01: `answered_by`: unknown control",
        ),
        (
            "\"event:excess_rate_limit_exceeded\"",
            "\"event:excess\"",
            "9: S0-DG-RL-01: `partly_by`: unknown kind of event",
        ),
        (
            "\"reason:rate_limited\"",
            "\"control:rate_limit\"",
            "9: S0-DG-RL-01: `partly_by`: `control:rate_limit` answers the whole already",
        ),
        (
            "answered_by = [\"rule:ratelimit-missing\", \"control:rate_limit\"]\n",
            "",
            "1: S0-DG-RL-01: `answered_by`: is missing",
        ),
        (
            "\"CWE-770\"",
            "\"770\"",
            "10: S0-DG-RL-01: `cwe`: `770` is not like",
        ),
        (
            "\"5.0.0-2.4.1\"",
            "\"v5.0.0-2.4.1\"",
            "11: S0-DG-RL-01: `asvs`:",
        ),
        ("\"API4:2023\"", "\"API4\"", "12: S0-DG-RL-01: `owasp`:"),
        (
            "mapping = \"ours\"\n",
            "",
            "1: S0-DG-RL-01: `mapping`: is missing",
        ),
        (
            "\"Nothing.\"",
            "\"\"",
            "14: S0-DG-RL-01: `instead`: is empty",
        ),
        (
            "\"S0-DG-RL-01\"",
            "\"S1-DG-RL-01\"",
            "2: S1-DG-RL-01: `id`: `S1-DG-RL-01` is not like `S0-AREA-01`",
        ),
        (
            "\"S0-DG-RL-01\"",
            "\"S0-01\"",
            "2: S0-01: `id`: `S0-01` is not like",
        ),
        ("\"S0-DG-RL-01\"", "\"S0-DG-RL-1\"", "2: S0-DG-RL-1: `id`:"),
        (
            "id = \"S0-DG-RL-01\"\n",
            "",
            "1: requirement: `id`: is missing",
        ),
        (
            "\"S0-DG-RL-01\"",
            "\"S0-DG-RL-02\"",
            "1: `S0-DG-RL-02` is the first of `S0-DG-RL`",
        ),
        (
            "[[requirement]]",
            "x = 1\n[[requirement]]",
            "1: `x` is unknown",
        ),
        (
            "[[requirement]]",
            "[requirement]",
            "1: there is no `[[requirement]]`",
        ),
        ("\"must\"", "must", "5: it is not TOML"),
    ] {
        let faults = faults(&but(old, new));
        let says = format!("seed-000.toml:{says}");
        let about = |fault: &&String| fault.starts_with(&says);
        assert!(
            faults.iter().any(|fault| about(&fault)),
            "{says}\n{faults:#?}"
        );
        // A key under another name is also missing under its own.
        let most = if new.contains("levels") { 2 } else { 1 };
        assert!(faults.len() <= most, "{says}\n{faults:#?}");
    }
}

#[test]
fn a_mapping_of_nothing_is_refused() {
    let text = but(
        "cwe = \"CWE-770\"\nasvs = \"5.0.0-2.4.1\"\nowasp = \"API4:2023\"\n",
        "",
    );
    let says = "seed-000.toml:10: S0-DG-RL-01: `mapping`: has nothing to speak of";
    assert!(faults(&text)[0].starts_with(says), "{:?}", faults(&text));
}

#[test]
fn a_long_title_is_refused() {
    let long = "x".repeat(91);
    let text = but("Rate limit every route that can be abused", &long);
    let says = "seed-000.toml:4: S0-DG-RL-01: `title`: 91 characters, over 90";
    assert_eq!(faults(&text), [says]);
}

#[test]
fn twice_out_of_order_skipped_or_apart_is_refused() {
    let second = |id: &str| WHOLE.replace("S0-DG-RL-01", id);
    let other = |id: &str| second(id).replace("Always rate limited", "Another");
    for (texts, says) in [
        (
            vec![second("S0-DG-RL-01")],
            "15: `S0-DG-RL-01` follows `S0-DG-RL-01`",
        ),
        (
            vec![second("S0-DG-RL-03")],
            "15: `S0-DG-RL-03` follows `S0-DG-RL-01`",
        ),
        (
            vec![other("S0-DG-RL-02")],
            "15: `S0-DG-RL-02` has another section",
        ),
        (
            vec![second("S0-DG-CS-01")],
            "15: `S0-DG-CS-01` has the section `Always rate limited`",
        ),
        (
            vec![
                other("S0-DG-CS-01"),
                second("S0-DG-RL-02").replace("Always", "Often"),
            ],
            "29: `S0-DG-RL-02` stands apart from the others of `S0-DG-RL`",
        ),
    ] {
        let text = format!("{WHOLE}{}", texts.concat());
        let faults = faults(&text);
        assert!(
            faults[0].starts_with(&format!("seed-000.toml:{says}")),
            "{says}\n{faults:#?}"
        );
    }
}

#[test]
fn a_catalogue_with_too_few_is_not_complete() {
    let read = Catalogue::read(&[(Seed::Seed000, WHOLE)]).unwrap();
    let error = read.complete().unwrap_err().to_string();
    let first = "seed-000.toml:1: it has 1 requirements, and the seed has 273";
    assert_eq!(error.lines().next(), Some(first));
    assert_eq!(error.lines().count(), 5);
}
