//! The files of a project as a file system: all that the resolver can see.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oxc_resolver::{FileMetadata, FileSystem, ResolveError};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};

use super::members::{Members, folders_above};
use super::package_name;
use crate::body::ModuleId;
use crate::project::{Project, parse_manifest};

/// Where the project stands in its own file system. What climbs out of it finds nothing.
#[cfg(not(windows))]
const ROOT: &str = "/project";
/// Where the project stands in its own file system. What climbs out of it finds nothing.
#[cfg(windows)]
const ROOT: &str = "C:\\project";

/// Folders that builds write, beside `src`, from which they are written.
const BUILT: [&str; 8] = ["dist", "build", "lib", "out", "esm", "cjs", "es", "types"];
/// Endings of what builds write.
const BUILT_EXTENSIONS: [&str; 8] = [
    ".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs", ".jsx", ".ts",
];
/// Endings of what they are written from.
const SOURCE_EXTENSIONS: [&str; 6] = [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"];
/// What the resolver needs of a manifest.
const MANIFEST_KEYS: [&str; 8] = [
    "name", "type", "source", "module", "main", "types", "exports", "imports",
];

/// What a path holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    /// A module that was read.
    Module(ModuleId),
    /// Source that was not read.
    Source,
    /// A file without code.
    Asset,
}

/// The files of a project.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: FxHashMap<String, Node>,
    folders: FxHashSet<String>,
    /// Paths without their last extension: a quick no for what cannot be there.
    stems: FxHashSet<String>,
    manifests: FxHashMap<String, String>,
    /// Where `node_modules/<name>` leads.
    links: FxHashMap<String, String>,
    scopes: FxHashSet<String>,
    packages: FxHashSet<String>,
}

enum Place {
    File(Node),
    Folder,
}

impl Tree {
    pub(super) fn new<'a>(
        paths: impl Iterator<Item = &'a str>,
        project: &Project,
        members: &Members,
    ) -> Self {
        let mut tree = Self::default();
        for path in paths {
            tree.add(path, project);
        }
        for package in project.packages() {
            tree.packages.insert(package.dir.clone());
            if let Some(name) = &package.name
                && let Some(folder) = members.folder(name)
            {
                tree.links.insert(name.clone(), folder.to_owned());
                tree.scopes
                    .extend(name.split_once('/').map(|(scope, _)| scope.to_owned()));
            }
        }
        tree
    }

    fn add(&mut self, path: &str, project: &Project) {
        let node = match project.module_at(path) {
            Some(id) => Node::Module(id),
            None if is_source(path) => Node::Source,
            None => Node::Asset,
        };
        for folder in folders_above(path) {
            if !self.folders.insert(folder.to_owned()) {
                break;
            }
        }
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        self.stems.insert(stem.to_owned());
        if path == "package.json" || path.ends_with("/package.json") {
            let text = project.text_at(path).map_or("", |text| text);
            self.manifests.insert(path.to_owned(), manifest(text));
        }
        self.files.insert(path.to_owned(), node);
    }

    /// What stands at a path of this file system.
    pub(super) fn node(&self, path: &Path) -> Option<Node> {
        match self.locate(path)? {
            Place::File(node) => Some(node),
            Place::Folder => None,
        }
    }

    /// Whether a file or folder of this name can be there, whatever its extension.
    pub(super) fn may_hold(&self, path: &str) -> bool {
        self.folders.contains(path) || self.stems.contains(path) || self.files.contains_key(path)
    }

    /// Whether there is a file of exactly this name.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn locate(&self, path: &Path) -> Option<Place> {
        let path = relative(path)?;
        let Some(real) = self.real(&path) else {
            let scope = path
                .strip_prefix("node_modules")
                .map(|rest| rest.trim_start_matches('/'))?;
            return (scope.is_empty() || self.scopes.contains(scope)).then_some(Place::Folder);
        };
        if let Some(node) = self.files.get(real.as_ref()) {
            return Some(Place::File(*node));
        }
        if self.folders.contains(real.as_ref()) {
            return Some(Place::Folder);
        }
        self.source_of(&real).map(Place::File)
    }

    /// Follows `node_modules/<name>` into the package of the project that has this name.
    fn real<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        if path == "node_modules" {
            return None;
        }
        let Some(inside) = path.strip_prefix("node_modules/") else {
            return Some(Cow::Borrowed(path));
        };
        let name = package_name(inside)?;
        let folder = self.links.get(name)?;
        let rest = inside.strip_prefix(name)?;
        Some(Cow::Owned(if folder.is_empty() {
            rest.trim_start_matches('/').to_owned()
        } else {
            format!("{folder}{rest}")
        }))
    }

    /// The source of a file that a build would write: manifests name what is delivered, and a checkout has only what
    /// it is made from.
    fn source_of(&self, path: &str) -> Option<Node> {
        let package = folders_above(path).find(|folder| self.packages.contains(*folder))?;
        let inside = path.strip_prefix(package)?.trim_start_matches('/');
        let stem = BUILT_EXTENSIONS
            .iter()
            .find_map(|extension| inside.strip_suffix(extension))?;
        let mut tail = stem;
        while let Some((first, rest)) = tail.split_once('/')
            && BUILT.contains(&first)
        {
            tail = rest;
        }
        if tail == stem && stem != "index" {
            return None;
        }
        let at = |inside: String| {
            if package.is_empty() {
                inside
            } else {
                format!("{package}/{inside}")
            }
        };
        let candidates = [at(format!("src/{tail}")), at(tail.to_owned())];
        let mut files = candidates.iter().flat_map(|stem| {
            SOURCE_EXTENSIONS
                .iter()
                .map(move |it| format!("{stem}{it}"))
        });
        files.find_map(|file| self.files.get(&file).copied())
    }
}

