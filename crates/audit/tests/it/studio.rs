//! The studio, a Convex application with faults put there on purpose: what the rules say of it is exactly what is marked.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use portcullis_audit::audit_project;
use portcullis_code::project::{Options, Project};
use portcullis_report::Report;

fn folder(variant: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apps/studio");
    root.join(variant)
}

fn report(variant: &str) -> Report {
    let project = Project::open(&folder(variant), &Options::default(), &|_, _| ()).unwrap();
    let today = "2026-01-01".parse().unwrap();
    let options = portcullis_audit::Options::on(today);
    audit_project(&project, &options, &|_| ()).unwrap().report
}

fn found(report: &Report) -> BTreeSet<String> {
    let places = report.findings.iter().map(|finding| {
        let place = &finding.location;
        format!("{}:{} {}", place.file, place.line, finding.rule)
    });
    places.collect()
}

/// The marks of a variant: `// fault: RULE, RULE` on the line before.
fn marked(dir: &Path, name: &str, into: &mut BTreeSet<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{name}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            marked(&entry.path(), &format!("{name}/"), into);
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for (number, line) in text.lines().enumerate() {
            let Some(rules) = line.trim().strip_prefix("// fault: ") else {
                continue;
            };
            for rule in rules.split(", ") {
                into.insert(format!("{name}:{} {rule}", number + 2));
            }
        }
    }
}

#[test]
fn what_is_marked_is_found_and_nothing_else() {
    let mut expected = BTreeSet::new();
    marked(&folder("before"), "", &mut expected);
    assert!(expected.len() > 20, "the marks are not where they were");
    assert_eq!(found(&report("before")), expected);
}

#[test]
fn nothing_is_found_where_all_is_mended() {
    assert_eq!(found(&report("after")), BTreeSet::new());
}

#[test]
fn both_have_the_same_routes() {
    let names = |variant| {
        let mut names: Vec<String> = report(variant)
            .routes
            .iter()
            .map(|route| format!("{} {}", route.path, route.method).replace("INTERNAL", ""))
            .collect();
        names.sort();
        names
    };
    let after = names("after");
    assert_eq!(names("before"), after);
    // The component's own are internal, and its router is mounted.
    assert!(after.contains(&"ledger/entries:add MUTATION".to_owned()));
    assert!(after.contains(&"/books/health GET".to_owned()));
}
