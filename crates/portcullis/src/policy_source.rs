//! Finds and reads the policy file.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use portcullis_policy::{Policy, bounds};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// The policy's name in the folder of an application.
pub(crate) const NAME: &str = "portcullis.toml";

/// A policy and what names its exact text. No file is the empty policy.
#[derive(Debug, Default)]
pub(crate) struct PolicySource {
    pub(crate) policy: Policy,
    /// What the report calls the file.
    pub(crate) file: String,
    pub(crate) digest: Option<String>,
}

impl PolicySource {
    /// The policy as a revision has it; no file there is the empty policy. `path` is where the folder has it or would.
    pub(crate) fn of_revision(
        text: Option<&str>,
        path: &Path,
        dir: &Path,
        revision: &str,
    ) -> Result<Self, Failure> {
        let file = in_report(path, dir);
        let Some(text) = text else {
            return Ok(Self {
                file,
                ..Self::default()
            });
        };
        let (policy, digest) = parse_policy(text, &format!("{revision}:{}", path.display()))?;
        Ok(Self {
            policy,
            file,
            digest: Some(digest),
        })
    }

    /// Reads `named`, or `portcullis.toml` in `dir` when there is one.
    pub(crate) fn find(named: Option<&Path>, dir: &Path) -> Result<Self, Failure> {
        let beside = dir.join(NAME);
        let path: PathBuf = match named {
            Some(path) => path.to_owned(),
            None if is_there(&beside, dir)? => beside,
            None => {
                return Ok(Self {
                    file: NAME.to_owned(),
                    ..Self::default()
                });
            }
        };
        let (policy, digest) = read_policy(&path)?;
        Ok(Self {
            policy,
            file: in_report(&path, dir),
            digest: Some(digest),
        })
    }
}

/// Whether the folder has a policy. What is called so and is no file of the folder is an error: without a word it would
/// be no policy, and a link out of the folder would show in messages what is written elsewhere on this machine.
fn is_there(path: &Path, dir: &Path) -> Result<bool, Failure> {
    let name = path.display();
    let failed = |error| Failure::caused(&format!("cannot read the policy `{name}`"), &error);
    match path.symlink_metadata() {
        // There is no folder, either: whoever reads it says so.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        Err(error) => return Err(failed(error)),
        Ok(_) => {}
    }
    let real = path.canonicalize().map_err(failed)?;
    if !real.starts_with(dir.canonicalize().map_err(failed)?) {
        return Err(Failure::usage(format!(
            "`{name}` leads out of the folder, where no audit reads: put the policy there, or name another with `--policy FILE`"
        )));
    }
    if !real.is_file() {
        return Err(Failure::usage(format!(
            "`{name}` is no file: put the policy there, or name another with `--policy FILE`"
        )));
    }
    Ok(true)
}

/// Reads a policy file; with the policy what names its exact text.
pub(crate) fn read_policy(path: &Path) -> Result<(Policy, String), Failure> {
    let name = path.display();
    let text = read(path)
        .map_err(|error| Failure::caused(&format!("cannot read the policy `{name}`"), &error))?;
    parse_policy(&text, &name.to_string())
}

/// Reads the text of a policy file that is called so; with the policy what names its exact text.
pub(crate) fn parse_policy(text: &str, name: &str) -> Result<(Policy, String), Failure> {
    let policy = Policy::parse(text).map_err(|errors| {
        let lines: Vec<String> = errors
            .iter()
            .map(|error| format!("{name}:{error}"))
            .collect();
        let more = match errors.left_out() {
            0 => String::new(),
            more => format!("\nand {more} more"),
        };
        Failure::usage(format!(
            "the policy cannot be used\n{}{more}",
            lines.join("\n")
        ))
    })?;
    Ok((policy, digest_of(text)))
}

/// What names an exact text: `sha256:` and 64 hexadecimal digits.
pub(crate) fn digest_of(text: &str) -> String {
    let digest: String = Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{digest}")
}

/// A policy's path in the folder if it lies there, else as it was named, but never where on this machine that is.
fn in_report(path: &Path, dir: &Path) -> String {
    let name = match path.strip_prefix(dir) {
        Ok(inside) => inside,
        Err(_outside) if path.is_absolute() => Path::new(path.file_name().unwrap_or_default()),
        Err(_outside) => path,
    };
    name.to_string_lossy().replace('\\', "/")
}

/// One byte more than is allowed is enough for the policy's own reader to refuse the file.
fn read(path: &Path) -> std::io::Result<String> {
    let bound = u64::try_from(bounds::FILE_BYTES_MAX).map_or(u64::MAX, |bound| bound + 1);
    let mut text = String::new();
    File::open(path)?.take(bound).read_to_string(&mut text)?;
    Ok(text)
}
