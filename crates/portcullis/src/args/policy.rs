//! What `policy` is told.

use std::path::PathBuf;

use clap::{Args as Group, Subcommand, ValueEnum};

use super::{TextFormat, When};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says all that is wrong with a policy file, or lacking in it, with places.
    Check(CheckArgs),
    /// Holds a policy against a table of what has to be allowed and what has to be denied.
    Test(TestArgs),
    /// Prints the JSON Schema of the policy file, for editors.
    #[command(after_help = "\
Example:
  portcullis policy schema > portcullis.schema.json

An editor that knows TOML takes it from the first line of a policy:
  #:schema ./portcullis.schema.json")]
    Schema,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  portcullis policy check
  portcullis policy check --for guard             could a guard start with it today?
  portcullis policy check shop.toml --format json
  portcullis policy check --resolved              what holds where the file says nothing?

Exit codes: 0 nothing is wrong or lacking (notices may be told), 2 something is, or the file cannot be read.")]
pub(crate) struct CheckArgs {
    /// The policy file [default: portcullis.toml in this folder].
    pub(crate) file: Option<PathBuf>,
    /// What has to be able to work with it.
    #[arg(long = "for", value_enum, value_name = "COMMAND")]
    pub(crate) purpose: Option<Purpose>,
    /// Prints the whole policy with every default written out, as a policy file.
    #[arg(long, conflicts_with_all = ["purpose", "format"])]
    pub(crate) resolved: bool,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
    /// Whether to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    /// `portcullis audit`: something in it tells the audit what it cannot see in the code.
    Audit,
    /// `portcullis guard`: where the application listens, for which host to answer, and every control that a route
    /// must have is enforced or excepted.
    Guard,
    /// A probe, which this version does not have: where the service is, and what must be refused there.
    Probe,
}

impl Purpose {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Guard => "guard",
            Self::Probe => "probe",
        }
    }
}

#[derive(Debug, Group)]
#[command(after_help = "\
A file of expectations:

  [[expect]]
  request = \"GET /api/items?x=1\"
  verdict = \"allow\"                  # or \"deny\"; \"answer\" where the guard answers OPTIONS itself

  [[expect]]
  request = \"POST /api/contact\"
  headers = { content-type = \"application/json\" }
  body = '{\"name\":\"a\"}'
  peer = \"203.0.113.9\"
  times = 11                         # of which the last counts
  verdict = \"deny\"
  reason = \"rate_limited\"            # reason, status and route may be left out
  status = 429
  route = \"/api/contact\"

  [[expect]]
  request = \"GET /me\"
  as = \"u1\"                          # somebody whom the guard knows; nobody, if it is left out
  verdict = \"allow\"

`at` says when (today, if it is left out), `answer` what the application answers, for limits that count failures.
Every expectation is tried on a guard that has just started.

Examples:
  portcullis policy test expectations.toml
  portcullis policy test expectations.toml --policy shop.toml --format json

Exit codes: 0 all of them hold, 1 some do not, 2 usage or an unreadable file, 3 there are none in the file.")]
pub(crate) struct TestArgs {
    /// The file of expectations.
    pub(crate) file: PathBuf,
    /// The policy file [default: portcullis.toml in this folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
    /// Whether to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
}
