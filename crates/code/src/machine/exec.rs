//! Runs statements.

use super::{ASSIGNED, EventKind, Exit, Landing, Machine, Slot};
use crate::{
    body::{BinaryOp, ExprKind, LocalId, ModuleId, Pattern, PatternKey, Span, Stmt, StmtKind},
    value::{Entry, EnvId, ObjectData, Value, ValueId},
};

/// Lists up to this length are gone through element by element.
const UNROLL_MAX: usize = 40;
/// How many case bodies one falls through.
const FALL_THROUGH_MAX: usize = 4;

impl Machine<'_> {
    pub(super) fn block(&mut self, env: EnvId, module: ModuleId, statements: &[Stmt]) {
        for statement in statements {
            if !self.alive || !self.step() {
                return;
            }
            self.statement(env, module, statement);
        }
    }

    fn statement(&mut self, env: EnvId, module: ModuleId, statement: &Stmt) {
        let span = statement.span;
        match &statement.kind {
            StmtKind::Let { target, value } => {
                let value = match value {
                    Some(value) => self.eval(env, module, *value),
                    None => self.undefined(),
                };
                if self.alive {
                    self.bind(env, module, target, value);
                }
            }
            StmtKind::Expr(expr) => self.effect(env, module, *expr, span),
            StmtKind::If { test, yes, no } => {
                let test = self.eval(env, module, *test);
                if !self.alive {
                    return;
                }
                let undefined = self.undefined();
                self.branch(
                    test,
                    module,
                    span,
                    |this| {
                        this.block(env, module, yes);
                        undefined
                    },
                    |this| {
                        this.block(env, module, no);
                        undefined
                    },
                );
            }
            StmtKind::Loop {
                each,
                test,
                at_least_once,
                body,
            } => {
                let each = each.as_ref().map(|(target, through)| (target, *through));
                self.repeat(env, module, each, *test, *at_least_once, body, span);
            }
            StmtKind::Switch { on, cases } => {
                let on = self.eval(env, module, *on);
                if self.alive {
                    self.switch(env, module, on, cases, span);
                }
            }
            StmtKind::Try {
                body,
                catch,
                finally,
            } => {
                let handler = catch
                    .as_ref()
                    .map(|(param, body, span)| (param.as_ref(), body.as_slice(), *span));
                self.attempt(env, module, body, handler, finally, span);
            }
            StmtKind::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(env, module, *value),
                    None => self.undefined(),
                };
                if self.alive {
                    self.leave(value, module, span);
                }
            }
            StmtKind::Throw(value) => {
                let value = self.eval(env, module, *value);
                if self.alive {
                    self.throw(value, module, span);
                }
            }
            StmtKind::Break | StmtKind::Continue => {
                let undefined = self.undefined();
                if let Some(mark) = self.breaks.last().map(|landing| landing.mark) {
                    let exit = self.exit(mark, undefined, module, span);
                    if let Some(landing) = self.breaks.last_mut() {
                        landing.exits.push(exit);
                    }
                }
                self.alive = false;
            }
            StmtKind::Block(statements) => self.block(env, module, statements),
        }
    }

    /// Leaves the innermost function.
    pub(super) fn leave(&mut self, value: ValueId, module: ModuleId, span: Span) {
        let value = match *self.values.value(value) {
            Value::Promise(inner) => inner,
            _ => value,
        };
        let entry = self.returns.len() == 1;
        self.event(EventKind::Return(entry, value), module, span);
        if let Some(mark) = self.returns.last().map(|landing| landing.mark) {
            let exit = self.exit(mark, value, module, span);
            if let Some(landing) = self.returns.last_mut() {
                landing.exits.push(exit);
            }
        }
        self.alive = false;
    }

    /// A call whose promise nobody waits for cannot stop what comes after it.
    fn effect(&mut self, env: EnvId, module: ModuleId, expr: crate::body::ExprId, span: Span) {
        let body = self.body(module);
        let is_call = matches!(body.expr(expr).kind, ExprKind::Call { .. });
        let waits = matches!(body.expr(expr).kind, ExprKind::Await(inner)
            if matches!(body.expr(inner).kind, ExprKind::Call { .. }));
        self.unused = self.in_entry && (is_call || waits);
        if !is_call || !self.in_entry {
            self.eval(env, module, expr);
            self.unused = false;
            return;
        }
        let start = self.facts;
        let mark = self.undo.len();
        self.tries.push(Landing {
            mark,
            exits: Vec::new(),
        });
        let value = self.eval(env, module, expr);
        self.unused = false;
        let thrown = self
            .tries
            .pop()
            .map(|landing| landing.exits)
            .unwrap_or_default();
        if matches!(self.values.value(value), Value::Promise(_))
            || self.floats(module, expr, &thrown)
        {
            let mut exits = thrown;
            if self.alive {
                exits.push(self.exit(mark, value, module, span));
            }
            self.rollback(mark);
            self.join(exits);
            self.alive = true;
            self.facts = start;
            return;
        }
        // Not a promise: what was thrown goes on to the outer handler.
        for exit in thrown {
            match self.tries.last_mut() {
                Some(landing) => landing.exits.push(exit),
                None => self.uncaught.push(exit),
            }
        }
    }

    /// Whether a call that always threw was one of an async function.
    fn floats(&self, module: ModuleId, expr: crate::body::ExprId, thrown: &[Exit]) -> bool {
        if self.alive || thrown.is_empty() {
            return false;
        }
        let ExprKind::Call { .. } = self.body(module).expr(expr).kind else {
            return false;
        };
        self.last_called_async
    }

    pub(super) fn bind(&mut self, env: EnvId, module: ModuleId, target: &Pattern, value: ValueId) {
        match target {
            Pattern::Local(local) => self.bind_local(env, module, *local, value),
            Pattern::Place(place) => self.store(env, module, *place, value),
            Pattern::Default(inner, default) => {
                let value = match *self.values.value(value) {
                    Value::Const(crate::body::Const::Undefined) => self.eval(env, module, *default),
                    Value::Choice(_)
                    | Value::Const(_)
                    | Value::Object(_)
                    | Value::Array(_)
                    | Value::Function { .. } => value,
                    // Something opaque may be missing: it is then the default.
                    _ => {
                        let default = self.eval(env, module, *default);
                        let facts = self.facts;
                        let given = self.values.assume(facts, value, true);
                        let missing = self.values.assume(facts, value, false);
                        self.values.choice(vec![
                            crate::value::Alternative {
                                facts: given,
                                value,
                            },
                            crate::value::Alternative {
                                facts: missing,
                                value: default,
                            },
                        ])
                    }
                };
                self.bind(env, module, inner, value);
            }
            Pattern::Object { members, rest } => {
                let mut named = Vec::with_capacity(members.len());
                for (key, pattern) in members {
                    let member = match *key {
                        PatternKey::Name(name) => {
                            named.push(name);
                            self.member(value, name)
                        }
                        PatternKey::Computed(key) => {
                            let key = self.eval(env, module, key);
                            self.index(value, key)
                        }
                    };
                    self.bind(env, module, pattern, member);
                }
                if let Some(rest) = rest {
                    let left = self.values.make(Value::Rest(value, named.into()));
                    self.bind(env, module, rest, left);
                }
            }
            Pattern::Array { elements, rest } => {
                for (number, pattern) in elements.iter().enumerate() {
                    if let Some(pattern) = pattern {
                        let element = self.nth(value, number);
                        self.bind(env, module, pattern, element);
                    }
                }
                if let Some(rest) = rest {
                    let left = self.values.make(Value::Derived([value].into()));
                    self.bind(env, module, rest, left);
                }
            }
        }
    }

    fn bind_local(&mut self, env: EnvId, module: ModuleId, local: LocalId, value: ValueId) {
        let holder = self.holder(env, module, local).unwrap_or(env);
        self.set(Slot::Local(holder, local), value);
        self.state_local(module, local, value);
    }

    fn store(&mut self, env: EnvId, module: ModuleId, place: crate::body::ExprId, value: ValueId) {
        let body = self.body(module);
        let expr = body.expr(place);
        let span = expr.span;
        match expr.kind {
            ExprKind::Member { object, name, .. } => {
                if name == "exports"
                    && matches!(body.expr(object).kind, ExprKind::Global(global) if global == "module")
                {
                    self.set_module_exports(module, value);
                    return;
                }
                let base = self.eval(env, module, object);
                self.store_member(base, name, value, module, span);
            }
            ExprKind::Index { object, index } => {
                let base = self.eval(env, module, object);
                let index = self.eval(env, module, index);
                match self.values.as_text(index) {
                    Some(name) => self.store_member(base, name, value, module, span),
                    None => {
                        // A table that is filled by computed names: `db[model.name] = model`.
                        if let Value::Object(object) = *self.values.value(base) {
                            self.values
                                .object_mut(object)
                                .entries
                                .push(Entry::Computed(index, value));
                        }
                        self.event(
                            EventKind::Store(base, ustr::ustr("[]"), value),
                            module,
                            span,
                        );
                    }
                }
            }
            // A variable that nothing declares. What one run puts there is nothing to another.
            ExprKind::Global(name) if self.in_entry && name != "exports" && name != "module" => {
                let global = self.values.make(Value::Global(name));
                self.assigned.insert(name);
                self.set(Slot::Field(global, ustr::ustr(ASSIGNED)), value);
            }
            _ => {}
        }
    }

    pub(super) fn store_member(
        &mut self,
        base: ValueId,
        name: ustr::Ustr,
        value: ValueId,
        module: ModuleId,
        span: Span,
    ) {
        match *self.values.value(base) {
            Value::Object(object) | Value::Array(object) | Value::Instance(object) => {
                let data = self.values.object_mut(object);
                if !data.added.contains(&name) {
                    data.added.push(name);
                }
            }
            Value::Choice(ref alternatives) => {
                for alternative in alternatives.clone().iter() {
                    if !self.values.contradict(self.facts, alternative.facts) {
                        self.event(
                            EventKind::Store(alternative.value, name, value),
                            module,
                            span,
                        );
                    }
                }
            }
            Value::Namespace(_) | Value::Function { .. } | Value::Class { .. } => {}
            _ => self.event(EventKind::Store(base, name, value), module, span),
        }
        self.set(Slot::Field(base, name), value);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one loop statement")]
    fn repeat(
        &mut self,
        env: EnvId,
        module: ModuleId,
        each: Option<(&Pattern, crate::body::ExprId)>,
        test: Option<crate::body::ExprId>,
        at_least_once: bool,
        body: &[Stmt],
        span: Span,
    ) {
        let undefined = self.undefined();
        let through = match each {
            Some((target, through)) => {
                let through = self.eval(env, module, through);
                if !self.alive {
                    return;
                }
                if let Some(items) = self
                    .items(through)
                    .filter(|items| items.len() <= UNROLL_MAX)
                {
                    for item in items {
                        self.turn(env, module, Some((target, item)), body, span);
                        if !self.alive {
                            return;
                        }
                    }
                    return;
                }
                Some((target, self.element(through)))
            }
            None => None,
        };
        let mark = self.undo.len();
        let start = self.facts;
        let mut exits = Vec::new();
        let mut forever = through.is_none();
        if let Some(test) = test.filter(|_| !at_least_once) {
            // `i < 6` holds at first and ends all the same; `true` never does.
            let is_fixed = matches!(self.body(module).expr(test).kind, ExprKind::Const(_));
            let test = self.eval(env, module, test);
            match self.values.truth(self.facts, test) {
                Some(false) => return,
                Some(true) => forever = forever && is_fixed,
                None => {
                    forever = false;
                    self.facts = self.values.assume(start, test, false);
                    exits.push(self.exit(mark, undefined, module, span));
                    self.facts = self.values.assume(start, test, true);
                }
            }
        } else if through.is_some() {
            exits.push(self.exit(mark, undefined, module, span));
        } else if at_least_once {
            forever = false;
        }
        self.breaks.push(Landing {
            mark,
            exits: Vec::new(),
        });
        if let Some((target, element)) = through {
            self.bind(env, module, target, element);
        }
        self.block(env, module, body);
        let ended = self
            .breaks
            .pop()
            .map(|landing| landing.exits)
            .unwrap_or_default();
        if self.alive && !forever {
            exits.push(self.exit(mark, undefined, module, span));
        }
        exits.extend(ended);
        self.rollback(mark);
        self.join(exits);
    }

    /// One turn over a known element.
    fn turn(
        &mut self,
        env: EnvId,
        module: ModuleId,
        each: Option<(&Pattern, ValueId)>,
        body: &[Stmt],
        span: Span,
    ) {
        let undefined = self.undefined();
        let mark = self.undo.len();
        self.breaks.push(Landing {
            mark,
            exits: Vec::new(),
        });
        if let Some((target, element)) = each {
            self.bind(env, module, target, element);
        }
        self.block(env, module, body);
        let mut exits = self
            .breaks
            .pop()
            .map(|landing| landing.exits)
            .unwrap_or_default();
        if exits.is_empty() {
            return;
        }
        if self.alive {
            exits.push(self.exit(mark, undefined, module, span));
        }
        self.rollback(mark);
        self.join(exits);
    }

    fn switch(
        &mut self,
        env: EnvId,
        module: ModuleId,
        on: ValueId,
        cases: &[(Option<crate::body::ExprId>, Vec<Stmt>)],
        span: Span,
    ) {
        let undefined = self.undefined();
        let mark = self.undo.len();
        let mut facts = self.facts;
        let mut exits = Vec::new();
        let mut default = None;
        let mut certain = false;
        for (number, (test, _)) in cases.iter().enumerate() {
            let Some(test) = test else {
                default = Some(number);
                continue;
            };
            self.facts = facts;
            self.alive = true;
            let test = self.eval(env, module, *test);
            let equal = self.binary(BinaryOp::Equal, on, test);
            let truth = self.values.truth(facts, equal);
            if truth == Some(false) {
                continue;
            }
            self.facts = self.values.assume(facts, equal, true);
            self.case(env, module, cases, number, mark, span, &mut exits);
            if truth == Some(true) {
                certain = true;
                break;
            }
            facts = self.values.assume(facts, equal, false);
        }
        if !certain {
            self.facts = facts;
            self.alive = true;
            match default {
                Some(number) => self.case(env, module, cases, number, mark, span, &mut exits),
                None => exits.push(self.exit(mark, undefined, module, span)),
            }
        }
        self.rollback(mark);
        self.join(exits);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one switch statement"
    )]
    fn case(
        &mut self,
        env: EnvId,
        module: ModuleId,
        cases: &[(Option<crate::body::ExprId>, Vec<Stmt>)],
        number: usize,
        mark: usize,
        span: Span,
        exits: &mut Vec<Exit>,
    ) {
        let undefined = self.undefined();
        self.breaks.push(Landing {
            mark,
            exits: Vec::new(),
        });
        let mut bodies = 0;
        for (_, body) in cases.iter().skip(number) {
            bodies += usize::from(!body.is_empty());
            if bodies > FALL_THROUGH_MAX || !self.alive {
                break;
            }
            self.block(env, module, body);
        }
        if self.alive {
            exits.push(self.exit(mark, undefined, module, span));
        }
        exits.extend(
            self.breaks
                .pop()
                .map(|landing| landing.exits)
                .unwrap_or_default(),
        );
        self.rollback(mark);
        self.alive = true;
    }

    /// A list of known elements, if the value is one.
    pub fn items(&mut self, value: ValueId) -> Option<Vec<ValueId>> {
        let Value::Array(object) = *self.values.value(value) else {
            return None;
        };
        let entries = self.values.object(object).entries.clone();
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry {
                Entry::Item(value) => items.push(value),
                Entry::Spread(other) => items.extend(self.items(other)?),
                _ => return None,
            }
        }
        Some(items)
    }

    pub(super) fn list(&mut self, entries: Vec<Entry>, module: ModuleId, span: Span) -> ValueId {
        let data = ObjectData {
            entries,
            added: Vec::new(),
            made_by: None,
            module,
            span,
        };
        let object = self.object(data);
        self.values.make(Value::Array(object))
    }
}
