//! The pages that are made from the rules: `docs/rules.md` and one page for each rule in `docs/rules/`.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

use crate::{
    catalogue_dump::{CatalogueDump, RequirementRow},
    environment::Environment,
    problem::Problem,
    rule_dump::{RuleDump, RuleRow},
    tree::Tree,
};

const FOLDER: &str = "docs/rules/";
const INDEX: &str = "docs/rules.md";
const MADE: &str = "<!-- made by `cargo xtask docs`; edit the page beside the rule instead -->";

/// Writes every page, and removes those whose rule is gone.
pub(crate) fn run(environment: &Environment) -> Result<()> {
    let pages = pages(
        &RuleDump::ask(environment)?,
        &CatalogueDump::ask(environment)?,
    );
    let tree = Tree::open(&environment.root)?;
    for path in tree.paths().filter(|path| path.starts_with(FOLDER)) {
        if !pages.contains_key(path) {
            fs::remove_file(environment.root.join(path))
                .with_context(|| format!("cannot remove `{path}`"))?;
        }
    }
    fs::create_dir_all(environment.root.join(FOLDER))
        .with_context(|| format!("cannot make `{FOLDER}`"))?;
    for (path, text) in &pages {
        fs::write(environment.root.join(path), text)
            .with_context(|| format!("cannot write `{path}`"))?;
    }
    Ok(())
}

/// Pages that are missing, differ from what the rules say, or belong to no rule.
pub(crate) fn problems(tree: &Tree, dump: &RuleDump, catalogue: &CatalogueDump) -> Vec<Problem> {
    let pages = pages(dump, catalogue);
    let differing = pages
        .iter()
        .filter_map(|(path, text)| match tree.text(path) {
            Some(there) if there == text => None,
            Some(_) => Some(Problem::new(
                path,
                "it is not what the rules say now: run `cargo xtask docs`",
            )),
            None => Some(Problem::new(path, "it is missing: run `cargo xtask docs`")),
        });
    let stray = tree
        .paths()
        .filter(|path| path.starts_with(FOLDER) && !pages.contains_key(*path))
        .map(|path| Problem::new(path, "it belongs to no rule: run `cargo xtask docs`"));
    differing.chain(stray).collect()
}

/// Every page by its path.
fn pages(dump: &RuleDump, catalogue: &CatalogueDump) -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = dump
        .rules
        .iter()
        .map(|rule| {
            (
                format!("{FOLDER}{}.md", rule.id),
                page(rule, dump, catalogue),
            )
        })
        .collect();
    pages.insert(INDEX.to_owned(), index(dump));
    pages
}

fn index(dump: &RuleDump) -> String {
    let mut text = format!(
        "{MADE}\n# Rules\n\nA rule reports the absence of one control and belongs to one class; several rules may share a class.\n\
         Basis `code` is a fault by itself; basis `matrix` is what the decision matrix asks for.\n\n\
         | rule | class | control | severity | confidence | basis | CWE | ASVS | OWASP |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for rule in &dump.rules {
        text.push_str(&format!(
            "| [`{0}`](rules/{0}.md) | {1} |\n",
            rule.id,
            cells(rule)
        ));
    }
    text
}

/// The rule's own page, with its row of the table under the title and the requirements it answers at the end.
fn page(rule: &RuleRow, dump: &RuleDump, catalogue: &CatalogueDump) -> String {
    let (title, rest) = rule.page.split_once('\n').unwrap_or((&rule.page, ""));
    let rest = with_links_by_id(rest.trim_start_matches('\n'), dump);
    format!(
        "{MADE}\n{title}\n\n\
         | class | control | severity | confidence | basis | CWE | ASVS | OWASP |\n\
         |---|---|---|---|---|---|---|---|\n\
         | {} |\n\n{}\n{}",
        cells(rule),
        rest.trim_end(),
        requirements(&rule.id, catalogue),
    )
}

