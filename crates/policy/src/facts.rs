//! `Fact`: what the guard must know of a kind of object to tell whose it is, as `[facts.NAME]` writes it.

use crate::bounds::ENTRIES_MAX;
use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::malformed::{harmless, quoted};
use crate::node::{Node, NodeValue, Table};
use crate::policy_file::Draft;
use crate::suggestion::closest;
use crate::table_reader::{TableReader, name_of, wrong_kind};
use crate::{Malformed, Name, Place};

/// A kind of object, and how the application's database tells whose one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The query for one object: `$1` is its id, and `owner_id` and `tenant_id` are columns of the answer.
    pub sql: String,
    /// The query for the level of somebody with whom it is shared: `$1` is the object's id, `$2` the user's.
    pub shared_by: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// A query that reads.
const QUERY: Kind = Kind::Pattern("^\\s*[Ss][Ee][Ll][Ee][Cc][Tt]\\s[^;]*$");

pub(crate) const FORM: Form = Form::new(
    "What the guard must know of a kind of object to tell whose it is.",
    &[
        need(
            "sql",
            QUERY,
            "The query for one object: `$1` is its id, `owner_id` and `tenant_id` are columns of the answer.",
        ),
        may(
            "shared_by",
            QUERY,
            "The query for the level at which it is shared with somebody: `$1` is the object's id, `$2` the user's.",
        ),
    ],
);

/// Reads `[facts]`.
pub(crate) fn read(node: &Node, draft: &mut Draft, faults: &mut Faults<'_>) {
    let NodeValue::Table(table) = &node.value else {
        return wrong_kind(node, "tables `[facts.NAME]`", faults);
    };
    if table.entries.len() > ENTRIES_MAX {
        let message = format!("at most {ENTRIES_MAX} facts are allowed");
        faults.add(&node.span, message);
        return;
    }
    draft.facts_stated = true;
    for entry in &table.entries {
        draft.fact_names.insert(entry.key.clone());
        let name = name_of(entry, faults);
        let NodeValue::Table(inner) = &entry.node.value else {
            wrong_kind(&entry.node, "a table with `sql`", faults);
            continue;
        };
        if let (Some(fact), Some(name)) = (read_one(inner, faults), name) {
            draft.policy.facts.insert(name, fact);
        }
    }
}

fn read_one(table: &Table, faults: &mut Faults<'_>) -> Option<Fact> {
    let place = faults.place(&table.span);
    let mut reader = TableReader::new(table, "a fact", faults);
    let sql = reader.required("sql");
    let sql = read_query(&mut reader, sql, 1);
    let shared_node = reader.optional("shared_by");
    let shared_by = read_query(&mut reader, shared_node, 2);
    reader.finish();
    if shared_node.is_some() && shared_by.is_none() {
        return None;
    }
    Some(Fact {
        sql: sql?,
        shared_by,
        place,
    })
}

/// One query that reads, with each of its parameters. What else it does is the database's to refuse: the guard's user
/// there needs no right but to read these tables.
fn read_query<'r>(
    reader: &mut TableReader<'r, '_>,
    node: Option<&'r Node>,
    parameters: usize,
) -> Option<String> {
    let text = reader.prose(node)?;
    let node = node?;
    let message = check_query(&text, parameters);
    match message {
        None => Some(text),
        Some(message) => {
            reader.faults().add(&node.span, message);
            None
        }
    }
}

fn check_query(text: &str, parameters: usize) -> Option<String> {
    let word = text.split_whitespace().next().unwrap_or_default();
    if !word.eq_ignore_ascii_case("select") {
        return Some("a fact is a query that begins with `select`".to_owned());
    }
    if text.contains(';') {
        return Some("a fact is one query, without `;`".to_owned());
    }
    let named: Vec<usize> = text
        .split('$')
        .skip(1)
        .filter_map(|rest| {
            let end = rest
                .find(|one: char| !one.is_ascii_digit())
                .unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        })
        .collect();
    let missing = (1..=parameters).find(|number| !named.contains(number));
    let unknown = named
        .into_iter()
        .find(|number| *number == 0 || *number > parameters);
    let meaning = match parameters {
        1 => "`$1`, the object's id",
        _ => "`$1`, the object's id, and `$2`, the user's id",
    };
    match (missing, unknown) {
        (None, None) => None,
        (Some(_), _) => Some(format!("the query needs {meaning}")),
        (None, Some(number)) => Some(format!("there is no `${number}`: a query has {meaning}")),
    }
}

/// What is wrong with a kind of object that a route names: nothing could tell whose it is.
pub(crate) fn unknown_object(object: &Name, draft: &Draft) -> Option<Malformed> {
    if !draft.facts_stated || draft.fact_names.contains(object.as_str()) {
        return None;
    }
    let near = closest(object.as_str(), draft.fact_names.iter().map(String::as_str));
    let message = format!(
        "there are no facts of {}: add `[facts.{}]`",
        quoted(object.as_str()),
        harmless(object.as_str())
    );
    Some(Malformed::whole(object.as_str(), message).perhaps(near.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_and_has_its_parameters() {
        for (text, parameters, wrong) in [
            ("select owner_id from items where id = $1", 1, None),
            ("SELECT level FROM a WHERE i = $1 AND u = $2", 2, None),
            ("delete from items where id = $1", 1, Some("select")),
            ("select 1 where id = $1; drop table items", 1, Some("`;`")),
            ("select owner_id from items", 1, Some("needs `$1`")),
            ("select level from a where i = $1", 2, Some("and `$2`")),
            ("select 1 where a = $1 and b = $2", 1, Some("no `$2`")),
            ("select 1 where a = $1 and b = $0", 1, Some("no `$0`")),
            ("", 1, Some("select")),
        ] {
            let told = check_query(text, parameters);
            assert_eq!(told.is_some(), wrong.is_some(), "{text}");
            let told = told.unwrap_or_default();
            assert!(told.contains(wrong.unwrap_or_default()), "{text}: {told}");
        }
    }
}
