//! `[[source]]`, `[[sink]]`, `[[sanitizer]]` and `[[owned]]`: the examples of the guide are what the audit does.

use std::collections::BTreeSet;

use portcullis_audit::{Options, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::{Date, FlowClass, Policy};
use portcullis_report::{Class, Report};

const GUIDE: &str = include_str!("../../../../docs/guide/flows.md");
/// The rules that the examples are about.
const RULES: [&str; 4] = ["command-injection", "sql-injection", "ssrf", "bola"];

/// A file of an example: its name, its text without marks, and the lines that have one with their rules.
type File = (String, String, Vec<(usize, String)>);

fn files(section: &str) -> Vec<File> {
    let mut found = Vec::new();
    for fence in section.split("\n```").skip(1).step_by(2) {
        let (head, body) = fence.split_once('\n').unwrap();
        let (_, name) = head.split_once(' ').unwrap();
        let mut text = String::new();
        let mut marks = Vec::new();
        for (number, line) in body.lines().enumerate() {
            let (code, mark) = line.split_once("//~").unwrap_or((line, ""));
            if !mark.is_empty() {
                marks.push((number + 1, mark.trim().to_owned()));
            }
            text.push_str(code.trim_end());
            text.push('\n');
        }
        found.push((name.to_owned(), text, marks));
    }
    found
}

fn audited(files: &[File], with_policy: bool) -> Report {
    let mut options = Options::on(Date::new(2026, 7, 1).unwrap());
    options.only_rules = RULES.iter().map(|rule| (*rule).to_owned()).collect();
    let mut texts = Vec::new();
    for (name, text, _) in files {
        if name == "portcullis.toml" {
            if with_policy {
                options.policy = Policy::parse(&format!("version = 1\n{text}")).unwrap();
            }
        } else {
            texts.push((name.clone(), text.clone()));
        }
    }
    let audited = audit_project(&Project::from_files(texts), &options, &|_| ()).unwrap();
    audited.report
}

fn reported(report: &Report) -> BTreeSet<(String, usize, String)> {
    report
        .findings
        .iter()
        .map(|finding| {
            let at = &finding.location;
            (at.file.clone(), at.line as usize, finding.rule.to_owned())
        })
        .collect()
}

#[test]
fn the_examples_of_the_guide_are_what_the_audit_reports() {
    let sections: Vec<&str> = GUIDE.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), 4, "the guide has lost its examples");
    for section in sections {
        let title = section.lines().next().unwrap();
        let files = files(section);
        let marked: BTreeSet<(String, usize, String)> = files
            .iter()
            .flat_map(|(name, _, marks)| {
                marks
                    .iter()
                    .map(|(line, rule)| (name.clone(), *line, rule.clone()))
            })
            .collect();
        assert!(!marked.is_empty(), "{title}");
        let report = audited(&files, true);
        assert_eq!(report.notices, [], "{title}");
        assert_eq!(reported(&report), marked, "{title}");
        // It is the policy that makes the difference.
        assert_ne!(reported(&audited(&files, false)), marked, "{title}");
    }
}

#[test]
fn every_class_of_the_policy_is_one_of_findings() {
    for class in FlowClass::ALL {
        let known: Result<Class, _> = class.as_str().parse();
        assert!(known.is_ok(), "{class}");
    }
}

#[test]
fn a_line_that_leads_nowhere_is_told() {
    for policy in [
        "[[source]]\nsymbol = 'lib/none.js#read'\n",
        "[[sink]]\nsymbol = 'server.js#none'\nclass = 'sqli'\n",
        "[[owned]]\ntable = 'nothing'\nowner = 'user'\n",
    ] {
        let text = "const express = require('express');\nconst app = express();\napp.listen(1);\n";
        let files = [
            ("portcullis.toml".to_owned(), policy.to_owned(), Vec::new()),
            ("server.js".to_owned(), text.to_owned(), Vec::new()),
        ];
        assert_eq!(audited(&files, true).notices.len(), 1, "{policy}");
    }
}
