//! Whether a handler is a library's own router, in which routes are that the application's code does not list.

use portcullis_code::{
    body::{ExprKind, ImportName, Span},
    machine::Machine,
    value::{Value, ValueId},
};

/// Functions of libraries that answer a whole tree of paths when a handler calls them: package and export.
const CALLED_INSIDE: [(&str, &str); 3] = [
    ("@trpc/server/adapters/fetch", "fetchRequestHandler"),
    ("next-auth", "default"),
    ("next-auth/next", "default"),
];
/// What takes a function and is a router all the same: its configuration is made per request.
const LAZY: &str = "next-auth";
/// Deepest nesting of wrappers.
const WRAPPERS_MAX: u32 = 8;

/// The library function that made a handler, as `package#export`, if the handler is its own.
pub(super) fn name(machine: &Machine<'_>, value: ValueId) -> Option<String> {
    match *machine.values.value(value) {
        Value::Function {
            module, function, ..
        } => {
            let body = &machine.project.module(module).body;
            called_inside(machine, module, body.function(function).span)
        }
        Value::Choice(ref alternatives) => alternatives
            .iter()
            .find_map(|alternative| name(machine, alternative.value)),
        _ => made_by(machine, value),
    }
}

/// The library whose call a value is, or is a member of.
fn made_by(machine: &Machine<'_>, value: ValueId) -> Option<String> {
    let values = &machine.values;
    let mut at = value;
    let mut called = false;
    loop {
        match *values.value(at) {
            Value::Member(base, _) => at = base,
            Value::Call(call) => {
                let data = values.call(call);
                // A wrapper of a project function is no router: what is inside it is followed.
                if !is_lazy(machine, data.callee) && is_wrapper(machine, at, 0) {
                    return None;
                }
                called = true;
                at = data.callee;
            }
            Value::External(package, export) if called => {
                return Some(format!("{package}#{export}"));
            }
            _ => return None,
        }
    }
}

/// Whether a call was given a project function, perhaps inside another wrapper.
fn is_wrapper(machine: &Machine<'_>, value: ValueId, depth: u32) -> bool {
    let Value::Call(call) = *machine.values.value(value) else {
        return false;
    };
    let args = &machine.values.call(call).args;
    depth < WRAPPERS_MAX
        && args.iter().any(|&(arg, _)| {
            matches!(machine.values.value(arg), Value::Function { .. })
                || is_wrapper(machine, arg, depth + 1)
        })
}

fn is_lazy(machine: &Machine<'_>, callee: ValueId) -> bool {
    matches!(machine.values.value(callee), Value::External(package, _) if *package == LAZY)
}

/// A call of one of [`CALLED_INSIDE`] in a part of a module.
fn called_inside(
    machine: &Machine<'_>,
    module: portcullis_code::body::ModuleId,
    part: Span,
) -> Option<String> {
    let body = &machine.project.module(module).body;
    body.exprs.iter().find_map(|expr| {
        if expr.span.start < part.start || expr.span.end > part.end {
            return None;
        }
        let ExprKind::Call { callee, .. } = expr.kind else {
            return None;
        };
        let ExprKind::Local(local) = body.expr(callee).kind else {
            return None;
        };
        let import = body.imports.get(body.local(local).import? as usize)?;
        let ImportName::Named(name) = import.name else {
            return None;
        };
        CALLED_INSIDE
            .iter()
            .find(|(package, export)| import.specifier == *package && name == *export)
            .map(|(package, export)| format!("{package}#{export}"))
    })
}
