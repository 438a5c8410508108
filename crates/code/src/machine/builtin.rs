//! What the language itself does: promises, strings, objects, binding.

use std::rc::Rc;

use ustr::{Ustr, ustr};

use super::{Machine, call::Args};
use crate::{
    body::{BinaryOp, Const, ModuleId, Span},
    value::{Alternative, Entry, ObjectData, Value, ValueId},
};

impl Machine<'_> {
    /// The result of a call that the language defines, if it is one.
    pub(super) fn builtin(
        &mut self,
        callee: ValueId,
        this: Option<ValueId>,
        args: &Args,
        new: bool,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let first = args.first().map(|arg| arg.0);
        match self.values.value(callee).clone() {
            Value::Global(name) if new && name == "Promise" => {
                self.new_promise(callee, first?, module, span)
            }
            Value::Global(name) => self.global_function(name, first, new, module),
            Value::Member(base, name) => {
                if let Value::Global(global) = *self.values.value(base) {
                    return self.static_function(global, name, args, module, span);
                }
                match self.values.value(base) {
                    Value::Function { .. } | Value::Class { .. } => {
                        self.function_method(base, name, args, module, span)
                    }
                    Value::Const(Const::Str(text)) => {
                        let text = *text;
                        self.string_method(text, name, args)
                    }
                    Value::Template(parts) => {
                        let parts = Rc::clone(parts);
                        self.template_method(&parts, name, first?)
                    }
                    Value::Const(Const::Regex(pattern, flags)) if name == "test" => {
                        let (pattern, flags) = (*pattern, *flags);
                        let text = self.values.as_text(first?)?;
                        let matched = regular_expression(pattern, flags)?.is_match(&text);
                        Some(self.values.constant(Const::Bool(matched)))
                    }
                    _ => {
                        let base = this.unwrap_or(base);
                        self.promise_method(base, name, args)
                            .or_else(|| self.list_method(base, name, args, module, span))
                    }
                }
            }
            _ => None,
        }
    }

    fn global_function(
        &mut self,
        name: Ustr,
        first: Option<ValueId>,
        new: bool,
        module: ModuleId,
    ) -> Option<ValueId> {
        match name.as_str() {
            "require" => {
                let specifier = self.values.as_text(first?)?;
                Some(self.require(module, specifier))
            }
            "Boolean" if !new => {
                let value = first?;
                let negated = self.lift(value, |this, value| this.values.not(value));
                Some(self.lift(negated, |this, value| this.values.not(value)))
            }
            "String" if !new => {
                let value = first?;
                Some(self.template(&[value]))
            }
            "RegExp" => {
                let pattern = self.values.as_text(first?)?;
                Some(self.values.constant(Const::Regex(pattern, ustr(""))))
            }
            "structuredClone" => first,
            _ => None,
        }
    }

    fn static_function(
        &mut self,
        global: Ustr,
        name: Ustr,
        args: &Args,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let first = args.first().map(|arg| arg.0);
        match (global.as_str(), name.as_str()) {
            ("Promise", "all" | "allSettled" | "race" | "any" | "resolve") => {
                let value = first?;
                match self.items(value) {
                    Some(items) => {
                        let entries = items
                            .into_iter()
                            .map(|item| Entry::Item(self.wait(item)))
                            .collect();
                        Some(self.list(entries, module, span))
                    }
                    None => Some(self.wait(value)),
                }
            }
            ("Object", "freeze" | "seal") => first,
            ("Object", "assign") => {
                let opaque = !matches!(self.values.value(first?), Value::Object(_));
                if opaque {
                    return None;
                }
                let entries = args
                    .iter()
                    .map(|&(value, _)| Entry::Spread(value))
                    .collect();
                let data = ObjectData {
                    entries,
                    added: Vec::new(),
                    made_by: None,
                    module,
                    span,
                };
                let object = self.object(data);
                Some(self.values.make(Value::Object(object)))
            }
            ("Object", "keys" | "values" | "entries") => {
                let fields = self.fields(first?)?;
                let mut entries = Vec::with_capacity(fields.len());
                for (key, value) in fields {
                    let key = self.values.constant(Const::Str(key));
                    entries.push(Entry::Item(match name.as_str() {
                        "keys" => key,
                        "values" => value,
                        _ => self.list(vec![Entry::Item(key), Entry::Item(value)], module, span),
                    }));
                }
                Some(self.list(entries, module, span))
            }
            ("Array", "from") if args.len() == 1 => first,
            ("Array", "isArray") => match self.values.value(first?) {
                Value::Array(_) => Some(self.values.constant(Const::Bool(true))),
                Value::Object(_) | Value::Const(_) | Value::Function { .. } => {
                    Some(self.values.constant(Const::Bool(false)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// `bind`, `call` and `apply`.
    fn function_method(
        &mut self,
        function: ValueId,
        name: Ustr,
        args: &Args,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let this = args.first().map(|arg| arg.0);
        let rest: Args = args.iter().skip(1).copied().collect();
        match name.as_str() {
            "bind" if rest.is_empty() => Some(match this {
                Some(this) => self.bound(function, this),
                None => function,
            }),
            "call" => Some(self.call_value(function, this, rest, false, module, span)),
            "apply" => {
                let list = rest.first().map(|arg| arg.0);
                let args = match list {
                    Some(list) => match self.items(list) {
                        Some(items) => items.into_iter().map(|item| (item, false)).collect(),
                        None => vec![(list, true)],
                    },
                    None => Vec::new(),
                };
                Some(self.call_value(function, this, args, false, module, span))
            }
            _ => None,
        }
    }

    fn promise_method(&mut self, base: ValueId, name: Ustr, args: &Args) -> Option<ValueId> {
        let callback = args.first().map(|arg| arg.0);
        let is_function = |this: &Self, value: Option<ValueId>| {
            value.is_some_and(|value| matches!(this.values.value(value), Value::Function { .. }))
        };
        match name.as_str() {
            "then" if is_function(self, callback) => {
                let value = self.wait(base);
                let on_error = args.get(1).map(|arg| arg.0);
                if let Some(handler) = on_error.filter(|_| is_function(self, on_error)) {
                    self.try_number += 1;
                    let caught = self.values.make(Value::Caught(self.try_number));
                    self.maybe_run(handler, vec![caught]);
                }
                let result = self.chained(callback?, value);
                Some(self.values.make(Value::Promise(result)))
            }
            "catch" if is_function(self, callback) => {
                let value = self.wait(base);
                self.try_number += 1;
                let caught = self.values.make(Value::Caught(self.try_number));
                let facts = self.facts;
                self.learn(crate::value::Fact::Caught(self.try_number));
                let under = self.facts;
                let handled = self.maybe_run(callback?, vec![caught]);
                self.facts = facts;
                let handled = self.wait(handled);
                let result = self.values.choice(vec![
                    Alternative { facts, value },
                    Alternative {
                        facts: under,
                        value: handled,
                    },
                ]);
                Some(self.values.make(Value::Promise(result)))
            }
            "finally" if is_function(self, callback) => {
                self.maybe_run(callback?, Vec::new());
                Some(base)
            }
            _ => None,
        }
    }

    /// Runs what is chained to a promise: after it, so that what it learns stays inside.
    fn chained(&mut self, callback: ValueId, value: ValueId) -> ValueId {
        let start = self.facts;
        let result = self.maybe_run(callback, vec![value]);
        self.facts = start;
        match *self.values.value(result) {
            Value::Promise(inner) => inner,
            _ => result,
        }
    }

    fn string_method(&mut self, text: Ustr, name: Ustr, args: &Args) -> Option<ValueId> {
        let first = args.first().map(|arg| arg.0);
        let given = |this: &Self| first.and_then(|first| this.values.as_text(first));
        let truth = |this: &mut Self, truth: bool| Some(this.values.constant(Const::Bool(truth)));
        match name.as_str() {
            "startsWith" => {
                let given = given(self)?;
                truth(self, text.starts_with(given.as_str()))
            }
            "endsWith" => {
                let given = given(self)?;
                truth(self, text.ends_with(given.as_str()))
            }
            "includes" => {
                let given = given(self)?;
                truth(self, text.contains(given.as_str()))
            }
            "match" | "search" => {
                let Const::Regex(pattern, flags) = self.values.as_const(first?)? else {
                    return None;
                };
                let matched = regular_expression(pattern, flags)?.is_match(&text);
                let answer = if matched {
                    Const::Bool(true)
                } else {
                    Const::Null
                };
                Some(self.values.constant(answer))
            }
            "toLowerCase" => Some(self.values.text(&text.to_lowercase())),
            "toUpperCase" => Some(self.values.text(&text.to_uppercase())),
            "trim" => Some(self.values.text(text.trim())),
            "toString" | "valueOf" => Some(self.values.constant(Const::Str(text))),
            "concat" => {
                let given = given(self)?;
                Some(self.values.text(&format!("{text}{given}")))
            }
            "split" => {
                let given = given(self)?;
                let parts: Vec<String> = text
                    .split(given.as_str())
                    .take(64)
                    .map(str::to_owned)
                    .collect();
                let entries = parts
                    .iter()
                    .map(|part| Entry::Item(self.values.text(part)))
                    .collect();
                Some(self.list(entries, ModuleId(0), Span::default()))
            }
            "replace" => {
                let (from, to) = (given(self)?, self.values.as_text(args.get(1)?.0)?);
                Some(
                    self.values
                        .text(&text.replacen(from.as_str(), to.as_str(), 1)),
                )
            }
            _ => None,
        }
    }

    /// What a string method gives on a text of which only pieces are known, where those decide.
    fn template_method(
        &mut self,
        parts: &[ValueId],
        name: Ustr,
        first: ValueId,
    ) -> Option<ValueId> {
        let wanted = self.values.as_text(first)?;
        let start = parts.first().and_then(|part| self.values.as_text(*part));
        let end = parts.last().and_then(|part| self.values.as_text(*part));
        let truth = match name.as_str() {
            "startsWith" => {
                let known = start?;
                if known.starts_with(wanted.as_str()) {
                    true
                } else if wanted.starts_with(known.as_str()) {
                    return None;
                } else {
                    false
                }
            }
            "endsWith" => {
                let known = end?;
                if known.ends_with(wanted.as_str()) {
                    true
                } else if wanted.ends_with(known.as_str()) {
                    return None;
                } else {
                    false
                }
            }
            // What the unknown pieces hold may be the one that is wanted: only a yes is certain.
            "includes" => {
                let mut known = parts.iter().filter_map(|part| self.values.as_text(*part));
                if !known.any(|known| known.contains(wanted.as_str())) {
                    return None;
                }
                true
            }
            _ => return None,
        };
        Some(self.values.constant(Const::Bool(truth)))
    }

    /// Whether a value may be this text: false only where known pieces at its start or end are others.
    pub(super) fn may_read(&self, value: ValueId, text: &str) -> bool {
        let Value::Template(parts) = self.values.value(value) else {
            return true;
        };
        let known = |part: Option<&ValueId>| part.and_then(|part| self.values.as_text(*part));
        let start = known(parts.first()).is_none_or(|start| text.starts_with(start.as_str()));
        let end = known(parts.last()).is_none_or(|end| text.ends_with(end.as_str()));
        start && end
    }

    pub(super) fn equal(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.binary(BinaryOp::Equal, a, b)
    }
}

/// A JavaScript regular expression, where its syntax is also that of the regex crate.
fn regular_expression(pattern: Ustr, flags: Ustr) -> Option<regex::Regex> {
    let pattern = pattern.replace("\\/", "/");
    regex::RegexBuilder::new(&pattern)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .size_limit(1 << 20)
        .build()
        .ok()
}
