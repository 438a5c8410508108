//! What an import names: a module of the project, a package from outside, or a file without code.

mod members;
mod tree;
mod tsconfig;

use std::sync::Arc;

use oxc_resolver::{ResolveOptions, ResolverGeneric};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

use crate::body::{Body, Const, Exported, ExprId, ExprKind, ModuleId};
use crate::project::{Load, Project, Unread, folder_of, in_pool};
use members::Members;
use tree::{Files, Node, Tree};
use tsconfig::Aliases;

/// What an import names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolved {
    /// A module of the project.
    Module(ModuleId),
    /// A package from outside, by the specifier as written.
    Package {
        /// Such as `@clerk/nextjs/server`.
        specifier: Ustr,
    },
    /// A file without code: a style sheet, a picture, data.
    Asset,
    /// Nothing that was read: it is not there, or it was passed over, or it could not be parsed.
    Unresolved,
}

impl Project {
    /// What a specifier names in a module. Every import, export, `require` and dynamic import with a constant
    /// specifier was looked up when the project was opened; any other specifier is unresolved.
    #[must_use]
    pub fn resolve(&self, from: ModuleId, specifier: Ustr) -> Resolved {
        self.module(from)
            .resolved
            .get(&specifier)
            .copied()
            .unwrap_or(Resolved::Unresolved)
    }
}

impl Project {
    /// The modules that have a specifier, in the order of the project, and what it names in each.
    pub fn users_of(&self, specifier: Ustr) -> impl Iterator<Item = (ModuleId, Resolved)> {
        self.modules()
            .iter()
            .enumerate()
            .filter_map(move |(number, module)| {
                let resolved = module.resolved.get(&specifier)?;
                Some((ModuleId::at(number), *resolved))
            })
    }

    /// The project modules that a module imports, in the order of the project.
    #[must_use]
    pub fn dependencies(&self, module: ModuleId) -> Vec<ModuleId> {
        let mut found: Vec<ModuleId> = self
            .module(module)
            .resolved
            .values()
            .filter_map(|resolved| match resolved {
                Resolved::Module(module) => Some(*module),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Looks up every specifier of every module. Returns the configuration that was not followed.
pub(crate) fn resolve_all<'a>(
    project: &mut Project,
    paths: impl Iterator<Item = &'a str>,
    load: &Load<'_>,
) -> Vec<Unread> {
    let members = Members::of(project);
    let tree = Arc::new(Tree::new(paths, project, &members));
    let mut notes = Vec::new();
    let aliases = Aliases::read(project, &tree, &members, load, &mut notes);
    let lookup = Lookup {
        resolver: resolver(&tree),
        tree,
        aliases,
        members,
        project,
    };
    let specifiers: Vec<Vec<Ustr>> = project
        .modules()
        .iter()
        .map(|module| specifiers(&module.body))
        .collect();
    // Modules of one folder share their answers.
    let asked: FxHashSet<(&str, Ustr)> = project
        .modules()
        .iter()
        .zip(&specifiers)
        .flat_map(|(module, names)| {
            names
                .iter()
                .map(|name| (folder_of(&module.file).unwrap_or(""), *name))
        })
        .collect();
    let asked: Vec<(&str, Ustr)> = asked.into_iter().collect();
    let find = || {
        asked
            .par_iter()
            .map(|(folder, name)| ((*folder, *name), lookup.find(folder, *name)))
            .collect()
    };
    let Ok(answers): Result<FxHashMap<(&str, Ustr), Resolved>, String> = in_pool(asked.len(), find)
    else {
        return notes;
    };
    let tables: Vec<FxHashMap<Ustr, Resolved>> = project
        .modules()
        .iter()
        .zip(&specifiers)
        .map(|(module, names)| {
            let folder = folder_of(&module.file).unwrap_or("");
            names
                .iter()
                .filter_map(|name| Some((*name, *answers.get(&(folder, *name))?)))
                .collect()
        })
        .collect();
    for (module, table) in project.modules_mut().iter_mut().zip(tables) {
        module.resolved = table;
    }
    notes
}

/// Every constant specifier of a module.
fn specifiers(body: &Body) -> Vec<Ustr> {
    let constant = |id: ExprId| match body.expr(id).kind {
        ExprKind::Const(Const::Str(text)) => Some(text),
        _ => None,
    };
    let imports = body.imports.iter().map(|import| import.specifier);
    let exports = body.exports.iter().filter_map(|export| match export.what {
        Exported::From { specifier, .. } | Exported::All { specifier } => Some(specifier),
        Exported::Local(_) | Exported::Expr(_) => None,
    });
    let loads = body.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::Import(specifier) => constant(*specifier),
        ExprKind::Call { callee, args, .. } => match (&body.expr(*callee).kind, args.first()) {
            (ExprKind::Global(name), Some(arg)) if name == "require" => constant(arg.value),
            _ => None,
        },
        _ => None,
    });
    let all: FxHashSet<Ustr> = imports.chain(exports).chain(loads).collect();
    all.into_iter().collect()
}

/// oxc's resolver over the files of the project: it can touch nothing else.
fn resolver(tree: &Arc<Tree>) -> ResolverGeneric<Files> {
    let list = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let alias = |from: &str, to: &[&str]| (from.to_owned(), list(to));
    let options = ResolveOptions {
        extensions: list(&[
            ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json",
        ]),
        // TypeScript is imported by the name of what it compiles to.
        extension_alias: vec![
            alias(".js", &[".ts", ".tsx", ".js", ".jsx"]),
            alias(".jsx", &[".tsx", ".jsx"]),
            alias(".mjs", &[".mts", ".mjs"]),
            alias(".cjs", &[".cts", ".cjs"]),
        ],
        main_fields: list(&["source", "module", "main", "types"]),
        condition_names: list(&[
            "source", "import", "require", "node", "module", "default", "types",
        ]),
        symlinks: false,
        // The environment of whoever runs the audit says nothing about the project.
        node_path: false,
        ..ResolveOptions::default()
    };
    ResolverGeneric::new_with_file_system(Files(Arc::clone(tree)), options)
}

struct Lookup<'a> {
    resolver: ResolverGeneric<Files>,
    tree: Arc<Tree>,
    aliases: Aliases,
    members: Members,
    project: &'a Project,
}

