//! Installs what tests need: programs from Debian, packages from npm into a folder outside the repository.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{
    environment::Environment,
    needs::{Need, What},
    steps::succeed,
};

/// Installs what is missing. Programs come first, since npm is one of them.
pub(crate) fn install(environment: &Environment, missing: &[Need]) -> Result<()> {
    let programs: Vec<&str> = missing
        .iter()
        .filter_map(|need| match need.what {
            What::Program { debian, .. } | What::File { debian, .. } => Some(debian),
            What::Npm { .. } => None,
        })
        .collect();
    if !programs.is_empty() {
        install_programs(&programs)?;
    }
    if missing
        .iter()
        .any(|need| matches!(need.what, What::Npm { .. }))
    {
        install_packages(environment)?;
    }
    Ok(())
}

/// The command a person would type instead.
pub(crate) fn advice(what: &What) -> String {
    match what {
        What::Program { debian, .. } | What::File { debian, .. } => {
            format!("apt-get install {debian}, or cargo xtask test --setup")
        }
        What::Npm { .. } => "cargo xtask test --setup".to_owned(),
    }
}

fn install_programs(packages: &[&str]) -> Result<()> {
    let who = Command::new("id")
        .arg("-u")
        .output()
        .context("cannot run `id`")?;
    let is_admin = String::from_utf8_lossy(&who.stdout).trim() == "0";
    let apt = |words: &[&str]| {
        let mut command = if is_admin {
            Command::new("apt-get")
        } else {
            let mut command = Command::new("sudo");
            command.args(["--non-interactive", "apt-get"]);
            command
        };
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        succeed(&mut command)
    };
    apt(&["update", "--quiet"])?;
    let mut words = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    words.extend(packages);
    apt(&words)
}

/// All packages in one call: npm removes what the last call did not name.
fn install_packages(environment: &Environment) -> Result<()> {
    let folder = &environment.npm_folder;
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let manifest = folder.join("package.json");
    fs::write(&manifest, "{ \"private\": true }\n")
        .with_context(|| format!("cannot write `{}`", manifest.display()))?;
    let packages: Vec<String> = crate::needs::NEEDS
        .iter()
        .filter_map(|need| specifier(&need.what))
        .collect();
    if packages.is_empty() {
        bail!("no npm package is needed");
    }
    let mut command = Command::new("npm");
    command
        .args([
            "install",
            "--save-exact",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ])
        .arg("--omit-lockfile-registry-resolved=true")
        .args(packages)
        .current_dir(folder);
    succeed(&mut command)
}

fn specifier(what: &What) -> Option<String> {
    match what {
        What::Program { .. } | What::File { .. } => None,
        What::Npm {
            folder,
            package,
            version,
        } if folder == package => Some(format!("{package}@{version}")),
        What::Npm {
            folder,
            package,
            version,
        } => Some(format!("{folder}@npm:{package}@{version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::specifier;
    use crate::needs::What;

    #[test]
    fn two_versions_of_one_package_have_two_folders() {
        let named = |folder| {
            specifier(&What::Npm {
                folder,
                package: "express",
                version: "5.1.0",
            })
        };
        assert_eq!(named("express").as_deref(), Some("express@5.1.0"));
        assert_eq!(
            named("express-5").as_deref(),
            Some("express-5@npm:express@5.1.0")
        );
    }
}
