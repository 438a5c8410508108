//! `Owned`: one `[[owned]]`: whose the rows of a table are, where the schema does not say.

use crate::bounds::ENTRIES_MAX;
use crate::faults::{Faults, Place};
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, Table};
use crate::policy_file::{Draft, tables};
use crate::table_reader::TableReader;

/// Whose the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The table, model or collection, as the schema or the code names it.
    pub table: String,
    /// The column that names the user.
    pub owner: Option<String>,
    /// The column that names the tenant.
    pub tenant: Option<String>,
    /// Where it is written.
    pub place: Place,
}

pub(crate) const FORM: Form = Form::new(
    "Whose the rows of a table are, where the audit cannot see it in the schema.",
    &[
        need(
            "table",
            Kind::Prose,
            "The table, model or collection, as the schema or the code names it.",
        ),
        may("owner", Kind::Prose, "The column that names the user."),
        may("tenant", Kind::Prose, "The column that names the tenant."),
    ],
)
.with_rules(&[r#"{ "anyOf": [{ "required": ["owner"] }, { "required": ["tenant"] }] }"#]);

/// Reads `[[owned]]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    for table in tables(node, "owned", ENTRIES_MAX, faults) {
        if let Some(owned) = read_one(table, faults) {
            let twin = draft
                .policy
                .owned
                .iter()
                .find(|one| one.table == owned.table);
            if let Some(twin) = twin {
                let message = format!(
                    "the table `{}` is already described at line {}",
                    owned.table, twin.place.line
                );
                faults.add(&owned.place.span, message);
            }
            draft.policy.owned.push(owned);
        }
    }
}

fn read_one(table: &Table, faults: &mut Faults<'_>) -> Option<Owned> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "an owned table", faults);
    let name = reader.required("table");
    let name = reader.prose(name);
    let owner = reader.optional("owner");
    let owner = reader.prose(owner);
    let tenant = reader.optional("tenant");
    let tenant = reader.prose(tenant);
    if owner.is_none() && tenant.is_none() {
        let span = table.span.clone();
        let message = "a table is owned by a user, a tenant or both: `owner`, `tenant`";
        reader.faults().add(&span, message);
    }
    reader.finish();
    Some(Owned {
        table: name?,
        owner,
        tenant,
        place,
    })
}
