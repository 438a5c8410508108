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

/// The keys, all of them tables. A key leaves this list when its own file reads it.
const LATER: [&str; 5] = ["store", "trail", "identity", "roles", "facts"];

/// The names of the keys.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    LATER.into_iter()
}

/// Accepts one entry of the file, if its key is one of these.
pub(crate) fn accept(entry: &Entry, faults: &mut Faults<'_>) -> Option<Later> {
    let key = LATER.into_iter().find(|key| *key == entry.key)?;
    if !matches!(entry.node.value, NodeValue::Table(_)) {
        wrong_kind(&entry.node, "a table", faults);
    }
    Some(Later {
        key,
        place: faults.place(&entry.key_span),
    })
}
