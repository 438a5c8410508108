//! A folder of source as the audit sees it: the only file, with its folder, that touches the disk.
//!
//! In this order: walk the folder, tell what is passed over, read and lower the rest in parallel, read the manifests,
//! resolve every import. Nothing outside the root is followed, and what was not read is listed with its reason.

mod build;
mod lines;
mod lockfile;
mod manifest;
mod outline;
mod read;
mod skip;
mod touched;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::body::{Body, ModuleId};
use crate::resolve::Resolved;
use lines::Lines;
pub use manifest::Package;
pub(crate) use manifest::parse as parse_manifest;
pub(crate) use read::Load;
pub(crate) use read::in_pool;
pub use skip::SkipKind;
pub(crate) use touched::OuterTouched;
use touched::Touched;
use walk::{Found, Walk};

/// Largest file that is read.
pub const FILE_BYTES_MAX: u64 = 2 << 20;
/// Most files that are read.
pub const FILES_MAX: usize = 50_000;
/// Most bytes that are read.
pub const TOTAL_BYTES_MAX: u64 = 512 << 20;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether tests and stories are read too.
    pub include_tests: bool,
    /// What to leave out, in the words of `.gitignore`.
    pub ignore: Vec<String>,
    /// Further text files to keep, as globs; one without a slash is tried on the file name.
    pub texts: Vec<String>,
}

/// A project: its modules and what else was found.
#[derive(Debug, Default)]
pub struct Project {
    modules: Vec<Module>,
    by_file: FxHashMap<Arc<str>, ModuleId>,
    packages: Vec<Package>,
    texts: BTreeMap<String, Arc<str>>,
    names: Vec<String>,
    unread: Vec<Unread>,
    skipped: Vec<Skipped>,
    touched: Touched,
}

/// A source file.
#[derive(Debug)]
pub struct Module {
    /// Its number.
    pub id: ModuleId,
    /// Its path relative to the root, with forward slashes.
    pub file: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    /// Its text, lowered.
    pub body: Body,
    pub(crate) resolved: FxHashMap<Ustr, Resolved>,
    lines: OnceLock<Lines>,
}

/// A file that was not read: it is not clean.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Its path relative to the root.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// Files that were passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Why.
    pub kind: SkipKind,
    /// How many; a folder passed over as a whole counts once.
    pub count: usize,
}

