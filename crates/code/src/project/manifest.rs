//! A `package.json`: what a folder is called and what it depends on.

use std::collections::BTreeMap;

use serde_json::Value;

/// A folder with a `package.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// The folder, relative to the root; empty for the root itself.
    pub dir: String,
    /// Its name.
    pub name: Option<String>,
    /// Its dependencies of every kind: name and requirement as written.
    pub dependencies: BTreeMap<String, String>,
    /// The exact versions that a lock file chose, where one says so.
    pub locked: BTreeMap<String, String>,
    /// The globs of its workspace members, relative to it.
    pub workspaces: Vec<String>,
}

impl Package {
    /// Reads a manifest; none when it is not an object.
    pub(super) fn read(dir: &str, text: &str) -> Option<Self> {
        let manifest = parse(text)?;
        let mut package = Self {
            dir: dir.to_owned(),
            name: manifest
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned),
            ..Self::default()
        };
        // What is needed at run time is read last: it wins over the same name among the development tools.
        for kind in [
            "peerDependencies",
            "optionalDependencies",
            "devDependencies",
            "dependencies",
        ] {
            for (name, requirement) in manifest
                .get(kind)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if let Some(requirement) = requirement.as_str() {
                    package
                        .dependencies
                        .insert(name.clone(), requirement.to_owned());
                }
            }
        }
        let workspaces = manifest.get("workspaces");
        let globs =
            workspaces.and_then(|it| it.as_array().or_else(|| it.get("packages")?.as_array()));
        package.workspaces = globs
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect();
        Some(package)
    }
}

/// A manifest as a value; none when it is not an object.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    value.is_object().then_some(value)
}
