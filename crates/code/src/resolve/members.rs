//! The packages of a workspace, which import each other by name.

use globset::{GlobBuilder, GlobMatcher};
use rustc_hash::FxHashMap;

use crate::project::{Package, Project, folder_of};

/// The packages of the project by name.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_name: FxHashMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    dir: String,
    /// Whether a workspace names it; others count only where a manifest points to a folder.
    declared: bool,
}

impl Members {
    /// Finds them.
    pub(super) fn of(project: &Project) -> Self {
        let workspaces: Vec<Workspace> = project
            .packages()
            .iter()
            .filter_map(Workspace::of)
            .collect();
        let mut members = Self::default();
        for package in project.packages() {
            let Some(name) = package.name.clone() else {
                continue;
            };
            let declared = workspaces
                .iter()
                .any(|workspace| workspace.contains(&package.dir));
            let dir = package.dir.clone();
            // Two packages of one name: the one that a workspace names is meant, else the first by folder.
            let known = members.by_name.get(&name);
            if known.is_none_or(|known| declared && !known.declared) {
                members.by_name.insert(name, Member { dir, declared });
            }
        }
        members
    }

    /// The folder of a package.
    pub(super) fn folder(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(|member| member.dir.as_str())
    }

    /// Whether an import of this name in this folder means the package of the project, and not one of the same name
    /// from a registry.
    pub(super) fn is_meant(&self, project: &Project, folder: &str, name: &str) -> bool {
        let Some(member) = self.by_name.get(name) else {
            return false;
        };
        let inside = member.dir.is_empty()
            || folder == member.dir
            || folder
                .strip_prefix(member.dir.as_str())
                .is_some_and(|it| it.starts_with('/'));
        let file = format!("{folder}/");
        let requirement = project
            .manifest_naming(&file, name)
            .and_then(|it| it.dependencies.get(name));
        let local = |it: &str| {
            ["workspace:", "file:", "link:", "portal:"]
                .iter()
                .any(|scheme| it.starts_with(scheme))
        };
        match requirement {
            Some(requirement) => {
                local(requirement) || member.declared && !requirement.starts_with("npm:")
            }
            None => member.declared || inside,
        }
    }
}

/// The packages that a manifest declares to be its workspace.
struct Workspace {
    dir: String,
    members: Vec<GlobMatcher>,
    excluded: Vec<GlobMatcher>,
}

impl Workspace {
    fn of(package: &Package) -> Option<Self> {
        if package.workspaces.is_empty() {
            return None;
        }
        let (excluded, members): (Vec<&String>, Vec<&String>) = package
            .workspaces
            .iter()
            .partition(|glob| glob.starts_with('!'));
        let compile =
            |globs: Vec<&String>| globs.into_iter().filter_map(|glob| matcher(glob)).collect();
        Some(Self {
            dir: package.dir.clone(),
            members: compile(members),
            excluded: compile(excluded),
        })
    }

    fn contains(&self, folder: &str) -> bool {
        let inside = if self.dir.is_empty() {
            Some(folder)
        } else {
            folder
                .strip_prefix(self.dir.as_str())
                .and_then(|rest| rest.strip_prefix('/').or(rest.is_empty().then_some("")))
        };
        let Some(inside) = inside else { return false };
        let any = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(inside));
        // The folder that declares the workspace is a member of it.
        inside.is_empty() || any(&self.members) && !any(&self.excluded)
    }
}

fn matcher(glob: &str) -> Option<GlobMatcher> {
    let glob = glob
        .trim_start_matches('!')
        .trim_start_matches("./")
        .trim_end_matches('/');
    GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

/// The folders above a path, from the innermost to the root.
pub(super) fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(folder_of(path), |folder| folder_of(folder))
}
