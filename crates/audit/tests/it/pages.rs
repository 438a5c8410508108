//! Runs the examples of every rule's page: what a page shows as found is found, and nothing else is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use portcullis_audit::{Options, RULES, Rule, audit_project};
use portcullis_code::project::Project;
use portcullis_policy::{Date, Policy};

/// A small application of a page.
#[derive(Debug, Default, PartialEq)]
struct Example {
    /// Where it begins in the page.
    line: usize,
    /// Its files, without marks.
    files: Vec<(String, String)>,
    /// The marked lines.
    marks: BTreeSet<(String, usize)>,
}

/// A page, taken apart.
#[derive(Debug, Default)]
struct Page {
    title: String,
    sections: BTreeMap<String, Vec<Example>>,
}

impl Page {
    fn examples(&self, section: &str) -> &[Example] {
        self.sections.get(section).map_or(&[], Vec::as_slice)
    }
}

/// Takes a page apart, or says what is wrong with its form.
fn read(rule: &str, text: &str) -> Result<Page, String> {
    let mut page = Page::default();
    let mut section = String::new();
    let mut open: Option<Example> = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("# ") {
            title.clone_into(&mut page.title);
        } else if line.starts_with("## ") || line == "---" {
            if let Some(example) = open.take() {
                page.sections
                    .entry(section.clone())
                    .or_default()
                    .push(example);
            }
            if let Some(name) = line.strip_prefix("## ") {
                name.clone_into(&mut section);
                page.sections.entry(section.clone()).or_default();
            }
        } else if let Some(fence) = line.strip_prefix("```") {
            let mut file = None;
            if matches!(section.as_str(), "Found" | "Fixed" | "Not found") {
                let Some((_, path)) = fence.split_once(' ') else {
                    return Err(format!("line {}: the example names no file", at + 1));
                };
                file = Some(path.trim().to_owned());
            }
            let mut body = String::new();
            let mut closed = false;
            let mut number = 0;
            let mut marks = BTreeSet::new();
            for (at, line) in lines.by_ref() {
                if line == "```" {
                    closed = true;
                    break;
                }
                number += 1;
                let mut code = line;
                if let Some((before, mark)) = line.split_once("//~") {
                    if mark.trim() != rule {
                        return Err(format!("line {}: the mark names `{}`", at + 1, mark.trim()));
                    }
                    code = before.trim_end();
                    marks.insert(number);
                }
                body.push_str(code);
                body.push('\n');
            }
            if !closed {
                return Err(format!("line {}: the block is never closed", at + 1));
            }
            if let Some(file) = file {
                let example = open.get_or_insert_with(|| Example {
                    line: at + 1,
                    ..Example::default()
                });
                example
                    .marks
                    .extend(marks.into_iter().map(|line| (file.clone(), line)));
                if example.files.iter().any(|(other, _)| *other == file) {
                    return Err(format!("line {}: `{file}` is there twice", at + 1));
                }
                example.files.push((file, body));
            }
        }
    }
    if let Some(example) = open {
        page.sections.entry(section).or_default().push(example);
    }
    Ok(page)
}

/// What the rule reports of an example, or why the example cannot be judged.
fn reported(rule: &Rule, example: &Example) -> Result<BTreeMap<(String, usize), String>, String> {
    let mut options = Options::on(Date::new(2026, 7, 1).expect("a day"));
    options.only_rules = vec![rule.id.to_owned()];
    let mut files = Vec::new();
    for (file, text) in &example.files {
        if file == "portcullis.toml" {
            options.policy = Policy::parse(text).map_err(|error| error.to_string())?;
        } else {
            files.push((file.clone(), text.clone()));
        }
    }
    let project = Project::from_files(files);
    let audited = audit_project(&project, &options, &|_| ()).map_err(|error| error.to_string())?;
    if let Some(unread) = audited.report.unread.first() {
        return Err(format!(
            "`{}` cannot be read: {}",
            unread.file, unread.reason
        ));
    }
    let mut found = BTreeMap::new();
    for finding in &audited.report.findings {
        for place in &finding.places {
            found.insert(
                (place.location.file.clone(), place.location.line as usize),
                format!("{}: {}", finding.rule, finding.message),
            );
        }
    }
    Ok(found)
}

