//! `Change`: what became of something that is kept over a restart.

use portcullis_guard::store::{Key, Value};

use super::entry::Life;

/// How an entry or a ring is from now on. It says all of it, so that of several changes of one thing the last holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// An entry was written.
    Entry { key: Key, value: Value, life: Life },
    /// An entry is not there any more, or is not kept.
    NoEntry { key: Key },
    /// A ring was written: its keys, the oldest first.
    Ring {
        name: Key,
        members: Vec<Key>,
        life: Life,
    },
    /// A ring is not there any more.
    NoRing { name: Key },
}

impl Change {
    /// About the bytes that it takes while it waits to be written.
    pub(crate) fn bytes(&self) -> usize {
        let beside = match self {
            Self::Entry { key, value, .. } => key.bytes.len() + value.len(),
            Self::NoEntry { key } => key.bytes.len(),
            Self::Ring { name, members, .. } => {
                let keys: usize = members.iter().map(|key| key.bytes.len()).sum();
                name.bytes.len() + keys + size_of_val(members.as_slice())
            }
            Self::NoRing { name } => name.bytes.len(),
        };
        size_of::<Self>() + beside
    }
}