/// Which requirements the rule answers; nothing where it answers none.
fn requirements(rule: &str, catalogue: &CatalogueDump) -> String {
    let answer = format!("rule:{rule}");
    let ids = |answers: fn(&RequirementRow) -> &[String]| {
        let rows = catalogue.requirements.iter();
        let ids = rows.filter(|row| answers(row).contains(&answer));
        ids.map(|row| row.id.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (whole, part) = (ids(|row| &row.answered_by), ids(|row| &row.partly_by));
    let says = match (whole.is_empty(), part.is_empty()) {
        (true, true) => return String::new(),
        (false, true) => format!("{whole}."),
        (true, false) => format!("in part {part}."),
        (false, false) => format!("{whole}; in part {part}."),
    };
    format!("\nWhat it answers of [the seeds](../seeds.md): {says}\n")
}

fn cells(rule: &RuleRow) -> String {
    let cwe: Vec<String> = rule.cwe.iter().map(|cwe| cwe_link(cwe)).collect();
    [
        rule.class.clone(),
        rule.control.clone(),
        rule.severity.clone(),
        rule.confidence.clone(),
        rule.basis.clone(),
        cwe.join(", "),
        rule.asvs.join(", "),
        rule.owasp.join(", "),
    ]
    .map(|cell| cell.replace('|', "\\|"))
    .join(" | ")
}

fn cwe_link(cwe: &str) -> String {
    let number = cwe.trim_start_matches("CWE-");
    format!("[CWE-{number}](https://cwe.mitre.org/data/definitions/{number}.html)")
}

/// Beside the rules a page is called like its file, here like its rule: a link from page to page follows the name.
fn with_links_by_id(text: &str, dump: &RuleDump) -> String {
    let mut in_example = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_example = !in_example;
        }
        let mut line = line.to_owned();
        for id in dump
            .rules
            .iter()
            .map(|rule| &rule.id)
            .filter(|_| !in_example)
        {
            line = with_link_by_id(&line, id);
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn with_link_by_id(line: &str, id: &str) -> String {
    let file = format!("{}.md", id.replace('-', "_"));
    let mut written = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        written.push_str(before);
        written.push_str("](");
        let (target, end) = after.split_at(after.find([')', '#', ' ']).unwrap_or(after.len()));
        let name = target.rsplit('/').next().unwrap_or(target);
        if name == file && !target.contains(':') {
            written.push_str(&format!("{id}.md"));
        } else {
            written.push_str(target);
        }
        rest = end;
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::{pages, problems};
    use crate::{
        catalogue_dump,
        rule_dump::{RuleDump, RuleRow},
        tree::made,
    };

    fn dump() -> RuleDump {
        let rule = |id: &str, page: &str| RuleRow {
            id: id.to_owned(),
            class: id.to_owned(),
            control: "csrf".to_owned(),
            cwe: vec!["CWE-352".to_owned()],
            page: format!("# {id}\n\n{page}\n"),
            ..RuleRow::default()
        };
        let page = "See [the other](../jwt/jwt_alg_none.md#why) and [x](https://example.com/jwt_alg_none.md).\n\n\
            ```md a.md\n[other](jwt_alg_none.md)\n```";
        RuleDump {
            rules: vec![rule("csrf-missing", page), rule("jwt-alg-none", "Why.")],
        }
    }

    fn shown(files: &[(&str, &str)]) -> Vec<String> {
        problems(&made::tree(files), &dump(), &catalogue_dump::made::dump())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn pages_follow_their_rules() {
        let pages = pages(&dump(), &catalogue_dump::made::dump());
        let page = &pages["docs/rules/csrf-missing.md"];
        assert!(page.contains("\n# csrf-missing\n\n| class |"), "{page}");
        assert!(
            page.contains(
                "[the other](jwt-alg-none.md#why) and [x](https://example.com/jwt_alg_none.md)"
            ),
            "{page}"
        );
        assert!(
            page.contains("\n[other](jwt_alg_none.md)\n"),
            "an example stays as it is: {page}"
        );
        assert!(page.ends_with("```\n\nWhat it answers of [the seeds](../seeds.md): S0-A-01.\n"));
        let other = &pages["docs/rules/jwt-alg-none.md"];
        assert!(other.ends_with("Why.\n"), "{other}");
        let index = &pages["docs/rules.md"];
        assert!(
            index.contains("| [`csrf-missing`](rules/csrf-missing.md) | csrf-missing | csrf |"),
            "{index}"
        );
        assert_eq!(
            index
                .lines()
                .filter(|line| line.starts_with("| [`"))
                .count(),
            2
        );
    }

    #[test]
    fn pages_as_made_are_quiet() {
        let pages = pages(&dump(), &catalogue_dump::made::dump());
        let files: Vec<(&str, &str)> = pages
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(shown(&files), [""; 0]);
    }

    #[test]
    fn a_page_missing_edited_or_left_over_is_found() {
        let pages = pages(&dump(), &catalogue_dump::made::dump());
        let says = shown(&[
            ("docs/rules.md", &pages["docs/rules.md"]),
            ("docs/rules/csrf-missing.md", "# csrf-missing\n"),
            ("docs/rules/old.md", "# old\n"),
        ]);
        assert_eq!(
            says,
            [
                "docs/rules/csrf-missing.md: it is not what the rules say now: run `cargo xtask docs`",
                "docs/rules/jwt-alg-none.md: it is missing: run `cargo xtask docs`",
                "docs/rules/old.md: it belongs to no rule: run `cargo xtask docs`",
            ]
        );
    }
}
