//! `Component`: a folder of a Convex backend that has tables of its own, which only its own functions see.

use portcullis_code::body::ImportName;

use super::code::{Code, Place};

/// A folder with tables of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    /// The folder.
    dir: String,
    /// What it calls itself; its tables are told by this from the application's: `ledger.entries`.
    name: String,
}

impl Component {
    /// The components of a project: folders whose `convex.config.ts` defines one.
    pub(super) fn all(code: &Code<'_>) -> Vec<Self> {
        let mut found = Vec::new();
        for module in code.modules() {
            let (dir, file) = module.file.rsplit_once('/').unwrap_or(("", &module.file));
            let is_config = file
                .rsplit_once('.')
                .is_some_and(|(stem, _)| stem == "convex.config");
            let defines = module.body.imports.iter().any(|import| {
                import.specifier == "convex/server"
                    && matches!(import.name, ImportName::Named(name) if name == "defineComponent")
            });
            if !is_config || !defines {
                continue;
            }
            let named = code.calls(module.id).find_map(|(place, callee, args)| {
                let callee = Place {
                    module: place.module,
                    expr: callee,
                };
                let is_made = code.written_name(callee)? == "defineComponent";
                let name = code.argument(place.module, args, 0).filter(|_| is_made)?;
                code.text(name)
            });
            let folder = dir.rsplit('/').next().unwrap_or(dir);
            found.push(Self {
                dir: dir.to_owned(),
                name: named.map_or_else(|| folder.to_owned(), |name| name.to_string()),
            });
        }
        found
    }

    /// What a table is called that a file names, among all of the project.
    pub(super) fn qualified(all: &[Self], file: &str, table: &str) -> Option<String> {
        let around = all.iter().filter(|component| component.holds(file));
        let innermost = around.max_by_key(|component| component.dir.len())?;
        let own = format!("{}.", innermost.name);
        (!table.starts_with(&own)).then(|| format!("{own}{table}"))
    }

    fn holds(&self, file: &str) -> bool {
        file.strip_prefix(self.dir.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    }
}
