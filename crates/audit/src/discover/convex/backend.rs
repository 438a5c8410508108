//! `Backend`: a folder of functions, and what each file in it is called.

use std::collections::BTreeSet;

use portcullis_code::{
    body::ModuleId,
    machine::Machine,
    project::{Module, Project},
    value::Value,
};
use ustr::ustr;

use super::builder::is_server_module;

/// The folder that Convex writes its code into.
const GENERATED: &str = "_generated";
/// The folder of functions where nothing else is said.
const USUAL: &str = "convex";
/// The file that makes a folder an application or a component.
const CONFIG: &str = "convex.config";

/// A folder of functions.
#[derive(Debug)]
pub(super) struct Backend {
    /// The folder; empty for the root of the project.
    pub(super) dir: String,
    /// The folder from which its files are named.
    named_from: String,
    /// Whether it is a component: only the application that installs it can call its functions.
    pub(super) is_component: bool,
    /// Its files, sorted.
    pub(super) files: Vec<File>,
}

/// A file whose exports are registered.
#[derive(Debug)]
pub(super) struct File {
    pub(super) module: ModuleId,
    /// The first half of a function's name: the path in the folder, without its extension.
    pub(super) name: String,
    /// The same as the backend's own functions name it: from its own folder, also where that is a component's.
    pub(super) own_name: String,
}

impl Backend {
    /// The backends of the project, sorted by folder.
    pub(super) fn all(machine: &mut Machine<'_>) -> Vec<Self> {
        let project = machine.project;
        let dirs = dirs(project);
        let mut found: Vec<Self> = Vec::new();
        for dir in &dirs {
            let is_component = is_component(machine, dir);
            // A component in the folder of an application has that folder's names, so that no two are the same.
            let around = dirs.iter().find(|other| below(other, dir).is_some());
            let named_from = match around {
                Some(around) if is_component => around.clone(),
                _ => dir.clone(),
            };
            found.push(Self {
                dir: dir.clone(),
                named_from,
                is_component,
                files: Vec::new(),
            });
        }
        for module in project.modules() {
            // Of two folders, one in the other, the inner one has the file.
            let innermost = found
                .iter_mut()
                .filter(|backend| below(&backend.dir, &module.file).is_some())
                .max_by_key(|backend| backend.dir.len());
            if let Some(backend) = innermost
                && let Some(own_name) = below(&backend.dir, &module.file).and_then(function_file)
                && let Some(name) = below(&backend.named_from, &module.file).and_then(stem)
            {
                backend.files.push(File {
                    module: module.id,
                    name: name.to_owned(),
                    own_name: own_name.to_owned(),
                });
            }
        }
        found
    }

    /// The module of the file that `name` stands for, such as `http`.
    pub(super) fn file(&self, name: &str) -> Option<ModuleId> {
        let file = self.files.iter().find(|file| file.own_name == name)?;
        Some(file.module)
    }

    /// Whether a file belongs to the folder.
    pub(super) fn holds(&self, file: &str) -> bool {
        below(&self.dir, file).is_some()
    }
}

/// The folders of functions: those that code was generated for, and those called `convex` that use the server's package.
fn dirs(project: &Project) -> BTreeSet<String> {
    let mut dirs = BTreeSet::new();
    for name in project.names() {
        // `convex/_generated/server.js`, `convex/_generated/api.d.ts`
        let Some((folder, file)) = name.rsplit_once('/') else {
            continue;
        };
        let is_generated = matches!(file.split('.').next(), Some("server" | "api"));
        if is_generated && last_of(folder) == GENERATED {
            dirs.insert(parent_of(folder).to_owned());
        }
    }
    // The generated code may be left out of the repository.
    for module in project.modules() {
        for import in &module.body.imports {
            let specifier = import.specifier.as_str();
            if !is_server_module(specifier) {
                continue;
            }
            let named = named_by(specifier, &module.file);
            let usual = || {
                let known = dirs.iter().any(|dir| below(dir, &module.file).is_some());
                usual_around(&module.file).filter(|_| !known)
            };
            if let Some(dir) = named.or_else(usual) {
                dirs.insert(dir);
            }
        }
    }
    dirs
}

