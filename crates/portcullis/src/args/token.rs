//! What `token` is told. No secret and no token is an argument: others on the machine can read those.

use std::path::PathBuf;

use clap::{Args as Group, Subcommand, ValueEnum};
use portcullis_policy::SigningAlgorithm;

use super::TextFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes, changes and lists the keys that tokens are signed with.
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes the first key.
    Generate(GenerateArgs),
    /// Publishes another key, which signs when whoever verifies has it.
    Rotate(RotateArgs),
    /// Lists the keys, and what each is for by now.
    List(ListArgs),
}

/// Where the keys are: the same for every command about them.
#[derive(Debug, Group)]
pub(crate) struct KeysPlace {
    /// The policy, whose `[identity.tokens]` it is about.
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) policy: PathBuf,
    /// The folder of what outlives a restart [default: .portcullis beside the policy].
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// How a new key is made.
#[derive(Debug, Group)]
pub(crate) struct NewKey {
    /// What it signs with [default: the policy's `algorithm`].
    #[arg(long, value_name = "NAME", value_parser = algorithm())]
    pub(crate) algorithm: Option<SigningAlgorithm>,
    /// How long the modulus of an RSA key is.
    #[arg(long, value_enum, value_name = "BITS", default_value_t = Bits::B3072)]
    pub(crate) rsa_bits: Bits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bits {
    /// The least.
    #[value(name = "2048")]
    B2048,
    /// What the strict profile asks for.
    #[value(name = "3072")]
    B3072,
    /// For a key that lives for over a year.
    #[value(name = "4096")]
    B4096,
}

fn algorithm() -> impl clap::builder::TypedValueParser<Value = SigningAlgorithm> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    PossibleValuesParser::new(SigningAlgorithm::WORDS).try_map(|word| word.parse())
}

#[derive(Debug, Group)]
#[command(after_help = "\
The private half is written as PKCS#8 (DER) that the owner alone can read, the public half beside it. A guard refuses to
start with a key that others can read.

Examples:
  portcullis token keys generate
  portcullis token keys generate --algorithm RS256 --rsa-bits 4096

Exit codes: 0 there is a key, 2 there was one already, usage, or a folder that cannot be written.")]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) new: NewKey,
}

#[derive(Debug, Group)]
#[command(after_help = "\
A guard that runs hears of it within seconds. The new key is published at once and signs 15 minutes later; the one before
stays published for as long as a token of its may live. No token is refused by that.

--at-once is for a key that somebody else may know: every token of before is refused from now on, and who verifies with a
set that is minutes old refuses the new ones until it fetches the set again.

Examples:
  portcullis token keys rotate
  portcullis token keys rotate --lead-minutes 1440
  portcullis token keys rotate --at-once

Exit codes: 0 the key is published, 2 a key is next already, usage, or files that cannot be used.")]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) new: NewKey,
    /// How long it is published before it signs.
    #[arg(long, value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(15..=43_200))]
    pub(crate) lead_minutes: u64,
    /// Put it in the place of all other keys, at once.
    #[arg(long, conflicts_with = "lead_minutes")]
    pub(crate) at_once: bool,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  portcullis token keys list
  portcullis token keys list --format json

Exit codes: 0 there are some, 2 there are none, usage, or files that cannot be trusted.")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
}
