//! Every rule has a file, a page beside it, an entry in the registry, a class and a control.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    problem::Problem,
    rule_dump::{RuleDump, RuleRow},
    tree::Tree,
};

const FOLDER: &str = "crates/audit/src/rules/";
const REGISTRY: &str = "crates/audit/src/rules.rs";

/// The words a finding's `class` may be. Readers of our JSON depend on them, so they are written down a second time
/// here: a class that is renamed or invented in passing shows as a problem.
const CLASSES: &str = "\
    auth-missing auth-unused authz-missing authz-weak bola tenant-missing mass-assignment data-exposure \
    validation-missing upload-limit csrf-missing ratelimit-missing ratelimit-spoofable-key webhook-signature-missing \
    user-enumeration error-leak pii-log secret-log log-injection headers-missing cors-misconfig session-cookie-flags \
    session-fixation tls-missing debug-mode client-side-authz sqli nosqli command-injection code-injection ssti xss \
    ssrf ssrf-timeout path-traversal open-redirect redos xxe insecure-deserialization prototype-pollution info-leak \
    secret-exposure jwt-no-verify jwt-alg-none jwt-hs256 jwt-missing-aud-iss jwt-missing-jti jwt-lifetime \
    hardcoded-secret committed-env weak-rng low-entropy-token predictable-token weak-hash timing-compare \
    plaintext-password weak-password-policy container-root image-unpinned privileged-container writable-root-fs \
    fail-open secret-in-argv kubectl-secret terraform-inline-var ci-unpinned-action ci-dangerous-trigger \
    dependency-vulnerable inventory-gap webhook-not-idempotent";

const SEVERITIES: &[&str] = &["critical", "high", "medium", "low"];
const CONFIDENCES: &[&str] = &["high", "medium", "low"];
const BASES: &[&str] = &["code", "matrix"];

/// Files without a page or an entry, entries without a file, pages of no rule, and holes in the table.
pub(super) fn problems(tree: &Tree, dump: &RuleDump) -> Vec<Problem> {
    let mut problems = Vec::new();
    let files = rule_files(tree, &mut problems);
    let registered: BTreeSet<&str> = dump.rules.iter().map(|rule| rule.id.as_str()).collect();
    for (id, path) in &files {
        problems.extend(judge_file(tree, id, path));
        if !registered.contains(id.as_str()) {
            problems.push(Problem::new(
                path,
                format!("rule `{id}` is not registered in `{REGISTRY}`"),
            ));
        }
    }
    for path in tree.paths().filter(|path| path.starts_with(FOLDER)) {
        let rule = path.strip_suffix(".md").map(|stem| format!("{stem}.rs"));
        if rule.is_some_and(|rule| !tree.has(&rule)) {
            problems.push(Problem::new(
                path,
                "the page of no rule: there is no such `.rs` beside it",
            ));
        }
    }
    for rule in &dump.rules {
        match files.get(&rule.id) {
            Some(path) => {
                problems.extend(judge_row(rule).map(|message| Problem::new(path, message)));
            }
            None => problems.push(Problem::new(
                REGISTRY,
                format!(
                    "rule `{}` has no file `{}.rs` in `{FOLDER}`",
                    rule.id,
                    rule.id.replace('-', "_")
                ),
            )),
        }
    }
    problems
}

/// Id and path of every rule's file. A file with a folder of its own name beside it is a family, not a rule.
fn rule_files(tree: &Tree, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for path in tree.paths().filter(|path| path.starts_with(FOLDER)) {
        let Some(stem) = path.strip_suffix(".rs") else {
            continue;
        };
        if tree.has(stem) {
            continue;
        }
        let name = stem.rsplit('/').next().unwrap_or(stem);
        if let Some(other) = files.insert(name.replace('_', "-"), path.to_owned()) {
            problems.push(Problem::new(path, format!("`{other}` has the same name")));
        }
    }
    files
}

fn judge_file(tree: &Tree, id: &str, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let named = tree
        .text(path)
        .is_some_and(|text| text.contains(&format!("\"{id}\"")));
    if !named {
        problems.push(Problem::new(
            path,
            format!("the rule in this file is not called \"{id}\""),
        ));
    }
    let page = path.replace(".rs", ".md");
    match tree.text(&page) {
        None => problems.push(Problem::new(path, format!("there is no page `{page}`"))),
        Some(text) if text.lines().next() != Some(&format!("# {id}")) => {
            problems.push(Problem::at(&page, 1, format!("the first line is `# {id}`")));
        }
        Some(_) => {}
    }
    problems
}

