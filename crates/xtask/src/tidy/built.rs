//! What is built, which is less than what the lock file lists: nothing of it is what must stay out.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::locked::UNWANTED;
use crate::environment::Environment;
use crate::problem::Problem;

/// The packages that are built here, one on each line.
pub(super) fn listed(environment: &Environment) -> Result<String> {
    let output = Command::new(&environment.cargo)
        .args(["tree", "--workspace", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build,dev", "--format", "{p}"])
        .current_dir(&environment.root)
        .output()
        .context("cannot run `cargo`")?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("`cargo tree` failed: {}", told.trim());
    }
    String::from_utf8(output.stdout).context("it printed something else than text")
}

/// What of it must stay out. A list that cannot be had is a problem itself.
pub(super) fn problems(listed: Result<String>) -> Vec<Problem> {
    let problem = |message: String| Problem::new("Cargo.lock", message);
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return vec![problem(format!("{error:#}"))],
    };
    let is_built = |name: &str| {
        let mut lines = listed.lines();
        lines.any(|line| line.split(' ').next() == Some(name))
    };
    let unwanted = UNWANTED.iter().filter(|(name, _)| is_built(name));
    unwanted
        .map(|(name, why)| {
            problem(format!(
                "`{name}` is built: {why} (`cargo tree -i {name}` shows who brings it)"
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::{UNWANTED, problems};

    #[test]
    fn what_is_built_and_unwanted_is_found() {
        for (name, why) in UNWANTED {
            let listed = format!("serde v1.0.0\n{name} v0.1.0\n");
            let says: Vec<String> = problems(Ok(listed))
                .iter()
                .map(ToString::to_string)
                .collect();
            assert!(says.len() == 1 && says[0].contains(why), "{says:?}");
        }
        assert_eq!(problems(Ok("ring-buffer v1.0.0\n".to_owned())).len(), 0);
        assert_eq!(problems(Err(anyhow!("no cargo"))).len(), 1);
    }
}
