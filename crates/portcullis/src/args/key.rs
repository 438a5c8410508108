//! What `key` is told. No key is an argument, but for its id: others on the machine can read arguments. Ids are read by the command,
//! as what is wrong here is repeated, and it may be a whole key.

use clap::{Args as Group, Subcommand};

use super::TextFormat;
use super::admin::AdminPlace;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a key, and prints it once.
    Create(CreateArgs),
    /// Lists the keys of a user.
    List(KeyListArgs),
    /// Gives a key another secret, and prints it once.
    Rotate(RotateKeyArgs),
    /// Revokes a key, or all of a user.
    Revoke(RevokeKeyArgs),
}

#[derive(Debug, Group)]
#[command(after_help = "\
The key is all that stands on standard output, so that it goes where it is kept without being seen:
  portcullis key create --user svc-export --name 'nightly export' --scope read:items > export.key

It asks the guard that runs, at the admin listener of the policy. No other guard and no file has the key afterwards.

Examples:
  portcullis key create --user u1 --name laptop --days 30
  portcullis key create --user u1 --tenant acme --name ci --scope read:items --scope write:items
  portcullis key create --user u1 --name ci --admin 127.0.0.1:9090 --admin-secret file:/run/secrets/admin

Exit codes: 0 there is a key, 2 usage, or the guard did not do it.")]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) place: AdminPlace,
    /// Who calls by it, as the application calls them.
    #[arg(long, value_name = "ID")]
    pub(crate) user: String,
    /// Their tenant.
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
    /// What it is for, so that somebody knows it again in the list.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// What it is good for; repeat it for more, 32 at most.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// How long it lives [default: 90, or the policy's `lifetime_max`].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=365))]
    pub(crate) days: Option<u64>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  portcullis key list --user u1
  portcullis key list --user u1 --format json

Exit codes: 0 there are some, 2 usage, or the guard does not say, 3 there are none.")]
pub(crate) struct KeyListArgs {
    #[command(flatten)]
    pub(crate) place: AdminPlace,
    /// Whose.
    #[arg(long, value_name = "ID")]
    pub(crate) user: String,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Group)]
#[command(after_help = "\
The id stays, so limits, the trail and the list go on with it. The secret before is accepted besides for as long as the
overlap says: put the new one where the old one is kept within that time. A key that somebody else may know has none:
  portcullis key rotate 0123456789abcdef --overlap-hours 0 > export.key

Examples:
  portcullis key rotate 0123456789abcdef > export.key
  portcullis key rotate 0123456789abcdef --overlap-hours 168 --days 90 > export.key

Exit codes: 0 it has another secret, 2 usage, or the guard did not do it, 3 there is no such key.")]
pub(crate) struct RotateKeyArgs {
    #[command(flatten)]
    pub(crate) place: AdminPlace,
    /// The 16 digits behind the prefix.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// How long the secret before is accepted.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=8_760))]
    pub(crate) overlap_hours: u64,
    /// How long the new one lives [default: as long as the one before].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=365))]
    pub(crate) days: Option<u64>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
It is on the disk of the guard when this returns: the next request with the key is 401.

Examples:
  portcullis key revoke 0123456789abcdef
  portcullis key revoke --user u1

Exit codes: 0 it is revoked, 2 usage, or the guard did not do it, 3 there is no such key.")]
pub(crate) struct RevokeKeyArgs {
    #[command(flatten)]
    pub(crate) place: AdminPlace,
    /// The 16 digits behind the prefix.
    #[arg(
        value_name = "ID",
        required_unless_present = "user",
        conflicts_with = "user"
    )]
    pub(crate) id: Option<String>,
    /// All keys of this user.
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
}