/// The folder that `../_generated/server` names in a file.
fn named_by(specifier: &str, file: &str) -> Option<String> {
    let (path, _) = specifier.split_once(GENERATED)?;
    let mut at: Vec<&str> = parent_of(file)
        .split('/')
        .filter(|it| !it.is_empty())
        .collect();
    if !path.starts_with('.') {
        return None;
    }
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                at.pop()?;
            }
            step => at.push(step),
        }
    }
    Some(at.join("/"))
}

/// The innermost folder around a file that is called as such folders are.
fn usual_around(file: &str) -> Option<String> {
    let mut dir = parent_of(file);
    while !dir.is_empty() {
        if last_of(dir) == USUAL {
            return Some(dir.to_owned());
        }
        dir = parent_of(dir);
    }
    None
}

/// Whether `convex.config.ts` makes the folder a component.
fn is_component(machine: &mut Machine<'_>, dir: &str) -> bool {
    let is_config = |module: &&Module| {
        below(dir, &module.file)
            .and_then(|file| file.rsplit_once('.'))
            .is_some_and(|(stem, _)| stem == CONFIG)
    };
    let Some(config) = machine.project.modules().iter().find(is_config) else {
        return false;
    };
    let made = machine.export(config.id, ustr("default"), 0);
    let Value::Call(call) = *machine.values.value(made) else {
        return false;
    };
    let callee = machine.values.call(call).callee;
    matches!(
        machine.values.value(callee),
        Value::External(package, name) if package == "convex/server" && name == "defineComponent"
    )
}

/// The name of a file whose exports Convex registers; none for what it passes over: the schema, what has two dots in
/// its name (tests, configuration) and what is generated.
fn function_file(path: &str) -> Option<&str> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (name, extension) = file.split_once('.')?;
    let is_code = matches!(
        extension,
        "ts" | "tsx" | "js" | "jsx" | "mts" | "mjs" | "cts" | "cjs"
    );
    let passed_over = folder
        .split('/')
        .any(|part| matches!(part, GENERATED | "node_modules" | "_deps"));
    let is_schema = folder.is_empty() && name == "schema";
    let is_named = !name.is_empty() && !path.contains([' ', '#']);
    (is_code && is_named && !passed_over && !is_schema).then(|| stem(path))?
}

/// A path without its extension.
fn stem(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(stem, _)| stem)
}

/// The innermost of several folders that a file is in.
pub(super) fn innermost<'d>(dirs: impl Iterator<Item = &'d str>, file: &str) -> Option<&'d str> {
    dirs.filter(|dir| below(dir, file).is_some())
        .max_by_key(|dir| dir.len())
}

/// The rest of a path below a folder.
fn below<'f>(dir: &str, file: &'f str) -> Option<&'f str> {
    if dir.is_empty() {
        return Some(file);
    }
    file.strip_prefix(dir)?.strip_prefix('/')
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn last_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_functions_is_told_by_its_name() {
        for (path, name) in [
            ("users.ts", Some("users")),
            ("admin/users.tsx", Some("admin/users")),
            ("http.js", Some("http")),
            ("email/index.ts", Some("email/index")),
            ("model/schema.ts", Some("model/schema")),
            ("schema.ts", None),
            ("users.test.ts", None),
            ("auth.config.ts", None),
            ("convex.config.ts", None),
            ("_generated/server.js", None),
            (".eslintrc.js", None),
            ("README.md", None),
            ("old users.ts", None),
        ] {
            assert_eq!(function_file(path), name, "{path}");
        }
    }

    #[test]
    fn an_import_tells_the_folder() {
        for (specifier, file, dir) in [
            ("./_generated/server", "convex/a.ts", Some("convex")),
            (
                "../../_generated/server.js",
                "src/api/x/y/a.ts",
                Some("src/api"),
            ),
            ("../convex/_generated/server", "src/a.ts", Some("convex")),
            ("../../_generated/server", "convex/a.ts", None),
            ("@/convex/_generated/server", "convex/a.ts", None),
            ("convex/server", "convex/a.ts", None),
        ] {
            assert_eq!(named_by(specifier, file).as_deref(), dir, "{specifier}");
        }
    }
}
