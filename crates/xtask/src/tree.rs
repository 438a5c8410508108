//! `Tree`: the files of the repository, as somebody who clones it gets them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// Every file by its path from the root, written with `/`; `None` where a file is not text.
#[derive(Debug)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
    folders: BTreeSet<String>,
}

impl Tree {
    /// Asks git, so that what is ignored does not count; where there is no git (an unpacked archive), reads the folder.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let paths = if root.join(".git").exists() {
            tracked(root)?
        } else {
            let mut paths = Vec::new();
            walk(root, "", &mut paths)?;
            paths
        };
        let mut files = BTreeMap::new();
        for path in paths {
            let full = root.join(&path);
            // A file that was deleted and not yet committed is still in git's list.
            if full.is_file() {
                let bytes = fs::read(&full).with_context(|| format!("cannot read `{path}`"))?;
                files.insert(path, String::from_utf8(bytes).ok());
            }
        }
        let folders = files.keys().flat_map(|path| folders_of(path)).collect();
        Ok(Self { files, folders })
    }

    /// Paths of all files, in order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Paths and contents of all text files, in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The contents of a text file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether a clone would have this file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains_key(path) || self.folders.contains(path)
    }

    /// The folders directly under the root.
    pub(crate) fn top_folders(&self) -> impl Iterator<Item = &str> {
        self.folders
            .iter()
            .map(String::as_str)
            .filter(|folder| !folder.contains('/'))
    }
}

fn tracked(root: &Path) -> Result<Vec<String>> {
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("cannot run `git`")?;
    if !listing.status.success() {
        bail!(
            "`git ls-files` failed: {}",
            String::from_utf8_lossy(&listing.stderr).trim()
        );
    }
    let listing = String::from_utf8(listing.stdout).context("a path is not UTF-8")?;
    Ok(listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if matches!(name.as_str(), ".git" | "target" | "node_modules") {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn folders_of(path: &str) -> Vec<String> {
    path.char_indices()
        .filter(|(_, character)| *character == '/')
        .filter_map(|(at, _)| path.get(..at).map(str::to_owned))
        .collect()
}

#[cfg(test)]
pub(crate) mod made {
    //! Small trees in a temporary folder, for tests.

    use std::fs;

    use tempfile::TempDir;

    use super::Tree;

    /// Writes the files and opens the folder.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        Tree::open(folder(files).path()).unwrap()
    }

    /// Writes the files.
    pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::{Tree, made};

    #[test]
    fn files_and_their_folders_exist() {
        let tree = made::tree(&[("crates/policy/src/lib.rs", "//! x\n"), ("README.md", "")]);
        assert!(tree.has("README.md") && tree.has("crates/policy") && tree.has("crates/policy/"));
        assert!(!tree.has("crates/pol") && !tree.has("crates/policy/src/lib"));
        assert_eq!(tree.top_folders().collect::<Vec<_>>(), ["crates"]);
    }

    #[test]
    fn what_is_built_is_not_part_of_an_archive() {
        let tree = made::tree(&[("target/debug/x.rs", ""), ("a/node_modules/b.md", "")]);
        assert_eq!(tree.paths().count(), 0);
    }

    #[test]
    fn what_git_ignores_or_lost_is_not_part_of_a_clone() {
        let folder = made::folder(&[(".gitignore", "/made\n"), ("made", ""), ("b.rs", "")]);
        let git = |words: &[&str]| {
            let status = Command::new("git")
                .args(words)
                .current_dir(folder.path())
                .status();
            assert!(status.unwrap().success());
        };
        git(&["init", "--quiet"]);
        git(&["add", "b.rs"]);
        fs::remove_file(folder.path().join("b.rs")).unwrap();
        let tree = Tree::open(folder.path()).unwrap();
        assert_eq!(tree.paths().collect::<Vec<_>>(), [".gitignore"]);
    }

    #[test]
    fn a_file_that_is_not_text_has_a_path_and_no_text() {
        let folder = made::folder(&[]);
        fs::write(folder.path().join("logo.png"), [0xff, 0xfe]).unwrap();
        let tree = Tree::open(folder.path()).unwrap();
        assert!(tree.has("logo.png") && tree.text("logo.png").is_none());
    }
}
