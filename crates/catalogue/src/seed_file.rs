//! Reads the file of one seed: a list of `[[requirement]]` and nothing else.

use toml_edit::{Document, Item, TomlError};

use crate::entry::Entry;
use crate::{Fault, Requirement, Seed};

/// The key of the list.
const LIST: &str = "requirement";

/// Reads what can be read, and adds what is wrong to `faults`.
pub(crate) fn read_file(seed: Seed, text: &str, faults: &mut Vec<Fault>) -> Vec<Requirement> {
    let lines = Lines::of(text);
    let mut fault = |offset: Option<usize>, message: String| {
        let line = lines.at(offset.unwrap_or_default());
        faults.push(Fault {
            seed,
            line,
            message,
        });
    };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            fault(
                start_of(&error),
                format!("it is not TOML: {}", error.message()),
            );
            return Vec::new();
        }
    };
    for (key, item) in document.as_table() {
        if key != LIST {
            let offset = item.span().map(|span| span.start);
            fault(
                offset,
                format!("`{key}` is unknown: only `[[{LIST}]]` is read"),
            );
        }
    }
    let list = document.get(LIST).and_then(Item::as_array_of_tables);
    let Some(list) = list else {
        fault(None, format!("there is no `[[{LIST}]]`"));
        return Vec::new();
    };
    let mut requirements = Vec::with_capacity(list.len());
    for table in list {
        let begins = table.span().map(|span| span.start);
        let entry = Entry::new(seed, table, lines.at(begins.unwrap_or_default()));
        match entry.read() {
            Ok(requirement) => requirements.push(requirement),
            Err(wrong) => {
                for (offset, message) in wrong {
                    fault(offset.or(begins), message);
                }
            }
        }
    }
    requirements
}

fn start_of(error: &TomlError) -> Option<usize> {
    error.span().map(|span| span.start)
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = ends.map(|(end, _)| end.saturating_add(1));
        Self(std::iter::once(0).chain(starts).collect())
    }

    /// The line of a byte, counted from 1.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