fn is_source(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(
        extension,
        "ts" | "tsx" | "mts" | "cts" | "js" | "jsx" | "mjs" | "cjs" | "vue" | "svelte" | "astro"
    )
}

/// A manifest with what the resolver needs. One that cannot be read is empty: a stray file must not take the imports
/// of all that stands below it along.
fn manifest(text: &str) -> String {
    let Some(Value::Object(all)) = parse_manifest(text) else {
        return "{}".to_owned();
    };
    let kept: Map<String, Value> = all
        .into_iter()
        .filter(|(key, _)| MANIFEST_KEYS.contains(&key.as_str()))
        .collect();
    Value::Object(kept).to_string()
}

/// The path of a folder of the project in this file system.
pub(super) fn absolute(folder: &str) -> PathBuf {
    let mut path = PathBuf::from(ROOT);
    path.extend(folder.split('/').filter(|part| !part.is_empty()));
    path
}

fn relative(path: &Path) -> Option<Cow<'_, str>> {
    let inside = path.strip_prefix(ROOT).ok()?.to_str()?;
    Some(if cfg!(windows) {
        Cow::Owned(inside.replace('\\', "/"))
    } else {
        Cow::Borrowed(inside)
    })
}

/// The tree as the resolver wants it.
#[derive(Debug)]
pub(super) struct Files(pub(super) Arc<Tree>);

impl FileSystem for Files {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.read_to_string(path).map(String::into_bytes)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let path = relative(path).ok_or_else(missing)?;
        let real = self.0.real(&path).ok_or_else(missing)?;
        self.0
            .manifests
            .get(real.as_ref())
            .cloned()
            .ok_or_else(missing)
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        match self.0.locate(path) {
            Some(Place::File(_)) => Ok(FileMetadata::new(true, false, false)),
            Some(Place::Folder) => Ok(FileMetadata::new(false, true, false)),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.metadata(path)
    }

    fn read_link(&self, _: &Path) -> Result<PathBuf, ResolveError> {
        // There are no links here: none was followed when the files were found.
        Err(io::Error::from(io::ErrorKind::InvalidInput).into())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
}
