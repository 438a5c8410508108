//! Loops over a folder of routers: which modules `require(path.join(__dirname, "routes", file))` may load.

use portcullis_code::{
    body::ModuleId,
    machine::Machine,
    value::{CallData, Value, ValueId},
};
use ustr::ustr;

/// Deepest nesting of calls that build a path.
const DEPTH_MAX: u32 = 8;

/// What a dynamic `require` may give.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The folder, relative to the root.
    pub(super) folder: String,
    /// What each of its modules exports.
    pub(super) exports: Vec<ValueId>,
}

/// What a value may be, if it comes from a `require` of something in a folder. A function that was required and called
/// is called here.
pub(super) fn loaded(machine: &mut Machine<'_>, value: ValueId, depth: u32) -> Option<Loaded> {
    let depth = depth.checked_sub(1)?;
    match machine.values.value(value).clone() {
        Value::Member(base, name) => {
            let mut loaded = loaded(machine, base, depth)?;
            for export in &mut loaded.exports {
                *export = machine.member(*export, name);
            }
            Some(loaded)
        }
        Value::Call(call) => {
            let data = machine.values.call(call).clone();
            if is_require(machine, data.callee) {
                return required(machine, &data);
            }
            let mut loaded = loaded(machine, data.callee, depth)?;
            let args: Vec<ValueId> = data.args.iter().map(|arg| arg.0).collect();
            for export in &mut loaded.exports {
                let callable = matches!(
                    machine.values.value(*export),
                    Value::Function { .. } | Value::Class { .. }
                );
                if callable {
                    *export = machine.load_call(*export, &args);
                }
            }
            Some(loaded)
        }
        _ => None,
    }
}

/// A path that is constant altogether: as it is written, or relative to the root where it is put together.
pub(super) fn constant_path(
    machine: &Machine<'_>,
    module: ModuleId,
    value: ValueId,
) -> Option<String> {
    if let Some(text) = machine.values.as_text(value) {
        return Some(text.to_string());
    }
    let mut text = String::new();
    known_start(machine, module, value, DEPTH_MAX, &mut text).then_some(text)
}

/// Whether a value comes from a `require` whose module is not constant.
pub(super) fn is_dynamic(machine: &Machine<'_>, value: ValueId) -> bool {
    let mut at = value;
    for _ in 0..DEPTH_MAX {
        at = match *machine.values.value(at) {
            Value::Member(base, _) => base,
            Value::Call(call) => {
                let callee = machine.values.call(call).callee;
                if is_require(machine, callee) {
                    return true;
                }
                callee
            }
            _ => return false,
        };
    }
    false
}

fn is_require(machine: &Machine<'_>, callee: ValueId) -> bool {
    matches!(machine.values.value(callee), Value::Global(name) if name == "require")
}

fn required(machine: &mut Machine<'_>, call: &CallData) -> Option<Loaded> {
    let path = call.args.first()?.0;
    let mut text = String::new();
    let complete = known_start(machine, call.module, path, DEPTH_MAX, &mut text);
    if complete {
        return None;
    }
    // What is known ends in the name of a folder, or in the beginning of the file's name.
    let folder = text.rsplit_once('/').map(|(folder, _)| folder)?;
    let folder = normal(folder)?;
    let modules: Vec<ModuleId> = machine
        .project
        .modules()
        .iter()
        .filter(|module| module.id != call.module && is_loaded_from(&module.file, &folder))
        .map(|module| module.id)
        .collect();
    let exports = modules
        .into_iter()
        .map(|module| exports_of(machine, module))
        .collect();
    Some(Loaded { folder, exports })
}

/// What `require` of a module gives.
fn exports_of(machine: &mut Machine<'_>, module: ModuleId) -> ValueId {
    if machine.export_names(module).is_empty() {
        return machine.export(module, ustr("default"), 0);
    }
    machine.values.make(Value::Namespace(module))
}

/// A file of the folder itself, or the index of a folder in it.
fn is_loaded_from(file: &str, folder: &str) -> bool {
    let rest = if folder.is_empty() {
        Some(file)
    } else {
        file.strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'))
    };
    rest.is_some_and(|rest| match rest.split_once('/') {
        None => true,
        Some((_, inner)) => inner.starts_with("index.") && !inner.contains('/'),
    })
}

/// Writes the beginning of a path as far as it is constant, relative to the root; whether that is all of it.
fn known_start(
    machine: &Machine<'_>,
    module: ModuleId,
    value: ValueId,
    depth: u32,
    text: &mut String,
) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let here = machine.project.module(module).file.rsplit_once('/');
    let here = here.map_or("", |(folder, _)| folder);
    match machine.values.value(value) {
        Value::Const(_) => {
            let Some(constant) = machine.values.as_text(value) else {
                return false;
            };
            if text.is_empty() && constant.starts_with('.') {
                text.push_str(here);
                text.push('/');
            }
            text.push_str(&constant);
            true
        }
        Value::Global(name) if name == "__dirname" => {
            text.push_str(here);
            // So that the root of the project is told from nothing at all.
            text.push_str("/.");
            true
        }
        Value::Template(parts) => parts
            .iter()
            .all(|&part| known_start(machine, module, part, depth, text)),
        Value::Call(call) => {
            let call = machine.values.call(*call);
            match joins(machine, call.callee) {
                Some("join" | "resolve") => {
                    for &(arg, _) in &call.args {
                        if !text.is_empty() {
                            text.push('/');
                        }
                        let mut part = String::new();
                        let complete = known_start(machine, call.module, arg, depth, &mut part);
                        // `path.join(__dirname, "./routes")`: only the first part starts from here.
                        text.push_str(match machine.values.as_text(arg) {
                            Some(ref constant) if !text.is_empty() => constant.as_str(),
                            _ => &part,
                        });
                        if !complete {
                            return false;
                        }
                    }
                    true
                }
                Some("cwd") => {
                    text.push_str("/.");
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// The name of a function of `path` or `process` that a callee is.
fn joins<'m>(machine: &'m Machine<'_>, callee: ValueId) -> Option<&'m str> {
    match machine.values.value(callee) {
        Value::External(package, name) if is_path_package(package) => Some(name.as_str()),
        Value::Member(base, name) => match machine.values.value(*base) {
            Value::External(package, _) if is_path_package(package) => Some(name.as_str()),
            Value::Global(global) if global == "process" => Some(name.as_str()),
            _ => None,
        },
        _ => None,
    }
}

fn is_path_package(package: &str) -> bool {
    matches!(package, "path" | "node:path")
}

/// A path without dots; none when it leads out of the root.
pub(super) fn normal(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            _ => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}
