//! Which functions need not be entered where nobody uses what they return: loggers, and what they format their lines with.
//!
//! Such a function can neither refuse nor answer, reads nothing that matters and changes nothing that anybody sees. To run
//! it again at every line of a log costs most of the steps of a large application and says nothing. What cannot be shown
//! to be of that sort is entered.

mod names;
mod scan;

use std::rc::Rc;

use rustc_hash::FxHashSet;

use self::{
    names::{GLOBALS, METHODS},
    scan::Scan,
};
use super::{Machine, call::Args};
use crate::{
    body::{Const, FunctionId, ModuleId},
    value::{Entry, EnvId, Value, ValueId},
};

/// Most functions that one answer may depend on.
const FUNCTIONS_MAX: usize = 200;
/// How deep arguments are looked into for functions.
const ARGUMENT_DEPTH_MAX: u32 = 6;

/// A closure's code and where it was made.
pub(super) type Closure = (ModuleId, FunctionId, EnvId);

impl Machine<'_> {
    /// Whether a call of the value with these arguments can be left out, if nobody uses its result.
    pub(super) fn is_quiet(&mut self, callee: ValueId, args: &Args) -> bool {
        args.iter()
            .all(|&(arg, _)| !self.holds_function(arg, 0) && !self.may_act(arg))
            && self.only_computes(callee)
    }

    fn only_computes(&mut self, callee: ValueId) -> bool {
        if let Value::Choice(alternatives) = self.values.value(callee) {
            let alternatives = alternatives.clone();
            return alternatives
                .iter()
                .all(|each| self.only_computes(each.value));
        }
        let Some(closure) = self.closure(callee) else {
            return false;
        };
        if let Some((known, reads)) = self.quiet.get(&closure) {
            self.read_again(reads);
            return *known;
        }
        let mut seen = FxHashSet::default();
        let reading = self.open_reading();
        let quiet = self.computes(callee, &mut seen);
        let reads = Rc::new(self.close_reading(reading));
        if quiet {
            // The others were found to be so on the way.
            self.quiet.extend(
                seen.into_iter()
                    .map(|closure| (closure, (true, Rc::clone(&reads)))),
            );
        } else {
            self.quiet.insert(closure, (false, reads));
        }
        quiet
    }

    fn closure(&self, value: ValueId) -> Option<Closure> {
        match *self.values.value(value) {
            Value::Function {
                module,
                function,
                env,
                ..
            } => Some((module, function, env)),
            _ => None,
        }
    }

    /// Whether something that is called, or handed to somebody who may call it, only computes.
    fn computes(&mut self, value: ValueId, seen: &mut FxHashSet<Closure>) -> bool {
        match self.values.value(value).clone() {
            Value::Function {
                module,
                function,
                env,
                ..
            } => {
                let closure = (module, function, env);
                if let Some((known, reads)) = self.quiet.get(&closure) {
                    self.read_again(reads);
                    return *known;
                }
                if !seen.insert(closure) {
                    return true;
                }
                let semantics = self.semantics;
                if seen.len() > FUNCTIONS_MAX || !semantics.enters(self, value) {
                    return false;
                }
                Scan::of(self.body(module), module, env, function)
                    .is_some_and(|mut scan| scan.run(self, seen))
            }
            Value::Choice(alternatives) => alternatives
                .iter()
                .all(|each| self.computes(each.value, seen)),
            Value::Global(name) => GLOBALS.contains(&name.as_str()),
            Value::Const(Const::Null | Const::Undefined) => true,
            Value::External(..) => self.is_harmless(value),
            Value::Member(base, name) => {
                let plain = match self.values.value(base) {
                    Value::Const(_) | Value::Array(_) | Value::Template(_) => true,
                    // A set, a map, a date that the module made for itself.
                    Value::Call(call) => matches!(
                        self.values.value(self.values.call(*call).callee),
                        Value::Global(maker) if GLOBALS.contains(&maker.as_str())
                    ),
                    _ => return self.is_harmless(value),
                };
                plain && METHODS.contains(&name.as_str())
            }
            _ => false,
        }
    }

    /// Whether a value may be handed to anybody: it is no function, or one that only computes.
    fn may_be_handed(&mut self, value: ValueId, seen: &mut FxHashSet<Closure>) -> bool {
        match self.values.value(value).clone() {
            Value::Choice(alternatives) => alternatives
                .iter()
                .all(|each| self.may_be_handed(each.value, seen)),
            Value::Function { .. } | Value::External(..) | Value::Global(_) => {
                self.computes(value, seen)
            }
            Value::Member(..) | Value::Call(_) => self.is_harmless(value),
            Value::Namespace(_) | Value::Class { .. } | Value::Promise(_) | Value::Unknown(_) => {
                false
            }
            _ => !self.holds_function(value, 0),
        }
    }

    fn is_harmless(&mut self, value: ValueId) -> bool {
        let semantics = self.semantics;
        !semantics.matters(self, value)
    }

    /// Whether a value is a function of a package that does something.
    fn may_act(&mut self, value: ValueId) -> bool {
        let mut root = value;
        while let Value::Member(base, _) = *self.values.value(root) {
            root = base;
        }
        let foreign = matches!(
            self.values.value(root),
            Value::External(..) | Value::Call(_) | Value::Choice(_) | Value::Global(_)
        );
        foreign
            && matches!(
                self.values.value(value),
                Value::Member(..) | Value::External(..)
            )
            && !self.is_harmless(value)
    }

    /// Whether a function is among what a value holds.
    fn holds_function(&self, value: ValueId, depth: u32) -> bool {
        match self.values.value(value) {
            // The methods of an instance and of a module are functions too.
            Value::Function { .. }
            | Value::Class { .. }
            | Value::Instance(_)
            | Value::Namespace(_) => true,
            Value::Choice(alternatives) => alternatives
                .iter()
                .any(|each| self.holds_function(each.value, depth)),
            Value::Object(object) | Value::Array(object) => {
                let entries = &self.values.object(*object).entries;
                // What lies deeper is not looked at, and may be one.
                let too_deep = depth >= ARGUMENT_DEPTH_MAX && !entries.is_empty();
                too_deep
                    || entries.iter().any(|entry| match *entry {
                        Entry::Named(_, value)
                        | Entry::Computed(_, value)
                        | Entry::Spread(value)
                        | Entry::Item(value)
                        | Entry::Each(value) => self.holds_function(value, depth + 1),
                    })
            }
            _ => false,
        }
    }
}
