//! `Scan`: looks through the code of a function that may have to be entered.

use rustc_hash::{FxHashMap, FxHashSet};
use ustr::Ustr;

use super::{
    Closure,
    names::{CHANGING, CHANGING_FIRST, COPYING, GLOBALS, METHODS, NO_FUNCTIONS},
};
use crate::{
    body::{
        Body, Const, ExprId, ExprKind, FunctionId, Item, LocalId, ModuleId, Pattern, PatternKey,
        Property, Stmt, StmtKind,
    },
    machine::Machine,
    value::{CallData, EnvId, Value, ValueId},
};

/// Looks through a function and those that stand in it.
pub(super) struct Scan<'b> {
    body: &'b Body,
    module: ModuleId,
    env: EnvId,
    function: FunctionId,
    /// The functions that stand in it, itself among them.
    inside: FxHashSet<FunctionId>,
    /// Bindings of things that it made itself: what is stored in them, nobody else sees.
    made: FxHashSet<LocalId>,
    /// Bindings of its own functions, and of parts of its arguments, which hold none.
    functions: FxHashSet<LocalId>,
    /// Bindings of what it takes out of another module.
    taken: FxHashMap<LocalId, (Ustr, Ustr)>,
}

impl<'b> Scan<'b> {
    pub(super) fn of(
        body: &'b Body,
        module: ModuleId,
        env: EnvId,
        function: FunctionId,
    ) -> Option<Self> {
        let mut inside = FxHashSet::default();
        inside.insert(function);
        // Functions stand after those that they stand in.
        for (number, inner) in body.functions.iter().enumerate() {
            if inner.parent.is_some_and(|parent| inside.contains(&parent)) {
                inside.insert(FunctionId(u32::try_from(number).ok()?));
            }
        }
        Some(Self {
            body,
            module,
            env,
            function,
            inside,
            made: FxHashSet::default(),
            functions: FxHashSet::default(),
            taken: FxHashMap::default(),
        })
    }

    pub(super) fn run(&mut self, machine: &mut Machine<'_>, seen: &mut FxHashSet<Closure>) -> bool {
        let body = self.body;
        let function = body.function(self.function);
        self.patterns(machine, seen, function.params.iter().chain(&function.rest))
            && self.block(machine, seen, &function.body)
    }

