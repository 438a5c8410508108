//! `Selection`: which columns of a row a query asks for, and which other rows come along.

use portcullis_code::{
    body::Const,
    value::{Entry, Value, ValueId, Values},
};
use ustr::Ustr;

use crate::{
    query::Query,
    schema::{Relation, Table},
};

/// What of a row is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    select: Vec<ValueId>,
    omit: Vec<ValueId>,
    include: Vec<ValueId>,
    omit_by_table: Option<ValueId>,
}

impl Selection {
    /// What a query asks for.
    pub(super) fn of(query: &Query) -> Self {
        Self {
            select: query.select.clone(),
            omit: query.omit.clone(),
            include: query.include.clone(),
            omit_by_table: query.omit_by_table,
        }
    }

    /// Whether all columns are asked for, or all but some; else somebody has chosen each.
    pub(super) fn is_of_whole_rows(&self, values: &Values) -> bool {
        self.select.is_empty() || self.select.iter().any(|list| leaves_out(values, *list))
    }

    /// What of a relation's rows is asked for; none where it does not come along.
    pub(super) fn relation(&self, values: &Values, name: &str) -> Option<Self> {
        self.include
            .iter()
            .chain(&self.select)
            .find_map(|list| named(values, *list, name))
            .and_then(|value| self.nested(values, value))
    }

    /// `true`, or `{ select, include, omit }`.
    fn nested(&self, values: &Values, value: ValueId) -> Option<Self> {
        let omit_by_table = self.omit_by_table;
        match values.value(value) {
            Value::Const(Const::Bool(true)) => Some(Self {
                omit_by_table,
                ..Self::default()
            }),
            Value::Object(_) => Some(Self {
                omit_by_table,
                select: ["select", "columns"]
                    .iter()
                    .filter_map(|key| named(values, value, key))
                    .collect(),
                omit: named(values, value, "omit").into_iter().collect(),
                include: ["include", "with"]
                    .iter()
                    .filter_map(|key| named(values, value, key))
                    .collect(),
            }),
            _ => None,
        }
    }

    /// Whether a column of the row is among what is asked for.
    pub(super) fn shows(&self, values: &Values, table: &Table, column: &str) -> bool {
        let is = |name: &str| table.column(name).is_some_and(|found| found.name == column);
        let of_table = self.omit_by_table.and_then(|tables| {
            entries(values, tables)
                .into_iter()
                .find_map(|(name, list)| name.eq_ignore_ascii_case(&table.name).then_some(list))
        });
        let omitted = self.omit.iter().chain(&of_table).any(|list| {
            entries(values, *list)
                .iter()
                .any(|(name, value)| is(name) && !is_false(values, *value))
        });
        !omitted && self.select.iter().all(|list| selects(values, *list, &is))
    }

    /// The relations that come along, with what is asked of their rows.
    pub(super) fn relations<'t>(
        &self,
        values: &Values,
        table: &'t Table,
    ) -> Vec<(&'t Relation, Self)> {
        self.include
            .iter()
            .chain(&self.select)
            .flat_map(|list| entries(values, *list))
            .filter_map(|(name, value)| {
                let relation = table.relation(&name)?;
                Some((relation, self.nested(values, value)?))
            })
            .collect()
    }
}

/// Whether a list of columns lets one through; what cannot be read lets none through.
fn selects(values: &Values, list: ValueId, is: &dyn Fn(&str) -> bool) -> bool {
    match values.value(list) {
        Value::Const(Const::Undefined) => true,
        Value::Const(Const::Str(text)) => {
            let text = text.trim();
            if text == "*" {
                return true;
            }
            let mut names = text
                .split([' ', ','])
                .filter(|name| !name.is_empty())
                .peekable();
            let minus = names.peek().is_some_and(|name| name.starts_with('-'));
            if minus {
                !names.any(|name| is(name.trim_start_matches('-')))
            } else {
                names.any(|name| is(name.trim_start_matches('+')))
            }
        }
        Value::Object(object) => {
            if let Some(left_out) = named(values, list, "exclude") {
                return !items(values, left_out).iter().any(|name| is(name));
            }
            let pairs = entries(values, list);
            let data = values.object(*object);
            if data.entries.len() != pairs.len() {
                return false;
            }
            // `{ password: 0 }` leaves out, `{ name: 1 }` names.
            if !pairs.is_empty() && pairs.iter().all(|(_, value)| is_false(values, *value)) {
                return !pairs.iter().any(|(name, _)| is(name));
            }
            pairs
                .iter()
                .any(|(name, value)| is(name) && !is_false(values, *value))
        }
        Value::Array(_) => items(values, list).iter().any(|name| is(name)),
        _ => false,
    }
}

/// `select: "-password"`, `attributes: { exclude }`, `"*"`: all columns but some.
fn leaves_out(values: &Values, list: ValueId) -> bool {
    match values.value(list) {
        Value::Const(Const::Undefined) => true,
        Value::Const(Const::Str(text)) => text.trim() == "*" || text.trim().starts_with('-'),
        Value::Object(_) => {
            let pairs = entries(values, list);
            named(values, list, "exclude").is_some()
                || !pairs.is_empty() && pairs.iter().all(|(_, value)| is_false(values, *value))
        }
        _ => false,
    }
}

fn is_false(values: &Values, value: ValueId) -> bool {
    values
        .as_const(value)
        .is_some_and(|constant| !constant.truthy())
}

fn items(values: &Values, list: ValueId) -> Vec<Ustr> {
    match values.value(list) {
        Value::Array(object) => values
            .object(*object)
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Item(item) => values.as_text(*item),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn entries(values: &Values, list: ValueId) -> Vec<(Ustr, ValueId)> {
    match values.value(list) {
        Value::Object(object) => values
            .object(*object)
            .entries
            .iter()
            .flat_map(|entry| match entry {
                Entry::Named(name, value) => vec![(*name, *value)],
                Entry::Spread(other) => entries(values, *other),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn named(values: &Values, list: ValueId, wanted: &str) -> Option<ValueId> {
    entries(values, list)
        .into_iter()
        .rev()
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}
