//! `Code`: reads literals, objects and functions from a project's expressions, as far as a table's declaration needs it.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use portcullis_code::body::{
    Body, Const, ExprId, ExprKind, Function, FunctionId, Item, ModuleId, Property, Span, StmtKind,
};
use portcullis_code::project::{Module, Project};
use ustr::Ustr;

use super::definition::Definitions;

/// Names that are followed from one to the next, and objects spread into one another, at most.
pub(crate) const STEPS_MAX: usize = 12;

/// Questions that one question may lead to, inside one another and in all.
const DEPTH_MAX: usize = 24;
const NAMES_MAX: u32 = 400;

/// An expression of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) module: ModuleId,
    pub(crate) expr: ExprId,
}

/// A project and what its names stand for, found out when it is asked for.
pub(crate) struct Code<'p> {
    pub(crate) project: &'p Project,
    definitions: Vec<OnceCell<Definitions>>,
    /// How deep the present question has led, and how many names it may still follow: code can name itself.
    depth: Cell<usize>,
    names_left: Cell<u32>,
}

impl<'p> Code<'p> {
    pub(crate) fn new(project: &'p Project) -> Self {
        let definitions = project.modules().iter().map(|_| OnceCell::new()).collect();
        Self {
            project,
            definitions,
            depth: Cell::new(0),
            names_left: Cell::new(NAMES_MAX),
        }
    }

