//! Texts of chance that are stored, whatever their column is called: codes, where other routes take whoever knows one for invited.

use portcullis_code::value::{Entry, Value, ValueId};
use ustr::Ustr;

use super::Ingredients;
use crate::{
    judge::{Bench, Judgement},
    rule::Hit,
};
use crate::{
    route::{Route, Site},
    summary::Inventory,
};
use portcullis_code::{machine::Machine, value::CallId};

/// A text of chance that is stored.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// The table.
    pub(crate) table: Ustr,
    /// The column.
    pub(crate) column: Ustr,
    /// What it is made from.
    pub(crate) from: Ingredients,
    /// Where it is stored.
    pub(crate) site: Site,
}

impl Code {
    /// Whether a number that a call drew is in it.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.from.guessable.contains(&call) || self.from.random.contains(&call)
    }
}

/// Every one that a route stores.
pub(crate) fn codes(
    machine: &Machine<'_>,
    bench: &Bench<'_, '_>,
    judged: (&Route, &Judgement),
) -> Vec<Code> {
    let values = &machine.values;
    let mut found = Vec::new();
    for judged in &judged.1.queries {
        let query = &judged.query;
        let Some(table) = query.table.filter(|_| query.op.writes()) else {
            continue;
        };
        for data in &query.data {
            let Value::Object(object) = values.value(*data) else {
                continue;
            };
            for entry in &values.object(*object).entries {
                let Entry::Named(column, value) = *entry else {
                    continue;
                };
                if !is_text(machine, value) {
                    continue;
                }
                let from = Ingredients::of(values, bench.knowledge, bench.origins, value);
                let chance = !from.guessable.is_empty() || !from.random.is_empty();
                if chance && from.known.is_empty() && from.time.is_empty() && !from.other {
                    found.push(Code {
                        table,
                        column,
                        from,
                        site: query.site,
                    });
                }
            }
        }
    }
    found
}

/// Whether the code makes a text of a value.
fn is_text(machine: &Machine<'_>, value: ValueId) -> bool {
    let values = &machine.values;
    match values.value(value) {
        Value::Template(_) => true,
        Value::Promise(inner) => is_text(machine, *inner),
        Value::Call(call) => {
            matches!(values.value(values.call(*call).callee), Value::Member(_, name)
            if matches!(
                name.as_str(),
                "toString" | "join" | "slice" | "substring" | "substr" | "toUpperCase" | "padStart" | "replace"
            ))
        }
        _ => false,
    }
}

/// Whether a hit stands: some route takes whoever names the text of its column for invited, finds the row by it and
/// writes. A hit that needs none stands anyway.
pub(crate) fn lets_in(inventory: &Inventory, hit: &Hit) -> bool {
    let Some((table, column)) = hit.found_by else {
        return true;
    };
    inventory.routes.iter().any(|route| {
        let finds = route
            .touches
            .iter()
            .any(|touch| touch.table == Some(table) && touch.found_by == Some(column));
        let writes = route
            .touches
            .iter()
            .any(|touch| touch.op.writes() && touch.table.is_none_or(|other| other == table));
        finds && writes
    })
}
