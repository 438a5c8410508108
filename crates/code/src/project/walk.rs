//! Lists the files of a folder without following any link out of it.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io::Read as _;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::skip::{self, SkipKind};
use super::{ProjectError, Unread};

/// Most entries looked at, files and folders together.
const ENTRIES_MAX: usize = 1_000_000;
/// Deepest folder.
const DEPTH_MAX: usize = 64;
/// Largest `.gitignore`.
const IGNORE_FILE_BYTES_MAX: u64 = 1 << 20;

/// A file that was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Relative to the root, with forward slashes.
    pub(super) path: String,
    /// How large it is.
    pub(super) bytes: u64,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The files, sorted by path.
    pub(super) files: Vec<Found>,
    /// What was passed over.
    pub(super) skipped: BTreeMap<SkipKind, usize>,
    /// What could not be looked at.
    pub(super) unread: Vec<Unread>,
}

/// The patterns that name what to leave out, in the words of `.gitignore`.
pub(super) fn patterns(lines: &[String]) -> Result<Gitignore, ProjectError> {
    let mut builder = GitignoreBuilder::new(".");
    for line in lines {
        let added = builder.add_line(None, line).map(drop);
        added.map_err(|source| ProjectError::Ignore {
            pattern: line.clone(),
            source,
        })?;
    }
    builder.build().map_err(|source| ProjectError::Ignore {
        pattern: lines.join(", "),
        source,
    })
}

/// Walks a folder.
///
/// Only `.gitignore` files inside the root count, neither those above it nor the user's own: the same tree gives the
/// same answer on every machine, and a folder can be audited although the repository around it ignores it.
pub(super) fn walk(root: &Path, ignored: &Gitignore) -> Result<Walk, ProjectError> {
    let mut walker = Walker {
        policy: ignored,
        nested: Vec::new(),
        entries: 0,
        walk: Walk::default(),
    };
    let listed = fs::read_dir(root).map_err(|source| ProjectError::Unreadable {
        root: root.to_owned(),
        source,
    })?;
    walker.folder("", listed, 0);
    let mut walk = walker.walk;
    walk.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk)
}

struct Walker<'a> {
    policy: &'a Gitignore,
    /// The `.gitignore` of each folder on the way down: the folder, then its patterns.
    nested: Vec<(String, Gitignore)>,
    entries: usize,
    walk: Walk,
}

impl Walker<'_> {
    fn folder(&mut self, folder: &str, listed: fs::ReadDir, depth: usize) {
        let mut entries = Vec::new();
        for entry in listed {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => self.unread(folder, format!("cannot be listed: {error}")),
            }
        }
        entries.sort_unstable_by_key(DirEntry::file_name);
        let has_manifest = entries
            .iter()
            .any(|entry| entry.file_name() == "package.json");
        let patterns = entries
            .iter()
            .find(|entry| entry.file_name() == ".gitignore")
            .and_then(gitignore);
        let nested = patterns
            .map(|patterns| self.nested.push((folder.to_owned(), patterns)))
            .is_some();
        for entry in &entries {
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                self.unread(folder, format!("more than {ENTRIES_MAX} files and folders"));
                break;
            }
            self.entry(folder, entry, has_manifest, depth);
        }
        if nested {
            self.nested.pop();
        }
    }

    fn entry(&mut self, folder: &str, entry: &DirEntry, has_manifest: bool, depth: usize) {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let lossy = join(folder, &name.to_string_lossy());
            return self.unread(&lossy, "its name is not UTF-8".to_owned());
        };
        let path = join(folder, name);
        // The type of the entry itself: a link is a link, whatever it points to.
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return self.unread(&path, error.to_string()),
        };
        if skip::is_version_control(name) {
            return;
        }
        if kind.is_dir() {
            return self.subfolder(&path, folder, name, entry, has_manifest, depth);
        }
        if self.is_ignored(&path, false) {
            return self.skip(SkipKind::Ignored);
        }
        if kind.is_symlink() {
            if is_source(name) || !name.contains('.') {
                self.unread(&path, "a symbolic link, which is not followed".to_owned());
            }
        } else if kind.is_file() {
            match entry.metadata() {
                Ok(metadata) => self.walk.files.push(Found {
                    path,
                    bytes: metadata.len(),
                }),
                Err(error) => self.unread(&path, error.to_string()),
            }
        } else if is_source(name) {
            self.unread(&path, "not a regular file".to_owned());
        }
    }

    fn subfolder(
        &mut self,
        path: &str,
        parent: &str,
        name: &str,
        entry: &DirEntry,
        has_manifest: bool,
        depth: usize,
    ) {
        let at_top = has_manifest || skip::is_public(parent.rsplit('/').next().unwrap_or(parent));
        let of_package = || {
            if at_top {
                skip::folder_of_package(name)
            } else {
                None
            }
        };
        let ignored = || self.is_ignored(path, true).then_some(SkipKind::Ignored);
        if let Some(kind) = skip::folder_always(name)
            .or_else(of_package)
            .or_else(ignored)
        {
            return self.skip(kind);
        }
        if depth >= DEPTH_MAX {
            return self.unread(
                path,
                format!("folders are nested more than {DEPTH_MAX} deep"),
            );
        }
        match fs::read_dir(entry.path()) {
            Ok(listed) => self.folder(path, listed, depth + 1),
            Err(error) => self.unread(path, format!("cannot be listed: {error}")),
        }
    }

    /// The innermost `.gitignore` that says something decides, as in git; the policy's word comes before all.
    fn is_ignored(&self, path: &str, is_folder: bool) -> bool {
        if self.policy.matched(path, is_folder).is_ignore() {
            return true;
        }
        for (folder, patterns) in self.nested.iter().rev() {
            let inside = if folder.is_empty() {
                Some(path)
            } else {
                path.strip_prefix(folder.as_str())
            };
            let matched =
                patterns.matched(inside.unwrap_or(path).trim_start_matches('/'), is_folder);
            if !matched.is_none() {
                return matched.is_ignore();
            }
        }
        false
    }

    fn skip(&mut self, kind: SkipKind) {
        *self.walk.skipped.entry(kind).or_default() += 1;
    }

    fn unread(&mut self, file: &str, reason: String) {
        self.walk.unread.push(Unread {
            file: file.to_owned(),
            reason,
        });
    }
}

/// Whether a file is one of the languages that are read.
pub(super) fn is_source(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| skip::SOURCE_EXTENSIONS.contains(&extension))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The patterns of a `.gitignore`; lines that make no sense are left out, as git does.
fn gitignore(entry: &DirEntry) -> Option<Gitignore> {
    if !entry.file_type().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(entry.path())
        .ok()?
        .take(IGNORE_FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .ok()?;
    let mut builder = GitignoreBuilder::new(".");
    for line in String::from_utf8_lossy(&bytes)
        .trim_start_matches('\u{feff}')
        .lines()
    {
        drop(builder.add_line(None, line));
    }
    builder.build().ok()
}
