//! What the methods of lists do.

use ustr::Ustr;

use super::{Machine, call::Args};
use crate::{
    body::{Const, ModuleId, Span},
    value::{Alternative, Entry, NO_FACTS, Value, ValueId},
};

/// Lists up to this length are gone through element by element.
const ITEMS_MAX: usize = 64;

impl Machine<'_> {
    /// The result of a list method, if it is one.
    pub(super) fn list_method(
        &mut self,
        base: ValueId,
        name: Ustr,
        args: &Args,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let whole = match *self.values.value(base) {
            Value::Kept(whole, _) => whole,
            _ => base,
        };
        let callback = args.first().map(|arg| arg.0);
        let calls_back = callback
            .is_some_and(|callback| matches!(self.values.value(callback), Value::Function { .. }));
        let known = self.items(base).filter(|items| items.len() <= ITEMS_MAX);
        if matches!(self.values.value(base), Value::Array(_)) && !calls_back {
            return self.plain_list_method(base, name, args, known, module, span);
        }
        if !calls_back {
            return None;
        }
        let callback = callback?;
        if !matches!(
            name.as_str(),
            "map"
                | "flatMap"
                | "forEach"
                | "filter"
                | "find"
                | "findLast"
                | "some"
                | "every"
                | "reduce"
                | "sort"
                | "findIndex"
        ) {
            return None;
        }
        let semantics = self.semantics;
        match known {
            Some(items) => self.known_list(base, name, callback, args, items, module, span),
            None if !semantics.is_of_list(self, whole, name) => None,
            None => self.unknown_list(base, name, callback, args, module, span),
        }
    }

    fn plain_list_method(
        &mut self,
        base: ValueId,
        name: Ustr,
        args: &Args,
        known: Option<Vec<ValueId>>,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        match name.as_str() {
            "push" | "unshift" => {
                if let Value::Array(object) = *self.values.value(base) {
                    let data = self.values.object_mut(object);
                    for &(value, spread) in args {
                        data.entries.push(if spread {
                            Entry::Spread(value)
                        } else {
                            Entry::Item(value)
                        });
                    }
                }
                Some(self.undefined())
            }
            "includes" | "indexOf" => {
                let wanted = args.first()?.0;
                let mut possible = Vec::new();
                for item in known? {
                    let equal = self.equal(item, wanted);
                    match self.values.truth(NO_FACTS, equal) {
                        Some(true) if name == "includes" => {
                            return Some(self.values.constant(Const::Bool(true)));
                        }
                        Some(false) => {}
                        _ => possible.push(equal),
                    }
                }
                if possible.is_empty() && name == "includes" {
                    return Some(self.values.constant(Const::Bool(false)));
                }
                None
            }
            "concat" => {
                let mut entries = vec![Entry::Spread(base)];
                for &(value, _) in args {
                    let list = matches!(self.values.value(value), Value::Array(_));
                    entries.push(if list {
                        Entry::Spread(value)
                    } else {
                        Entry::Item(value)
                    });
                }
                Some(self.list(entries, module, span))
            }
            "slice" | "reverse" | "flat" | "sort" | "filter"
                if args.is_empty() || name != "filter" =>
            {
                Some(base)
            }
            // `[a, b].filter(Boolean)`
            "filter" => Some(base),
            "join" => {
                let items = known?;
                Some(self.template(&items))
            }
            _ => None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn known_list(
        &mut self,
        base: ValueId,
        name: Ustr,
        callback: ValueId,
        args: &Args,
        items: Vec<ValueId>,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let mut results = Vec::with_capacity(items.len());
        let mut folded = args.get(1).map(|arg| arg.0);
        for (number, &item) in items.iter().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let index = self.values.constant(Const::number(f64::from(number)));
            let call_args: Args = if name == "reduce" {
                let Some(before) = folded else {
                    folded = Some(item);
                    continue;
                };
                vec![(before, false), (item, false), (index, false)]
            } else {
                vec![(item, false), (index, false), (base, false)]
            };
            let result = self.call_value(callback, None, call_args, false, module, span);
            if !self.alive {
                return Some(result);
            }
            folded = Some(result);
            results.push(result);
        }
        let truths: Vec<Option<bool>> = results
            .iter()
            .map(|&result| self.values.truth(self.facts, result))
            .collect();
        Some(match name.as_str() {
            "map" | "flatMap" => {
                let flat = name == "flatMap";
                let entries = results
                    .into_iter()
                    .map(|result| {
                        if flat && matches!(self.values.value(result), Value::Array(_)) {
                            Entry::Spread(result)
                        } else {
                            Entry::Item(result)
                        }
                    })
                    .collect();
                self.list(entries, module, span)
            }
            "some" if truths.contains(&Some(true)) => self.values.constant(Const::Bool(true)),
            "some" if truths.iter().all(|truth| *truth == Some(false)) => {
                self.values.constant(Const::Bool(false))
            }
            "every" if truths.contains(&Some(false)) => self.values.constant(Const::Bool(false)),
            "every" if truths.iter().all(|truth| *truth == Some(true)) => {
                self.values.constant(Const::Bool(true))
            }
            "some" | "every" => self.values.make(Value::Derived(results.into())),
            "filter" => {
                let kept: Vec<Entry> = items
                    .iter()
                    .zip(&truths)
                    .filter(|(_, truth)| **truth != Some(false))
                    .map(|(&item, truth)| {
                        if truth.is_some() {
                            Entry::Item(item)
                        } else {
                            Entry::Each(item)
                        }
                    })
                    .collect();
                self.list(kept, module, span)
            }
            "find" | "findLast" => {
                let found = items
                    .iter()
                    .zip(&truths)
                    .find(|(_, truth)| **truth == Some(true))
                    .map(|(&item, _)| item);
                match found {
                    Some(item) if !truths.contains(&None) => item,
                    _ if truths.iter().all(|truth| *truth == Some(false)) => self.undefined(),
                    _ => self.element(base),
                }
            }
            "reduce" => folded?,
            "sort" => base,
            _ => self.undefined(),
        })
    }

    fn unknown_list(
        &mut self,
        base: ValueId,
        name: Ustr,
        callback: ValueId,
        args: &Args,
        module: ModuleId,
        span: Span,
    ) -> Option<ValueId> {
        let element = self.element(base);
        let mut call_args = vec![element];
        if name == "reduce" {
            call_args.insert(0, args.get(1).map_or(element, |arg| arg.0));
        }
        // A list of the project's own, or something that only looks like one: its elements are not awaited here.
        let result = self.maybe_run(callback, call_args);
        Some(match name.as_str() {
            "map" | "flatMap" => {
                let waited = self.wait(result);
                self.list(vec![Entry::Each(waited)], module, span)
            }
            "filter" => self.kept(base, result),
            "sort" => base,
            "find" | "findLast" => self.found(element, result),
            "reduce" => result,
            // What holds of one element holds of each, or of the one that matters: they cannot be told apart.
            "some" | "every" => result,
            "findIndex" => self.values.make(Value::Derived([base, result].into())),
            _ => self.undefined(),
        })
    }

    /// An unknown list without the elements for which a test does not hold.
    fn kept(&mut self, base: ValueId, test: ValueId) -> ValueId {
        // A list that the code makes has its elements in sight, and is gone on with as it is.
        let is_made = matches!(
            self.values.value(base),
            Value::Array(_) | Value::Choice(_) | Value::Unknown(_)
        );
        if is_made || self.values.truth(self.facts, test).is_some() {
            return base;
        }
        self.values.make(Value::Kept(base, test))
    }

    /// What a search of an unknown list gives: an element for which the test held, or nothing.
    fn found(&mut self, element: ValueId, test: ValueId) -> ValueId {
        let facts = self.facts;
        let undefined = self.undefined();
        match self.values.truth(facts, test) {
            Some(true) => element,
            Some(false) => undefined,
            None => {
                let given = self.values.assume(facts, test, true);
                let missing = self.values.assume(facts, test, false);
                let alternative = |facts, value| Alternative { facts, value };
                self.values.choice(vec![
                    alternative(given, element),
                    alternative(missing, undefined),
                ])
            }
        }
    }
}
