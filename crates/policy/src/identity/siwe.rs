//! `Siwe`: the `[identity.siwe]` table, sign-in with Ethereum (EIP-4361).

use crate::faults::Faults;
use crate::form::{Form, Kind, need};
use crate::node::Table;
use crate::policy_file::Draft;
use crate::table_reader::{TableReader, integer, nodes};

/// Sign-in with Ethereum. The domain of a message is that of `public_url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Siwe {
    /// The ids of the chains that a message may be for (EIP-155); never empty.
    pub chains: Vec<u64>,
}

pub(crate) const FORM: Form = Form::new(
    "Sign-in with Ethereum.",
    &[need(
        "chains",
        Kind::Some(&Kind::Count(1, CHAIN_END - 1)),
        "The chains that a message may be for, by number (EIP-155).",
    )],
);

/// One more than the largest id that JSON and TOML can both hold exactly.
const CHAIN_END: i64 = 1 << 53;

pub(super) fn read(table: &Table, draft: &Draft, faults: &mut Faults<'_>) -> Option<Siwe> {
    let mut reader = TableReader::new(table, "`[identity.siwe]`", faults);
    let node = reader.required("chains");
    let mut chains = Vec::new();
    for value in node
        .and_then(|node| nodes(node, reader.faults()))
        .unwrap_or_default()
    {
        let chain = integer(value, 1..CHAIN_END, reader.faults());
        let Some(chain) = chain.and_then(|chain| u64::try_from(chain).ok()) else {
            continue;
        };
        if chains.contains(&chain) {
            reader
                .faults()
                .add(&value.span, "this is in the list twice");
        } else {
            chains.push(chain);
        }
    }
    if let Some(node) = node.filter(|node| crate::policy_file::is_empty_list(node)) {
        let message = "a message is for one chain at least: Ethereum itself is `[1]`";
        reader.faults().add(&node.span, message);
    }
    if draft.policy.public_url.is_none() {
        let span = reader.span().clone();
        let message = "a message names the domain that it is for: add `public_url`";
        reader.faults().add(&span, message);
    }
    reader.finish();
    (!chains.is_empty()).then_some(Siwe { chains })
}
