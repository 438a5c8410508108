//! `portcullis token`: keys, issue, exchange, inspect and revoke; and what they share.

mod keys;

use std::path::Path;

use portcullis_policy::{OwnIssuer, Policy};
use portcullis_state::issuer::IssuerFolder;

use crate::args::{KeysCommand, KeysPlace, TokenCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::guarding::state_folder;
use crate::issuing::issuer_folder;
use crate::policy_source::read_policy;

pub(crate) fn run(command: &TokenCommand) -> Result<Exit, Failure> {
    match command {
        TokenCommand::Keys { what } => match what {
            KeysCommand::Generate(args) => keys::generate(args),
            KeysCommand::Rotate(args) => keys::rotate(args),
            KeysCommand::List(args) => keys::list(args),
        },
    }
}

/// The policy of a file, which gives out tokens.
fn policy_of(path: &Path) -> Result<Policy, Failure> {
    let (policy, _digest) = read_policy(path)?;
    own(&policy, path)?;
    Ok(policy)
}

/// What it says of them.
fn own<'p>(policy: &'p Policy, path: &Path) -> Result<&'p OwnIssuer, Failure> {
    let tokens = policy
        .identity()
        .and_then(|identity| identity.tokens.as_ref());
    tokens.ok_or_else(|| {
        Failure::usage(format!(
            "`{}` gives out no tokens: add `[identity.tokens]`, see docs/guide/own-tokens.md",
            path.display()
        ))
    })
}

/// The folder of its keys.
fn folder(policy: &Policy, place: &KeysPlace) -> Result<IssuerFolder, Failure> {
    let own = own(policy, &place.policy)?;
    let state = state_folder(&place.policy, place.state_dir.as_deref());
    Ok(issuer_folder(own, &state))
}
