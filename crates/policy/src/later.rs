//! `Later`: tables that are read and checked, and that no command of this version uses yet.

use crate::faults::{Faults, Place};
use crate::node::{Entry, NodeValue, Table};
use crate::{Notice, Policy};

/// An entry at the top of the file, or behind a dot one of the table before it.
fn find<'t>(root: &'t Table, key: &str) -> Option<&'t Entry> {
    let Some((table, key)) = key.split_once('.') else {
        return root.find(key);
    };
    match &root.find(table)?.node.value {
        NodeValue::Table(table) => table.find(key),
        _ => None,
    }
}

/// A table that is there and that nothing uses yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// The key at the top of the file, or behind a dot one of a table there.
    pub key: &'static str,
    /// What a guard would do otherwise than the table says; nothing where only routes ask for what it describes, and
    /// lack a control then.
    pub(crate) asks: Option<&'static str>,
    /// Where it is written.
    pub place: Place,
}

/// The tables. A line leaves this list with the change that makes a command use the table.
const LATER: [(&str, Option<&str>); 4] = [
    (
        "store",
        Some(
            "asks for a store that guards share, and this version counts in each guard alone: state how many there are in `max_nodes`, and leave the table out",
        ),
    ),
    (
        "identity.siwe",
        Some("asks for sign-in with Ethereum, which this version has not: leave the table out"),
    ),
    ("roles", None),
    ("facts", None),
];

/// Notes which of them a file has, and tells its author.
pub(crate) fn note(root: &Table, policy: &mut Policy, faults: &Faults<'_>) {
    for (key, asks) in LATER {
        let Some(entry) = find(root, key) else {
            continue;
        };
        let place = faults.place(&entry.key_span);
        policy.notices.push(Notice {
            place: place.clone(),
            message: format!("`[{key}]` is checked, and no command of this version uses it"),
        });
        policy.later.push(Later { key, asks, place });
    }
}
