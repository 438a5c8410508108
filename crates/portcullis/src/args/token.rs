//! What `token` is told. No secret and no token is an argument: others on the machine can read those.

use std::net::SocketAddr;
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
    /// Asks a guard that runs for a token, as a service does.
    Issue(IssueArgs),
    /// Asks a guard that runs for a child of a parent token.
    Exchange(ExchangeArgs),
    /// Says what a token is, and why it would be refused.
    Inspect(InspectArgs),
    /// Takes back a token, or all tokens of a user, in a guard that runs.
    Revoke(RevokeArgs),
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

/// Which guard is asked.
#[derive(Debug, Group)]
pub(crate) struct GuardPlace {
    /// The policy that it runs with.
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) policy: PathBuf,
    /// Where it listens [default: `listen` of `[proxy]`].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) guard: Option<SocketAddr>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
The credential is `secret` of `[identity.tokens]`, read from where the policy says. The token alone is printed.

Examples:
  portcullis token issue --user u1 --network main --rate-limit 100
  portcullis token issue --type parent --user u1 --network main --rate-limit 100 --expires-in 86400 > parent.jwt

Exit codes: 0 there is a token, 1 it was refused, 2 usage, or no guard answers.")]
pub(crate) struct IssueArgs {
    #[command(flatten)]
    pub(crate) place: GuardPlace,
    /// What sort of token.
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value_t = IssueType::Access)]
    pub(crate) token_type: IssueType,
    /// Of whom it is.
    #[arg(long, value_name = "ID")]
    pub(crate) user: String,
    /// The claim `network`.
    #[arg(long, value_name = "NAME")]
    pub(crate) network: String,
    /// The claim `rate_limit`.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rate_limit: u64,
    /// For whom; repeat it for more [default: the first of the policy].
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Vec<String>,
    /// For how many seconds [default: as long as the policy admits].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: Option<u64>,
    /// A claim of the application's own, `NAME=VALUE`, of the type that the policy says; repeat it for more.
    #[arg(long, value_name = "CLAIM")]
    pub(crate) claim: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IssueType {
    /// For routes.
    Access,
    /// For the exchange into children.
    Parent,
}

/// Where a token is read from.
#[derive(Debug, Group)]
pub(crate) struct TokenSource {
    /// Read the token from this file [default: standard input].
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
The parent token comes from standard input or a file. The child alone is printed.

Examples:
  portcullis token exchange < parent.jwt
  portcullis token exchange --token-file parent.jwt --rate-limit 10 --expires-in 60

Exit codes: 0 there is a token, 1 it was refused, 2 usage, or no guard answers, 3 there is no parent token.")]
pub(crate) struct ExchangeArgs {
    #[command(flatten)]
    pub(crate) place: GuardPlace,
    #[command(flatten)]
    pub(crate) token: TokenSource,
    /// For whom; repeat it for more [default: the first of the policy].
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Vec<String>,
    /// The claim `rate_limit`, at most that of the parent.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rate_limit: Option<u64>,
    /// For how many seconds [default: as long as the policy and the parent admit].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires_in: Option<u64>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
The signature is verified with the guard's own keys, those of `file:` issuers, and those that issuers publish. What the token
claims is shown only where its signature holds. Whether it was taken back, only a guard that runs knows.

Examples:
  portcullis token inspect < token.jwt
  portcullis token inspect --token-file parent.jwt --format json

Exit codes: 0 it would be believed, 1 it would be refused, 2 usage, 3 there is no token.")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) token: TokenSource,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Group)]
#[command(after_help = "\
It asks the admin listener (`admin` of `[proxy]`), with `admin_secret` read from where the policy says. It is on the disk
when this ends. With a parent token its children are taken back.

Examples:
  portcullis token revoke < token.jwt
  portcullis token revoke --jti 9xK2mQ4vT7yB1nC8
  portcullis token revoke --user u1

Exit codes: 0 it is taken back, 1 it was refused, 2 usage, or no guard answers, 3 there is no token.")]
pub(crate) struct RevokeArgs {
    /// The policy that the guard runs with.
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) policy: PathBuf,
    /// Where its admin listener is [default: `admin` of `[proxy]`].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) token: TokenSource,
    /// The token with this `jti`, and all that were made from it.
    #[arg(long, value_name = "ID", allow_hyphen_values = true, conflicts_with_all = ["user", "token_file"])]
    pub(crate) jti: Option<String>,
    /// All tokens of this user that were issued by now.
    #[arg(long, value_name = "ID", conflicts_with = "token_file")]
    pub(crate) user: Option<String>,
    /// Of this issuer [default: the guard itself, else the only one of the policy].
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
}
