//! `SecretKeys`: a secret as the policy names it, which may be several keys while one takes over from another.

use crate::faults::Faults;
use crate::form::{Form, Kind, may, need};
use crate::node::{Node, NodeValue, Table};
use crate::policy_file::is_empty_list;
use crate::table_reader::{TableReader, nodes, parsed, wrong_kind};
use crate::{Date, Name, SecretRef};

/// The most keys that one secret has at a time.
pub(crate) const KEYS_MAX: usize = 8;

/// One key of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    /// What it is called where more than one is in use.
    pub kid: Option<Name>,
    /// Where it is kept.
    pub key: SecretRef,
    /// The last day on which it is accepted.
    pub not_after: Option<Date>,
}

/// The keys of one secret, never none: the first signs, all of them verify, so that a change needs no outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKeys(pub(crate) Vec<SecretKey>);

impl SecretKeys {
    /// The keys; the first is the one that signs.
    #[must_use]
    pub fn as_slice(&self) -> &[SecretKey] {
        &self.0
    }
}

pub(crate) const FORM: Form = Form::new(
    "One key of a secret.",
    &[
        need("kid", Kind::Name, "What it is called."),
        need("key", Kind::Secret, "Where it is kept."),
        may(
            "not_after",
            Kind::Date,
            "The last day on which it is accepted.",
        ),
    ],
);

/// Reads `"env:NAME"`, or `[{ kid = "b", key = "env:NEW" }, { kid = "a", key = "env:OLD", not_after = 2027-01-31 }]`.
pub(crate) fn read_secret(node: &Node, faults: &mut Faults<'_>) -> Option<SecretKeys> {
    if matches!(node.value, NodeValue::String(_)) {
        let key = SecretKey {
            kid: None,
            key: parsed(node, faults)?,
            not_after: None,
        };
        return Some(SecretKeys(vec![key]));
    }
    if !matches!(node.value, NodeValue::List(_)) {
        wrong_kind(node, "`\"env:NAME\"`, or a list of keys", faults);
        return None;
    }
    let values = nodes(node, faults)?;
    if is_empty_list(node) {
        faults.add(&node.span, "a secret has one key at least");
        return None;
    }
    if values.len() > KEYS_MAX {
        let message = format!("a secret has at most {KEYS_MAX} keys");
        faults.add(&node.span, message);
        return None;
    }
    let mut keys: Vec<SecretKey> = Vec::with_capacity(values.len());
    for value in values {
        let NodeValue::Table(table) = &value.value else {
            wrong_kind(value, "a table with `kid` and `key`", faults);
            continue;
        };
        let Some(key) = read_key(table, faults) else {
            continue;
        };
        if keys.iter().any(|one| one.kid == key.kid) {
            faults.add(&value.span, "two keys of one secret have the same `kid`");
        }
        keys.push(key);
    }
    (keys.len() == values.len()).then_some(SecretKeys(keys))
}

fn read_key(table: &Table, faults: &mut Faults<'_>) -> Option<SecretKey> {
    let mut reader = TableReader::new(table, "a key", faults);
    let kid = reader.required("kid");
    let kid = reader.parsed::<Name>(kid);
    let key = reader.required("key");
    let key = reader.parsed::<SecretRef>(key);
    let not_after_node = reader.optional("not_after");
    let not_after = reader.date(not_after_node);
    reader.finish();
    if not_after_node.is_some() && not_after.is_none() {
        return None;
    }
    Some(SecretKey {
        kid: Some(kid?),
        key: key?,
        not_after,
    })
}