fn judge_row(rule: &RuleRow) -> impl Iterator<Item = String> {
    let one_of = |what: &str, word: &str, known: &[&str]| {
        let message = format!(
            "`{}` has {what} `{word}`, which is none of: {}",
            rule.id,
            known.join(" ")
        );
        (!known.contains(&word)).then_some(message)
    };
    let class_known = CLASSES
        .split_ascii_whitespace()
        .any(|class| class == rule.class);
    [
        (!class_known).then(|| {
            format!(
                "`{}` has the class `{}`, which is not in the vocabulary",
                rule.id, rule.class
            )
        }),
        (!is_word(&rule.control)).then(|| format!("`{}` names no control", rule.id)),
        one_of("severity", &rule.severity, SEVERITIES),
        one_of("confidence", &rule.confidence, CONFIDENCES),
        one_of("basis", &rule.basis, BASES),
        rule.summary
            .trim()
            .is_empty()
            .then(|| format!("`{}` has no summary", rule.id)),
        rule.cwe
            .is_empty()
            .then(|| format!("`{}` names no CWE", rule.id)),
    ]
    .into_iter()
    .flatten()
}

/// Snake case, as controls are written in every output.
fn is_word(control: &str) -> bool {
    !control.is_empty()
        && control
            .chars()
            .all(|character| character.is_ascii_lowercase() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::{
        rule_dump::{RuleDump, RuleRow},
        tree::made,
    };

    const RULE: &str = "crates/audit/src/rules/route/csrf_missing.rs";
    const PAGE: &str = "crates/audit/src/rules/route/csrf_missing.md";

    fn row() -> RuleRow {
        RuleRow {
            id: "csrf-missing".to_owned(),
            class: "csrf-missing".to_owned(),
            control: "csrf".to_owned(),
            severity: "high".to_owned(),
            confidence: "high".to_owned(),
            basis: "matrix".to_owned(),
            cwe: vec!["CWE-352".to_owned()],
            summary: "no token is checked".to_owned(),
            ..RuleRow::default()
        }
    }

    fn shown(files: &[(&str, &str)], rules: Vec<RuleRow>) -> Vec<String> {
        let problems = problems(&made::tree(files), &RuleDump { rules });
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_rule_is_quiet() {
        let files = [
            (RULE, "//! x\nid: \"csrf-missing\"\n"),
            (PAGE, "# csrf-missing\n"),
            ("crates/audit/src/rules/route.rs", "//! a family\n"),
        ];
        assert_eq!(shown(&files, vec![row()]), [""; 0]);
    }

    #[test]
    fn a_rule_without_page_entry_or_its_own_name_is_found() {
        let says = shown(&[(RULE, "//! x\nid: \"other\"\n")], vec![]);
        assert_eq!(says.len(), 3, "{says:?}");
        assert!(says[0].contains("is not called \"csrf-missing\""));
        assert!(says[1].contains("there is no page"));
        assert!(says[2].contains("is not registered"));
    }

    #[test]
    fn an_entry_without_file_is_found() {
        let says = shown(&[], vec![row()]);
        assert!(
            says.len() == 1 && says[0].contains("has no file `csrf_missing.rs`"),
            "{says:?}"
        );
    }

    #[test]
    fn a_page_of_no_rule_or_of_another_name_is_found() {
        let says = shown(&[(PAGE, "# csrf-missing\n")], vec![]);
        assert!(
            says.len() == 1 && says[0].contains("the page of no rule"),
            "{says:?}"
        );
        let says = shown(
            &[(RULE, "\"csrf-missing\""), (PAGE, "# CSRF\n")],
            vec![row()],
        );
        assert_eq!(
            says,
            [format!("{PAGE}:1: the first line is `# csrf-missing`")]
        );
    }

    #[test]
    fn two_files_of_one_name_are_found() {
        let other = "crates/audit/src/rules/session/csrf_missing";
        let (rule, page) = (format!("{other}.rs"), format!("{other}.md"));
        let files = [
            (RULE, "\"csrf-missing\""),
            (PAGE, "# csrf-missing\n"),
            (&rule, "\"csrf-missing\""),
            (&page, "# csrf-missing\n"),
        ];
        let says = shown(&files, vec![row()]);
        assert!(
            says.len() == 1 && says[0].contains("has the same name"),
            "{says:?}"
        );
    }

    #[test]
    fn every_hole_in_the_table_is_found() {
        let files = [(RULE, "\"csrf-missing\""), (PAGE, "# csrf-missing\n")];
        type Hole = (fn(&mut RuleRow), &'static str);
        let holes: [Hole; 7] = [
            (
                |rule| rule.class = "csrf".to_owned(),
                "not in the vocabulary",
            ),
            (|rule| rule.control.clear(), "no control"),
            (|rule| rule.severity = "urgent".to_owned(), "`urgent`"),
            (|rule| rule.confidence.clear(), "confidence"),
            (|rule| rule.basis = "policy".to_owned(), "basis `policy`"),
            (|rule| rule.summary = " ".to_owned(), "no summary"),
            (|rule| rule.cwe.clear(), "no CWE"),
        ];
        for (make, why) in holes {
            let mut rule = row();
            make(&mut rule);
            let says = shown(&files, vec![rule]);
            assert!(says.len() == 1 && says[0].contains(why), "{says:?}");
        }
    }
}
