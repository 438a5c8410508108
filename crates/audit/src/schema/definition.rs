//! `Definitions`: what the bindings of one module were first given.

use portcullis_code::body::{
    Body, ExprId, ExprKind, LocalId, Pattern, PatternKey, Property, Stmt, StmtKind,
};
use rustc_hash::FxHashMap;
use ustr::Ustr;

/// What the bindings of a module were first given.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// The value, and the member of it that was taken.
    pub(crate) values: FxHashMap<LocalId, (ExprId, Option<Ustr>)>,
    /// The binding that a value was given to.
    pub(crate) names: FxHashMap<ExprId, LocalId>,
    /// What CommonJS exports.
    pub(crate) exports: FxHashMap<Ustr, ExprId>,
}

impl Definitions {
    pub(crate) fn of(body: &Body) -> Self {
        let mut definitions = Self::default();
        for function in &body.functions {
            definitions.statements(body, &function.body);
        }
        for expr in &body.exprs {
            if let ExprKind::Assign { target, value, .. } = &expr.kind {
                definitions.bind(body, target, *value);
            }
        }
        definitions
    }

    fn statements(&mut self, body: &Body, statements: &[Stmt]) {
        for_each_statement(statements, &mut |statement| {
            if let StmtKind::Let {
                target,
                value: Some(value),
            } = &statement.kind
            {
                self.bind(body, target, *value);
            }
        });
    }

    /// The first value stays: what a binding is declared with says more than what it is given later.
    fn bind(&mut self, body: &Body, target: &Pattern, value: ExprId) {
        match target {
            Pattern::Local(local) => {
                self.values.entry(*local).or_insert((value, None));
                self.names.entry(value).or_insert(*local);
            }
            Pattern::Object { members, .. } => {
                for (key, target) in members {
                    if let (PatternKey::Name(name), Pattern::Local(local)) = (key, target) {
                        self.values.entry(*local).or_insert((value, Some(*name)));
                    }
                }
            }
            Pattern::Place(place) => self.export(body, *place, value),
            Pattern::Array { .. } | Pattern::Default(..) => {}
        }
    }

    /// `module.exports = value`, `module.exports.name = value`, `exports.name = value`.
    fn export(&mut self, body: &Body, place: ExprId, value: ExprId) {
        let Some(path) = global_path(body, place) else {
            return;
        };
        match path.iter().map(Ustr::as_str).collect::<Vec<_>>().as_slice() {
            ["module", "exports"] => {
                self.exports.insert(Ustr::from("default"), value);
                if let ExprKind::Object(properties) = &body.expr(value).kind {
                    for property in properties {
                        if let Property::Named(name, value) = property {
                            self.exports.entry(*name).or_insert(*value);
                        }
                    }
                }
            }
            ["module", "exports", name] | ["exports", name] => {
                self.exports.insert(Ustr::from(name), value);
            }
            _ => {}
        }
    }
}

/// `module.exports.name` as its names.
fn global_path(body: &Body, at: ExprId) -> Option<Vec<Ustr>> {
    let mut names = Vec::new();
    let mut at = at;
    for _ in 0..4 {
        match &body.expr(at).kind {
            ExprKind::Global(name) => {
                names.push(*name);
                names.reverse();
                return Some(names);
            }
            ExprKind::Member { object, name, .. } => {
                names.push(*name);
                at = *object;
            }
            _ => return None,
        }
    }
    None
}

/// Every statement, those inside others too. How deep they nest is bounded where source is read.
pub(crate) fn for_each_statement<'s>(statements: &'s [Stmt], visit: &mut dyn FnMut(&'s Stmt)) {
    for statement in statements {
        visit(statement);
        match &statement.kind {
            StmtKind::If { yes, no, .. } => {
                for_each_statement(yes, visit);
                for_each_statement(no, visit);
            }
            StmtKind::Loop { body, .. } | StmtKind::Block(body) => for_each_statement(body, visit),
            StmtKind::Switch { cases, .. } => {
                for (_, body) in cases {
                    for_each_statement(body, visit);
                }
            }
            StmtKind::Try {
                body,
                catch,
                finally,
            } => {
                for_each_statement(body, visit);
                if let Some((_, body, _)) = catch {
                    for_each_statement(body, visit);
                }
                for_each_statement(finally, visit);
            }
            StmtKind::Let { .. }
            | StmtKind::Expr(_)
            | StmtKind::Return(_)
            | StmtKind::Throw(_)
            | StmtKind::Break
            | StmtKind::Continue => {}
        }
    }
}
