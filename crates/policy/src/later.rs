//! `Later`: parts of the policy that are accepted today and read by a later version.

use crate::faults::{Faults, Place};
use crate::node::{Entry, NodeValue};
use crate::table_reader::wrong_kind;

/// A key that was accepted in shape and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// The key at the top of the file.
    pub key: &'static str,
    /// Where it is written.
    pub place: Place,
}

/// What a key's value is, before anybody reads it.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Text,
    Integer,
    List,
    Table,
}

/// The keys, with the shape of their values. A key leaves this list when its own file reads it.
const LATER: [(&str, Shape); 13] = [
    ("name", Shape::Text),
    ("public_url", Shape::Text),
    ("upstream", Shape::Text),
    ("trusted_proxies", Shape::List),
    ("hosts", Shape::List),
    ("static", Shape::List),
    ("profile", Shape::Text),
    ("max_nodes", Shape::Integer),
    ("store", Shape::Table),
    ("trail", Shape::Table),
    ("identity", Shape::Table),
    ("roles", Shape::Table),
    ("facts", Shape::Table),
];

/// The names of the keys.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    LATER.iter().map(|(key, _)| *key)
}

/// Accepts one entry of the file, if its key is one of these.
pub(crate) fn accept(entry: &Entry, faults: &mut Faults<'_>) -> Option<Later> {
    let (key, shape) = LATER.iter().find(|(key, _)| *key == entry.key)?;
    let node = &entry.node;
    let (fits, expected) = match shape {
        Shape::Text => (matches!(node.value, NodeValue::String(_)), "a string"),
        Shape::Integer => (matches!(node.value, NodeValue::Integer(_)), "an integer"),
        Shape::List => (matches!(node.value, NodeValue::List(_)), "a list"),
        Shape::Table => (matches!(node.value, NodeValue::Table(_)), "a table"),
    };
    if !fits {
        wrong_kind(node, expected, faults);
    }
    Some(Later {
        key,
        place: faults.place(&entry.key_span),
    })
}
