//! Where a guard is asked that runs: the same for every command that speaks with its admin listener.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as Group;

#[derive(Debug, Group)]
pub(crate) struct AdminPlace {
    /// The policy, whose `[proxy]` names the admin listener and its credential.
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) policy: PathBuf,
    /// The address of the admin listener [default: the policy's `admin`].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,
    /// Where the credential is kept, `env:NAME` or `file:PATH`; never the credential itself [default: the policy's
    /// `admin_secret`].
    // Text, and read later: what is wrong here is repeated, and it may be the credential itself.
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) admin_secret: Option<String>,
}
