//! Puts a project together from the files that a walk found.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobSet, GlobSetBuilder};
use rustc_hash::FxHashMap;

use super::read::{self, Job, Load, Outcome};
use super::touched::Touched;
use super::walk::{self, Found, Walk};
use super::{
    FILE_BYTES_MAX, FILES_MAX, Module, Options, Package, Project, ProjectError, Skipped,
    TOTAL_BYTES_MAX, Unread, folder_of, lockfile, skip,
};
use crate::body::{Body, ModuleId};
use crate::resolve::resolve_all;

/// Text files that are kept besides the source.
const TEXTS: [&str; 13] = [
    "*.prisma",
    "*.sql",
    "package.json",
    "tsconfig*.json",
    "jsconfig*.json",
    "vercel.json",
    "netlify.toml",
    "firebase.json",
    "staticwebapp.config.json",
    "_headers",
    "index.html",
    "pnpm-workspace.yaml",
    "turbo.json",
];

impl Project {
    /// Reads, lowers and resolves; nothing but `load` gives it a text.
    pub(super) fn build(
        walk: Walk,
        options: &Options,
        load: &Load<'_>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, ProjectError> {
        let wanted = texts_wanted(&options.texts)?;
        let Walk {
            files,
            mut skipped,
            mut unread,
        } = walk;
        let mut jobs = Vec::new();
        let mut bytes_left = TOTAL_BYTES_MAX;
        for file in &files {
            let is_source = walk::is_source(&file.path);
            if let Some(language) = skip::other_language(&file.path) {
                match skip::by_path(&file.path, options.include_tests) {
                    Some(kind) => *skipped.entry(kind).or_default() += 1,
                    None => unread.push(Unread {
                        file: file.path.clone(),
                        reason: format!("{language} is not read"),
                    }),
                }
                continue;
            }
            if !is_source && !wanted.is_match(&file.path) {
                continue;
            }
            if is_source && let Some(kind) = skip::by_path(&file.path, options.include_tests) {
                *skipped.entry(kind).or_default() += 1;
            } else if let Some(reason) = beyond_limit(file.bytes, jobs.len(), bytes_left) {
                unread.push(Unread {
                    file: file.path.clone(),
                    reason,
                });
            } else {
                bytes_left -= file.bytes;
                jobs.push(Job {
                    path: file.path.clone(),
                    is_source,
                });
            }
        }
        let outcomes = read::read_all(&jobs, load, progress);
        let mut project = Self::default();
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Lowered(text, body) => project.add(job.path.into(), text, *body),
                Outcome::Text(text) => drop(project.texts.insert(job.path, text)),
                Outcome::Skipped(kind) => *skipped.entry(kind).or_default() += 1,
                Outcome::Unread(reason) => unread.push(Unread {
                    file: job.path,
                    reason,
                }),
            }
        }
        project.touched = Touched::new(project.modules.len());
        project.packages = project.manifests(&files, load, &mut unread);
        project.skipped = skipped
            .into_iter()
            .map(|(kind, count)| Skipped { kind, count })
            .collect();
        let paths = files.iter().map(|file| file.path.as_str());
        unread.extend(resolve_all(&mut project, paths, load));
        unread.sort_unstable();
        unread.dedup();
        project.unread = unread;
        project.names = files.into_iter().map(|file| file.path).collect();
        Ok(project)
    }

    /// The manifests with what lock files and workspace files add to them, sorted by folder.
    fn manifests(
        &self,
        files: &[Found],
        load: &Load<'_>,
        unread: &mut Vec<Unread>,
    ) -> Vec<Package> {
        let mut packages = Vec::new();
        for (path, text) in &self.texts {
            if path.rsplit('/').next() != Some("package.json") {
                continue;
            }
            match Package::read(folder_of(path).unwrap_or(""), text) {
                Some(package) => packages.push(package),
                None => unread.push(Unread {
                    file: path.clone(),
                    reason: "not JSON: no manifest can be read".to_owned(),
                }),
            }
        }
        packages.sort_unstable_by(|a, b| a.dir.cmp(&b.dir));
        for (path, text) in &self.texts {
            if path.rsplit('/').next() == Some("pnpm-workspace.yaml") {
                lockfile::workspace(&mut packages, folder_of(path).unwrap_or(""), text);
            }
        }
        let locks: Vec<&str> = files
            .iter()
            .map(|it| it.path.as_str())
            .filter(|it| lockfile::is_lock_file(it))
            .collect();
        lockfile::apply(&mut packages, &locks, load);
        packages
    }

    fn add(&mut self, file: Arc<str>, text: Arc<str>, body: Body) {
        let id = ModuleId::at(self.modules.len());
        self.by_file.insert(Arc::clone(&file), id);
        let (resolved, lines) = (FxHashMap::default(), OnceLock::new());
        self.modules.push(Module {
            id,
            file,
            text,
            body,
            resolved,
            lines,
        });
    }
}

fn texts_wanted(further: &[String]) -> Result<GlobSet, ProjectError> {
    let mut globs = GlobSetBuilder::new();
    for pattern in TEXTS.into_iter().chain(further.iter().map(String::as_str)) {
        let anywhere = if pattern.contains('/') {
            pattern.to_owned()
        } else {
            format!("**/{pattern}")
        };
        globs.add(Glob::new(&anywhere)?);
    }
    Ok(globs.build()?)
}

fn beyond_limit(bytes: u64, files: usize, bytes_left: u64) -> Option<String> {
    if bytes > FILE_BYTES_MAX {
        Some(format!("larger than {FILE_BYTES_MAX} bytes"))
    } else if files >= FILES_MAX {
        Some(format!("more than {FILES_MAX} files"))
    } else if bytes > bytes_left {
        Some(format!("more than {TOTAL_BYTES_MAX} bytes in all"))
    } else {
        None
    }
}

/// Reads a file that the walk found. It is read with the limit once more: a file may grow meanwhile.
pub(super) fn load(root: &Path, path: &str) -> Result<Arc<str>, String> {
    let limit = if lockfile::is_lock_file(path) {
        lockfile::LOCK_BYTES_MAX
    } else {
        FILE_BYTES_MAX
    };
    let file = File::open(root.join(path)).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {limit} bytes"));
    }
    String::from_utf8(bytes)
        .map(Arc::from)
        .map_err(|error| format!("not UTF-8: {}", error.utf8_error()))
}