impl Lookup<'_> {
    fn find(&self, folder: &str, specifier: Ustr) -> Resolved {
        let name = specifier.as_str();
        if name.starts_with('.') {
            return self.in_tree(folder, name).unwrap_or_else(|| missing(name));
        }
        if let Some(from_root) = name.strip_prefix('/') {
            return self
                .in_tree("", &format!("./{from_root}"))
                .unwrap_or_else(|| missing(name));
        }
        let aliased = self.aliases.candidates(folder, name, &self.tree);
        if let Some(found) = aliased
            .iter()
            .find_map(|path| self.in_tree("", &format!("./{path}")))
        {
            return found;
        }
        if name.starts_with('#') {
            return self.in_tree(folder, name).unwrap_or(Resolved::Unresolved);
        }
        match package_name(name) {
            Some(package) if self.members.is_meant(self.project, folder, package) => {
                self.in_tree(folder, name).unwrap_or_else(|| missing(name))
            }
            Some(_) => Resolved::Package { specifier },
            // `@/lib/x`, `~/x`: somebody's alias that is written down where we cannot read it.
            None => missing(name),
        }
    }

    /// A file of the project; none when there is none of this name.
    fn in_tree(&self, folder: &str, specifier: &str) -> Option<Resolved> {
        let found = self
            .resolver
            .resolve(tree::absolute(folder), specifier)
            .ok()?;
        Some(match self.tree.node(found.path())? {
            Node::Module(id) => Resolved::Module(id),
            Node::Asset => Resolved::Asset,
            Node::Source => Resolved::Unresolved,
        })
    }
}

/// Endings of files that hold no code.
const ASSETS: [&str; 28] = [
    "css", "scss", "sass", "less", "styl", "svg", "png", "jpg", "jpeg", "gif", "webp", "avif",
    "ico", "woff", "woff2", "ttf", "otf", "mp3", "mp4", "webm", "json", "md", "mdx", "txt", "html",
    "graphql", "gql", "pdf",
];

/// A file that is not there: a picture or a style sheet that a build makes is still no code.
fn missing(specifier: &str) -> Resolved {
    let path = specifier.split(['?', '#']).next().unwrap_or(specifier);
    let is_asset = path
        .rsplit_once('.')
        .is_some_and(|(_, extension)| ASSETS.contains(&extension));
    if is_asset {
        Resolved::Asset
    } else {
        Resolved::Unresolved
    }
}

/// The package that a bare specifier names; none when no package can have that name.
pub(crate) fn package_name(specifier: &str) -> Option<&str> {
    let scoped = specifier.starts_with('@');
    let end = specifier
        .match_indices('/')
        .nth(usize::from(scoped))
        .map_or(specifier.len(), |(at, _)| at);
    let name = specifier.get(..end)?;
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '~', '#', '@'])
            && !part.contains(char::is_whitespace)
    };
    let valid = match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(name),
    };
    valid.then_some(name)
}
