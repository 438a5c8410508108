//! `Args`: the command line as types.

mod admin;
mod explain;
mod guard;
mod init;
mod key;
mod policy;
mod token;
mod trail;

pub(crate) use admin::AdminPlace;
pub(crate) use explain::{Explain, RequestArgs, TextFormat};
pub(crate) use guard::{DevArgs, GuardArgs, GuardWay, LogFormat};
pub(crate) use init::InitArgs;
pub(crate) use key::{CreateArgs, KeyCommand, KeyListArgs, RevokeKeyArgs, RotateKeyArgs};
pub(crate) use policy::{CheckArgs, PolicyCommand, Purpose, TestArgs};
pub(crate) use token::{
    Bits, ExchangeArgs, GenerateArgs, GuardPlace, InspectArgs, IssueArgs, IssueType, KeysCommand,
    KeysPlace, ListArgs, NewKey, RevokeArgs, RotateArgs, TokenCommand, TokenSource,
};
pub(crate) use trail::{
    ExportArgs, ExportFormat, QueryArgs, QueryFormat, TrailCommand, TrailPlace, VerifyArgs, Wanted,
};

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use portcullis_policy::FailOn;

/// Finds every route of a web service, checks it against what such a route must have, and enforces it in traffic.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  portcullis audit                        read the code in this folder and judge it
  portcullis audit --format sarif --output portcullis.sarif
  portcullis routes                       every route, and what protects it
  portcullis routes --why POST /api/items how that is known
  portcullis init                         write a first portcullis.toml from the code
  portcullis explain rule csrf-missing    why it matters and how to fix it
  portcullis guard                        enforce portcullis.toml in front of the application
  portcullis guard dev                    the same on your own machine, with https and hints
  portcullis explain request GET /items   what the guard would do with a request, and why
  portcullis policy check --for guard     what is wrong with portcullis.toml, or lacking in it
  portcullis token inspect < token.jwt    whether a token would be believed, and why not
  portcullis token keys list              which keys sign the guard's own tokens
  portcullis key create --user u1 --name ci   an API key, from the guard that runs
  portcullis trail verify                 whether somebody touched the audit trail

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or an unreadable policy, 3 nothing to read,
70 internal error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads code, finds its routes and what is wrong with them.
    Audit(AuditArgs),
    /// Lists every route and what protects it, without a judgement.
    Routes(RoutesArgs),
    /// Writes a first policy: every route, what it looks like, and what is missing.
    Init(InitArgs),
    /// Stands in front of the application and lets pass only what the policy names.
    Guard(GuardArgs),
    /// Explains a rule, a requirement of the seeds, or the decision about a request.
    Explain {
        #[command(subcommand)]
        what: Explain,
    },
    /// Checks a policy file, or tries it on requests.
    Policy {
        #[command(subcommand)]
        what: PolicyCommand,
    },
    /// Keeps the keys of the guard's own tokens, gives out tokens, says what one is, takes one back.
    Token {
        #[command(subcommand)]
        what: TokenCommand,
    },
    /// Makes, lists, changes and revokes API keys of a guard that runs.
    Key {
        #[command(subcommand)]
        what: KeyCommand,
    },
    /// Verifies, searches or exports the audit trail.
    Trail {
        #[command(subcommand)]
        what: TrailCommand,
    },
    /// Prints what the program knows, for other programs.
    Dump {
        #[command(subcommand)]
        what: Dump,
    },
    /// Prints the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dump {
    /// Every rule, as JSON.
    Rules,
    /// Every requirement of the seeds and what answers it, as JSON.
    Catalogue,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  portcullis audit ../shop
  portcullis audit --fail-on critical --format json > audit.json
  portcullis audit --rule error-leak --rule csrf-missing
  portcullis audit --format markdown --output review.md
  portcullis audit --write-baseline known.json     what is found now is known
  portcullis audit --baseline known.json           and what is new fails
  portcullis audit --changed-since origin/main --policy-from origin/main

A finding may stand with a comment on its line or above it:
  // portcullis-ignore[rule-id]: reason (until YYYY-MM-DD)")]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = AuditFormat::Terminal)]
    pub(crate) format: AuditFormat,
    /// From which severity on findings fail the run [default: the policy's, or high].
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on())]
    pub(crate) fail_on: Option<FailOn>,
    /// Run this rule alone; repeat it for more.
    #[arg(long, value_name = "ID")]
    pub(crate) rule: Vec<String>,
    /// Do not run this rule; repeat it for more.
    #[arg(long, value_name = "ID")]
    pub(crate) skip_rule: Vec<String>,
    /// Show every finding and every place in full, suppressed ones too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Take no notice of `portcullis-ignore` comments.
    #[arg(long)]
    pub(crate) no_ignore_comments: bool,
    /// Suppress the findings that this file knows, and tell which of them are gone.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write every open finding to this file: from then on they are known.
    #[arg(long, value_name = "FILE", conflicts_with = "changed_since")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// Tell only what touches what changed since this revision of git.
    #[arg(long, value_name = "REV")]
    pub(crate) changed_since: Option<String>,
    /// Take the policy, the baseline and the `portcullis-ignore` comments of this revision of git, not those of the folder.
    #[arg(long, value_name = "REV")]
    pub(crate) policy_from: Option<String>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  portcullis routes
  portcullis routes --format json ../shop
  portcullis routes ../shop --why
  portcullis routes --why POST /api/items")]
pub(crate) struct RoutesArgs {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = RoutesFormat::Table)]
    pub(crate) format: RoutesFormat,
    /// Say how each word is known, of every route or of one.
    #[arg(long, num_args = 0..=2, value_names = ["METHOD", "PATH"], conflicts_with = "format")]
    pub(crate) why: Option<Vec<String>>,
}

/// What is read, and where the answer goes: the same for every command that reads code.
#[derive(Debug, Group)]
pub(crate) struct Reading {
    /// The folder of the application.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The policy file [default: portcullis.toml in the folder, if there is one].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Read tests, stories and examples as well.
    #[arg(long)]
    pub(crate) include_tests: bool,
    /// Write the answer to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Whether to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Keep results for the next run in this folder [default: portcullis/audit in the user's cache folder].
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Look at everything anew, and keep nothing for the next run.
    #[arg(long)]
    pub(crate) no_cache: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// For people.
    Terminal,
    /// Everything, for programs.
    Json,
    /// For code scanning.
    Sarif,
    /// A page with a review of each endpoint.
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoutesFormat {
    /// For people.
    Table,
    /// Everything, for programs.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The words are the policy file's own.
fn fail_on() -> impl clap::builder::TypedValueParser<Value = FailOn> {
    PossibleValuesParser::new(FailOn::ALL.iter().map(|severity| severity.as_str()))
        .try_map(|word| word.parse::<FailOn>())
}
