//! Loads modules: runs each top level once, what it imports first, and finds what it exports.

use std::rc::Rc;

use ustr::{Ustr, ustr};

use super::{Env, MODULE_STEPS_MAX, Machine, Slot};
use crate::{
    body::{Exported, FunctionId, ImportName, LocalId, ModuleId},
    resolve::Resolved,
    track::UnitId,
    value::{EnvId, NO_FACTS, Unknown, Value, ValueId},
};

/// Longest chain of re-exports.
const REEXPORTS_MAX: u32 = 20;

impl Machine<'_> {
    /// Loads every module of the project. The events are those of all top levels, in order.
    pub fn load_all(&mut self) {
        let modules: Vec<ModuleId> = (0..self.project.module_count()).map(ModuleId::at).collect();
        for module in modules {
            self.load(module);
        }
        self.undo.clear();
    }

    /// Loads a module and before it all that it imports.
    fn load(&mut self, module: ModuleId) {
        if self
            .module_env
            .get(module.index())
            .is_none_or(Option::is_some)
            || !self.loading.insert(module)
        {
            return;
        }
        for import in self.project.dependencies(module) {
            self.load(import);
        }
        self.as_unit(UnitId::of_module(module), |this| this.load_top(module));
        self.loading.remove(&module);
    }

    /// Runs the top level of a module whose imports are loaded.
    fn load_top(&mut self, module: ModuleId) {
        let this = self.values.make(Value::Namespace(module));
        let env = self.push_env(Env {
            parent: None,
            module,
            function: Some(FunctionId(0)),
            this: Some(this),
            class: None,
        });
        if let Some(slot) = self.module_env.get_mut(module.index()) {
            *slot = Some(env);
        }
        let steps = std::mem::replace(&mut self.steps, MODULE_STEPS_MAX);
        self.facts = NO_FACTS;
        self.alive = true;
        let body = self.body(module);
        if let Some(top) = body.functions.first() {
            self.block(env, module, &top.body);
        }
        self.alive = true;
        self.facts = NO_FACTS;
        for export in &body.exports {
            if let Exported::Expr(expr) = export.what {
                let value = self.eval(env, module, expr);
                self.alive = true;
                let namespace = self.values.make(Value::Namespace(module));
                self.set(Slot::Field(namespace, export.name), value);
            }
        }
        self.facts = NO_FACTS;
        self.steps = steps;
        self.undo.clear();
    }

    /// Calls a function as the loading of a module would: what it stores stays, its events are added to those of
    /// loading. For what a program runs before its first entry but no top level calls itself, such as the callback of
    /// a database connection.
    pub fn load_call(&mut self, function: ValueId, args: &[ValueId]) -> ValueId {
        let steps = std::mem::replace(&mut self.steps, MODULE_STEPS_MAX);
        self.facts = NO_FACTS;
        self.alive = true;
        let args = args.iter().map(|&arg| (arg, false)).collect();
        let (module, span) = self.place(function);
        let unit = self.unit_of_call_at(module, span.start);
        let value = self.as_unit(unit, |this| {
            this.call_value(function, None, args, false, module, span)
        });
        self.uncaught.clear();
        self.facts = NO_FACTS;
        self.alive = true;
        self.steps = steps;
        self.undo.clear();
        value
    }

    /// What stands for `module.exports`.
    pub(super) fn module_exports(&mut self, module: ModuleId) -> ValueId {
        let namespace = self.values.make(Value::Namespace(module));
        self.stored(&Slot::Field(namespace, ustr("module.exports")))
            .unwrap_or(namespace)
    }

    pub(super) fn set_module_exports(&mut self, module: ModuleId, value: ValueId) {
        let namespace = self.values.make(Value::Namespace(module));
        self.set(Slot::Field(namespace, ustr("module.exports")), value);
    }

    pub(super) fn require(&mut self, module: ModuleId, specifier: Ustr) -> ValueId {
        match self.project.resolve(module, specifier) {
            Resolved::Module(found) => {
                let exports = self.module_exports(found);
                // A transpiled default export is also what `require` gives, where nothing else is exported.
                exports
            }
            Resolved::Package { .. } | Resolved::Unresolved => {
                self.values.make(Value::External(specifier, ustr("")))
            }
            Resolved::Asset => self.unknown(Unknown::Opaque),
        }
    }

    pub(super) fn import_namespace(&mut self, module: ModuleId, specifier: Ustr) -> ValueId {
        match self.project.resolve(module, specifier) {
            Resolved::Module(found) => self.values.make(Value::Namespace(found)),
            Resolved::Package { .. } | Resolved::Unresolved => {
                self.values.make(Value::External(specifier, ustr("")))
            }
            Resolved::Asset => self.unknown(Unknown::Opaque),
        }
    }

    pub(super) fn import(&mut self, module: ModuleId, import: u32) -> ValueId {
        let Some(import) = self.body(module).imports.get(import as usize) else {
            return self.unknown(Unknown::Unresolved);
        };
        self.import_name(module, import.specifier, import.name, 0)
    }

    fn import_name(
        &mut self,
        from: ModuleId,
        specifier: Ustr,
        name: ImportName,
        depth: u32,
    ) -> ValueId {
        match (self.project.resolve(from, specifier), name) {
            (Resolved::Module(found), ImportName::Named(name)) => self.export(found, name, depth),
            (Resolved::Module(found), ImportName::Namespace) => {
                self.values.make(Value::Namespace(found))
            }
            (Resolved::Package { .. } | Resolved::Unresolved, ImportName::Named(name)) => {
                self.values.make(Value::External(specifier, name))
            }
            (Resolved::Package { .. } | Resolved::Unresolved, ImportName::Namespace) => {
                self.values.make(Value::External(specifier, ustr("")))
            }
            (Resolved::Asset, _) => self.unknown(Unknown::Opaque),
        }
    }

    /// The value that a module exports under a name.
    pub fn export(&mut self, module: ModuleId, name: Ustr, depth: u32) -> ValueId {
        if let Some((value, reads)) = self.exports.get(&(module, name)) {
            self.read_again(reads);
            return *value;
        }
        let reading = self.open_reading();
        let found = self.find_export(module, name, depth);
        let reads = self.close_reading(reading);
        match found {
            Some(value) => {
                // Remembered only for good: what an entry makes is forgotten with it.
                if !self.in_entry && self.loading.is_empty() {
                    self.exports.insert((module, name), (value, Rc::new(reads)));
                }
                value
            }
            None => self.unknown(Unknown::Unresolved),
        }
    }

    fn find_export(&mut self, module: ModuleId, name: Ustr, depth: u32) -> Option<ValueId> {
        if depth > REEXPORTS_MAX {
            return None;
        }
        let namespace = self.values.make(Value::Namespace(module));
        if let Some(value) = self.stored(&Slot::Field(namespace, name)) {
            return Some(value);
        }
        let body = self.body(module);
        for export in &body.exports {
            if export.name != name {
                continue;
            }
            return match export.what {
                Exported::Local(local) => {
                    let env = self.module_env.get(module.index()).copied().flatten()?;
                    Some(self.local(env, module, local))
                }
                Exported::Expr(_) => None,
                Exported::From { specifier, name } => {
                    Some(self.import_name(module, specifier, name, depth + 1))
                }
                Exported::All { .. } => None,
            };
        }
        if let Some(exports) = self.stored(&Slot::Field(namespace, ustr("module.exports"))) {
            // A default import of a CommonJS module is what it exports.
            return Some(if name == "default" {
                exports
            } else {
                self.member(exports, name)
            });
        }
        for export in &body.exports {
            let Exported::All { specifier } = export.what else {
                continue;
            };
            match self.project.resolve(module, specifier) {
                Resolved::Module(found) if name != "default" => {
                    if let Some(value) = self.find_export(found, name, depth + 1) {
                        return Some(value);
                    }
                }
                Resolved::Package { .. } => {
                    return Some(self.values.make(Value::External(specifier, name)));
                }
                _ => {}
            }
        }
        (name == "default" && body.exports.is_empty()).then_some(namespace)
    }

    /// Every name that a module exports, with the place of the export, re-exports of other project modules included.
    pub fn export_names(&self, module: ModuleId) -> Vec<(Ustr, crate::body::Span)> {
        let mut names = Vec::new();
        self.collect_names(module, 0, &mut names);
        names
    }

    fn collect_names(
        &self,
        module: ModuleId,
        depth: u32,
        names: &mut Vec<(Ustr, crate::body::Span)>,
    ) {
        for export in &self.body(module).exports {
            match export.what {
                Exported::All { specifier } => {
                    if let Resolved::Module(found) = self.project.resolve(module, specifier)
                        && depth < REEXPORTS_MAX
                    {
                        let mut inner = Vec::new();
                        self.collect_names(found, depth + 1, &mut inner);
                        for (name, _) in inner {
                            if name != "default" && !names.iter().any(|(known, _)| *known == name) {
                                names.push((name, export.span));
                            }
                        }
                    }
                }
                _ => names.push((export.name, export.span)),
            }
        }
    }

    /// What a name at the top of a module stands for, exported or not.
    pub fn top_level(&mut self, module: ModuleId, name: Ustr) -> Option<ValueId> {
        let env = self.module_env(module)?;
        let local = self
            .body(module)
            .locals
            .iter()
            .position(|local| local.name == name && local.function == FunctionId(0))?;
        Some(self.local(env, module, LocalId::at(local)))
    }

    /// Whether the top level of a module has run to its end.
    #[must_use]
    pub fn is_loaded(&self, module: ModuleId) -> bool {
        self.module_env(module).is_some() && !self.loading.contains(&module)
    }

    /// The activation of a module's top level.
    #[must_use]
    pub fn module_env(&self, module: ModuleId) -> Option<EnvId> {
        self.module_env.get(module.index()).copied().flatten()
    }

    /// Forgets the events of loading.
    pub fn take_events(&mut self) -> Vec<super::Event> {
        std::mem::take(&mut self.events)
    }
}
