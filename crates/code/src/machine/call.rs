//! Calls: project functions are entered, everything else is an event.

use super::{DEPTH_MAX, Effect, Env, EventKind, Frame, Landing, Machine, SHARE_MAX, Slot};
use crate::{
    body::{ExprId, ExprKind, FunctionId, Item, ModuleId, Span},
    value::{
        Alternative, CallData, Entry, EnvId, Fact, FrameId, ObjectData, Unknown, Value, ValueId,
    },
};

/// Choices of at most this many callees are called one by one.
const CALLEES_MAX: usize = 6;
/// Most parameters handed to a callback of an opaque call.
const HANDED_MAX: usize = 4;

pub(super) type Args = Vec<(ValueId, bool)>;

impl Machine<'_> {
    pub(super) fn call_expression(
        &mut self,
        env: EnvId,
        module: ModuleId,
        callee: ExprId,
        args: &[Item],
        new: bool,
        span: Span,
    ) -> ValueId {
        let unused = std::mem::take(&mut self.unused);
        let (this, function) = match self.body(module).expr(callee).kind {
            ExprKind::Member { object, name, .. } => {
                if matches!(self.body(module).expr(object).kind, ExprKind::Super) {
                    let class = self.eval(env, module, object);
                    let this = self.this(env);
                    (Some(this), self.super_method(class, this, name))
                } else {
                    let base = self.eval(env, module, object);
                    let function = if self.alive {
                        self.member(base, name)
                    } else {
                        base
                    };
                    (Some(base), function)
                }
            }
            ExprKind::Super => {
                let class = self.eval(env, module, callee);
                let this = self.this(env);
                let args = self.arguments(env, module, args);
                self.construct_into(class, this, args, module, span);
                return this;
            }
            _ => (None, self.eval(env, module, callee)),
        };
        let args = self.arguments(env, module, args);
        if !self.alive {
            return self.undefined();
        }
        if unused && !new && self.is_quiet(function, &args) {
            let data = CallData {
                callee: function,
                args,
                new,
                gives_object: false,
                awaited: false,
                cut: None,
                module,
                span,
            };
            let call = self.values.new_call(data);
            self.event(EventKind::Call(call), module, span);
            return self.undefined();
        }
        self.call_value(function, this, args, new, module, span)
    }

    fn arguments(&mut self, env: EnvId, module: ModuleId, args: &[Item]) -> Args {
        let mut values = Vec::with_capacity(args.len());
        for item in args {
            let value = self.eval(env, module, item.value);
            match self.items(value).filter(|_| item.spread) {
                Some(items) => values.extend(items.into_iter().map(|item| (item, false))),
                None => values.push((value, item.spread)),
            }
        }
        values
    }

    fn super_method(&mut self, class: ValueId, this: ValueId, name: ustr::Ustr) -> ValueId {
        let Value::Class {
            module,
            class: id,
            env,
        } = *self.values.value(class)
        else {
            return self.values.make(Value::Member(class, name));
        };
        let method = self
            .body(module)
            .class(id)
            .methods
            .iter()
            .find(|method| method.name == name)
            .map(|method| method.what);
        match method {
            Some(function) => {
                let env = self.method_env(env, module, class, this);
                self.values.make(Value::Function {
                    module,
                    function,
                    env,
                    this: Some(this),
                })
            }
            None => match self.parent_of(class) {
                Some(parent) => self.super_method(parent, this, name),
                None => self.values.make(Value::Member(class, name)),
            },
        }
    }

    /// Calls a value.
    pub(super) fn call_value(
        &mut self,
        callee: ValueId,
        this: Option<ValueId>,
        args: Args,
        new: bool,
        module: ModuleId,
        span: Span,
    ) -> ValueId {
        if !self.alive {
            return self.undefined();
        }
        let semantics = self.semantics;
        if !semantics.enters(self, callee) {
            let value = self.opaque_call(callee, args, new, None, module, span);
            return self.promised(callee, value);
        }
        if !self.pending.is_empty() && self.settles(callee, &args, module, span) {
            return self.undefined();
        }
        match self.values.value(callee).clone() {
            Value::Function {
                module: home,
                function,
                env,
                this: bound,
            } => {
                if new {
                    return self.construct(callee, args, module, span);
                }
                let bound = bound.or(this);
                self.enter(callee, home, function, env, bound, args, module, span)
            }
            Value::Class { .. } => self.construct(callee, args, module, span),
            Value::Choice(alternatives)
                if alternatives.len() <= CALLEES_MAX
                    && alternatives.iter().any(|each| self.runs(each.value)) =>
            {
                self.call_each(&alternatives, this, &args, new, module, span)
            }
            _ => {
                if let Some(value) = self.builtin(callee, this, &args, new, module, span) {
                    return value;
                }
                self.opaque_call(callee, args, new, None, module, span)
            }
        }
    }

    /// The result of a function that was not entered: of an async one it is a promise, which has to be waited for.
    fn promised(&mut self, callee: ValueId, value: ValueId) -> ValueId {
        let Value::Function {
            module, function, ..
        } = *self.values.value(callee)
        else {
            return value;
        };
        let is_async = self.body(module).function(function).is_async;
        match self.values.value(value) {
            Value::Call(_) if is_async && self.alive => self.values.make(Value::Promise(value)),
            _ => value,
        }
    }

    /// Whether calling a value runs project code, as far as it can be seen from outside.
    fn runs(&self, value: ValueId) -> bool {
        match self.values.value(value) {
            Value::Function { .. }
            | Value::Class { .. }
            | Value::Call(_)
            | Value::Choice(_)
            | Value::Const(_) => true,
            Value::Member(base, _) => matches!(
                self.values.value(*base),
                Value::Array(_) | Value::Function { .. } | Value::Const(_) | Value::Promise(_)
            ),
            _ => false,
        }
    }

    fn call_each(
        &mut self,
        alternatives: &[Alternative],
        this: Option<ValueId>,
        args: &Args,
        new: bool,
        module: ModuleId,
        span: Span,
    ) -> ValueId {
        let start = self.facts;
        let mark = self.undo.len();
        let mut exits = Vec::new();
        let mut possible = 0;
        for alternative in alternatives {
            if self.values.contradict(start, alternative.facts) {
                continue;
            }
            possible += 1;
            self.alive = true;
            self.facts = start;
            let beyond: Vec<Fact> = self.values.facts(alternative.facts).collect();
            for fact in beyond.into_iter().rev() {
                if !self.values.holds(self.facts, fact) {
                    self.learn(fact);
                }
            }
            let this = match *self.values.value(alternative.value) {
                Value::Member(base, _) => Some(base),
                _ => this,
            };
            let value = self.call_value(alternative.value, this, args.clone(), new, module, span);
            if self.alive {
                exits.push(self.exit(mark, value, module, span));
            }
            self.rollback(mark);
        }
        self.facts = start;
        self.alive = true;
        if possible == 0 {
            return self.undefined();
        }
        self.join(exits)
    }

    /// Enters a project function.
    #[expect(clippy::too_many_arguments, reason = "the parts of one activation")]
    fn enter(
        &mut self,
        callee: ValueId,
        home: ModuleId,
        function: FunctionId,
        env: EnvId,
        this: Option<ValueId>,
        args: Args,
        module: ModuleId,
        span: Span,
    ) -> ValueId {
        let taken = self.taken.get(&(home, function)).copied().unwrap_or(0);
        let cut = if self.depth >= DEPTH_MAX || self.is_entered(home, function) {
            Some(Unknown::Depth)
        } else if self.steps == 0 || self.in_entry && taken > SHARE_MAX {
            Some(Unknown::Budget)
        } else {
            None
        };
        if cut.is_some() {
            return self.opaque_call(callee, args, false, cut, module, span);
        }
        let body = self.body(home).function(function);
        let inner = self.push_env(Env {
            parent: Some(env),
            module: home,
            function: Some(function),
            this,
            class: None,
        });
        let outer_frame = self.frame;
        let frame = FrameId::at(self.frames.len());
        self.frames.push(Frame {
            parent: outer_frame,
            module: home,
            function,
            call_module: module,
            call_span: span,
        });
        self.frame = Some(frame);
        self.depth += 1;
        let steps = self.steps;
        let mark = self.undo.len();
        let closures = self.closures;
        self.returns.push(Landing {
            mark,
            exits: Vec::new(),
        });

        let undefined = self.undefined();
        for (number, pattern) in body.params.iter().enumerate() {
            let value = match args.get(number) {
                Some(&(value, false)) => value,
                Some(&(value, true)) => self.element(value),
                None => undefined,
            };
            self.bind(inner, home, pattern, value);
        }
        if let Some(rest) = &body.rest {
            let entries = args
                .iter()
                .skip(body.params.len())
                .map(|&(value, spread)| {
                    if spread {
                        Entry::Spread(value)
                    } else {
                        Entry::Item(value)
                    }
                })
                .collect();
            let list = self.list(entries, home, body.span);
            self.bind(inner, home, rest, list);
        }
        self.block(inner, home, &body.body);
        if self.alive {
            self.leave(
                undefined,
                home,
                Span {
                    start: body.span.end.saturating_sub(1),
                    end: body.span.end,
                },
            );
        }
        let mut exits = self
            .returns
            .pop()
            .map(|landing| landing.exits)
            .unwrap_or_default();
        if self.closures == closures {
            // Nothing can see the variables of this activation any more.
            for exit in &mut exits {
                exit.changes
                    .retain(|(slot, _)| !matches!(slot, Slot::Local(env, _) if *env >= inner));
            }
        }
        self.rollback(mark);
        let value = self.join(exits);
        self.depth -= 1;
        if self.in_entry {
            let taken = self.taken.entry((home, function)).or_default();
            *taken += steps.saturating_sub(self.steps);
        }
        self.frame = outer_frame;
        self.last_called_async = body.is_async;
        if body.is_async && self.alive {
            return match self.values.value(value) {
                Value::Promise(_) => value,
                _ => self.values.make(Value::Promise(value)),
            };
        }
        value
    }

    fn is_entered(&self, module: ModuleId, function: FunctionId) -> bool {
        let mut at = self.frame;
        while let Some(frame) = at.and_then(|id| self.frames.get(id.index())) {
            if frame.module == module && frame.function == function {
                return true;
            }
            at = frame.parent;
        }
        false
    }

    /// Makes an instance of a project class, or of a function used as one.
    fn construct(&mut self, class: ValueId, args: Args, module: ModuleId, span: Span) -> ValueId {
        let data = ObjectData {
            entries: Vec::new(),
            added: Vec::new(),
            made_by: Some(class),
            module,
            span,
        };
        let object = self.object(data);
        let this = self.values.make(Value::Instance(object));
        self.construct_into(class, this, args, module, span);
        this
    }

    fn construct_into(
        &mut self,
        class: ValueId,
        this: ValueId,
        args: Args,
        module: ModuleId,
        span: Span,
    ) {
        match *self.values.value(class) {
            Value::Function {
                module: home,
                function,
                env,
                ..
            } => {
                self.enter(class, home, function, env, Some(this), args, module, span);
            }
            Value::Class {
                module: home,
                class: id,
                env,
            } => {
                let body = self.body(home);
                let data = body.class(id);
                let env = self.method_env(env, home, class, this);
                if data.constructor.is_none()
                    && data.parent.is_some()
                    && let Some(parent) = self.parent_of(class)
                {
                    self.construct_into(parent, this, args.clone(), module, span);
                }
                for field in data.fields.iter().filter(|field| !field.is_static) {
                    let value = match field.what {
                        Some(value) => self.eval(env, home, value),
                        None => self.undefined(),
                    };
                    self.set(Slot::Field(this, field.name), value);
                }
                if let Some(constructor) = data.constructor {
                    self.enter(
                        class,
                        home,
                        constructor,
                        env,
                        Some(this),
                        args,
                        module,
                        span,
                    );
                }
            }
            Value::Unknown(_) => {}
            _ => {
                self.opaque_call(class, args, true, None, module, span);
            }
        }
    }

    /// The activation in which a class's methods and field initialisers stand.
    pub(super) fn method_env(
        &mut self,
        env: EnvId,
        module: ModuleId,
        class: ValueId,
        this: ValueId,
    ) -> EnvId {
        self.push_env(Env {
            parent: Some(env),
            module,
            function: None,
            this: Some(this),
            class: Some(class),
        })
    }

    /// A call whose callee is not project code, or is not followed.
    pub(super) fn opaque_call(
        &mut self,
        callee: ValueId,
        args: Args,
        new: bool,
        cut: Option<Unknown>,
        module: ModuleId,
        span: Span,
    ) -> ValueId {
        let args = args
            .into_iter()
            .map(|(arg, spread)| (self.as_it_is(arg), spread))
            .collect();
        let data = CallData {
            callee,
            args,
            new,
            gives_object: new,
            awaited: false,
            cut,
            module,
            span,
        };
        let call = self.values.new_call(data);
        let value = self.values.make(Value::Call(call));
        let semantics = self.semantics;
        match semantics.call(self, call) {
            Effect::Value(value) => return value,
            Effect::Runs { function, args } => {
                self.event(EventKind::Call(call), module, span);
                self.learn(Fact::Returned(call));
                let args = args.into_iter().map(|arg| (arg, false)).collect();
                return self.call_value(function, None, args, false, module, span);
            }
            Effect::MayRun { function, args } => {
                self.event(EventKind::Call(call), module, span);
                self.maybe_run(function, args);
                self.learn(Fact::Returned(call));
                return value;
            }
            Effect::Leaves => {
                // What leaves by itself does so now, whatever project function was called last.
                self.last_called_async = false;
                self.event(EventKind::Call(call), module, span);
                self.throw(value, module, span);
                return value;
            }
            Effect::Continues => {
                self.event(EventKind::Call(call), module, span);
                self.learn(Fact::Returned(call));
                let exit = self.exit(self.chain_mark, value, module, span);
                self.continues.push(exit);
                return self.undefined();
            }
            Effect::Inert => {
                self.ask_for_object(call);
                self.event(EventKind::Call(call), module, span);
                self.learn(Fact::Returned(call));
                return value;
            }
            Effect::Opaque => self.ask_for_object(call),
        }
        self.event(EventKind::Call(call), module, span);
        if self.in_entry && cut.is_none() {
            self.call_back(call);
        }
        self.learn(Fact::Returned(call));
        value
    }

    /// An object of the code's own as foreign code is given it: with what was stored into it until now.
    fn as_it_is(&mut self, value: ValueId) -> ValueId {
        let Value::Object(object) = *self.values.value(value) else {
            return value;
        };
        if self.values.object(object).added.is_empty() {
            return value;
        }
        let mut data = self.values.object(object).clone();
        for name in std::mem::take(&mut data.added) {
            let now = self.member(value, name);
            data.entries
                .retain(|entry| !matches!(entry, Entry::Named(known, _) if *known == name));
            data.entries.push(Entry::Named(name, now));
        }
        let object = self.object(data);
        self.values.make(Value::Object(object))
    }

    /// What `new` makes is an object; of other calls the embedder may know.
    fn ask_for_object(&mut self, call: crate::value::CallId) {
        let semantics = self.semantics;
        if !self.values.call(call).new && semantics.gives_object(self, call) {
            self.values.call_mut(call).gives_object = true;
        }
    }

    /// The functions among the arguments of an opaque call may run: once, on what it hands them.
    fn call_back(&mut self, call: crate::value::CallId) {
        let args = self.values.call(call).args.clone();
        for (number, (arg, _)) in args.into_iter().enumerate() {
            match *self.values.value(arg) {
                Value::Function { .. } => self.run_callback(call, number, arg),
                Value::Object(_) => {
                    // `{ onRequest: async () => .. }`: the functions among its own members, one level deep.
                    let functions: Vec<ValueId> = self
                        .fields(arg)
                        .unwrap_or_default()
                        .into_iter()
                        .map(|(_, value)| value)
                        .filter(|&value| matches!(self.values.value(value), Value::Function { .. }))
                        .collect();
                    for function in functions {
                        self.run_callback(call, number, function);
                    }
                }
                _ => {}
            }
        }
    }

    fn run_callback(&mut self, call: crate::value::CallId, number: usize, function: ValueId) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let args: Vec<ValueId> = (0..HANDED_MAX)
            .map(|param| {
                let param = u32::try_from(param).unwrap_or(u32::MAX);
                self.values.make(Value::Handed(call, number, param))
            })
            .collect();
        self.maybe_run(function, args);
    }

    /// Runs a function that may run or not: nothing that it learns holds afterwards.
    pub(super) fn maybe_run(&mut self, function: ValueId, args: Vec<ValueId>) -> ValueId {
        let start = self.facts;
        let mark = self.undo.len();
        let (module, span) = self.place(function);
        let args = args.into_iter().map(|arg| (arg, false)).collect();
        self.tries.push(Landing {
            mark,
            exits: Vec::new(),
        });
        let value = self.call_value(function, None, args, false, module, span);
        let thrown = self
            .tries
            .pop()
            .map(|landing| landing.exits)
            .unwrap_or_default();
        let undefined = self.undefined();
        let mut exits = thrown;
        if self.alive {
            exits.push(self.exit(mark, value, module, span));
        }
        self.rollback(mark);
        self.facts = start;
        self.alive = true;
        exits.push(self.exit(mark, undefined, module, span));
        self.join(exits);
        self.facts = start;
        self.alive = true;
        value
    }
}
