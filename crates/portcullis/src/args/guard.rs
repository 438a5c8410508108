//! The arguments of `guard` and `guard dev`.

use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;

use clap::{Args as Group, Subcommand, ValueEnum};
use portcullis_policy::Upstream;

use super::When;

#[derive(Debug, Group)]
#[command(after_help = "\
The policy needs `upstream`, a host (`public_url` or `hosts`) and routes. A smallest one:

  version = 1
  upstream = \"http://127.0.0.1:3000\"
  hosts = [\"127.0.0.1:8080\"]

  [[route]]
  path = \"/{*rest}\"
  methods = [\"GET\"]
  type = \"public_read\"

Another policy is taken as soon as its file changes, and on SIGHUP; one that is not valid changes nothing and is told.
SIGTERM and SIGINT let the requests that are under way end.

Examples:
  portcullis guard
  portcullis guard --policy shop.toml --listen 0.0.0.0:8080 --admin 127.0.0.1:8081
  portcullis guard --state-dir /var/lib/portcullis     limits of an hour and more outlive a restart
  portcullis guard dev                                 on your own machine, with https and a log for people")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct GuardArgs {
    #[command(subcommand)]
    pub(crate) way: Option<GuardWay>,
    /// The policy file [default: portcullis.toml in this folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Where clients connect [default: the policy's, or 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where /live, /ready, /metrics and /policy are told [default: the policy's, or nowhere].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) admin: Option<SocketAddr>,
    /// Threads that serve [default: the policy's, or one for each core].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) workers: Option<NonZeroU8>,
    /// The folder for what outlives a restart [default: .portcullis beside the policy, where a limit counts an hour or
    /// more].
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// How long requests may take to end when the guard does.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) grace: u64,
    /// Refuse nothing that a control of the policy would refuse, and only write it down. For the first days in front of
    /// an application.
    #[arg(long)]
    pub(crate) insecure_shadow: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GuardWay {
    /// Guards on your own machine: https with a certificate of its own, a log for people, a hint at each refusal.
    Dev(DevArgs),
}

#[derive(Debug, Group)]
#[command(after_help = "\
The policy is the one of production. Only where it is known is another: `https://localhost` and the port, without proxies
before it. What it demands stays as it is. Keys and secrets that are made lie in `.portcullis/dev` beside the policy.

Examples:
  portcullis guard dev
  portcullis guard dev --upstream http://127.0.0.1:5173 --listen 127.0.0.1:9443")]
pub(crate) struct DevArgs {
    /// The policy file [default: portcullis.toml in this folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Where browsers connect: an address of this machine alone.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
    /// Where the application listens [default: the policy's].
    #[arg(long, value_name = "URL", value_parser = upstream)]
    pub(crate) upstream: Option<Upstream>,
    /// How to tell requests.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) format: LogFormat,
    /// Whether to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Refuse nothing that a control of the policy would refuse, and only tell it.
    #[arg(long)]
    pub(crate) insecure_shadow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A line for each request, for programs.
    Json,
}

/// Only this machine can reach it: its secrets are drawn by nobody's leave, and its log is read by who sits there.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|error| format!("{error}; write an address and a port, as 127.0.0.1:8443"))?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("`guard dev` listens on this machine alone: use 127.0.0.1 or [::1]; `portcullis guard` is for others".to_owned())
    }
}

fn upstream(text: &str) -> Result<Upstream, String> {
    text.parse::<Upstream>().map_err(|fault| fault.to_string())
}
