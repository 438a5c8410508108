//! `Environment`: the only reader of environment variables in `xtask`.

use std::{env, ffi::OsString, path::PathBuf};

use anyhow::{Context as _, Result};

/// What the surroundings say, read once.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// The repository.
    pub(crate) root: PathBuf,
    /// The cargo that runs us, so that every step uses the same toolchain.
    pub(crate) cargo: OsString,
    /// On a build machine a skipped test is a failed one.
    pub(crate) ci: bool,
    /// Where npm packages for tests are kept, outside the repository.
    pub(crate) npm_folder: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
}

impl Environment {
    /// Fails outside cargo, and where there is no home to keep a cache in.
    pub(crate) fn read() -> Result<Self> {
        let manifest = variable("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
        let root = PathBuf::from(manifest)
            .ancestors()
            .nth(2)
            .context("the xtask crate is not inside a workspace")?
            .to_owned();
        let cache = match variable("XDG_CACHE_HOME") {
            Some(cache) => PathBuf::from(cache),
            None => PathBuf::from(variable("HOME").context("`HOME` is not set")?).join(".cache"),
        };
        let target =
            variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Self {
            root,
            target,
            cargo: variable("CARGO").unwrap_or_else(|| OsString::from("cargo")),
            ci: variable("CI").is_some(),
            npm_folder: cache.join("portcullis").join("npm"),
        })
    }
}

/// An empty variable counts as unset, as it does for a shell's `${NAME:-default}`.
#[expect(
    clippy::disallowed_methods,
    reason = "this file is the one place that reads the environment"
)]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
