//! `[store]`: where the guard keeps what it counts.

use crate::faults::Faults;
use crate::form::{Form, Kind, need};
use crate::node::{Node, NodeValue};
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, wrong_kind};
use crate::{Place, SecretRef};

/// A database that the guard works with. Its URL mostly has a password in it, and so is not written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where the URL is kept.
    pub url: SecretRef,
    /// Where it is written.
    pub place: Place,
}

/// The form of it.
pub(crate) const FORM: Form = Form::new(
    "A database that the guard works with.",
    &[need(
        "url",
        Kind::Secret,
        "Where its URL is kept: mostly there is a password in it.",
    )],
);

/// Reads `[store]`: `redis://`, `rediss://`, `redis+cluster://`; left out, what the guard keeps in itself.
pub(crate) fn read_store(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    draft.policy.store = read(node, "`[store]`", faults);
}

fn read(node: &Node, noun: &'static str, faults: &mut Faults<'_>) -> Option<Database> {
    let NodeValue::Table(table) = &node.value else {
        wrong_kind(node, "a table", faults);
        return None;
    };
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, noun, faults);
    let url = reader.required("url");
    let url = reader.parsed::<SecretRef>(url);
    reader.finish();
    Some(Database { url: url?, place })
}
