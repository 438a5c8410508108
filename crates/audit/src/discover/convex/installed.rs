//! `Installed`: which components a backend installs, under which names, and where their HTTP routes are mounted.

use portcullis_code::{
    body::ModuleId,
    machine::{Event, EventKind, Machine},
    value::{CallData, Value, ValueId, Values},
};
use ustr::{Ustr, ustr};

use super::{
    backend::{Backend, innermost},
    reference::SERVER,
};

/// How deep components install each other at most.
const NESTED_MAX: usize = 6;

/// A component that an application or another component installs.
#[derive(Clone, Debug)]
pub(super) struct Installed {
    /// The folder of who installs it.
    pub(super) parent: String,
    /// What it is called there: `components.counter`.
    pub(super) name: Ustr,
    /// The folder of the component.
    pub(super) dir: String,
    /// Where its HTTP routes are mounted; nowhere without it.
    prefix: Option<Ustr>,
}

impl Installed {
    /// What is installed where: `app.use(counter, { name: "views", httpPrefix: "/views" })`. `events` are those of loading.
    pub(super) fn all(
        machine: &mut Machine<'_>,
        events: &[Event],
        backends: &[Backend],
    ) -> Vec<Self> {
        let calls = events.iter().filter_map(|event| match event.kind {
            EventKind::Call(call) => Some(call),
            _ => None,
        });
        let mut found = Vec::new();
        for call in calls {
            let data = machine.values.call(call).clone();
            found.extend(Self::by(machine, &data, backends));
        }
        found
    }

    fn by(machine: &mut Machine<'_>, data: &CallData, backends: &[Backend]) -> Option<Self> {
        let Value::Member(definition, method) = *machine.values.value(data.callee) else {
            return None;
        };
        if method != "use" {
            return None;
        }
        defined(&machine.values, definition)?;
        let (name, module) = defined(&machine.values, data.args.first()?.0)?;
        let dir_of = |module| {
            let file = &machine.project.module(module).file;
            innermost(backends.iter().map(|it| it.dir.as_str()), file).map(str::to_owned)
        };
        let (parent, dir) = (dir_of(data.module)?, dir_of(module)?);
        let options = data.args.get(1).map(|arg| arg.0);
        Some(Self {
            parent,
            name: option(machine, options, "name").or(name)?,
            dir,
            prefix: option(machine, options, "httpPrefix"),
        })
    }
}

/// The prefixes under which a backend's router is served. One of a component is only where it is mounted.
pub(super) fn prefixes(
    machine: &mut Machine<'_>,
    events: &[Event],
    backend: &Backend,
    installed: &[Installed],
) -> Vec<String> {
    if backend.is_component {
        return mounts(&backend.dir, installed, 0);
    }
    // `defineApp({ httpPrefix: "/api" })`
    let own = events.iter().find_map(|event| {
        let EventKind::Call(call) = event.kind else {
            return None;
        };
        let data = machine.values.call(call).clone();
        let is_app = matches!(machine.values.value(data.callee),
            Value::External(package, name) if package == SERVER && name == "defineApp");
        let is_own = is_app && backend.holds(&machine.project.module(data.module).file);
        let options = data.args.first().filter(|_| is_own).map(|arg| arg.0);
        option(machine, options, "httpPrefix")
    });
    vec![own.map_or_else(String::new, |own| own.to_string())]
}

fn mounts(dir: &str, installed: &[Installed], depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for it in installed.iter().filter(|it| it.dir == dir) {
        let Some(prefix) = it.prefix.filter(|_| depth < NESTED_MAX) else {
            continue;
        };
        let is_component = installed.iter().any(|other| other.dir == it.parent);
        let around = if is_component {
            mounts(&it.parent, installed, depth + 1)
        } else {
            vec![String::new()]
        };
        let each = around.iter();
        found.extend(each.map(|around| format!("{}{prefix}", around.trim_end_matches('/'))));
    }
    found
}

fn option(machine: &mut Machine<'_>, options: Option<ValueId>, name: &str) -> Option<Ustr> {
    let value = machine.member(options?, ustr(name));
    machine.values.as_text(value)
}

/// What a definition of an application or component is called, if it says so, and the module that it stands in.
fn defined(values: &Values, definition: ValueId) -> Option<(Option<Ustr>, ModuleId)> {
    let Value::Call(call) = *values.value(definition) else {
        return None;
    };
    let data = values.call(call);
    let name = match values.value(data.callee) {
        Value::External(package, name) if package == SERVER => *name,
        _ => return None,
    };
    let own = data.args.first().and_then(|arg| values.as_text(arg.0));
    matches!(name.as_str(), "defineApp" | "defineComponent").then_some((own, data.module))
}
