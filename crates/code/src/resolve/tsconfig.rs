//! The import aliases that `tsconfig.json` and `jsconfig.json` declare.
//!
//! Read here and not by the resolver, for which one file that extends something missing is an error for every import
//! below it.

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;

use super::members::{Members, folders_above};
use super::package_name;
use super::tree::Tree;
use crate::project::{Load, Project, Unread, folder_of};

/// Most files that one configuration is put together from.
const FILES_MAX: usize = 32;

/// The aliases of a project, by the folder of the configuration.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    by_folder: FxHashMap<String, Vec<Config>>,
}

/// What one configuration says of aliases.
#[derive(Clone, Debug, Default)]
struct Config {
    base: Option<String>,
    /// Pattern and targets; the targets are relative to the root.
    paths: Option<Vec<(String, Vec<String>)>>,
}

impl Aliases {
    /// Reads every configuration; what leads out of the root is noted and not followed.
    pub(super) fn read(
        project: &Project,
        tree: &Tree,
        members: &Members,
        load: &Load<'_>,
        notes: &mut Vec<Unread>,
    ) -> Self {
        let mut reader = Reader {
            project,
            tree,
            members,
            load,
            notes,
        };
        let mut aliases = Self::default();
        for name in ["tsconfig.json", "jsconfig.json"] {
            for (path, _) in project.texts() {
                let folder = folder_of(path).unwrap_or("");
                if path.rsplit('/').next() == Some(name) && !aliases.by_folder.contains_key(folder)
                {
                    let configs = reader.with_references(path);
                    aliases.by_folder.insert(folder.to_owned(), configs);
                }
            }
        }
        aliases
    }

    /// The paths that a specifier may mean in a folder, relative to the root, the nearest configuration first.
    pub(super) fn candidates(&self, folder: &str, specifier: &str, tree: &Tree) -> Vec<String> {
        let mut found = Vec::new();
        let folders = std::iter::once(folder).chain(folders_above(folder));
        for config in folders
            .filter_map(|folder| self.by_folder.get(folder))
            .flatten()
        {
            config.candidates(specifier, tree, &mut found);
        }
        found
    }
}

impl Config {
    fn candidates(&self, specifier: &str, tree: &Tree, found: &mut Vec<String>) {
        let paths = self.paths.iter().flatten();
        let matched = paths.filter_map(|(pattern, targets)| {
            Some((pattern, matches(pattern, specifier)?, targets))
        });
        // TypeScript: the pattern with the longest text before its star wins; one without a star wins over all.
        let best = matched.max_by_key(|(pattern, ..)| pattern.find('*').unwrap_or(usize::MAX));
        if let Some((_, star, targets)) = best {
            found.extend(
                targets
                    .iter()
                    .filter_map(|target| join("", &target.replacen('*', star, 1))),
            );
        }
        let first = specifier.split('/').next().unwrap_or(specifier);
        let based = |name: &str| join(self.base.as_deref()?, name);
        if based(first).is_some_and(|path| tree.may_hold(&path)) {
            found.extend(based(specifier));
        }
    }
}

/// What the star of a pattern stands for.
fn matches<'a>(pattern: &str, specifier: &'a str) -> Option<&'a str> {
    match pattern.split_once('*') {
        Some((before, after)) => specifier.strip_prefix(before)?.strip_suffix(after),
        None => (pattern == specifier).then_some(""),
    }
}

struct Reader<'a> {
    project: &'a Project,
    tree: &'a Tree,
    members: &'a Members,
    load: &'a Load<'a>,
    notes: &'a mut Vec<Unread>,
}

