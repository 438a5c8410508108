//! What `init` is told.

use std::path::PathBuf;

use clap::Args as Group;
use portcullis_policy::{PublicUrl, Upstream};

#[derive(Debug, Group)]
#[command(after_help = "\
It finds every route, page and server action in the code and writes a `[[route]]` or `[[function]]` for each: its path,
its methods, the type that it looks like, and in comments where it stands, why it is of that type, and what is missing
(`# todo RULE: ...`). Files that anybody may get become `static`. What no entry can say is listed at the end.

What should ask who calls and does not, or may not, is written as what does. Nothing is excepted: what a guard would need
an exception for is prepared at the end of the file, switched off, for a person to decide. A policy that is there already
is neither read nor overwritten.

Examples:
  portcullis init                                   write portcullis.toml in this folder
  portcullis init apps/web --stdout                 only print it
  portcullis init --output new.toml                 beside the policy that is there, to compare
  portcullis init --upstream http://127.0.0.1:4000 --public-url https://shop.example.com

Then:
  portcullis policy check                           is it valid?
  portcullis audit                                  what is missing, and where code and policy differ
  portcullis policy check --for guard               what a guard lacks to start with it

Exit codes: 0 it was written; 2 the file is there already, or cannot be written, or usage; 3 there is nothing to write:
no code was read, or it has no route.")]
pub(crate) struct InitArgs {
    /// The folder of the application.
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The file to write; it must not be there [default: portcullis.toml in the folder].
    #[arg(long, value_name = "FILE", conflicts_with = "stdout")]
    pub(crate) output: Option<PathBuf>,
    /// Print the policy instead of writing a file.
    #[arg(long)]
    pub(crate) stdout: bool,
    /// Where the application listens, as a guard reaches it.
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<Upstream>,
    /// Where browsers know the service.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<PublicUrl>,
    /// Read tests, stories and examples as well.
    #[arg(long)]
    pub(crate) include_tests: bool,
}
