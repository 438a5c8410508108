//! `portcullis token`: keys, issue, exchange, inspect and revoke; and what they share.

mod giving;
mod inspect;
mod keys;
mod revoke;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use portcullis_guard::token::TOKEN_BYTES_MAX;
use portcullis_policy::{OwnIssuer, Policy};
use portcullis_state::issuer::IssuerFolder;
use zeroize::Zeroizing;

use crate::args::{KeysCommand, KeysPlace, TokenCommand, TokenSource};
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
        TokenCommand::Issue(args) => giving::issue(args),
        TokenCommand::Exchange(args) => giving::exchange(args),
        TokenCommand::Inspect(args) => inspect::run(args),
        TokenCommand::Revoke(args) => revoke::run(args),
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

/// A token of a file or of standard input; nothing where there is none. Nothing of it is ever repeated.
fn token_of(source: &TokenSource) -> Result<Option<Zeroizing<String>>, Failure> {
    let bytes_max = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX);
    // A line end, and one byte more than there may be: then it is too long.
    let most = bytes_max.saturating_add(3);
    let mut text = Zeroizing::new(Vec::with_capacity(TOKEN_BYTES_MAX + 4));
    let read = match &source.token_file {
        Some(path) => File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)),
        None => std::io::stdin().take(most).read_to_end(&mut text),
    };
    read.map_err(|error| {
        let place = match &source.token_file {
            Some(path) => format!("the token in `{}`", path.display()),
            None => "the token on standard input".to_owned(),
        };
        Failure::caused(&format!("{place} cannot be read"), &error)
    })?;
    let text = std::str::from_utf8(&text)
        .map_err(|_place| Failure::usage("what was read is no token: it is no text"))?;
    let token = text.trim();
    Ok((!token.is_empty()).then(|| Zeroizing::new(token.to_owned())))
}

/// Tells that there is nothing, and answers with the exit code for it.
fn nothing(why: &str) -> Exit {
    tell(why, Exit::NothingToRead)
}

/// Tells that a guard refused, and answers with the exit code for it.
fn refused(why: &str) -> Exit {
    tell(why, Exit::Findings)
}

fn tell(why: &str, exit: Exit) -> Exit {
    let line = portcullis_report::harmless_line(why);
    match writeln!(std::io::stderr(), "error: {line}") {
        // With standard error closed the exit code is all that is left to tell.
        Ok(()) | Err(_) => exit,
    }
}
