//! What a function calls by reference: `ctx.runMutation(internal.admin.users.purge, { .. })` runs another function now,
//! with the same caller; `ctx.scheduler.runAfter(0, ..)` runs one later, for nobody.

use portcullis_code::{
    body::ModuleId,
    value::{CallData, Value, ValueId, Values},
};
use ustr::{Ustr, ustr};

/// How deep folders are nested at most.
const PATH_MAX: usize = 12;
/// Where the context comes from that every function is given.
pub(crate) const SERVER: &str = "convex/server";
/// Where that comes from of functions that nobody calls: scheduled ones, and those of components.
pub(crate) const SERVER_WITHOUT_CALLER: &str = "convex/server without a caller";

/// A call of a function by its reference.
pub(crate) struct Called {
    /// Which function.
    pub(crate) reference: Reference,
    /// The module that the call stands in.
    pub(crate) module: ModuleId,
    /// The context of the caller.
    pub(crate) context: ValueId,
    /// What the function is given, if anything.
    pub(crate) given: Option<ValueId>,
    /// Whether it runs after the call came back, and its failure is nobody's.
    pub(crate) is_later: bool,
}

/// Which function is meant.
pub(crate) enum Reference {
    /// One of the backend that names it: `internal.admin.users.purge` is `admin/users:purge`.
    Own(String),
    /// One of a component: `components.counter.lib.total` is `lib:total` of `counter`.
    OfComponent(Ustr, String),
}

/// The function that a call runs, if it is such a call.
pub(crate) fn called(values: &Values, data: &CallData) -> Option<Called> {
    let Value::Member(base, method) = *values.value(data.callee) else {
        return None;
    };
    let (context, at, is_later) = match method.as_str() {
        "runQuery" | "runMutation" | "runAction" => (base, 0, false),
        "runAfter" | "runAt" => match *values.value(base) {
            Value::Member(context, name) if name == "scheduler" => (context, 1, true),
            _ => return None,
        },
        _ => return None,
    };
    if !is_context(values, context) {
        return None;
    }
    let mut args = data.args.iter().skip(at).map(|arg| arg.0);
    Some(Called {
        reference: reference(values, args.next()?)?,
        module: data.module,
        context,
        given: args.next(),
        is_later,
    })
}

/// Whether a value is the context of a function.
fn is_context(values: &Values, value: ValueId) -> bool {
    matches!(
        values.value(value),
        Value::External(package, name)
            if name == "ctx" && matches!(package.as_str(), SERVER | SERVER_WITHOUT_CALLER)
    )
}

/// Whether a value is the context of a function that nobody calls.
pub(crate) fn has_no_caller(values: &Values, value: ValueId) -> bool {
    matches!(values.value(value), Value::External(package, _) if package == SERVER_WITHOUT_CALLER)
}

/// The context of a function that nobody calls.
pub(crate) fn context_without_caller(values: &mut Values) -> ValueId {
    values.make(Value::External(ustr(SERVER_WITHOUT_CALLER), ustr("ctx")))
}

fn reference(values: &Values, reference: ValueId) -> Option<Reference> {
    let mut path: Vec<Ustr> = Vec::new();
    let mut at = reference;
    while let Value::Member(base, name) = *values.value(at) {
        path.push(name);
        at = base;
        if path.len() > PATH_MAX {
            return None;
        }
    }
    if is_components(values, at) {
        let component = path.pop()?;
        return Some(Reference::OfComponent(component, name(&path)?));
    }
    let Value::External(module, root) = values.value(at) else {
        return None;
    };
    let is_api = match root.as_str() {
        "api" | "internal" => is_generated(*module),
        // What both are made of in the generated code, where that was read.
        "anyApi" => module == SERVER,
        _ => false,
    };
    is_api.then(|| name(&path)).flatten().map(Reference::Own)
}

/// `components` of the generated code, or what it is made of there.
fn is_components(values: &Values, value: ValueId) -> bool {
    match values.value(value) {
        Value::External(module, root) => root == "components" && is_generated(*module),
        Value::Call(call) => matches!(
            values.value(values.call(*call).callee),
            Value::External(package, made) if package == SERVER && made == "componentsGeneric"
        ),
        _ => false,
    }
}

fn is_generated(module: Ustr) -> bool {
    let module = module.strip_suffix(".js").unwrap_or(module.as_str());
    module.ends_with("_generated/api")
}

/// `admin/users:purge` of the names in `admin.users.purge`, the last one first.
fn name(path: &[Ustr]) -> Option<String> {
    let (export, folders) = path.split_first()?;
    let folders: Vec<&str> = folders.iter().rev().map(Ustr::as_str).collect();
    (!folders.is_empty()).then(|| format!("{}:{export}", folders.join("/")))
}
