//! Evaluates expressions.

use ustr::Ustr;

use super::{ASSIGNED, EventKind, Machine, Slot};
use crate::{
    body::{
        BinaryOp, ClassId, Const, ExprId, ExprKind, LocalId, LogicOp, ModuleId, Pattern, Property,
        Span,
    },
    value::{Alternative, Entry, EnvId, ObjectData, Unknown, Value, ValueId},
};

/// Deepest nesting of evaluated expressions over all entered calls.
const NESTING_MAX: u32 = 3_000;
/// Choices of at most this many alternatives are compared one by one.
const LIFT_MAX: usize = 8;

impl Machine<'_> {
    pub(super) fn eval(&mut self, env: EnvId, module: ModuleId, expr: ExprId) -> ValueId {
        if !self.alive {
            return self.undefined();
        }
        if !self.step() || self.nesting >= NESTING_MAX {
            return self.unknown(Unknown::Budget);
        }
        self.nesting += 1;
        let value = self.eval_kind(env, module, expr);
        self.nesting -= 1;
        self.state_expression(module, expr, value);
        value
    }

    fn eval_kind(&mut self, env: EnvId, module: ModuleId, id: ExprId) -> ValueId {
        let expr = self.body(module).expr(id);
        let span = expr.span;
        match &expr.kind {
            ExprKind::Const(value) => self.values.constant(*value),
            ExprKind::Local(local) => self.local(env, module, *local),
            ExprKind::Global(name) => self.global(module, *name),
            ExprKind::This => self.this(env),
            ExprKind::Super => self.parent_class(env),
            ExprKind::Template(parts) => {
                let parts: Vec<ValueId> = parts
                    .iter()
                    .map(|&part| self.eval(env, module, part))
                    .collect();
                self.template(&parts)
            }
            ExprKind::Member { object, name, .. } => {
                if *name == "exports"
                    && matches!(self.body(module).expr(*object).kind, ExprKind::Global(global) if global == "module")
                {
                    return self.module_exports(module);
                }
                let base = self.eval(env, module, *object);
                self.member(base, *name)
            }
            ExprKind::Index { object, index } => {
                let base = self.eval(env, module, *object);
                let index = self.eval(env, module, *index);
                self.index(base, index)
            }
            ExprKind::Call {
                callee, args, new, ..
            } => self.call_expression(env, module, *callee, args, *new, span),
            ExprKind::Await(inner) => {
                let value = self.eval(env, module, *inner);
                self.wait(value)
            }
            ExprKind::Object(properties) => {
                let entries = self.properties(env, module, properties);
                let data = ObjectData {
                    entries,
                    added: Vec::new(),
                    made_by: None,
                    module,
                    span,
                };
                let object = self.object(data);
                self.values.make(Value::Object(object))
            }
            ExprKind::Array(items) => {
                let mut entries = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.eval(env, module, item.value);
                    entries.push(if item.spread {
                        Entry::Spread(value)
                    } else {
                        Entry::Item(value)
                    });
                }
                self.list(entries, module, span)
            }
            ExprKind::Function(function) => {
                self.closures = self.closures.wrapping_add(1);
                let this = if self.body(module).function(*function).arrow {
                    Some(self.this(env))
                } else {
                    None
                };
                self.values.make(Value::Function {
                    module,
                    function: *function,
                    env,
                    this,
                })
            }
            ExprKind::Class(class) => self.class_value(env, module, *class),
            ExprKind::Binary(op, left, right) => {
                let left = self.eval(env, module, *left);
                let right = self.eval(env, module, *right);
                let known = |this: &Self, side| this.values.as_const(side).is_some();
                if *op == BinaryOp::Equal && self.alive && !known(self, left) && !known(self, right)
                {
                    self.event(EventKind::Equal(left, right), module, span);
                }
                self.binary(*op, left, right)
            }
            ExprKind::Logic(op, left, right) => {
                let left = self.eval(env, module, *left);
                let right = *right;
                self.logic(*op, left, module, span, |this| {
                    this.eval(env, module, right)
                })
            }
            ExprKind::Not(inner) => {
                let value = self.eval(env, module, *inner);
                self.lift(value, |this, value| this.values.not(value))
            }
            ExprKind::TypeOf(inner) => {
                let value = self.eval(env, module, *inner);
                self.type_of(value)
            }
            ExprKind::Unary(inner) => {
                let value = self.eval(env, module, *inner);
                self.values.make(Value::Derived([value].into()))
            }
            ExprKind::Choose { test, yes, no } => {
                let test = self.eval(env, module, *test);
                if !self.alive {
                    return self.undefined();
                }
                let (yes, no) = (*yes, *no);
                self.branch(
                    test,
                    module,
                    span,
                    |this| this.eval(env, module, yes),
                    |this| this.eval(env, module, no),
                )
            }
            ExprKind::Assign {
                target,
                logic,
                compound,
                value,
            } => self.assign(env, module, target, *logic, *compound, *value, span),
            ExprKind::Sequence(parts) => {
                let mut last = self.undefined();
                for part in parts {
                    last = self.eval(env, module, *part);
                }
                last
            }
            ExprKind::Element {
                tag,
                props,
                children,
            } => {
                let tag = self.eval(env, module, *tag);
                let entries = self.properties(env, module, props);
                let data = ObjectData {
                    entries,
                    added: Vec::new(),
                    made_by: None,
                    module,
                    span,
                };
                let props = self.object(data);
                let children: Vec<ValueId> = children
                    .iter()
                    .map(|&child| self.eval(env, module, child))
                    .collect();
                let value = self.values.make(Value::Markup(tag, props, children.into()));
                if self.alive {
                    self.event(EventKind::Markup(value), module, span);
                }
                value
            }
            ExprKind::Import(source) => {
                let source = self.eval(env, module, *source);
                match self.values.as_text(source) {
                    Some(specifier) => self.import_namespace(module, specifier),
                    None => self.unknown(Unknown::Unresolved),
                }
            }
            ExprKind::Opaque(parts) => {
                let parts: Vec<ValueId> = parts
                    .iter()
                    .map(|&part| self.eval(env, module, part))
                    .collect();
                if parts.is_empty() {
                    return self.unknown(Unknown::Opaque);
                }
                self.values.make(Value::Derived(parts.into()))
            }
        }
    }

    fn properties(&mut self, env: EnvId, module: ModuleId, properties: &[Property]) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(properties.len());
        for property in properties {
            entries.push(match *property {
                Property::Named(name, value) => Entry::Named(name, self.eval(env, module, value)),
                Property::Computed(key, value) => {
                    let key = self.eval(env, module, key);
                    let value = self.eval(env, module, value);
                    match self.values.as_text(key) {
                        Some(name) => Entry::Named(name, value),
                        None => Entry::Computed(key, value),
                    }
                }
                Property::Spread(value) => Entry::Spread(self.eval(env, module, value)),
            });
        }
        entries
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one assignment")]
    fn assign(
        &mut self,
        env: EnvId,
        module: ModuleId,
        target: &Pattern,
        logic: Option<LogicOp>,
        compound: bool,
        value: ExprId,
        span: Span,
    ) -> ValueId {
        let before = match target {
            Pattern::Local(local) if logic.is_some() || compound => {
                Some(self.local(env, module, *local))
            }
            Pattern::Place(place) if logic.is_some() || compound => {
                Some(self.eval(env, module, *place))
            }
            _ => None,
        };
        let value = match (before, logic) {
            (Some(before), Some(op)) => self.logic(op, before, module, span, |this| {
                this.eval(env, module, value)
            }),
            (Some(before), None) => {
                let value = self.eval(env, module, value);
                self.binary(BinaryOp::Add, before, value)
            }
            _ => self.eval(env, module, value),
        };
        if self.alive {
            self.bind(env, module, target, value);
        }
        value
    }

    pub(super) fn logic(
        &mut self,
        op: LogicOp,
        left: ValueId,
        module: ModuleId,
        span: Span,
        right: impl FnOnce(&mut Self) -> ValueId,
    ) -> ValueId {
        if !self.alive {
            return self.undefined();
        }
        match op {
            LogicOp::And => self.branch(left, module, span, right, |_| left),
            LogicOp::Or => self.branch(left, module, span, |_| left, right),
            LogicOp::Coalesce => match self.values.value(left) {
                Value::Const(Const::Null | Const::Undefined) => right(self),
                Value::Const(_) | Value::Object(_) | Value::Array(_) | Value::Function { .. } => {
                    left
                }
                // Whether it is missing is taken for whether it holds: the difference is false, 0 and the empty string.
                _ => self.branch(left, module, span, |_| left, right),
            },
        }
    }

    /// Applies to each alternative of a choice.
    pub(super) fn lift(
        &mut self,
        value: ValueId,
        apply: impl Fn(&mut Self, ValueId) -> ValueId,
    ) -> ValueId {
        let Value::Choice(alternatives) = self.values.value(value) else {
            return apply(self, value);
        };
        let alternatives = alternatives.clone();
        let facts = self.facts;
        let mut lifted = Vec::with_capacity(alternatives.len());
        for alternative in alternatives.iter() {
            if self.values.contradict(facts, alternative.facts) {
                continue;
            }
            let value = apply(self, alternative.value);
            lifted.push(Alternative {
                facts: alternative.facts,
                value,
            });
        }
        if lifted.is_empty() {
            return apply(self, value);
        }
        self.values.choice(lifted)
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: ValueId, right: ValueId) -> ValueId {
        for (choice, other, swapped) in [(left, right, false), (right, left, true)] {
            let Value::Choice(alternatives) = self.values.value(choice) else {
                continue;
            };
            if alternatives.len() > LIFT_MAX || matches!(self.values.value(other), Value::Choice(_))
            {
                continue;
            }
            let lifted = self.lift(choice, |this, value| {
                let (left, right) = if swapped {
                    (other, value)
                } else {
                    (value, other)
                };
                this.plain_binary(op, left, right)
            });
            let folds = match self.values.value(lifted) {
                Value::Choice(lifted) => lifted
                    .iter()
                    .any(|each| self.values.as_const(each.value).is_some()),
                Value::Const(_) => true,
                _ => false,
            };
            if folds {
                return lifted;
            }
        }
        self.plain_binary(op, left, right)
    }

    fn plain_binary(&mut self, op: BinaryOp, left: ValueId, right: ValueId) -> ValueId {
        if let Some(answer) = self.fold(op, left, right) {
            return self.values.constant(answer);
        }
        match op {
            BinaryOp::Add => self.template(&[left, right]),
            BinaryOp::Arithmetic => self.values.make(Value::Derived([left, right].into())),
            _ => self.values.make(Value::Binary(op, left, right)),
        }
    }

    fn fold(&mut self, op: BinaryOp, left: ValueId, right: ValueId) -> Option<Const> {
        let constants = (self.values.as_const(left), self.values.as_const(right));
        match (op, constants) {
            (BinaryOp::Equal, (Some(a), Some(b))) => {
                let nothing = |value| matches!(value, Const::Null | Const::Undefined);
                Some(Const::Bool(a == b || nothing(a) && nothing(b)))
            }
            (BinaryOp::Equal, _) if left == right && self.stable(left) => Some(Const::Bool(true)),
            (BinaryOp::Equal, (Some(Const::Str(text)), None)) => {
                (!self.may_read(right, &text)).then_some(Const::Bool(false))
            }
            (BinaryOp::Equal, (None, Some(Const::Str(text)))) => {
                (!self.may_read(left, &text)).then_some(Const::Bool(false))
            }
            (BinaryOp::Equal, (Some(Const::Null | Const::Undefined | Const::Bool(_)), None)) => {
                self.is_made(right).then_some(Const::Bool(false))
            }
            (BinaryOp::Equal, (None, Some(Const::Null | Const::Undefined | Const::Bool(_)))) => {
                self.is_made(left).then_some(Const::Bool(false))
            }
            (BinaryOp::Add, (Some(a), Some(b))) => match (a, b) {
                (Const::Str(a), Const::Str(b)) => Some(Const::Str(Ustr::from(&format!("{a}{b}")))),
                (Const::Num(a), Const::Num(b)) => {
                    Some(Const::number(f64::from_bits(a) + f64::from_bits(b)))
                }
                _ => None,
            },
            (
                BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual,
                (Some(Const::Num(a)), Some(Const::Num(b))),
            ) => {
                let (a, b) = (f64::from_bits(a), f64::from_bits(b));
                Some(Const::Bool(match op {
                    BinaryOp::Less => a < b,
                    BinaryOp::LessEqual => a <= b,
                    BinaryOp::Greater => a > b,
                    _ => a >= b,
                }))
            }
            (BinaryOp::In, (Some(Const::Str(key)), _)) => {
                self.has_member(right, key).map(Const::Bool)
            }
            (BinaryOp::InstanceOf, _) => self.instance_of(left, right).map(Const::Bool),
            _ => None,
        }
    }

    fn stable(&self, value: ValueId) -> bool {
        !matches!(
            self.values.value(value),
            Value::Unknown(_) | Value::Element(_)
        )
    }

    fn is_made(&self, value: ValueId) -> bool {
        match self.values.value(value) {
            Value::Object(_)
            | Value::Array(_)
            | Value::Instance(_)
            | Value::Function { .. }
            | Value::Class { .. }
            | Value::Markup(..) => true,
            Value::Call(call) => self.values.call(*call).gives_object,
            _ => false,
        }
    }

    fn instance_of(&mut self, value: ValueId, class: ValueId) -> Option<bool> {
        let answer = match *self.values.value(value) {
            Value::Const(_) | Value::Object(_) | Value::Array(_) | Value::Function { .. } => {
                Some(false)
            }
            Value::Instance(object) => {
                let mut made_by = self.values.object(object).made_by;
                let mut answer = Some(false);
                for _ in 0..8 {
                    let Some(maker) = made_by else { break };
                    if maker == class {
                        answer = Some(true);
                        break;
                    }
                    made_by = self.parent_of(maker);
                    if let Some(parent) = made_by
                        && !matches!(
                            self.values.value(parent),
                            Value::Class { .. } | Value::Function { .. }
                        )
                        && parent != class
                    {
                        answer = None;
                    }
                }
                answer
            }
            Value::Call(call) => {
                let data = self.values.call(call);
                (data.new && data.callee == class).then_some(true)
            }
            _ => None,
        };
        answer.or_else(|| self.semantics.instance_of(self, value, class))
    }

    pub(super) fn template(&mut self, parts: &[ValueId]) -> ValueId {
        let mut joined: Vec<ValueId> = Vec::with_capacity(parts.len());
        for &part in parts {
            let inner = match self.values.value(part) {
                Value::Template(inner) => inner.to_vec(),
                _ => vec![part],
            };
            for part in inner {
                let both = joined
                    .last()
                    .and_then(|&last| Some((self.as_printed(last)?, self.as_printed(part)?)));
                match both {
                    Some((a, b)) => {
                        joined.pop();
                        joined.push(self.values.text(&format!("{a}{b}")));
                    }
                    None => joined.push(part),
                }
            }
        }
        match joined.as_slice() {
            [] => self.values.text(""),
            [one] => match self.as_printed(*one) {
                Some(text) => self.values.text(&text),
                None => self.values.make(Value::Template(joined.into())),
            },
            _ => self.values.make(Value::Template(joined.into())),
        }
    }

    fn as_printed(&self, value: ValueId) -> Option<String> {
        match self.values.as_const(value)? {
            Const::Str(text) => Some(text.to_string()),
            Const::Num(bits) => Some(f64::from_bits(bits).to_string()),
            _ => None,
        }
    }

    fn type_of(&mut self, value: ValueId) -> ValueId {
        let name = match self.values.value(value) {
            Value::Const(Const::Str(_)) | Value::Template(_) => "string",
            Value::Const(Const::Num(_)) => "number",
            Value::Const(Const::Bool(_)) => "boolean",
            Value::Const(Const::Undefined) => "undefined",
            Value::Const(Const::Null) | Value::Object(_) | Value::Array(_) | Value::Instance(_) => {
                "object"
            }
            Value::Function { .. } | Value::Class { .. } => "function",
            _ => return self.values.make(Value::TypeOf(value)),
        };
        self.values.text(name)
    }

    /// What waiting for a value gives.
    pub(super) fn wait(&mut self, value: ValueId) -> ValueId {
        match self.values.value(value) {
            Value::Promise(inner) => *inner,
            Value::Call(call) => {
                let call = *call;
                self.values.call_mut(call).awaited = true;
                value
            }
            Value::Choice(_) => self.lift(value, |this, value| match *this.values.value(value) {
                Value::Choice(_) => value,
                _ => this.wait(value),
            }),
            _ => value,
        }
    }

    // ---- names

    /// The activation that holds a binding.
    pub(super) fn holder(&self, env: EnvId, module: ModuleId, local: LocalId) -> Option<EnvId> {
        let function = self.body(module).locals.get(local.index())?.function;
        let mut at = Some(env);
        while let Some(env) = at {
            let data = self.env(env)?;
            if data.function == Some(function) && data.module == module {
                return Some(env);
            }
            at = data.parent;
        }
        None
    }

    pub(super) fn local(&mut self, env: EnvId, module: ModuleId, local: LocalId) -> ValueId {
        let Some(data) = self.body(module).locals.get(local.index()) else {
            return self.unknown(Unknown::Opaque);
        };
        if let Some(import) = data.import {
            return self.import(module, import);
        }
        let found = self
            .holder(env, module, local)
            .and_then(|holder| self.stored(&Slot::Local(holder, local)));
        match found {
            Some(value) => value,
            None => self.unknown(Unknown::Cycle),
        }
    }

    fn global(&mut self, module: ModuleId, name: Ustr) -> ValueId {
        match name.as_str() {
            "exports" => self.values.make(Value::Namespace(module)),
            "globalThis" | "window" | "self" => {
                self.values.make(Value::Global(Ustr::from("globalThis")))
            }
            _ => {
                let global = self.values.make(Value::Global(name));
                if self.in_entry && self.assigned.contains(&name) {
                    let slot = Slot::Field(global, Ustr::from(ASSIGNED));
                    return self.stored(&slot).unwrap_or(global);
                }
                global
            }
        }
    }

    pub(super) fn this(&mut self, env: EnvId) -> ValueId {
        let mut at = Some(env);
        while let Some(data) = at.and_then(|env| self.env(env)) {
            if let Some(this) = data.this {
                return this;
            }
            if data
                .function
                .is_some_and(|function| !self.body(data.module).function(function).arrow)
            {
                break;
            }
            at = data.parent;
        }
        self.undefined()
    }

    fn parent_class(&mut self, env: EnvId) -> ValueId {
        let mut at = Some(env);
        while let Some(data) = at.and_then(|env| self.env(env)) {
            if let Some(class) = data.class {
                return match self.parent_of(class) {
                    Some(parent) => parent,
                    None => self.unknown(Unknown::Opaque),
                };
            }
            at = data.parent;
        }
        self.unknown(Unknown::Opaque)
    }

    /// What a class extends.
    pub(super) fn parent_of(&mut self, class: ValueId) -> Option<ValueId> {
        let Value::Class { module, class, env } = *self.values.value(class) else {
            return None;
        };
        let parent = self.body(module).class(class).parent?;
        let alive = std::mem::replace(&mut self.alive, true);
        let value = self.eval(env, module, parent);
        self.alive = alive;
        Some(value)
    }

    fn class_value(&mut self, env: EnvId, module: ModuleId, class: ClassId) -> ValueId {
        let value = self.values.make(Value::Class { module, class, env });
        let fields: Vec<(Ustr, ExprId)> = self
            .body(module)
            .class(class)
            .fields
            .iter()
            .filter(|field| field.is_static)
            .filter_map(|field| Some((field.name, field.what?)))
            .collect();
        for (name, field) in fields {
            let field = self.eval(env, module, field);
            self.set(Slot::Field(value, name), field);
        }
        value
    }
}
