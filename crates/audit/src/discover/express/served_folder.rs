//! Folders that `express.static(..)` serves as they are, and under which path.

use portcullis_code::{
    machine::Machine,
    value::{Value, ValueId},
};

use super::{
    folder::{constant_path, normal},
    route_path::RoutePath,
};
use crate::{matcher::Dialect, route::Site};

/// The packages and exports that serve a folder.
const SERVERS: [(&str, &str); 3] = [
    ("express", "static"),
    ("express", "default.static"),
    ("serve-static", "default"),
];

/// A folder that is served as it is.
#[derive(Clone, Debug)]
pub struct ServedFolder {
    /// Under which path, without a slash at its end; empty for the root.
    pub prefix: String,
    /// Which folders it may be, relative to the root of the project; empty where the code does not say.
    pub folders: Vec<String>,
    /// Where it is attached.
    pub site: Site,
}

/// The folder that a middleware serves, if it serves one.
pub(super) fn served_folder(
    machine: &Machine<'_>,
    value: ValueId,
    site: Site,
    path: &RoutePath,
    dialect: Dialect,
) -> Option<ServedFolder> {
    let Value::Call(call) = *machine.values.value(value) else {
        return None;
    };
    let data = machine.values.call(call);
    if !serves(machine, data.callee) {
        return None;
    }
    let folders = data
        .args
        .first()
        .map_or_else(Vec::new, |(folder, _)| candidates(machine, site, *folder));
    let prefix = match path.text.as_str() {
        "" | "/" => String::new(),
        _ => path.canonical(dialect).into_iter().next()?,
    };
    Some(ServedFolder {
        prefix: prefix.trim_end_matches('/').to_owned(),
        folders,
        site,
    })
}

fn serves(machine: &Machine<'_>, callee: ValueId) -> bool {
    let named = |package: &str, export: &str| {
        SERVERS
            .iter()
            .any(|(one, name)| *one == package && *name == export)
    };
    match machine.values.value(callee) {
        Value::External(package, export) if export.is_empty() => named(package, "default"),
        Value::External(package, export) => named(package, export),
        Value::Member(base, name) => matches!(
            machine.values.value(*base),
            Value::External(package, export)
                if export.is_empty() && named(package, name)
                    || export == "default" && named(package, &format!("default.{name}"))
        ),
        _ => false,
    }
}

/// A path that is not absolute is below the folder in which the program was started: that of its package, or the root.
fn candidates(machine: &Machine<'_>, site: Site, folder: ValueId) -> Vec<String> {
    let Some(text) = constant_path(machine, site.module, folder) else {
        return Vec::new();
    };
    let file = &machine.project.module(site.module).file;
    let package = machine.project.package_of(file);
    let below = package
        .filter(|package| !package.dir.is_empty())
        .and_then(|package| normal(&format!("{}/{text}", package.dir)));
    below.into_iter().chain(normal(&text)).collect()
}