/// What is wrong with a rule's page, one fault a line.
fn faults(rule: &Rule) -> String {
    let mut faults = String::new();
    let page = match read(rule.id, rule.page) {
        Ok(page) => page,
        Err(fault) => return format!("{}: {fault}\n", rule.id),
    };
    let mut fault = |text: String| writeln!(faults, "{}: {text}", rule.id).expect("a string");
    if page.title != rule.id {
        fault(format!("the title is `{}`", page.title));
    }
    for section in ["Why", "See also"] {
        if !page.sections.contains_key(section) {
            fault(format!("there is no section `{section}`"));
        }
    }
    for section in ["Found", "Fixed", "Not found"] {
        if page.examples(section).is_empty() {
            fault(format!("nothing is shown under `{section}`"));
        }
    }
    if page.examples("Found").len() != page.examples("Fixed").len() {
        fault("not every found example is fixed, or the other way round".to_owned());
    }
    for section in ["Found", "Fixed", "Not found"] {
        for example in page.examples(section) {
            if example.marks.is_empty() == (section == "Found") {
                fault(format!(
                    "line {}: the example under `{section}` has {} marks",
                    example.line,
                    example.marks.len()
                ));
            }
            let found = match reported(rule, example) {
                Ok(found) => found,
                Err(reason) => {
                    fault(format!("line {}: {reason}", example.line));
                    continue;
                }
            };
            for (file, line) in &example.marks {
                if !found.contains_key(&(file.clone(), *line)) {
                    fault(format!(
                        "example at line {} (`{section}`): {file}:{line} is not reported",
                        example.line
                    ));
                }
            }
            for ((file, line), message) in &found {
                if !example.marks.contains(&(file.clone(), *line)) {
                    fault(format!(
                        "example at line {} (`{section}`): {file}:{line} is reported: {message}",
                        example.line
                    ));
                }
            }
        }
    }
    faults
}

#[test]
fn every_page_shows_what_its_rule_does() {
    let faults: String = RULES.iter().map(|rule| faults(rule)).collect();
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_rule_file_is_registered_under_its_name_and_has_a_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut code = BTreeSet::new();
    let mut pages = BTreeSet::new();
    // Without a single rule there is no folder either; then the comparisons below hold.
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a file").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => code.insert(name),
            Some("md") => pages.insert(name),
            _ => panic!("{} is neither a rule nor a page", path.display()),
        };
    }
    let registered: Vec<String> = RULES.iter().map(|rule| rule.id.replace('-', "_")).collect();
    let unique: BTreeSet<String> = registered.iter().cloned().collect();
    assert_eq!(registered.len(), unique.len(), "a rule is registered twice");
    let missing = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).cloned().collect::<Vec<_>>()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(
        missing(&code, &unique),
        none,
        "files that `RULES` in `rules.rs` does not name"
    );
    assert_eq!(
        missing(&unique, &code),
        none,
        "rules of `RULES` without a file of their name"
    );
    assert_eq!(missing(&code, &pages), none, "rules without a page");
    assert_eq!(missing(&pages, &code), none, "pages without a rule");
}

#[test]
fn what_a_rule_says_of_itself_is_well_formed() {
    for rule in RULES {
        assert!(
            rule.id
                .chars()
                .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-'),
            "{}: an id is kebab-case",
            rule.id
        );
        let cwe = |id: &&str| {
            id.strip_prefix("CWE-")
                .is_some_and(|n| n.parse::<u32>().is_ok())
        };
        assert!(
            !rule.cwe.is_empty() && rule.cwe.iter().all(cwe),
            "{}",
            rule.id
        );
        assert!(
            rule.asvs.iter().all(|id| id.starts_with("v5.0.0-")),
            "{}: a requirement of ASVS names its version",
            rule.id
        );
        assert!(
            rule.summary
                .starts_with(|first: char| !first.is_uppercase())
                && !rule.summary.ends_with('.'),
            "{}: the summary is lower case and has no full stop",
            rule.id
        );
    }
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# x\n\n## Found\n\n```ts a.ts\none\ntwo   //~ x\n```\nand\n```ts b.ts\nthree\n```\n---\n```ts a.ts\n```\n## See also\n```sh\nrun\n```\n";
    let page = read("x", text).expect("a page");
    assert_eq!(page.title, "x");
    let [first, second] = page.examples("Found") else {
        panic!("{page:?}");
    };
    assert_eq!(
        first.files,
        [
            ("a.ts".to_owned(), "one\ntwo\n".to_owned()),
            ("b.ts".to_owned(), "three\n".to_owned())
        ]
    );
    assert_eq!(first.marks, BTreeSet::from([("a.ts".to_owned(), 2)]));
    assert_eq!((second.line, second.marks.len()), (14, 0));
    assert!(read("y", text).expect_err("another mark").contains("`x`"));
    assert!(
        read("x", "## Found\n```ts\n```\n")
            .expect_err("no file")
            .contains("names no file")
    );
    assert!(
        read("x", "## Found\n```ts a.ts\n")
            .expect_err("open")
            .contains("never closed")
    );
}
