//! Server actions: what files and functions that say `use server` let a client call.

use portcullis_code::{
    body::{Body, ExprId, ExprKind, FunctionId, ModuleId, Pattern, Property, Stmt, StmtKind},
    machine::Machine,
    project::Module,
    value::{Value, ValueId},
};
use portcullis_policy::Method;
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

use super::{exports, route};
use crate::route::{Convention, Route, Site};

/// The words that make a file's exports, or a function, callable from outside.
const DIRECTIVE: &str = "use server";

/// Adds every server action.
pub(super) fn routes(machine: &mut Machine<'_>, routes: &mut Vec<Route>) {
    for module in machine.project.modules() {
        let mut listed = FxHashSet::default();
        if says(&module.body.directives) {
            exported(machine, module, &mut listed, routes);
        }
        inline(machine, module, &listed, routes);
    }
}

fn says(directives: &[Ustr]) -> bool {
    directives.iter().any(|directive| *directive == DIRECTIVE)
}

/// Every export of such a file is callable, also one that no page imports.
fn exported(
    machine: &mut Machine<'_>,
    module: &Module,
    listed: &mut FxHashSet<(ModuleId, FunctionId)>,
    routes: &mut Vec<Route>,
) {
    for (name, span) in exports(machine, module.id) {
        let value = machine.export(module.id, name, 0);
        // Next.js refuses to build a file that exports anything but functions: what this is cannot be called.
        if matches!(
            machine.values.value(value),
            Value::Const(_) | Value::Object(_) | Value::Array(_) | Value::Class { .. }
        ) {
            continue;
        }
        if let Value::Function {
            module, function, ..
        } = *machine.values.value(value)
        {
            listed.insert((module, function));
        }
        let site = Site {
            module: module.id,
            span,
        };
        routes.push(action(&module.file, &name, site, value));
    }
}

fn inline(
    machine: &mut Machine<'_>,
    module: &Module,
    listed: &FxHashSet<(ModuleId, FunctionId)>,
    routes: &mut Vec<Route>,
) {
    let marked = module.body.functions.iter().enumerate().skip(1);
    let marked: Vec<FunctionId> = marked
        .filter(|(_, function)| says(&function.directives))
        .map(|(number, _)| FunctionId::at(number))
        .filter(|function| !listed.contains(&(module.id, *function)))
        .collect();
    if marked.is_empty() {
        return;
    }
    let names = names(&module.body);
    let mut nameless = 0;
    let mut taken: FxHashMap<String, u32> = FxHashMap::default();
    for id in marked {
        // What stands around a closure is not known here: its own variables are, and those of the module.
        let Some(env) = machine.module_env(module.id) else {
            continue;
        };
        let value = machine.values.make(Value::Function {
            module: module.id,
            function: id,
            env,
            this: None,
        });
        let function = module.body.function(id);
        let name = names.get(&id).copied().or(function.name);
        let name = match name {
            Some(name) => name.to_string(),
            None => {
                nameless += 1;
                let around = function
                    .parent
                    .filter(|parent| parent.index() > 0)
                    .and_then(|parent| {
                        let own = module.body.function(parent).name;
                        own.or_else(|| names.get(&parent).copied())
                    });
                format!("{}${nameless}", around.as_deref().unwrap_or(""))
            }
        };
        // Two closures of the same name in one file are two actions.
        let times = taken.entry(name.clone()).or_default();
        *times += 1;
        let name = match *times {
            1 => name,
            times => format!("{name}${times}"),
        };
        let site = Site {
            module: module.id,
            span: function.span,
        };
        routes.push(action(&module.file, &name, site, value));
    }
}

fn action(file: &str, name: &str, site: Site, value: ValueId) -> Route {
    let mut route = route(
        "nextjs-action",
        Method::Post,
        format!("action:{file}#{name}"),
        site,
        (value, Convention::Action),
    );
    // Next.js compares Origin with Host before it runs an action.
    route.origin_checked = true;
    route
}

/// The names under which functions are kept: of variables and of members.
fn names(body: &Body) -> FxHashMap<FunctionId, Ustr> {
    let mut names = FxHashMap::default();
    let mut name = |expr: ExprId, name: Ustr| match &body.expr(expr).kind {
        ExprKind::Function(function) => {
            names.entry(*function).or_insert(name);
        }
        // `const save = withLog(async () => { 'use server' })`
        ExprKind::Call { args, .. } => {
            for arg in args {
                if let ExprKind::Function(function) = body.expr(arg.value).kind {
                    names.entry(function).or_insert(name);
                }
            }
        }
        _ => {}
    };
    for function in &body.functions {
        each_variable(&function.body, &mut |target, value| {
            if let Pattern::Local(local) = target {
                name(value, body.local(*local).name);
            }
        });
    }
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Assign { target, value, .. } => {
                if let Pattern::Local(local) = target.as_ref() {
                    name(*value, body.local(*local).name);
                }
            }
            ExprKind::Object(members) => {
                for member in members {
                    if let Property::Named(key, value) = member {
                        name(*value, *key);
                    }
                }
            }
            _ => {}
        }
    }
    names
}

/// Every declared variable with its first value, in all nested statements of one function.
pub(super) fn each_variable<'b>(statements: &'b [Stmt], see: &mut dyn FnMut(&'b Pattern, ExprId)) {
    for statement in statements {
        match &statement.kind {
            StmtKind::Let { target, value } => {
                if let Some(value) = value {
                    see(target, *value);
                }
            }
            StmtKind::If { yes, no, .. } => {
                each_variable(yes, see);
                each_variable(no, see);
            }
            StmtKind::Loop { body, .. } | StmtKind::Block(body) => each_variable(body, see),
            StmtKind::Switch { cases, .. } => {
                for (_, body) in cases {
                    each_variable(body, see);
                }
            }
            StmtKind::Try {
                body,
                catch,
                finally,
            } => {
                each_variable(body, see);
                if let Some((_, handler, _)) = catch {
                    each_variable(handler, see);
                }
                each_variable(finally, see);
            }
            StmtKind::Expr(_)
            | StmtKind::Return(_)
            | StmtKind::Throw(_)
            | StmtKind::Break
            | StmtKind::Continue => {}
        }
    }
}
