//! What a function calls by reference: `ctx.runMutation(internal.admin.users.purge, { .. })` runs another function of
//! the same backend, with the same caller.

use portcullis_code::value::{CallData, Value, ValueId, Values};
use ustr::Ustr;

/// How deep folders are nested at most.
const PATH_MAX: usize = 12;

/// The name of the function that a call runs before it comes back, and what it is given: the context and the arguments.
pub(crate) fn called(values: &Values, data: &CallData) -> Option<(String, Vec<ValueId>)> {
    let Value::Member(context, method) = *values.value(data.callee) else {
        return None;
    };
    let is_context = matches!(
        values.value(context),
        Value::External(package, name) if package == "convex/server" && name == "ctx"
    );
    let runs = matches!(method.as_str(), "runQuery" | "runMutation" | "runAction");
    if !is_context || !runs {
        return None;
    }
    let mut args = data.args.iter().map(|arg| arg.0);
    let name = name(values, args.next()?)?;
    let given = [context].into_iter().chain(args.take(1)).collect();
    Some((name, given))
}

/// `internal.admin.users.purge` is `admin/users:purge`; what is called by `components.` is elsewhere.
fn name(values: &Values, reference: ValueId) -> Option<String> {
    let mut path: Vec<Ustr> = Vec::new();
    let mut at = reference;
    while let Value::Member(base, name) = *values.value(at) {
        path.push(name);
        at = base;
        if path.len() > PATH_MAX {
            return None;
        }
    }
    let Value::External(module, root) = values.value(at) else {
        return None;
    };
    let generated = module.strip_suffix(".js").unwrap_or(module.as_str());
    let is_api = match root.as_str() {
        "api" | "internal" => generated.ends_with("_generated/api"),
        // What both are made of in the generated code, where that was read.
        "anyApi" => generated == "convex/server",
        _ => false,
    };
    let (export, folders) = path.split_first()?;
    if !is_api || folders.is_empty() {
        return None;
    }
    let folders: Vec<&str> = folders.iter().rev().map(Ustr::as_str).collect();
    Some(format!("{}:{export}", folders.join("/")))
}
