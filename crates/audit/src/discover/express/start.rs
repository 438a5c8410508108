//! Runs what a program runs before its first request although no module calls it while it loads: callbacks of what the
//! program waits for, and the factories that others call.

use portcullis_code::{
    body::{Const, ExprKind, ModuleId},
    machine::Machine,
    value::{CallData, CallId, Unknown as Unclear, Value, ValueId},
};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use super::graph::Graph;

/// Most parameters that are handed over.
const PARAMS_MAX: u32 = 4;

impl Graph {
    /// Keeps the functions among a call's arguments that would register something, for later.
    pub(super) fn remember_callbacks(
        &mut self,
        machine: &Machine<'_>,
        call: CallId,
        data: &CallData,
    ) {
        for (number, &(value, _)) in data.args.iter().enumerate() {
            if registers(machine, value) {
                self.callbacks.push((call, number));
            }
        }
    }

    /// Runs what a package calls back once the program is up: `connect(url, () => { app.use(...); app.listen() })`.
    pub(super) fn run_callbacks(&mut self, machine: &mut Machine<'_>) {
        let mut done = FxHashSet::default();
        while let Some(&(call, number)) = self.callbacks.first() {
            self.callbacks.remove(0);
            let Some(&(function, _)) = machine.values.call(call).args.get(number) else {
                continue;
            };
            if !done.insert(function) {
                continue;
            }
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let args: Vec<ValueId> = (0..PARAMS_MAX)
                .map(|param| machine.values.make(Value::Handed(call, number, param)))
                .collect();
            machine.load_call(function, &args);
            let events = machine.take_events();
            self.read_events(machine, &events);
        }
    }

    /// Where no module makes an application when it loads: calls the exported functions that would make one.
    pub(super) fn run_factories(&mut self, machine: &mut Machine<'_>) {
        let modules: Vec<ModuleId> = machine.project.modules().iter().map(|it| it.id).collect();
        for module in modules {
            if !uses_express(machine, module) {
                continue;
            }
            let mut values: Vec<ValueId> = Vec::new();
            let mut names: Vec<Ustr> = machine
                .export_names(module)
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            names.push(Ustr::from("default"));
            for name in names {
                let value = machine.export(module, name, 0);
                let fields = machine.fields(value).unwrap_or_default();
                for value in fields.into_iter().map(|field| field.1).chain([value]) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
            }
            for value in values {
                let callable = matches!(
                    machine.values.value(value),
                    Value::Function { .. } | Value::Class { .. }
                );
                if callable && machine.place(value).0 == module && registers(machine, value) {
                    let unknown = machine.values.make(Value::Unknown(Unclear::Opaque));
                    machine.load_call(value, &[unknown; 4]);
                    let events = machine.take_events();
                    self.read_events(machine, &events);
                }
            }
        }
        self.run_callbacks(machine);
    }
}

/// Whether a function's or class's text holds a call that could register something.
fn registers(machine: &Machine<'_>, value: ValueId) -> bool {
    if !matches!(
        machine.values.value(value),
        Value::Function { .. } | Value::Class { .. }
    ) {
        return false;
    }
    let (module, span) = machine.place(value);
    let body = &machine.project.module(module).body;
    body.exprs.iter().any(|expr| {
        let ExprKind::Call { callee, .. } = expr.kind else {
            return false;
        };
        expr.span.start >= span.start
            && expr.span.end <= span.end
            && match body.expr(callee).kind {
                ExprKind::Member { name, .. } => {
                    matches!(name.as_str(), "use" | "listen" | "route")
                }
                _ => false,
            }
    })
}

fn uses_express(machine: &Machine<'_>, module: ModuleId) -> bool {
    let body = &machine.project.module(module).body;
    body.imports
        .iter()
        .any(|import| import.specifier == "express")
        || body
            .exprs
            .iter()
            .any(|expr| matches!(expr.kind, ExprKind::Const(Const::Str(text)) if text == "express"))
}
