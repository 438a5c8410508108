//! Makes the library row of a `[[source]]`, a `[[sink]]` or a `[[sanitizer]]` of the policy.

use portcullis_code::project::Project;
use portcullis_policy::{Flow, FlowRole};
use toml_edit::{Array, Table, Value};

use super::{guard_row::symbols, leads::Leads};
use crate::library::Row;

/// The row of the `number`th of them in a policy file.
pub(super) fn row(
    flow: &Flow,
    leads: &Leads,
    project: &Project,
    file: &str,
    number: usize,
) -> Result<Row, String> {
    let mut table = Table::new();
    let mut set = |key: &str, value: Value| {
        table.insert(key, toml_edit::value(value));
    };
    set(
        "symbol",
        symbols(&flow.symbol, &["()"], leads, project).into(),
    );
    match &flow.role {
        FlowRole::Source => {
            set("means", "input".into());
            set("source", "any".into());
        }
        FlowRole::Sink { class, argument } => {
            set("means", "sink".into());
            set("class", class.as_str().into());
            set("at", i64::from(*argument).into());
            set(
                "does",
                "is no place for a client's choice, the policy says".into(),
            );
        }
        FlowRole::Sanitizer { classes } => {
            let words: Array = classes.iter().map(|class| class.as_str()).collect();
            set("means", "sanitizer".into());
            set("classes", words.into());
        }
    }
    Row::from_table(file, number, table)
}
