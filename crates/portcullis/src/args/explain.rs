//! What `explain` is told.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args as Group, Subcommand, ValueEnum};

use super::When;
use crate::explaining::TIMES_MAX;
use crate::explaining::asked::{ANSWER, SOMEBODY, header};
use crate::explaining::moment::Moment;

#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    /// Prints the page of a rule.
    Rule {
        /// The rule's id, as a finding shows it.
        id: String,
    },
    /// Says what a requirement of the seeds asks for, and what answers it.
    Requirement {
        /// The requirement's id, `S0-DG-RL-01`; docs/seeds.md lists them.
        id: String,
    },
    /// Decides a request as the guard would, and says how, step by step.
    Request(Box<RequestArgs>),
}

#[derive(Debug, Group)]
#[command(after_help = "\
Nothing is sent anywhere: the request is written down as a client would send it, read by the guard's own reader and
decided by its own rules, with limits that nobody has used yet. The host is that of the URL, else the first host of
the policy. The URL is sent as it is written, so that `/a/../b` can be tried.

Examples:
  portcullis explain request GET /api/items
  portcullis explain request POST /api/contact -H 'Content-Type: application/json' --body contact.json
  portcullis explain request POST /login --peer 203.0.113.9 --times 6     the sixth login of a minute
  portcullis explain request POST /login --times 6 --answer 401           where only failures count
  portcullis explain request DELETE /api/items/7 --at 2027-02-01          after an exception has ended
  portcullis explain request --requests access.jsonl --format json        one line out for each line in

A line of --requests is an object, of which only `method` and `url` are needed:
  {\"method\":\"POST\",\"url\":\"/login\",\"headers\":{\"content-type\":\"application/json\"},\"body\":\"{}\",
   \"peer\":\"203.0.113.9\",\"at\":\"2027-01-31T12:00:00Z\",\"times\":6,\"answer\":401}
`headers` may be a list of pairs, where one stands twice. Each line is asked of a guard that has just started, or with
--together all of one, in their order.

Exit codes: 0 it was decided, whatever the answer; 2 usage, an unreadable policy, or lines that are no requests.")]
pub(crate) struct RequestArgs {
    /// The method, as it is sent.
    #[arg(required_unless_present = "requests")]
    pub(crate) method: Option<String>,
    /// A path with its query, or an absolute URL.
    #[arg(required_unless_present = "requests")]
    pub(crate) url: Option<String>,
    /// A header, `Name: value`; repeat it for more. No value is printed.
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// The file that is the request's content.
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// The other end of the connection: the client, or a proxy before the guard.
    #[arg(long, value_name = "IP", default_value_t = SOMEBODY)]
    pub(crate) peer: IpAddr,
    /// Who is calling: with a session of the guard's own, a good token of the policy's first issuer, or a good API key.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) user: Option<String>,
    /// When, `2027-01-31T12:00:00Z` or `2027-01-31` [default: today].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Moment>,
    /// Ask the same so often at the same moment, and tell of the last time.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(TIMES_MAX)))]
    pub(crate) times: u32,
    /// What the application answers, for limits that count failures.
    #[arg(long, value_name = "STATUS", default_value_t = ANSWER, value_parser = clap::value_parser!(u16).range(100..=599))]
    pub(crate) answer: u16,
    /// Ask about every line of this file instead; `-` is standard input.
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["method", "url", "headers", "body", "times"])]
    pub(crate) requests: Option<PathBuf>,
    /// Count all lines of --requests in the same limits, in their order and at their times.
    #[arg(long, requires = "requests", conflicts_with_all = ["method", "url"])]
    pub(crate) together: bool,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
    /// The policy file [default: portcullis.toml in this folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Decide as `portcullis guard --insecure-shadow` does: what a control refuses passes, and is only written down.
    #[arg(long)]
    pub(crate) insecure_shadow: bool,
    /// Whether to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    /// For people.
    Terminal,
    /// Everything, for programs.
    Json,
}