    pub(crate) fn modules(&self) -> &'p [Module] {
        self.project.modules()
    }

    pub(crate) fn body(&self, module: ModuleId) -> &'p Body {
        &self.project.module(module).body
    }

    pub(crate) fn file(&self, module: ModuleId) -> &'p Arc<str> {
        &self.project.module(module).file
    }

    pub(crate) fn kind(&self, at: Place) -> &'p ExprKind {
        &self.body(at.module).expr(at.expr).kind
    }

    pub(crate) fn span(&self, at: Place) -> Span {
        self.body(at.module).expr(at.expr).span
    }

    pub(crate) fn line(&self, at: Place) -> u32 {
        self.line_of(at.module, self.span(at))
    }

    pub(crate) fn line_of(&self, module: ModuleId, span: Span) -> u32 {
        self.project.position(module, span.start).0
    }

    /// Every call, with what is called by name: the last name of the callee.
    pub(crate) fn calls(
        &self,
        module: ModuleId,
    ) -> impl Iterator<Item = (Place, ExprId, &'p [Item])> + use<'p> {
        let exprs = self.body(module).exprs.iter().enumerate();
        exprs.filter_map(move |(at, expr)| match &expr.kind {
            ExprKind::Call { callee, args, .. } => {
                let place = Place {
                    module,
                    expr: ExprId::at(at),
                };
                Some((place, *callee, args.as_slice()))
            }
            _ => None,
        })
    }

    /// The last name that is written in a callee.
    pub(crate) fn written_name(&self, at: Place) -> Option<Ustr> {
        match self.kind(at) {
            ExprKind::Member { name, .. } | ExprKind::Global(name) => Some(*name),
            ExprKind::Local(local) => Some(self.body(at.module).local(*local).name),
            _ => None,
        }
    }

    /// The name of the binding that was given this value.
    pub(crate) fn name_of(&self, at: Place) -> Option<Ustr> {
        let local = self.definitions(at.module)?.names.get(&at.expr)?;
        Some(self.body(at.module).local(*local).name)
    }

    pub(crate) fn text(&self, at: Place) -> Option<Ustr> {
        match self.kind(self.follow(at)) {
            ExprKind::Const(value) => Const::as_str(*value),
            _ => None,
        }
    }

    pub(crate) fn truth(&self, at: Place) -> Option<bool> {
        match self.kind(self.follow(at)) {
            ExprKind::Const(value) => Some(value.truthy()),
            _ => None,
        }
    }

    /// An argument of a call that stands in `module`.
    pub(crate) fn argument(&self, module: ModuleId, args: &[Item], number: usize) -> Option<Place> {
        let item = args.get(number).filter(|item| !item.spread)?;
        Some(Place {
            module,
            expr: item.value,
        })
    }

    /// The named properties of the object that an expression is, those of objects spread into it among them. A
    /// function stands for what it returns.
    pub(crate) fn properties(&self, at: Place) -> Vec<(Ustr, Place)> {
        let mut found = Vec::new();
        self.bounded(|| self.collect_properties(at, STEPS_MAX, &mut found));
        found
    }

    /// Asks a question that may lead to others, unless there were too many already.
    pub(crate) fn bounded<T>(&self, ask: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get();
        if depth == 0 {
            self.names_left.set(NAMES_MAX);
        }
        let left = self.names_left.get().checked_sub(1)?;
        if depth >= DEPTH_MAX {
            return None;
        }
        self.names_left.set(left);
        self.depth.set(depth.saturating_add(1));
        let answer = ask();
        self.depth.set(depth);
        Some(answer)
    }

    fn collect_properties(&self, at: Place, depth: usize, found: &mut Vec<(Ustr, Place)>) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let at = match self.kind(at) {
            ExprKind::Object(_) | ExprKind::Function(_) => at,
            _ => self.follow(at),
        };
        match self.kind(at) {
            ExprKind::Object(properties) => {
                for property in properties {
                    match property {
                        Property::Named(name, value) => {
                            found.push((
                                *name,
                                Place {
                                    module: at.module,
                                    expr: *value,
                                },
                            ));
                        }
                        Property::Spread(value) => {
                            let value = Place {
                                module: at.module,
                                expr: *value,
                            };
                            self.collect_properties(value, depth, found);
                        }
                        Property::Computed(..) => {}
                    }
                }
            }
            ExprKind::Function(function) => {
                if let Some(value) = self.returned(at.module, *function) {
                    self.collect_properties(value, depth, found);
                }
            }
            // A function of the project that makes the columns.
            ExprKind::Call { callee, .. } => {
                let callee = self.follow(Place {
                    module: at.module,
                    expr: *callee,
                });
                if matches!(self.kind(callee), ExprKind::Function(_)) {
                    self.collect_properties(callee, depth, found);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn property(&self, object: Place, name: &str) -> Option<Place> {
        self.properties(object)
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The elements of the list that an expression is, or it alone.
    pub(crate) fn elements(&self, at: Place) -> Vec<Place> {
        let at = self.follow(at);
        match self.kind(at) {
            ExprKind::Array(items) => items
                .iter()
                .map(|item| Place {
                    module: at.module,
                    expr: item.value,
                })
                .collect(),
            _ => vec![at],
        }
    }

    /// The texts of the list that an expression is, or of it alone.
    pub(crate) fn texts(&self, at: Place) -> Vec<String> {
        let texts = self
            .elements(at)
            .into_iter()
            .filter_map(|element| self.text(element));
        texts.map(|text| text.as_str().to_owned()).collect()
    }

    /// What a function returns, if the last of its statements says so.
    pub(crate) fn returned(&self, module: ModuleId, function: FunctionId) -> Option<Place> {
        match self.body(module).function(function).body.last()?.kind {
            StmtKind::Return(Some(expr)) => Some(Place { module, expr }),
            _ => None,
        }
    }

    /// What a function value returns: `() => users.id`.
    pub(crate) fn result(&self, at: Place) -> Option<Place> {
        match self.kind(self.follow(at)) {
            ExprKind::Function(function) => self.returned(self.follow(at).module, *function),
            _ => None,
        }
    }

    pub(crate) fn function(&self, at: Place) -> Option<(ModuleId, &'p Function)> {
        let at = self.follow(at);
        match self.kind(at) {
            ExprKind::Function(function) => {
                Some((at.module, self.body(at.module).function(*function)))
            }
            _ => None,
        }
    }

    /// The functions that take a migration back: `down`, however it is exported.
    pub(crate) fn undoing(&self, module: ModuleId) -> Vec<Span> {
        let body = self.body(module);
        let named = body
            .functions
            .iter()
            .filter(|function| function.name.is_some_and(|name| name == "down"));
        let mut found: Vec<Span> = named.map(|function| function.span).collect();
        for method in body.classes.iter().flat_map(|class| &class.methods) {
            if method.name == "down" {
                found.push(body.function(method.what).span);
            }
        }
        let down = self
            .definitions(module)
            .and_then(|d| d.exports.get(&Ustr::from("down")).copied());
        let bound = self.definitions(module).into_iter().flat_map(|d| &d.names);
        let bound = bound
            .filter(|(_, local)| body.local(**local).name == "down")
            .map(|(expr, _)| *expr);
        found.extend(
            down.into_iter()
                .chain(bound)
                .map(|expr| body.expr(expr).span),
        );
        found
    }

    pub(crate) fn definitions(&self, module: ModuleId) -> Option<&Definitions> {
        let cell = self.definitions.get(module.index())?;
        Some(cell.get_or_init(|| Definitions::of(self.body(module))))
    }
}
