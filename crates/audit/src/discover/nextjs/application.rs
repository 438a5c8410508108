//! `Application`: a folder with an `app` or a `pages` router, and the files in it that answer a path.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_code::{body::ModuleId, machine::Machine, project::Project};

use super::config::Config;
use crate::matcher::canonical_next;

/// A Next.js application.
#[derive(Clone, Debug, Default)]
pub struct Application {
    /// Its folder; empty for the root of the project.
    pub dir: String,
    /// Whether its routers stand below `src`.
    pub in_src: bool,
    /// What its configuration says.
    pub config: Config,
    /// The files that answer a path, sorted.
    pub files: Vec<RouterFile>,
}

/// A file of a router.
#[derive(Clone, Debug)]
pub struct RouterFile {
    /// The module.
    pub module: ModuleId,
    /// `app/...` or `pages/...`, without `src`.
    pub place: String,
    /// The path that it answers, base path included.
    pub path: String,
}

impl Application {
    /// A path below the application's folder; none for a file elsewhere.
    #[must_use]
    pub fn within<'f>(&self, file: &'f str) -> Option<&'f str> {
        below(&self.dir, file)
    }
}

/// The applications of a project.
pub(super) fn find(machine: &mut Machine<'_>) -> Vec<Application> {
    let project = machine.project;
    let known = known_roots(project);
    let mut found: BTreeMap<String, Vec<(ModuleId, String, bool)>> = BTreeMap::new();
    let mut left = Vec::new();
    for module in project.modules() {
        let root = known
            .iter()
            .rev()
            .find_map(|root| Some((root, router_file(below(root, &module.file)?)?)));
        match root {
            Some((root, (place, in_src))) => {
                let files = found.entry(root.clone()).or_default();
                files.push((module.id, place.to_owned(), in_src));
            }
            None => left.push(module),
        }
    }
    // A tree without manifests, or one manifest for many applications: the path as it stands says where the router is.
    let certain: Vec<String> = found.keys().cloned().collect();
    for module in left {
        let served = certain
            .iter()
            .any(|root| below(root, &module.file).is_some());
        let may_serve = project.packages().is_empty()
            || project
                .package_of(&module.file)
                .is_some_and(|package| package.dependencies.contains_key("next"));
        if !served
            && may_serve
            && let Some((root, place, in_src)) = guessed_root(&module.file)
        {
            let files = found.entry(root.to_owned()).or_default();
            files.push((module.id, place.to_owned(), in_src));
        }
    }
    // An application of which only the middleware was handed over.
    for root in known.iter().map(String::as_str).chain([""]) {
        let may_serve = known.contains(root) || project.packages().is_empty();
        if may_serve && !found.contains_key(root) && super::middleware::stands_in(project, root) {
            found.insert(root.to_owned(), Vec::new());
        }
    }
    found
        .into_iter()
        .map(|(dir, files)| application(machine, dir, files))
        .collect()
}

fn application(
    machine: &mut Machine<'_>,
    dir: String,
    files: Vec<(ModuleId, String, bool)>,
) -> Application {
    let config = Config::read(machine, &dir);
    let in_src = files.iter().any(|(_, _, in_src)| *in_src)
        && !files
            .iter()
            .any(|(_, place, in_src)| !in_src && place.starts_with("app/"));
    let files = files
        .into_iter()
        .filter_map(|(module, place, _)| {
            let path = canonical_next(&place)?.into_iter().next()?;
            let path = config.under_base_path(&path);
            Some(RouterFile {
                module,
                place,
                path,
            })
        })
        .collect();
    Application {
        dir,
        in_src,
        config,
        files,
    }
}

/// Folders that are applications by what stands in them, sorted.
fn known_roots(project: &Project) -> BTreeSet<String> {
    let mut roots: BTreeSet<String> = project
        .packages()
        .iter()
        .filter(|package| package.dependencies.contains_key("next"))
        .map(|package| package.dir.clone())
        .collect();
    for module in project.modules() {
        let (folder, name) = module.file.rsplit_once('/').unwrap_or(("", &module.file));
        if name.starts_with("next.config.") {
            roots.insert(folder.to_owned());
        }
    }
    roots
}

/// The rest of a path below a folder.
fn below<'f>(dir: &str, file: &'f str) -> Option<&'f str> {
    if dir.is_empty() {
        return Some(file);
    }
    file.strip_prefix(dir)?.strip_prefix('/')
}

/// The place of a file in a router, and whether the router stands below `src`.
fn router_file(rest: &str) -> Option<(&str, bool)> {
    let (place, in_src) = match rest.strip_prefix("src/") {
        Some(place) => (place, true),
        None => (rest, false),
    };
    canonical_next(place).map(|_| (place, in_src))
}

/// Where the first router folder of a path stands. Only files that can be nothing else are taken for its own.
fn guessed_root(file: &str) -> Option<(&str, &str, bool)> {
    let (at, place) = std::iter::once((0, file))
        .chain(
            file.match_indices('/')
                .filter_map(|(at, _)| Some((at, file.get(at + 1..)?))),
        )
        .find(|(_, rest)| rest.starts_with("app/") || rest.starts_with("pages/"))?;
    canonical_next(place)?;
    if place.starts_with("pages/") && !place.starts_with("pages/api/") {
        return None;
    }
    let above = file.get(..at)?;
    let (root, in_src) = match above.strip_suffix("src") {
        Some("") => ("", true),
        Some(root) if root.ends_with('/') => (root.trim_end_matches('/'), true),
        _ => (above, false),
    };
    Some((root, place, in_src))
}