impl Reader<'_> {
    /// A configuration, then those it refers to: a solution keeps its aliases in them.
    fn with_references(&mut self, path: &str) -> Vec<Config> {
        let mut read = FxHashSet::default();
        let mut configs = vec![self.chain(path, &mut read)];
        let folder = folder_of(path).unwrap_or("");
        let value = self.value(path);
        let references = value
            .as_ref()
            .and_then(|it| it.get("references")?.as_array());
        for reference in references.into_iter().flatten().take(FILES_MAX) {
            let to = reference
                .get("path")
                .and_then(Value::as_str)
                .and_then(|it| join(folder, it));
            let Some(to) = to.filter(|it| it.starts_with(folder)) else {
                continue;
            };
            let file = if self.tree.has_file(&to) {
                to
            } else {
                format!("{to}/tsconfig.json")
            };
            // A reference to another folder is that folder's own configuration.
            if folder_of(&file) == Some(folder) && self.tree.has_file(&file) {
                configs.push(self.chain(&file, &mut read));
            }
        }
        configs
    }

    /// A configuration with what it inherits. Each file is read once: that ends circles, and chains that fan out.
    fn chain(&mut self, path: &str, read: &mut FxHashSet<String>) -> Config {
        if read.len() >= FILES_MAX || !read.insert(path.to_owned()) {
            return Config::default();
        }
        let Some(value) = self.value(path) else {
            return Config::default();
        };
        let folder = folder_of(path).unwrap_or("");
        let mut config = own(folder, &value);
        let parents: Vec<&str> = match value.get("extends") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        // Later ones win over earlier ones, and none over the file itself.
        for parent in parents.into_iter().rev() {
            if let Some(file) = self.parent(path, folder, parent) {
                let inherited = self.chain(&file, read);
                config.base = config.base.or(inherited.base);
                config.paths = config.paths.or(inherited.paths);
            }
        }
        config
    }

    fn parent(&mut self, path: &str, folder: &str, extends: &str) -> Option<String> {
        let to = if extends.starts_with('.') {
            join(folder, extends)
        } else if let Some(name) = package_name(extends) {
            // A package of the workspace; one from a registry is not in the tree, and knows no path of this project.
            let dir = self.members.folder(name)?;
            let inside = extends
                .strip_prefix(name)
                .filter(|rest| !rest.is_empty())
                .unwrap_or("/tsconfig.json");
            join(dir, inside.trim_start_matches('/'))
        } else {
            None
        };
        let Some(to) = to else {
            let reason =
                format!("extends `{extends}`, which is outside the root and was not followed");
            self.notes.push(Unread {
                file: path.to_owned(),
                reason,
            });
            return None;
        };
        [
            to.clone(),
            format!("{to}.json"),
            format!("{to}/tsconfig.json"),
        ]
        .into_iter()
        .find(|file| self.tree.has_file(file))
    }

    fn value(&mut self, path: &str) -> Option<Value> {
        let text = match self.project.text_at(path) {
            Some(text) => text.clone(),
            None if self.tree.has_file(path) => (self.load)(path).ok()?,
            None => return None,
        };
        let text = text.trim_start_matches('\u{feff}');
        let value = parse_to_serde_value::<Option<Value>>(text, &ParseOptions::default());
        if value.is_err() {
            let reason = "not JSON: its import aliases are not known".to_owned();
            self.notes.push(Unread {
                file: path.to_owned(),
                reason,
            });
        }
        value.ok().flatten()
    }
}

/// What a configuration says itself.
fn own(folder: &str, value: &Value) -> Config {
    let options = value.get("compilerOptions");
    let base = options
        .and_then(|it| it.get("baseUrl")?.as_str())
        .and_then(|base| inside(folder, base));
    let from = base.as_deref().unwrap_or(folder);
    let targets = |targets: &Value| {
        let targets = targets
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        targets
            .filter_map(|target| inside(from, target))
            .collect::<Vec<_>>()
    };
    let paths = options.and_then(|it| it.get("paths")?.as_object());
    let paths = paths.map(|paths| {
        paths
            .iter()
            .map(|(pattern, to)| (pattern.clone(), targets(to)))
            .collect()
    });
    Config { base, paths }
}

fn inside(folder: &str, path: &str) -> Option<String> {
    match path.strip_prefix("${configDir}") {
        Some(rest) => join(folder, rest.trim_start_matches('/')),
        None => join(folder, path),
    }
}

/// A path relative to a folder; none when it leaves the root.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\\') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