/// Why a project cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no such folder.
    #[error("there is no folder `{}`", root.display())]
    Missing {
        /// The folder.
        root: PathBuf,
    },
    /// It is not a folder.
    #[error("`{}` is not a folder", root.display())]
    NotAFolder {
        /// The path.
        root: PathBuf,
    },
    /// It cannot be listed.
    #[error("the folder `{}` cannot be read", root.display())]
    Unreadable {
        /// The folder.
        root: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No source file is in it.
    #[error("nothing to read in `{}`: no TypeScript or JavaScript file", root.display())]
    Empty {
        /// The folder.
        root: PathBuf,
    },
    /// A pattern of what to leave out makes no sense.
    #[error("the pattern `{pattern}` of what to ignore cannot be understood")]
    Ignore {
        /// The pattern.
        pattern: String,
        /// Why.
        source: ignore::Error,
    },
    /// A pattern of further texts makes no sense.
    #[error("the pattern of text files cannot be understood")]
    Texts(#[from] globset::Error),
}

impl Project {
    /// Reads a folder. `progress` is told how many files are done, of how many.
    ///
    /// # Errors
    /// When the root is missing, is not a folder, or holds no source at all, or when a pattern makes no sense.
    pub fn open(
        root: &Path,
        options: &Options,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, ProjectError> {
        let metadata = std::fs::metadata(root).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ProjectError::Missing {
                root: root.to_owned(),
            },
            _ => ProjectError::Unreadable {
                root: root.to_owned(),
                source,
            },
        })?;
        if !metadata.is_dir() {
            return Err(ProjectError::NotAFolder {
                root: root.to_owned(),
            });
        }
        let walk = walk::walk(root, &walk::patterns(&options.ignore)?)?;
        let project = Self::build(walk, options, &|path| build::load(root, path), progress)?;
        if project.modules.is_empty() && project.unread.is_empty() {
            return Err(ProjectError::Empty {
                root: root.to_owned(),
            });
        }
        Ok(project)
    }

    /// A project that is not on the disk: path and text of each file. For examples and tests.
    #[must_use]
    pub fn from_files(files: Vec<(String, String)>) -> Self {
        let files: BTreeMap<String, Arc<str>> = files
            .into_iter()
            .map(|(path, text)| (path, text.into()))
            .collect();
        let found = |(path, text): (&String, &Arc<str>)| Found {
            path: path.clone(),
            bytes: text.len() as u64,
        };
        let walk = Walk {
            files: files.iter().map(found).collect(),
            ..Walk::default()
        };
        let load = |path: &str| {
            files
                .get(path)
                .cloned()
                .ok_or_else(|| "no such file".to_owned())
        };
        // Without patterns there is nothing that could fail.
        Self::build(walk, &Options::default(), &load, &|_, _| ()).unwrap_or_default()
    }

    /// Every module, sorted by path; the position is the id.
    #[must_use]
    pub fn modules(&self) -> &[Module] {
        self.touched.all();
        &self.modules
    }

    pub(crate) fn modules_mut(&mut self) -> &mut [Module] {
        &mut self.modules
    }

    /// A module.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a ModuleId is made only by pushing into this arena"
    )]
    pub fn module(&self, id: ModuleId) -> &Module {
        self.touched.one(id);
        &self.modules[id.index()]
    }

    /// The module of a file, by its path relative to the root.
    #[must_use]
    pub fn module_at(&self, file: &str) -> Option<ModuleId> {
        self.touched.all();
        self.by_file.get(file).copied()
    }

    /// Line and column of a byte of a module, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self, id: ModuleId, byte: u32) -> (u32, u32) {
        let module = self.module(id);
        module
            .lines
            .get_or_init(|| Lines::of(&module.text))
            .position(&module.text, byte)
    }

    /// The package that a file belongs to: the nearest `package.json` upwards.
    #[must_use]
    pub fn package_of(&self, file: &str) -> Option<&Package> {
        self.packages_above(file).next()
    }

    /// Which version of a package the nearest manifest that names it asks for: the locked version where a lock file
    /// says so, else the requirement as written.
    #[must_use]
    pub fn requirement(&self, file: &str, package: &str) -> Option<&str> {
        let manifest = self.manifest_naming(file, package)?;
        let version = manifest
            .locked
            .get(package)
            .or_else(|| manifest.dependencies.get(package));
        version.map(String::as_str)
    }

    /// The nearest manifest upwards that names a package among its dependencies.
    pub(crate) fn manifest_naming(&self, file: &str, package: &str) -> Option<&Package> {
        self.packages_above(file)
            .find(|it| it.dependencies.contains_key(package))
    }

    fn packages_above<'a, 'f>(
        &'a self,
        file: &'f str,
    ) -> impl Iterator<Item = &'a Package> + use<'a, 'f> {
        let folders = std::iter::successors(folder_of(file), |folder| folder_of(folder));
        folders.filter_map(|folder| {
            let at = self
                .packages
                .binary_search_by(|package| package.dir.as_str().cmp(folder))
                .ok()?;
            self.packages.get(at)
        })
    }

    /// Every package, sorted by folder.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The text files that were kept besides the source, sorted by path.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.touched.all();
        self.texts.iter().map(|(path, text)| (path.as_str(), text))
    }

    /// One of the texts.
    #[must_use]
    pub fn text_at(&self, file: &str) -> Option<&Arc<str>> {
        self.touched.all();
        self.texts.get(file)
    }

    /// Every file that was found and is not ignored, read or not, sorted by path: what a framework serves as it is.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.touched.all();
        &self.names
    }

    /// How many modules there are.
    #[must_use]
    pub const fn module_count(&self) -> usize {
        self.modules.len()
    }

    /// What module specifiers of a module lead to, sorted: with the module's text it is all that a run reads of it.
    #[must_use]
    pub fn specifiers(&self, id: ModuleId) -> Vec<(Ustr, Resolved)> {
        let mut found: Vec<(Ustr, Resolved)> = self
            .module(id)
            .resolved
            .iter()
            .map(|(name, resolved)| (*name, *resolved))
            .collect();
        found.sort_unstable_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        found
    }

    /// Answers a question about the whole project. Whoever asks depends on the answer, and not on all that is looked at to
    /// find it: `question` is the number by which the one who keeps results can ask again.
    pub fn asking<T>(&self, question: u32, answer: impl FnOnce() -> T) -> T {
        self.touched.asked(question);
        let outer = self.touched.open();
        let answer = answer();
        self.touched.close_aside(outer);
        answer
    }

    pub(crate) const fn touched(&self) -> &Touched {
        &self.touched
    }

    /// What could not be read, sorted by path.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// What was passed over, by kind.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

/// The folder that holds a path; the root is empty and has none.
pub(crate) fn folder_of(path: &str) -> Option<&str> {
    if path.is_empty() {
        return None;
    }
    Some(path.rsplit_once('/').map_or("", |(folder, _)| folder))
}
