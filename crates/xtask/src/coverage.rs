//! `cargo xtask coverage`: how much of the seeds is answered, and what is not.

use std::cmp::Reverse;
use std::io::{self, Write as _};

use anyhow::{Result, bail};

use crate::catalogue_dump::{CatalogueDump, Coverage, RequirementRow};
use crate::environment::Environment;

/// How many requirements there are of each coverage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) answered: usize,
    pub(crate) partly: usize,
    pub(crate) not_yet: usize,
}

impl Counts {
    /// Counts those rows.
    pub(crate) fn of<'r>(rows: impl Iterator<Item = &'r RequirementRow>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            *match row.coverage {
                Coverage::Answered => &mut counts.answered,
                Coverage::Partly => &mut counts.partly,
                Coverage::NotYet => &mut counts.not_yet,
            } += 1;
        }
        counts
    }

    /// All of them.
    pub(crate) const fn all(self) -> usize {
        self.answered + self.partly + self.not_yet
    }
}

/// The figures: of each seed, of each verb, of each level, of all.
pub(crate) struct Figures {
    pub(crate) by_seed: Vec<(String, Counts)>,
    pub(crate) by_verb: Vec<(String, Counts)>,
    pub(crate) by_level: Vec<(String, Counts)>,
    pub(crate) all: Counts,
}

impl Figures {
    /// Counts everything once by each key. Seeds are in their order, verbs and levels with the largest first.
    pub(crate) fn of(dump: &CatalogueDump) -> Self {
        Self {
            by_seed: by(dump, |row| &row.seed),
            by_verb: largest_first(by(dump, |row| &row.verb)),
            by_level: largest_first(by(dump, |row| &row.level)),
            all: Counts::of(dump.requirements.iter()),
        }
    }
}

fn by(dump: &CatalogueDump, key: fn(&RequirementRow) -> &String) -> Vec<(String, Counts)> {
    let mut names: Vec<&String> = Vec::new();
    for row in &dump.requirements {
        if !names.contains(&key(row)) {
            names.push(key(row));
        }
    }
    let counts = |name: &String| {
        let rows = dump.requirements.iter().filter(|row| key(row) == name);
        (name.clone(), Counts::of(rows))
    };
    names.into_iter().map(counts).collect()
}

fn largest_first(mut rows: Vec<(String, Counts)>) -> Vec<(String, Counts)> {
    rows.sort_by_key(|(_, counts)| Reverse(counts.all()));
    rows
}

/// Prints the figures.
pub(crate) fn run(environment: &Environment) -> Result<()> {
    print(&table(&CatalogueDump::ask(environment)?))
}

/// Prints what is not answered whole; with a verb, only what is that verb's business.
pub(crate) fn missing(environment: &Environment, verb: Option<&str>) -> Result<()> {
    print(&list(&CatalogueDump::ask(environment)?, verb)?)
}

fn print(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn table(dump: &CatalogueDump) -> String {
    let figures = Figures::of(dump);
    let mut text = String::from(
        "answered: the whole sentence, by what exists today; partly: a part of it\n\n",
    );
    for (title, rows) in [
        ("seed", &figures.by_seed),
        ("verb", &figures.by_verb),
        ("level", &figures.by_level),
    ] {
        text.push_str(&format!("{title:<12}answered  partly  not yet   all\n"));
        for (name, counts) in rows {
            text.push_str(&line(name, *counts));
        }
        text.push('\n');
    }
    text.push_str(&line("all", figures.all));
    text
}

fn line(name: &str, counts: Counts) -> String {
    let Counts {
        answered,
        partly,
        not_yet,
    } = counts;
    let all = counts.all();
    format!("{name:<12}{answered:>8}{partly:>8}{not_yet:>9}{all:>6}\n")
}

/// One line for each requirement: `-` where nothing answers it, `~` where something answers a part.
fn list(dump: &CatalogueDump, verb: Option<&str>) -> Result<String> {
    let is_asked = |row: &&RequirementRow| verb.is_none_or(|verb| row.verb == verb);
    let rows: Vec<&RequirementRow> = dump.requirements.iter().filter(is_asked).collect();
    if let Some(verb) = verb.filter(|_| rows.is_empty()) {
        let verbs: Vec<String> = by(dump, |row| &row.verb)
            .into_iter()
            .map(|of| of.0)
            .collect();
        bail!(
            "no requirement is the business of `{verb}`; the verbs are {}",
            verbs.join(", ")
        );
    }
    let open = |row: &&&RequirementRow| row.coverage != Coverage::Answered;
    let lines = rows.iter().filter(open).map(|row| {
        let mark = if row.coverage == Coverage::Partly {
            '~'
        } else {
            '-'
        };
        let has = match row.partly_by.as_slice() {
            [] => String::new(),
            partly => format!(" ({})", partly.join(", ")),
        };
        format!(
            "{mark} {:<16} {:<6} {:<9} {}{has}\n",
            row.id, row.level, row.verb, row.title
        )
    });
    let lines: String = lines.collect();
    let counts = Counts::of(rows.into_iter());
    let (open, all) = (counts.all() - counts.answered, counts.all());
    Ok(format!(
        "{lines}\n{open} of {all} are not answered whole; of these {} in part (~)\n",
        counts.partly
    ))
}

#[cfg(test)]
mod tests {
    use super::{Counts, Figures, list, table};
    use crate::catalogue_dump::made;

    #[test]
    fn every_requirement_is_counted_once_by_each_key() {
        let figures = Figures::of(&made::dump());
        let counts = |answered, partly, not_yet| Counts {
            answered,
            partly,
            not_yet,
        };
        assert_eq!(figures.all, counts(1, 1, 2));
        let seeds = [
            ("000".to_owned(), counts(1, 1, 1)),
            ("001".to_owned(), counts(0, 0, 1)),
        ];
        assert_eq!(figures.by_seed, seeds);
        for rows in [&figures.by_seed, &figures.by_verb, &figures.by_level] {
            let sum: usize = rows.iter().map(|(_, counts)| counts.all()).sum();
            assert_eq!(sum, figures.all.all());
        }
    }

    #[test]
    fn the_table_has_a_line_for_each() {
        let text = table(&made::dump());
        assert!(
            text.contains("000                1       1        1     3\n"),
            "{text}"
        );
        assert!(
            text.contains("probe              0       0        1     1\n"),
            "{text}"
        );
        assert!(
            text.ends_with("all                1       1        2     4\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_missing_is_listed_by_verb() {
        let text = list(&made::dump(), Some("guard")).unwrap();
        assert_eq!(
            text,
            "~ S0-A-02          must   guard     Do S0-A-02 | well (control:rate_limit, event:x)\n\n\
             1 of 1 are not answered whole; of these 1 in part (~)\n"
        );
        let all = list(&made::dump(), None).unwrap();
        assert!(
            !all.contains("S0-A-01") && all.contains("- S0-B-01"),
            "{all}"
        );
        let error = list(&made::dump(), Some("watch")).unwrap_err().to_string();
        assert!(
            error.contains("the verbs are audit, guard, probe"),
            "{error}"
        );
    }
}
