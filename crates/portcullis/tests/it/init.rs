//! `portcullis init` from outside: what it writes is valid, whole and strict enough, whatever the code looks like.

mod guide;
mod shop;
mod writing;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::folder::Folder;
use crate::{err, out, portcullis};

/// A folder with an application, and the policy that `init` printed of it.
pub(crate) struct Written {
    pub(crate) folder: Folder,
    pub(crate) policy: String,
    pub(crate) told: String,
}

impl Written {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let folder = Folder::with(files);
        let output = portcullis()
            .args(["init", folder.path(), "--stdout"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let written = Self {
            policy: out(&output),
            told: err(&output),
            folder,
        };
        written.assert_valid();
        written
    }

    fn assert_valid(&self) {
        let file = self.folder.join("written.toml");
        fs::write(&file, &self.policy).unwrap();
        let checked = portcullis()
            .args(["policy", "check", file.to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(
            checked.status.code(),
            Some(0),
            "{}\n{}",
            out(&checked),
            self.policy
        );
        assert!(!out(&checked).contains("notice:"), "{}", out(&checked));
    }

    /// The entries that are in force: `GET POST /path type`.
    pub(crate) fn routes(&self) -> Vec<String> {
        entries(&self.policy, "[[route]]")
    }

    pub(crate) fn functions(&self) -> Vec<String> {
        entries(&self.policy, "[[function]]")
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.policy.contains(text)
    }
}

/// Each table of a kind, its values on one line.
fn entries(policy: &str, head: &str) -> Vec<String> {
    let document: toml_edit::Document<String> = policy.parse().unwrap();
    let name = head.trim_matches(['[', ']']);
    let Some(tables) = document.get(name).and_then(|it| it.as_array_of_tables()) else {
        return Vec::new();
    };
    let text = |table: &toml_edit::Table, key: &str| {
        let item = table.get(key)?;
        let list = item.as_array().map(|list| {
            let words: Vec<&str> = list.iter().filter_map(|it| it.as_str()).collect();
            words.join(" ")
        });
        list.or_else(|| item.as_str().map(str::to_owned))
    };
    let line = |table: &toml_edit::Table| {
        let keys = ["methods", "path", "name", "type"];
        let words: Vec<String> = keys.iter().filter_map(|key| text(table, key)).collect();
        words.join(" ")
    };
    tables.iter().map(line).collect()
}

/// The inventory of a folder, without a policy.
pub(crate) fn inventory(dir: &str) -> Value {
    let output = portcullis()
        .args(["routes", dir, "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_str(&out(&output)).unwrap()
}

/// The audit of a folder, with a policy or without.
pub(crate) fn audit(dir: &str, policy: Option<&Path>) -> Value {
    let mut command = portcullis();
    command.args(["audit", dir, "--format", "json", "--fail-on", "none"]);
    if let Some(policy) = policy {
        command.arg("--policy").arg(policy);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_str(&out(&output)).unwrap()
}
