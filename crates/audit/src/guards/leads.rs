//! `Leads`: where the symbol of a `[[guard]]` leads, as far as imports and files tell.

use portcullis_code::{
    body::{Exported, ImportName, ModuleId},
    project::Project,
    resolve::Resolved,
};
use portcullis_policy::{GuardSymbol, closest};
use rustc_hash::FxHashSet;
use ustr::{Ustr, ustr};

/// Where a symbol leads.
#[derive(Debug, Default)]
pub(super) struct Leads {
    /// The files of the project that its module names; several where applications beside each other have one alias.
    pub(super) modules: Vec<ModuleId>,
    /// Whether the module is a package from outside, or an alias that nothing explains.
    pub(super) is_foreign: bool,
}

impl Leads {
    /// Where a symbol leads, or why nowhere.
    pub(super) fn of(project: &Project, symbol: &GuardSymbol) -> Result<Self, String> {
        let name = symbol.module();
        if let Some(module) = project.module_at(name) {
            return Ok(Self {
                modules: vec![module],
                is_foreign: false,
            });
        }
        let specifier = ustr(name);
        let mut leads = Self::default();
        let mut foreign_users = Vec::new();
        for (user, resolved) in project.users_of(specifier) {
            match resolved {
                Resolved::Module(module) if !leads.modules.contains(&module) => {
                    leads.modules.push(module);
                }
                Resolved::Module(_) | Resolved::Asset => {}
                Resolved::Package { .. } | Resolved::Unresolved => foreign_users.push(user),
            }
        }
        if !foreign_users.is_empty() {
            leads.is_foreign = true;
            if leads.modules.is_empty() {
                is_taken(project, symbol, specifier, &foreign_users)?;
            }
        }
        if leads.modules.is_empty() && !leads.is_foreign {
            let files = project.modules().iter().map(|module| &*module.file);
            let meant = closest(name, files)
                .map(|file| format!("; did you mean `{file}`?"))
                .unwrap_or_default();
            return Err(format!(
                "no file that was read is `{name}` or imports it{meant}"
            ));
        }
        Ok(leads)
    }
}

/// Whether some module takes the symbol's export from a package.
fn is_taken(
    project: &Project,
    symbol: &GuardSymbol,
    specifier: Ustr,
    users: &[ModuleId],
) -> Result<(), String> {
    let Some(export) = symbol.export().first() else {
        return Ok(());
    };
    let mut names: FxHashSet<Ustr> = FxHashSet::default();
    for user in users {
        let body = &project.module(*user).body;
        let imports = body
            .imports
            .iter()
            .filter(|import| import.specifier == specifier)
            .map(|import| Some(import.name));
        let exports = body.exports.iter().filter_map(|export| match export.what {
            Exported::From {
                specifier: from,
                name,
            } if from == specifier => Some(Some(name)),
            Exported::All { specifier: from } if from == specifier => Some(None),
            _ => None,
        });
        let mut some = false;
        for name in imports.chain(exports) {
            some = true;
            match name {
                // The default export is the package itself, whose members are its exports.
                Some(ImportName::Named(name)) if name != "default" => {
                    names.insert(name);
                }
                _ => return Ok(()),
            }
        }
        // `require` and `import()` take all of it.
        if !some {
            return Ok(());
        }
    }
    if names.contains(&ustr(export)) {
        return Ok(());
    }
    let mut names: Vec<&str> = names.iter().map(Ustr::as_str).collect();
    names.sort_unstable();
    let meant = closest(export, names)
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default();
    Err(format!(
        "no file imports `{export}` of `{}`{meant}",
        symbol.module()
    ))
}
