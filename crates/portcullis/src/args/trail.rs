//! What `trail` is told.

use std::path::PathBuf;

use clap::{Args as Group, Subcommand, ValueEnum};
use portcullis_policy::event::EventVerdict;

use super::TextFormat;
use crate::explaining::moment::Moment;

#[derive(Debug, Subcommand)]
pub(crate) enum TrailCommand {
    /// Finds out whether somebody touched the trail.
    Verify(VerifyArgs),
    /// Shows the newest records that were asked for.
    Query(QueryArgs),
    /// Writes all records that were asked for, for other programs.
    Export(ExportArgs),
}

#[derive(Debug, Group)]
#[command(after_help = "\
It reads every record, also while a guard writes, and finds one that was edited, dropped, added or moved: each holds the
hash of the one before it, and checkpoints sign all before them. What no chain can show is an end that was cut off: for
that a policy names a second place, `[trail] checkpoints = \"FILE\"`, best on a disk that the guard's user cannot rewrite.

The public key is `trail.pub` in the state folder. Keep a copy elsewhere on the first day: whoever can write the folder can
replace the trail and the key beside it.

Examples:
  portcullis trail verify
  portcullis trail verify --public-key trail.pub.copy --checkpoints /mnt/worm/checkpoints.jsonl
  portcullis trail verify --trail evidence/trail.sqlite --format json

Exit codes: 0 the trail is whole, 1 it is broken, 2 usage or a file that cannot be read, 3 there is no record.")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) place: TrailPlace,
    /// A key that may sign: 64 digits of hex, or a file with one on each line; repeat it for more [default: trail.pub beside
    /// the trail].
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Vec<String>,
    /// The second place, where checkpoints were kept as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoints: Option<PathBuf>,
    /// How to tell it.
    #[arg(long, value_enum, default_value_t = TextFormat::Terminal)]
    pub(crate) format: TextFormat,
}

/// Where the trail is: the same for every command that reads one.
#[derive(Debug, Group)]
pub(crate) struct TrailPlace {
    /// The database of the trail.
    #[arg(long, value_name = "FILE", default_value = ".portcullis/trail.sqlite")]
    pub(crate) trail: PathBuf,
}

/// Which records: those for which all that is said holds.
#[derive(Debug, Group)]
pub(crate) struct Wanted {
    /// From this moment on: a day, or 2027-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Before this moment.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
    /// Of this user or tenant. What is masked in the trail (an e-mail address, for example) is found by what it was, where
    /// the key of the trail can be read.
    #[arg(long, value_name = "ID")]
    pub(crate) actor: Option<String>,
    /// A method, or a kind of record: intent, outcome, note, session, admin, start, checkpoint, gap.
    #[arg(long, value_name = "WORD")]
    pub(crate) action: Option<String>,
    /// Of this route, as the policy writes its path.
    #[arg(long, value_name = "PATH")]
    pub(crate) route: Option<String>,
    /// Of this request.
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// With this verdict: allowed, refused, unavailable, shadow_refused.
    #[arg(long, value_name = "WORD")]
    pub(crate) verdict: Option<EventVerdict>,
}

#[derive(Debug, Group)]
#[command(after_help = "\
The oldest of the shown records stands first. On a terminal it is a table, elsewhere one JSON object a line.

Examples:
  portcullis trail query
  portcullis trail query --actor user_2abc --since 2027-01-31
  portcullis trail query --action DELETE --route '/api/items/{id}' --limit 20
  portcullis trail query --request-id 0a1b2c3d --format json

Exit codes: 0 there are some, 2 usage or a trail that cannot be read, 3 there are none.")]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) place: TrailPlace,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How many, the newest; `export` has no limit.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// How to tell it [default: a table on a terminal, JSON lines elsewhere].
    #[arg(long, value_enum)]
    pub(crate) format: Option<QueryFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryFormat {
    /// For people.
    Table,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Group)]
#[command(after_help = "\
CSV is safe to open in a spreadsheet: a field that it would take for a formula begins with an apostrophe, and control
characters are written out.

Examples:
  portcullis trail export > trail.jsonl
  portcullis trail export --format csv --since 2027-01-01 --until 2027-02-01 --output january.csv

Exit codes: 0 there are some, 2 usage or a trail that cannot be read, 3 there are none.")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) place: TrailPlace,
    #[command(flatten)]
    pub(crate) wanted: Wanted,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
    pub(crate) format: ExportFormat,
    /// Write it to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object a line.
    Json,
    /// RFC 4180, with a line of names.
    Csv,
}