    fn patterns<'p>(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        mut patterns: impl Iterator<Item = &'p Pattern>,
    ) -> bool {
        patterns.all(|pattern| self.pattern(machine, seen, pattern))
    }

    fn block(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        statements: &[Stmt],
    ) -> bool {
        // Functions may be used above where they are declared.
        for statement in statements {
            if let StmtKind::Let { target, value } = &statement.kind {
                self.note(target, *value);
            }
        }
        statements
            .iter()
            .all(|statement| self.statement(machine, seen, statement))
    }

    /// Remembers what a binding is, where its declaration says so.
    fn note(&mut self, target: &Pattern, value: Option<ExprId>) {
        let Some(kind) = value.map(|value| &self.body.expr(value).kind) else {
            return;
        };
        match (target, kind) {
            (Pattern::Local(local), ExprKind::Function(_)) => {
                self.functions.insert(*local);
            }
            // A list of its own.
            (Pattern::Local(local), ExprKind::Call { callee, .. })
                if matches!(self.body.expr(*callee).kind, ExprKind::Member { name, .. }
                    if COPYING.contains(&name.as_str())) =>
            {
                self.made.insert(*local);
            }
            // A part of what it was given, and no more a function than that.
            (
                Pattern::Local(local),
                ExprKind::Index { object, .. } | ExprKind::Member { object, .. },
            ) if matches!(self.body.expr(*object).kind, ExprKind::Local(of) if self.is_parameter(of)) =>
            {
                self.functions.insert(*local);
            }
            (
                Pattern::Local(local),
                ExprKind::Object(_) | ExprKind::Array(_) | ExprKind::Call { new: true, .. },
            ) => {
                self.made.insert(*local);
            }
            (Pattern::Object { members, .. }, ExprKind::Call { callee, args, .. }) => {
                let is_require = matches!(self.body.expr(*callee).kind, ExprKind::Global(name) if name == "require");
                let specifier = args.first().map(|arg| &self.body.expr(arg.value).kind);
                if let (true, Some(ExprKind::Const(Const::Str(specifier)))) =
                    (is_require, specifier)
                {
                    for (key, pattern) in members {
                        if let (PatternKey::Name(name), Pattern::Local(local)) = (key, pattern) {
                            self.taken.insert(*local, (*specifier, *name));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn statement(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        statement: &Stmt,
    ) -> bool {
        match &statement.kind {
            StmtKind::Let { target, value } => {
                let required = matches!(target, Pattern::Object { members, .. }
                    if members.iter().any(|(_, pattern)| matches!(pattern, Pattern::Local(local) if self.taken.contains_key(local))));
                self.pattern(machine, seen, target)
                    && (required || value.is_none_or(|value| self.expr(machine, seen, value)))
            }
            StmtKind::Expr(expr) => self.expr(machine, seen, *expr),
            StmtKind::If { test, yes, no } => {
                self.expr(machine, seen, *test)
                    && self.block(machine, seen, yes)
                    && self.block(machine, seen, no)
            }
            StmtKind::Loop {
                each, test, body, ..
            } => {
                each.as_ref().is_none_or(|(target, through)| {
                    self.pattern(machine, seen, target) && self.expr(machine, seen, *through)
                }) && test.is_none_or(|test| self.expr(machine, seen, test))
                    && self.block(machine, seen, body)
            }
            StmtKind::Switch { on, cases } => {
                self.expr(machine, seen, *on)
                    && cases.iter().all(|(test, body)| {
                        test.is_none_or(|test| self.expr(machine, seen, test))
                            && self.block(machine, seen, body)
                    })
            }
            StmtKind::Try {
                body,
                catch,
                finally,
            } => {
                self.block(machine, seen, body)
                    && catch.as_ref().is_none_or(|(target, body, _)| {
                        self.patterns(machine, seen, target.iter())
                            && self.block(machine, seen, body)
                    })
                    && self.block(machine, seen, finally)
            }
            StmtKind::Return(value) => value.is_none_or(|value| self.expr(machine, seen, value)),
            StmtKind::Throw(_) => false,
            StmtKind::Break | StmtKind::Continue => true,
            StmtKind::Block(statements) => self.block(machine, seen, statements),
        }
    }

    /// Whether binding or storing here changes nothing that anybody else sees.
    fn pattern(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        pattern: &Pattern,
    ) -> bool {
        match pattern {
            Pattern::Local(local) => self.is_own(*local),
            Pattern::Place(place) => {
                let (ExprKind::Member { object, .. } | ExprKind::Index { object, .. }) =
                    &self.body.expr(*place).kind
                else {
                    return false;
                };
                let made = matches!(self.body.expr(*object).kind, ExprKind::Local(local) if self.made.contains(&local));
                made && self.expr(machine, seen, *place)
            }
            Pattern::Object { members, rest } => {
                members.iter().all(|(key, pattern)| {
                    let key = match key {
                        PatternKey::Name(_) => true,
                        PatternKey::Computed(key) => self.expr(machine, seen, *key),
                    };
                    key && self.pattern(machine, seen, pattern)
                }) && rest
                    .as_deref()
                    .is_none_or(|rest| self.pattern(machine, seen, rest))
            }
            Pattern::Array { elements, rest } => {
                self.patterns(machine, seen, elements.iter().flatten())
                    && rest
                        .as_deref()
                        .is_none_or(|rest| self.pattern(machine, seen, rest))
            }
            Pattern::Default(inner, default) => {
                self.pattern(machine, seen, inner) && self.expr(machine, seen, *default)
            }
        }
    }

    fn is_own(&self, local: LocalId) -> bool {
        let local = self.body.local(local);
        local.import.is_none() && self.inside.contains(&local.function)
    }

    fn exprs<'e>(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        exprs: impl IntoIterator<Item = &'e ExprId>,
    ) -> bool {
        exprs
            .into_iter()
            .all(|expr| self.expr(machine, seen, *expr))
    }

    fn items(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        items: &[Item],
    ) -> bool {
        items
            .iter()
            .all(|item| self.expr(machine, seen, item.value))
    }

    fn expr(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        id: ExprId,
    ) -> bool {
        let body = self.body;
        match &body.expr(id).kind {
            ExprKind::Const(_) | ExprKind::This => true,
            ExprKind::Global(name) => {
                GLOBALS.contains(&name.as_str()) || NO_FUNCTIONS.contains(&name.as_str())
            }
            // Whoever is handed a function may call it.
            ExprKind::Local(local) => {
                if self.is_own(*local) {
                    return true;
                }
                let value = machine.local(self.env, self.module, *local);
                machine.may_be_handed(value, seen)
            }
            ExprKind::Template(parts) | ExprKind::Sequence(parts) => {
                self.exprs(machine, seen, parts)
            }
            ExprKind::Member { object, .. } => match self.known(machine, id) {
                Some(value) => machine.may_be_handed(value, seen),
                None => {
                    matches!(body.expr(*object).kind, ExprKind::Global(_))
                        || self.expr(machine, seen, *object)
                }
            },
            ExprKind::Index { object, index } => self.exprs(machine, seen, [object, index]),
            ExprKind::Call { callee, args, .. } => {
                self.changes_only_its_own(*callee, args)
                    && self.callee(machine, seen, *callee)
                    && self.items(machine, seen, args)
            }
            ExprKind::Await(inner)
            | ExprKind::Not(inner)
            | ExprKind::TypeOf(inner)
            | ExprKind::Unary(inner) => self.expr(machine, seen, *inner),
            ExprKind::Object(properties) => properties.iter().all(|property| match property {
                Property::Named(_, value) | Property::Spread(value) => {
                    self.expr(machine, seen, *value)
                }
                Property::Computed(key, value) => self.exprs(machine, seen, [key, value]),
            }),
            ExprKind::Array(items) => self.items(machine, seen, items),
            ExprKind::Function(function) => {
                let function = body.function(*function);
                self.patterns(machine, seen, function.params.iter().chain(&function.rest))
                    && self.block(machine, seen, &function.body)
            }
            ExprKind::Binary(_, a, b) | ExprKind::Logic(_, a, b) => {
                self.exprs(machine, seen, [a, b])
            }
            ExprKind::Choose { test, yes, no } => self.exprs(machine, seen, [test, yes, no]),
            ExprKind::Assign { target, value, .. } => {
                self.pattern(machine, seen, target) && self.expr(machine, seen, *value)
            }
            ExprKind::Super
            | ExprKind::Class(_)
            | ExprKind::Element { .. }
            | ExprKind::Import(_)
            | ExprKind::Opaque(_) => false,
        }
    }

    /// Whether a call that changes its first argument, as `Object.assign` does, is given something made here.
    fn changes_only_its_own(&self, callee: ExprId, args: &[Item]) -> bool {
        let ExprKind::Member { object, name, .. } = self.body.expr(callee).kind else {
            return true;
        };
        let is_object =
            matches!(self.body.expr(object).kind, ExprKind::Global(global) if global == "Object");
        if !is_object || !CHANGING_FIRST.contains(&name.as_str()) {
            return true;
        }
        args.first()
            .is_some_and(|first| match self.body.expr(first.value).kind {
                ExprKind::Object(_) | ExprKind::Array(_) => true,
                ExprKind::Local(local) => self.made.contains(&local),
                _ => false,
            })
    }

    /// Whether what is called only computes. What the arguments hold is no function: neither is what was made of them.
    fn callee(
        &mut self,
        machine: &mut Machine<'_>,
        seen: &mut FxHashSet<Closure>,
        callee: ExprId,
    ) -> bool {
        let body = self.body;
        match &body.expr(callee).kind {
            ExprKind::Local(local) => {
                if let Some((specifier, name)) = self.taken.get(local).copied() {
                    let module = machine.require(self.module, specifier);
                    let value = machine.member(module, name);
                    return machine.computes(value, seen);
                }
                if self.is_own(*local) {
                    return self.functions.contains(local) || self.is_parameter(*local);
                }
                let value = machine.local(self.env, self.module, *local);
                machine.computes(value, seen)
            }
            ExprKind::Global(name) => GLOBALS.contains(&name.as_str()),
            ExprKind::Function(_) => self.expr(machine, seen, callee),
            ExprKind::Member { object, name, .. } => {
                if let ExprKind::Global(global) = body.expr(*object).kind {
                    return GLOBALS.contains(&global.as_str());
                }
                match self.known(machine, *object) {
                    Some(base) => {
                        let value = machine.member(base, *name);
                        machine.computes(value, seen)
                    }
                    None => {
                        // A method of an instance is the project's own, whatever its name.
                        if matches!(body.expr(*object).kind, ExprKind::This) {
                            return false;
                        }
                        let made = matches!(body.expr(*object).kind, ExprKind::Local(local) if self.made.contains(&local));
                        self.expr(machine, seen, *object)
                            && (METHODS.contains(&name.as_str())
                                || made && CHANGING.contains(&name.as_str())
                                || self
                                    .chain(machine, callee)
                                    .is_some_and(|chain| machine.is_harmless(chain)))
                    }
                }
            }
            _ => false,
        }
    }

    fn is_parameter(&self, local: LocalId) -> bool {
        fn binds(pattern: &Pattern, wanted: LocalId) -> bool {
            match pattern {
                Pattern::Local(local) => *local == wanted,
                Pattern::Default(inner, _) => binds(inner, wanted),
                _ => false,
            }
        }
        if !self.is_own(local) {
            return false;
        }
        let function = self.body.function(self.body.local(local).function);
        let mut params = function.params.iter().chain(&function.rest);
        params.any(|param| binds(param, local))
    }

    /// The value of a path that begins outside the function: `log`, `lib.helpers`.
    fn known(&self, machine: &mut Machine<'_>, expr: ExprId) -> Option<ValueId> {
        match &self.body.expr(expr).kind {
            ExprKind::Local(local) if !self.is_own(*local) => {
                Some(machine.local(self.env, self.module, *local))
            }
            ExprKind::Member { object, name, .. } => {
                let base = self.known(machine, *object)?;
                Some(machine.member(base, *name))
            }
            _ => None,
        }
    }

    /// What a chain of calls of a package's export would be, without its arguments: `createHmac(a).update`.
    fn chain(&self, machine: &mut Machine<'_>, expr: ExprId) -> Option<ValueId> {
        let expr = self.body.expr(expr);
        match &expr.kind {
            ExprKind::Call { callee, new, .. } => {
                let callee = self.chain(machine, *callee)?;
                let call = machine.values.new_call(CallData {
                    callee,
                    args: Vec::new(),
                    new: *new,
                    gives_object: *new,
                    awaited: false,
                    cut: None,
                    module: self.module,
                    span: expr.span,
                });
                Some(machine.values.make(Value::Call(call)))
            }
            ExprKind::Member { object, name, .. } => {
                let base = self.chain(machine, *object)?;
                Some(machine.values.make(Value::Member(base, *name)))
            }
            ExprKind::Local(local) if !self.is_own(*local) => {
                let value = machine.local(self.env, self.module, *local);
                matches!(machine.values.value(value), Value::External(..)).then_some(value)
            }
            _ => None,
        }
    }
}
