//! `Node`: the TOML of a policy file as one plain tree, every value and every key with its bytes in the text.

use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

/// A value and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: NodeValue,
}

/// What a value can be. `[[name]]`, `name = [{...}]`, `[name]` and `name = {...}` are not told apart.
#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    String(String),
    Integer(i64),
    Float,
    Boolean(bool),
    Datetime(toml_edit::Datetime),
    List(Vec<Node>),
    Table(Table),
}

impl Node {
    /// What a message calls it.
    pub(crate) const fn noun(&self) -> &'static str {
        match self.value {
            NodeValue::String(_) => "a string",
            NodeValue::Integer(_) => "an integer",
            NodeValue::Float => "a float",
            NodeValue::Boolean(_) => "a boolean",
            NodeValue::Datetime(_) => "a date or time",
            NodeValue::List(_) => "a list",
            NodeValue::Table(_) => "a table",
        }
    }
}

/// A table: where it is announced, and its entries in the order of the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) span: Range<usize>,
    pub(crate) entries: Vec<Entry>,
}

impl Table {
    pub(crate) fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}

/// Reads a table. `fallback` is where it is said to be when the text never announces it (`[a.b]` makes an `a`).
///
/// Recursion is bounded: [`check_depth`](crate::depth::check_depth) runs before anything is parsed.
pub(crate) fn table(table: &dyn TableLike, span: Range<usize>) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .filter_map(|(key, item)| {
            let key_span = table
                .key(key)
                .and_then(toml_edit::Key::span)
                .or_else(|| item.span())
                .unwrap_or_else(|| span.clone());
            Some(Entry {
                key: key.to_owned(),
                node: item_node(item, key_span.clone())?,
                key_span,
            })
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    Table { span, entries }
}

fn item_node(item: &Item, fallback: Range<usize>) -> Option<Node> {
    let span = item.span().unwrap_or(fallback);
    let value = match item {
        Item::None => return None,
        Item::Value(value) => return Some(value_node(value, span)),
        Item::Table(inner) => NodeValue::Table(table(inner, span.clone())),
        Item::ArrayOfTables(tables) => NodeValue::List(
            tables
                .iter()
                .map(|inner| {
                    let span = inner.span().unwrap_or_else(|| span.clone());
                    Node {
                        value: NodeValue::Table(table(inner, span.clone())),
                        span,
                    }
                })
                .collect(),
        ),
    };
    Some(Node { span, value })
}

fn value_node(value: &Value, fallback: Range<usize>) -> Node {
    let span = value.span().unwrap_or(fallback);
    let value = match value {
        Value::String(text) => NodeValue::String(text.value().clone()),
        Value::Integer(number) => NodeValue::Integer(*number.value()),
        Value::Float(_) => NodeValue::Float,
        Value::Boolean(truth) => NodeValue::Boolean(*truth.value()),
        Value::Datetime(time) => NodeValue::Datetime(*time.value()),
        Value::Array(values) => NodeValue::List(
            values
                .iter()
                .map(|inner| value_node(inner, span.clone()))
                .collect(),
        ),
        Value::InlineTable(inner) => NodeValue::Table(table(inner, span.clone())),
    };
    Node { span, value }
}
