//! `docs/seeds.md`: every requirement of the seeds and what answers it, made from the catalogue.

use std::fs;

use anyhow::{Context as _, Result};

use crate::catalogue_dump::{CatalogueDump, RequirementRow, SeedRow};
use crate::coverage::{Counts, Figures};
use crate::environment::Environment;
use crate::problem::Problem;
use crate::tree::Tree;

const PAGE: &str = "docs/seeds.md";
const MADE: &str = "<!-- made by `cargo xtask docs`; edit crates/catalogue/data instead -->";

/// Writes the page.
pub(crate) fn run(environment: &Environment) -> Result<()> {
    let text = page(&CatalogueDump::ask(environment)?);
    fs::write(environment.root.join(PAGE), text).with_context(|| format!("cannot write `{PAGE}`"))
}

/// The page is missing, or differs from what the catalogue says.
pub(crate) fn problems(tree: &Tree, dump: &CatalogueDump) -> Option<Problem> {
    let says = match tree.text(PAGE) {
        Some(text) if text == page(dump) => return None,
        Some(_) => "it is not what the catalogue says now: run `cargo xtask docs`",
        None => "it is missing: run `cargo xtask docs`",
    };
    Some(Problem::new(PAGE, says))
}

fn page(dump: &CatalogueDump) -> String {
    let figures = Figures::of(dump);
    let Counts {
        answered, partly, ..
    } = figures.all;
    let mut text = format!(
        "{MADE}\n# What the seeds ask for\n\n\
         Portcullis began with five documents, the seeds. They ask for {} things, and each of them is listed here with what \
         answers it today: {answered} are answered whole, {partly} in part. A rule answers for \
         the code that the audit [reads](../README.md#what-it-reads), what else answers does so for the requests that go \
         through the guard. Everything else is work that is left, and stands here so that nobody takes it for done.\n\n\
         *Applies* says which projects a requirement concerns: those that have any of the words. *Answered by* names a \
         [rule](rules.md) that finds its absence, a control that [the guard](guide/guard.md#what-is-enforced) enforces, an \
         [event](guide/guard.md#events) that it writes, the reason for which it refuses a request, the fault of a \
         [secret](guide/sessions.md#a-policy) with which it does not start, or a command; where nothing stands there yet, whose \
         business it will be. *Mapping* is ours unless it says *seed*. \
         `portcullis explain requirement ID` tells the same of one.\n\n",
        figures.all.all(),
    );
    let seeds = figures.by_seed.iter().map(|(id, counts)| {
        let about = dump.seeds.iter().find(|seed| seed.id == *id);
        let about = about.map_or_else(|| id.clone(), seed_link);
        (about, *counts)
    });
    counted(&mut text, "seed", seeds);
    counted(&mut text, "business of", figures.by_verb.iter().cloned());
    counted(&mut text, "level", figures.by_level.iter().cloned());
    for seed in &dump.seeds {
        text.push_str(&format!("## {}\n\n", heading(seed)));
        let rows = dump.requirements.iter().filter(|row| row.seed == seed.id);
        sections(&mut text, &rows.collect::<Vec<_>>());
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn heading(seed: &SeedRow) -> String {
    format!("Seed {}: {}", seed.id, cell(&seed.subject))
}

/// To the heading of the seed, as GitHub names it.
fn seed_link(seed: &SeedRow) -> String {
    let heading = heading(seed);
    let anchor = heading.to_lowercase().replace(' ', "-");
    let is_kept = |character: &char| character.is_alphanumeric() || matches!(character, '-' | '_');
    let anchor: String = anchor.chars().filter(is_kept).collect();
    format!("[{heading}](#{anchor})")
}

fn counted(text: &mut String, by: &str, rows: impl Iterator<Item = (String, Counts)>) {
    text.push_str(&format!(
        "| {by} | answered | partly | not yet | all |\n|---|---:|---:|---:|---:|\n"
    ));
    for (name, counts) in rows {
        let Counts {
            answered,
            partly,
            not_yet,
        } = counts;
        let all = counts.all();
        text.push_str(&format!(
            "| {name} | {answered} | {partly} | {not_yet} | {all} |\n"
        ));
    }
    text.push('\n');
}

/// A heading, a table and the notes for each run of requirements of one section.
fn sections(text: &mut String, rows: &[&RequirementRow]) {
    for rows in rows.chunk_by(|one, other| one.section == other.section) {
        let section = rows.first().map_or("", |row| &row.section);
        text.push_str(&format!(
            "### {}\n\n| id | requirement | level | applies | answered by | mapping |\n|---|---|---|---|---|---|\n",
            cell(section)
        ));
        for row in rows {
            let note = if row.instead.is_empty() {
                ""
            } else {
                " (see the note)"
            };
            text.push_str(&format!(
                "| {} | {}{note} | {} | {} | {} | {} |\n",
                row.id,
                cell(&row.title),
                row.level,
                row.applies_when.join(", "),
                answers(row),
                mapping(row),
            ));
        }
        text.push('\n');
        let notes = rows.iter().filter(|row| !row.instead.is_empty());
        let notes: Vec<String> = notes
            .map(|row| format!("- {}: {}\n", row.id, cell(&row.instead)))
            .collect();
        if !notes.is_empty() {
            text.push_str(&format!("What we do instead:\n\n{}\n", notes.concat()));
        }
    }
}

fn answers(row: &RequirementRow) -> String {
    let links = |answers: &[String]| {
        let links: Vec<String> = answers.iter().map(|answer| answer_link(answer)).collect();
        links.join(", ")
    };
    let (whole, part) = (links(&row.answered_by), links(&row.partly_by));
    match (whole.is_empty(), part.is_empty()) {
        (true, true) => format!("not yet: {}", row.verb),
        (true, false) => format!("in part: {part}"),
        (false, true) => whole,
        (false, false) => format!("{whole}; in part: {part}"),
    }
}

fn answer_link(answer: &str) -> String {
    match answer.split_once(':') {
        Some(("rule", id)) => format!("[`{id}`](rules/{id}.md)"),
        Some(("control", name)) => format!("[control `{name}`](guide/guard.md#what-is-enforced)"),
        Some(("event", name)) => format!("[event `{name}`](guide/guard.md#events)"),
        Some(("reason", name)) => format!("[refusal `{name}`](guide/guard.md#what-is-enforced)"),
        Some(("secret", code)) => format!("[secret `{code}`](guide/sessions.md#a-policy)"),
        Some(("command", words)) => format!("`portcullis {}`", words.replace('-', " ")),
        _ => format!("`{answer}`"),
    }
}

fn mapping(row: &RequirementRow) -> String {
    let cwe = row.cwe.strip_prefix("CWE-").map(|number| {
        format!("[CWE-{number}](https://cwe.mitre.org/data/definitions/{number}.html)")
    });
    let asvs = (!row.asvs.is_empty()).then(|| format!("ASVS {}", row.asvs));
    let owasp = (!row.owasp.is_empty()).then(|| row.owasp.clone());
    let seed = (row.mapped_by == "seed").then(|| "*seed*".to_owned());
    let all: Vec<String> = [cwe, asvs, owasp, seed].into_iter().flatten().collect();
    all.join(", ")
}

/// Text that neither ends a cell nor begins a tag.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{page, problems};
    use crate::catalogue_dump::made;
    use crate::tree;

    #[test]
    fn each_requirement_has_a_row_under_its_seed_and_section() {
        let text = page(&made::dump());
        for line in [
            "## Seed 000: Operating",
            "### Second",
            "| [Seed 000: Operating](#seed-000-operating) | 1 | 1 | 1 | 3 |",
            "| S0-A-01 | Do S0-A-01 \\| well | must | api, tokens | [`csrf-missing`](rules/csrf-missing.md) | \
             [CWE-352](https://cwe.mitre.org/data/definitions/352.html), ASVS 5.0.0-3.5.1, *seed* |",
            "| S0-A-02 | Do S0-A-02 \\| well (see the note) | must | api, tokens | in part: \
             [control `rate_limit`](guide/guard.md#what-is-enforced), [event `x`](guide/guard.md#events) |  |",
            "| S0-B-01 | Do S0-B-01 \\| well | must | api, tokens | not yet: probe |  |",
            "- S0-A-02: We do the other.",
        ] {
            assert!(text.lines().any(|there| there == line), "{line}\n{text}");
        }
        assert!(text.contains("1 are answered whole, 1 in part"), "{text}");
        assert!(text.ends_with("|\n"), "{text}");
    }

    #[test]
    fn a_page_that_is_not_what_the_catalogue_says_is_found() {
        let dump = made::dump();
        let shown = |files: &[(&str, &str)]| {
            problems(&tree::made::tree(files), &dump).map(|problem| problem.to_string())
        };
        let whole = page(&dump);
        assert_eq!(shown(&[("docs/seeds.md", &whole)]), None);
        let edited = whole.replace("in part: [", "[");
        assert!(
            shown(&[("docs/seeds.md", &edited)])
                .unwrap()
                .contains("not what the catalogue says")
        );
        assert!(shown(&[]).unwrap().contains("missing"));
    }
}
